"""The fold of TransferEvent on its raw JSON: the one event that comes by the million.

Reading it typed and folding it change by change costs several times as much. This fold takes only
what it surely understands; for anything else it changes nothing and says so, and the
event goes the typed way. A property test proves that both ways have the same effects.
"""

from typing import Final, Literal

import msgspec

from gx.domain.amounts import AMOUNT_MAX
from gx.domain.events import SCHEMA_VERSION, CoinsTransferred
from gx.projection.folds import Place, counterparty, entry_kind
from gx.projection.read_models import ACCOUNT_ENTRIES, ACCOUNTS, SINGLETON_KEY, SUPPLY, EntryKind
from gx.projection.reduction import Cells, Effects, RowEffect

_STORABLE: Final = range(-(2**63), 2**63)
_TRANSFER: Final = EntryKind.TRANSFER.value
_DIGITS_MAX: Final = len(str(AMOUNT_MAX))


class _Change(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    account_id: str
    delta: str
    tax_timer: Literal["started", "cleared"] | None = None


class _Transfer(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
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


def fold_transfer(raw: msgspec.Raw | bytes, place: Place, effects: Effects) -> bool:
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
        and transfer.schema_version == SCHEMA_VERSION
        and _is_plain_text(transfer.remark)
        and _is_amount(transfer.amount)
        and _is_amount(transfer.fee)
        and transfer.timestamp in _STORABLE
    )
    if not is_plain:
        return None
    deltas = []
    for change in transfer.changes:
        delta = _parse_delta(change.delta)
        if delta is None or not _is_plain_text(change.account_id):
            return None
        deltas.append(delta)
    return deltas if sum(deltas) in _STORABLE else None


def _is_plain_text(text: str) -> bool:
    return text.isprintable()  # so it holds neither zeros nor surrogates


def _is_amount(text: str) -> bool:
    is_canonical = text.isdigit() and text.isascii() and (text[0] != "0" or text == "0")
    return is_canonical and len(text) <= _DIGITS_MAX and int(text) <= AMOUNT_MAX


def _parse_delta(text: str) -> int | None:
    digits = text[1:] if text[:1] == "-" else text
    if not _is_amount(digits):
        return None
    delta = int(text)
    return delta if delta in _STORABLE else None


def _post(transfer: _Transfer, deltas: list[int], place: Place, effects: Effects) -> None:
    accounts = effects.rows.setdefault(ACCOUNTS.name, {})
    entries = effects.appended.setdefault(ACCOUNT_ENTRIES.name, [])
    block_number, position, transaction_id, command_id = place
    parties = (transfer.from_id, transfer.to_id)
    recorded_at = transfer.timestamp
    for ordinal, (change, delta) in enumerate(zip(transfer.changes, deltas, strict=True)):
        account_id = change.account_id
        account = accounts.get((account_id,))
        if account is None:
            account = accounts[(account_id,)] = RowEffect()
        account.add("balance", delta)
        if change.tax_timer is not None:
            started_at = recorded_at if change.tax_timer == "started" else None
            account.put("tax_timer_started_at", started_at)
        if delta:
            kind = entry_kind(account_id, _TRANSFER, parties)
            other = counterparty(account_id, parties)
            entry: Cells = (
                *(account_id, block_number, position, ordinal),
                *(kind, delta, other, transfer.remark, recorded_at),
                *(transaction_id, command_id),
            )
            entries.append(entry)
    total = sum(deltas)
    if total:
        effects.row(SUPPLY.name, SINGLETON_KEY).add("balances", total)
