"""The fold of TransferEvent on its raw JSON: the one event that comes by the million.

Reading it typed and folding it change by change costs several times as much. This fold takes only
what it surely understands; for anything else it changes nothing and says so, and the
event goes the typed way. A property test proves that both ways have the same effects.
"""

from typing import Final, Literal

import msgspec

from gx.domain.amounts import AMOUNT_MAX
from gx.domain.events import CoinsTransferred
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.versions import FIRST
from gx.projection.folding import PlaceParts
from gx.projection.read_models import ACCOUNT_ENTRIES, ACCOUNTS, SINGLETON_KEY, SUPPLY, EntryKind
from gx.projection.reduction import Effects, RowEffect

_STORABLE: Final = range(-(2**63), 2**63)
_AMOUNTS: Final = range(AMOUNT_MAX + 1)
_TRANSFER: Final = EntryKind.TRANSFER.value
_FEE: Final = EntryKind.FEE.value


class _Change(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    account_id: str
    delta: str
    tax_timer: Literal["started", "cleared"] | None = None


class _Transfer(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    event_type: str
    schema_version: int
    timestamp: int
    from_id: str
    to_id: str
    amount: str
    fee: str
    fee_rate_bps: int
    remark: str
    changes: list[_Change] = []


_DECODER: Final = msgspec.json.Decoder(_Transfer)


def fold_transfer(raw: msgspec.Raw | bytes, place: PlaceParts, effects: Effects) -> bool:
    """Add the effects of one TransferEvent; False, and no effects, if this is no plain one."""
    try:
        transfer = _DECODER.decode(raw)
    except msgspec.DecodeError:
        return False
    deltas = _deltas_of(transfer)
    if deltas is None:
        return False
    _post(transfer, deltas, place, effects)
    return True


def _deltas_of(transfer: _Transfer) -> list[int] | None:
    """Read the changes' deltas; None if anything about the event is out of the ordinary."""
    is_plain = (
        transfer.event_type == CoinsTransferred.WIRE_NAME
        and transfer.schema_version == FIRST
        and transfer.remark.isprintable()  # so it holds neither zeros nor surrogates
        and transfer.timestamp in _STORABLE
    )
    if not is_plain:
        return None
    try:
        if _canonical(transfer.amount) not in _AMOUNTS or _canonical(transfer.fee) not in _AMOUNTS:
            return None
        return _read_deltas(transfer.changes)
    except ValueError:
        return None


def _read_deltas(changes: list[_Change]) -> list[int] | None:
    deltas = []
    for change in changes:
        text = change.delta
        delta = int(text)
        is_plain = str(delta) == text and change.account_id.isprintable()
        if not is_plain or delta not in _STORABLE:
            return None
        deltas.append(delta)
    return deltas if sum(deltas) in _STORABLE else None


def _canonical(text: str) -> int:
    """Read a whole number in its shortest form; ValueError if it is none."""
    number = int(text)
    if str(number) != text:
        raise ValueError(text)
    return number


def _post(transfer: _Transfer, deltas: list[int], place: PlaceParts, effects: Effects) -> None:
    accounts = effects.rows.setdefault(ACCOUNTS.name, {})
    entries = effects.appended.setdefault(ACCOUNT_ENTRIES.name, [])
    block_number, position, transaction_id, command_id = place
    from_id, to_id, remark = transfer.from_id, transfer.to_id, transfer.remark
    recorded_at = transfer.timestamp
    is_fund_party = OPERATIONS_FUND in (from_id, to_id)
    for ordinal, change in enumerate(transfer.changes):
        account_id, delta = change.account_id, deltas[ordinal]
        key = (account_id,)
        account = accounts.get(key)
        if account is None:
            account = accounts[key] = RowEffect()
            account.deltas["balance"] = delta
        else:
            account.add("balance", delta)
        if change.tax_timer is not None:
            started_at = recorded_at if change.tax_timer == "started" else None
            account.put("tax_timer_started_at", started_at)
        if delta:
            kind = _FEE if account_id == OPERATIONS_FUND and not is_fund_party else _TRANSFER
            other = to_id if account_id == from_id else from_id
            # One display, not a loop over columns: three of these are made for each transfer.
            entries.append(
                (account_id, block_number, position, ordinal, kind, delta, other, remark,
                 recorded_at, transaction_id, command_id)
            )  # fmt: skip
    total = sum(deltas)
    if total:
        effects.row(SUPPLY.name, SINGLETON_KEY).add("balances", total)
