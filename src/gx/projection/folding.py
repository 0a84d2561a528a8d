"""How an event becomes changes: the register of folds, and what most folds share.

A fold may read nothing but the event and its place. Registering a second fold for a type, or
none, is an error that `assert_complete` reports at start-up. The folds themselves are in
`gx.projection.folds` and the modules that it imports; whoever folds imports that one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

from gx.domain.errors import GxError
from gx.domain.events import EVENTS, Event, TaxTimer
from gx.domain.identifiers import (
    OPERATIONS_FUND,
    AccountId,
    BlockNumber,
    CommandId,
    TransactionId,
)
from gx.projection.changes import Add, Append, Change, Key, Put, Row, Value
from gx.projection.read_models import ACCOUNT_ENTRIES, ACCOUNTS, SINGLETON_KEY, SUPPLY, EntryKind


class Place(NamedTuple):
    """Where on the ledger an event stands.

    `position` counts the events of a block from 0, over all its transactions. `command_id` is
    None for a function that was called directly, past the outbox.
    """

    block_number: BlockNumber
    position: int
    transaction_id: TransactionId
    command_id: CommandId | None


PlaceParts: TypeAlias = tuple[BlockNumber, int, TransactionId, CommandId | None]
"""A place whose names nobody needs: a plain tuple is made several times faster."""


class MissingFoldError(GxError):
    """An event type has no fold, so the projection would stop at its first event."""


_E = TypeVar("_E", bound=Event)
Fold: TypeAlias = Callable[[_E, Place], list[Change]]

_FOLDS: Final[dict[type[Event], Fold[Event]]] = {}
_FEE: Final = EntryKind.FEE.value


def folds(event_type: type[_E]) -> Callable[[Fold[_E]], Fold[_E]]:
    """Register the decorated function as the fold of `event_type`."""

    def register(function: Fold[_E]) -> Fold[_E]:
        if event_type in _FOLDS:
            raise MissingFoldError(f"{event_type.WIRE_NAME} has two folds")
        _FOLDS[event_type] = cast("Fold[Event]", function)
        return function

    return register


def assert_complete() -> None:
    """Check that every event of the domain has its fold.

    Raises:
        MissingFoldError: naming each event type without one.
    """
    missing = [name for name, event_type in EVENTS.items() if event_type not in _FOLDS]
    if missing:
        raise MissingFoldError(
            f"no fold for {', '.join(missing)}: add one to gx.projection.folds for each of them"
        )


def fold(event: Event, place: Place) -> list[Change]:
    """Return what the event changes, in the order in which it happens.

    Raises:
        MissingFoldError: nobody registered a fold for this type.
    """
    function = _FOLDS.get(type(event))
    if function is None:
        raise MissingFoldError(f"no fold for {type(event).__name__}")
    return function(event, place)


def _entry_kind(account_id: str, kind: str, parties: tuple[str, ...]) -> str:
    """Tell why this account's balance changed; income of the fund from others' deals is a fee."""
    return _FEE if account_id == OPERATIONS_FUND and OPERATIONS_FUND not in parties else kind


def _counterparty(account_id: str, parties: tuple[str, ...]) -> str | None:
    """Name the other side of a deal between (payer, payee), as this account sees it."""
    if not parties:
        return None
    payer, payee = parties
    return payee if account_id == payer else payer


def post(
    event: Event,
    place: Place,
    kind: EntryKind = EntryKind.OTHER,
    *,
    parties: tuple[AccountId, ...] = (),
    remark: str | None = None,
) -> list[Change]:
    """Move the balances that the event moves, with one entry for each; open what it opens."""
    posted: list[Change] = []
    total = 0
    for ordinal, change in enumerate(event.changes):
        account: Key = (change.account_id,)
        posted.append(Add(model=ACCOUNTS.name, key=account, deltas={"balance": change.delta}))
        if change.tax_timer is not None:
            started_at = event.timestamp if change.tax_timer is TaxTimer.STARTED else None
            posted.append(put_account(change.account_id, tax_timer_started_at=started_at))
        if change.delta:
            entry: Row = {
                "kind": _entry_kind(change.account_id, kind.value, parties),
                "delta": change.delta,
                "counterparty": _counterparty(change.account_id, parties),
                "remark": remark,
                "recorded_at": event.timestamp,
                "transaction_id": place.transaction_id,
                "command_id": place.command_id,
            }
            key: Key = (*account, place.block_number, place.position, ordinal)
            posted.append(Append(model=ACCOUNT_ENTRIES.name, key=key, values=entry))
        total += change.delta
    if total:
        posted.append(Add(model=SUPPLY.name, key=SINGLETON_KEY, deltas={"balances": total}))
    return posted


def put_account(account_id: str, **values: Value) -> Put:
    """Set columns of an account."""
    return Put(model=ACCOUNTS.name, key=(account_id,), values=values)
