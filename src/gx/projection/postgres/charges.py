"""The queries about fees and the velocity tax: the contracts' rules on the read models' rows."""

from collections.abc import Mapping, Sequence
from typing import Final

from asyncpg import Record

from gx.domain.amounts import Amount
from gx.domain.charges import fee_of, tax_eligibility, velocity_tax_of
from gx.domain.codec import decode_object
from gx.domain.economics import with_defaults
from gx.domain.events import AccountStatus
from gx.domain.identifiers import AccountId, CountryCode, EpochSeconds
from gx.domain.world_state import AccountKind, AccountRecord
from gx.projection.ports import Answer
from gx.projection.postgres.answering import Answering, answer_of

# Parameters, accounts and checkpoint of one snapshot. The ledger's time never goes back and is
# not behind its last block's, so the later of that and the clock is when a command would come.
READ_CHARGED: Final = """
    SELECT coalesce(c.block_number, -1) AS at_block,
           greatest(extract(epoch FROM clock_timestamp())::bigint, c.block_timestamp_ms / 1000)
               AS now_s,
           (SELECT coalesce(json_object_agg(id, value), '{}') FROM system_parameters)::text
               AS parameters,
           m.account_id, m.balance, m.kind, m.status, m.is_frozen, m.country,
           m.tax_timer_started_at
      FROM (VALUES (1)) AS one
      LEFT JOIN projection_checkpoints AS c ON c.channel = $1
      LEFT JOIN accounts AS m ON m.account_id = ANY ($2::text[])
"""


class ChargeQueries(Answering):
    """Answers what accounts would be charged, as of one block."""

    async def transaction_fee(self, from_id: AccountId, to_id: AccountId, amount: Amount) -> Answer:
        """Return what a transfer would cost its sender; nothing if an account is unknown."""
        rows = await self._charged(from_id, to_id)
        accounts = _accounts_of(rows)
        if not {from_id, to_id} <= accounts.keys():
            return answer_of(rows[0], None)
        fee = fee_of(_parameters_of(rows), accounts[from_id], accounts[to_id], amount)
        body = {"fromId": from_id, "toId": to_id, "amount": str(amount)}
        return answer_of(rows[0], {**body, **fee.to_wire(), "total": str(amount + fee.fee)})

    async def velocity_tax(self, account_id: AccountId) -> Answer:
        """Tell whether an account's velocity tax is due by now, and how much it would be."""
        rows = await self._charged(account_id)
        account = _accounts_of(rows).get(account_id)
        if account is None:
            return answer_of(rows[0], None)
        parameters, now = _parameters_of(rows), EpochSeconds(rows[0]["now_s"])
        eligibility = tax_eligibility(parameters, account_id, account, now)
        tax = velocity_tax_of(parameters, account)
        return answer_of(rows[0], {**eligibility.to_wire(), **tax.to_wire()})

    async def _charged(self, *account_ids: AccountId) -> Sequence[Record]:
        return await self.pool.fetch(READ_CHARGED, self.channel, list(account_ids))


def _parameters_of(rows: Sequence[Record]) -> Mapping[str, int]:
    values = decode_object(rows[0]["parameters"])
    return with_defaults({name: int(str(value)) for name, value in values.items()})


def _accounts_of(rows: Sequence[Record]) -> dict[str, AccountRecord]:
    return {row["account_id"]: _account(row) for row in rows if row["account_id"] is not None}


def _account(row: Record) -> AccountRecord:
    country, started_at = row["country"], row["tax_timer_started_at"]
    return AccountRecord(
        balance=Amount(row["balance"]),
        kind=AccountKind(row["kind"]),
        status=AccountStatus(row["status"]),
        frozen=row["is_frozen"],
        country=None if country is None else CountryCode(country),
        tax_timer_started_at=None if started_at is None else EpochSeconds(started_at),
    )
