"""The reads of the business API, each one statement: rows and checkpoint of one snapshot."""

from typing import Final

from asyncpg import Record

from gx.domain.amounts import SUPPLY_CAP
from gx.domain.codec import JsonObject, decode_object
from gx.domain.economics import GENESIS_PHASES, PARAMETERS, POOL_ALLOCATIONS, genesis_phase
from gx.domain.identifiers import (
    OPERATIONS_FUND,
    AccountId,
    BlockNumber,
    CountryCode,
    UserId,
    treasury_of,
)
from gx.domain.refusals import RefusedError
from gx.projection.cursors import parse_cursor
from gx.projection.ports import START, Answer, ProjectionStatus, Stop
from gx.projection.postgres.answering import answer_of, page_of, render_row
from gx.projection.postgres.charges import ChargeQueries
from gx.projection.postgres.identity_queries import IdentityQueries
from gx.projection.postgres.loan_queries import LoanQueries
from gx.projection.postgres.organization_queries import OrganizationQueries
from gx.projection.postgres.store import checkpoint_of
from gx.projection.read_models import (
    ACCOUNT_ENTRIES,
    ACCOUNTS,
    COUNTRIES,
    SINGLETON_KEY,
    SYSTEM_PARAMETERS,
    SYSTEM_STATUS,
    USERS,
)

# Accounts by name; the bound on names is the bound on rows.
READ_ACCOUNTS: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           coalesce((SELECT distributed FROM genesis), 0) AS distributed,
           m.*
      FROM (VALUES (1)) AS one LEFT JOIN accounts AS m ON m.account_id = ANY ($2::text[])
"""

READ_COUNTRIES: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           m.*
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM countries WHERE country_code > $2
                          ORDER BY country_code LIMIT $3) AS m ON true
     ORDER BY m.country_code
"""

# Newest first: the primary key, read backwards.
READ_ENTRIES: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           EXISTS (SELECT FROM accounts WHERE account_id = $2) AS is_known,
           m.*
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM account_entries
                          WHERE account_id = $2
                            AND (block_number, position, ordinal) < ($3, $4, $5)
                          ORDER BY block_number DESC, position DESC, ordinal DESC
                          LIMIT $6) AS m ON true
     ORDER BY m.block_number DESC, m.position DESC, m.ordinal DESC
"""

READ_COUNTERS: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           (SELECT coalesce(sum(users), 0)::bigint FROM countries) AS users,
           (SELECT count(*) FROM countries) AS countries,
           coalesce((SELECT distributed FROM genesis), 0) AS distributed,
           coalesce((SELECT minted FROM supply), 0) AS minted
"""

READ_SUPPLY: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           coalesce((SELECT minted FROM supply), 0) AS minted,
           coalesce((SELECT balances FROM supply), 0) AS balances,
           (SELECT value FROM system_parameters WHERE id = 'supplyCap') AS cap
"""

READ_STATUS: Final = """
    SELECT c.block_number, c.block_timestamp_ms, c.genesis_hash, c.sealed_block, c.sealed_hash,
           c.sealed_at IS NOT DISTINCT FROM c.updated_at AS is_sealed,
           coalesce(c.epoch, 0) AS epoch,
           coalesce(extract(epoch FROM clock_timestamp() - c.updated_at) * 1000, 0)::bigint
               AS age_ms,
           (SELECT holder FROM leases WHERE name = $2 AND expires_at > clock_timestamp()) AS holder,
           (SELECT count(*) FROM parked_events WHERE channel = $1) AS parked,
           s.block_number AS stop_block, s.position, s.event_type, s.event, s.error,
           s.is_newer
      FROM (VALUES (1)) AS one
      LEFT JOIN projection_checkpoints AS c ON c.channel = $1
      LEFT JOIN projection_stops AS s ON s.channel = $1
