"""Events as blocks hold them: found, put in their places, folded into effects."""

from collections import Counter
from collections.abc import Collection
from typing import Final, TypeAlias

import msgspec

from gx.domain.batches import BATCH_EVENT, parse_events, parse_outcomes
from gx.domain.codec import DecodeError, JsonObject, decode_object
from gx.domain.errors import GxError
from gx.domain.events import EVENTS, CoinsTransferred, parse_event
from gx.domain.identifiers import BlockNumber, CommandId
from gx.domain.versions import FIRST, NewerVersionError
from gx.ledger.ports import Block, ChaincodeEvent, event_transactions
from gx.projection.folding import Place, PlaceParts
from gx.projection.folds import fold
from gx.projection.reduction import Effects
from gx.projection.transfers import fold_transfer

UNKNOWN_EVENT: Final = "other"
"""The event type, for counting, of what nobody knows or nobody can read."""

EventPosition: TypeAlias = tuple[BlockNumber, int]
RawEvent: TypeAlias = msgspec.Raw | JsonObject


_MEND: Final = "deploy a version that can, or park the event"
_UPGRADE: Final = (
    "upgrade the projector to the release that wrote it; until then nothing is projected and "
    "nothing is lost, and the event cannot be parked"
)


class EventFoldError(GxError):
    """An event cannot be projected by this version; the projection must not go past it.

    `is_newer`: nothing is wrong with it, only a newer release can read it.
    """

    def __init__(self, place: Place, event: JsonObject, cause: Exception) -> None:
        name = event.get("eventType")
        self.event_type = name if isinstance(name, str) and name in EVENTS else UNKNOWN_EVENT
        self.place = place
        self.event = event
        self.is_newer = isinstance(cause, NewerVersionError)
        super().__init__(
            f"event {place.position} of block {place.block_number} ({name!r}, transaction "
            f"{place.transaction_id}) cannot be projected: {cause}; "
            f"{_UPGRADE if self.is_newer else _MEND}"
        )


class _Outcome(msgspec.Struct, rename="camel"):
    command_id: CommandId
    events: list[msgspec.Raw] = []


class _Batch(msgspec.Struct, rename="camel"):
    outcomes: list[_Outcome]
    schema_version: int = FIRST


class _Call(msgspec.Struct):
    events: list[msgspec.Raw] = []


_BATCH: Final = msgspec.json.Decoder(_Batch)
_CALL: Final = msgspec.json.Decoder(_Call)


def fold_block(
    block: Block,
    effects: Effects,
    counts: Counter[str],
    parked: Collection[EventPosition] = frozenset(),
) -> None:
    """Add what the block's events change to `effects`, and count them by type.

    Events whose places are in `parked` are passed over.

    Raises:
        EventFoldError: an event cannot be projected. `effects` and `counts` then hold part of
            the block and must be thrown away.
    """
    position = 0
    for transaction in event_transactions(block):
        assert transaction.event is not None  # noqa: S101 - event_transactions promises it
        transaction_id = transaction.transaction_id
        try:
            events = _read_events(transaction.event)
        except NewerVersionError as error:
            at = Place(block.number, position, transaction_id, None)
            raise EventFoldError(at, _as_it_is(transaction.event), error) from error
        for command_id, raw in events:
            if (block.number, position) not in parked:
                place = (block.number, position, transaction_id, command_id)
                counts[_fold_one(raw, place, effects)] += 1
            position += 1


def _as_it_is(event: ChaincodeEvent) -> JsonObject:
    return {"name": event.name, "payload": event.payload}


def _read_events(event: ChaincodeEvent) -> list[tuple[CommandId | None, RawEvent]]:
    try:
        if event.name == BATCH_EVENT:
            batch = _BATCH.decode(event.payload)
            if batch.schema_version != FIRST:
                return _read_events_typed(event)
            return [(item.command_id, raw) for item in batch.outcomes for raw in item.events]
        further = _CALL.decode(event.payload).events
        return [(None, msgspec.Raw(event.payload)), *((None, raw) for raw in further)]
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _read_events_typed(event)


def _read_events_typed(event: ChaincodeEvent) -> list[tuple[CommandId | None, RawEvent]]:
    """Read what the fast way refused; a payload that nobody can read is one unknown event."""
    try:
        if event.name == BATCH_EVENT:
            outcomes = parse_outcomes(event.payload)
            return [(item.command_id, payload) for item in outcomes for payload in item.events]
        return [(None, payload) for payload in parse_events(event.name, event.payload)]
    except NewerVersionError:
        raise
    except DecodeError:
        return [(None, _as_it_is(event))]


def _fold_one(raw: RawEvent, parts: PlaceParts, effects: Effects) -> str:
    """Fold one event and return its type."""
    if isinstance(raw, msgspec.Raw) and fold_transfer(raw, parts, effects):
        return CoinsTransferred.WIRE_NAME
    place = Place(*parts)
    if isinstance(raw, msgspec.Raw):
        raw = _read_event(raw, place)
    try:
        event = parse_event(raw)
        effects.extend(fold(event, place))
    except Exception as error:
        raise EventFoldError(place, raw, error) from error
    return event.WIRE_NAME


def _read_event(raw: msgspec.Raw, place: Place) -> JsonObject:
    text = str(raw, "utf-8")
    try:
        return decode_object(text)
    except DecodeError as error:
        raise EventFoldError(place, {"payload": text}, error) from error