"""

_ENTRIES_START: Final = (2**63 - 1, 2**31 - 1, 2**31 - 1)
_COUNTRIES_START: Final = ("",)
_SYSTEM_ACCOUNTS: Final = (*POOL_ALLOCATIONS, OPERATIONS_FUND)
_GENESIS_USERS: Final = sum(phase.users for phase in GENESIS_PHASES)


class PostgresQueries(LoanQueries, IdentityQueries, OrganizationQueries, ChargeQueries):
    """Answers each query of the catalogue, in a method of its name, as of one block.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    async def system_status(self) -> Answer:
        """Tell whether the system is bootstrapped and paused; before bootstrap too."""
        row = await self.one(SYSTEM_STATUS, *SINGLETON_KEY)
        values = row if row["singleton"] is not None else SYSTEM_STATUS.defaults
        body = render_row(SYSTEM_STATUS, values)
        del body["singleton"]
        return answer_of(row, body)

    async def system_parameter(self, id: str) -> Answer:  # noqa: A002 - the path calls it so
        """Return one parameter with its unit."""
        row = await self.one(SYSTEM_PARAMETERS, id)
        if row["id"] is None:
            return answer_of(row, None)
        spec = PARAMETERS.get(id)
        unit: JsonObject = {} if spec is None else {"unit": spec.unit}
        return answer_of(row, {**render_row(SYSTEM_PARAMETERS, row), **unit})

    async def countries(self, *, limit: int, cursor: str | None = None) -> Answer:
        """Return open countries by code, page by page.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _COUNTRIES_START if cursor is None else parse_cursor(cursor, _COUNTRIES_START)
        rows = await self.pool.fetch(READ_COUNTRIES, self.channel, *place, limit + 1)
        return answer_of(rows[0], page_of(COUNTRIES, rows, limit, ("country_code",)))

    async def country_stats(self, country_code: CountryCode) -> Answer:
        """Return one country with its users and what genesis paid there."""
        return await self.one_or_none(COUNTRIES, country_code)

    async def global_counters(self) -> Answer:
        """Return how many users, countries and distributions there are, and the supply."""
        row = await self.row(READ_COUNTERS)
        body: JsonObject = {
            "users": row["users"],
            "countries": row["countries"],
            "genesisDistributed": row["distributed"],
            "minted": str(row["minted"]),
        }
        return answer_of(row, body)

    async def user(self, user_id: UserId) -> Answer:
        """Return one user."""
        return await self.one_or_none(USERS, user_id)

    async def trust(self, user_id: UserId) -> Answer:
        """Return a user's trust score."""
        row = await self.one(USERS, user_id)
        if row["user_id"] is None:
            return answer_of(row, None)
        return answer_of(row, {"userId": row["user_id"], "trustScore": row["trust_score"]})

    async def balance(self, account_id: AccountId) -> Answer:
        """Return one account."""
        return await self.one_or_none(ACCOUNTS, account_id)

    async def treasury_balance(self, country_code: CountryCode) -> Answer:
        """Return a country's treasury."""
        return await self.balance(treasury_of(country_code))

    async def account_entries(
        self, account_id: AccountId, *, limit: int, cursor: str | None = None
    ) -> Answer:
        """Return what changed an account's balance, newest first, page by page.

        Entries that come later appear before the first page and move nothing on the others.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _ENTRIES_START if cursor is None else parse_cursor(cursor, _ENTRIES_START)
        rows = await self.pool.fetch(READ_ENTRIES, self.channel, account_id, *place, limit + 1)
        if not rows[0]["is_known"]:
            return answer_of(rows[0], None)
        key = ("block_number", "position", "ordinal")
        return answer_of(rows[0], page_of(ACCOUNT_ENTRIES, rows, limit, key))

    async def supply(self) -> Answer:
        """Return what was minted, the cap, and what all accounts hold together.

        The last is the sum of every change of a balance; reconciliation compares it with the
        accounts themselves.
        """
        row = await self.row(READ_SUPPLY)
        body: JsonObject = {
            "minted": str(row["minted"]),
            "balances": str(row["balances"]),
            "cap": row["cap"] or str(SUPPLY_CAP),
        }
        return answer_of(row, body)

    async def pools(self) -> Answer:
        """Return the system's accounts, and how far the genesis distribution has come."""
        rows = await self.pool.fetch(READ_ACCOUNTS, self.channel, list(_SYSTEM_ACCOUNTS))
        found = {row["account_id"]: render_row(ACCOUNTS, row) for row in rows}
        distributed: int = rows[0]["distributed"]
        body: JsonObject = {
            "pools": [found[name] for name in _SYSTEM_ACCOUNTS if name in found],
            "genesis": {
                "distributed": distributed,
                "remaining": _GENESIS_USERS - distributed,
                "phase": _next_phase(distributed),
            },
        }
        return answer_of(rows[0], body)

    async def status(self, *, lease_name: str) -> ProjectionStatus:
        """Tell where the projection stands, who projects, and what is in the way."""
        row = await self.pool.fetch_one(READ_STATUS, self.channel, lease_name)
        assert row is not None  # noqa: S101 - VALUES (1) is a row
        return ProjectionStatus(
            checkpoint=START if row["block_number"] is None else checkpoint_of(row),
            epoch=row["epoch"],
            age_ms=row["age_ms"],
            holder=row["holder"],
            parked=row["parked"],
            stop=None if row["stop_block"] is None else _stop_of(row),
        )


def _next_phase(distributed: int) -> int | None:
    """Return the phase of the next user, None once all phases are spent."""
    try:
        return genesis_phase(distributed).number
    except RefusedError:
        return None


def _stop_of(row: Record) -> Stop:
    return Stop(
        block_number=BlockNumber(row["stop_block"]),
        position=row["position"],
        event_type=row["event_type"],
        event=decode_object(row["event"]),
        error=row["error"],
        is_newer=row["is_newer"],
    )
