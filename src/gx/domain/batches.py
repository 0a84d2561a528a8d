"""What goes into one ledger transaction of many commands, and what comes out of it.

Tuples are made of lists here, whose length is known. CPython resizes a tuple that is made of a
generator, and what it was resized to comes to the list of free ones without having been taken from
there: up to 2,000 of each length, until a full collection, which a ledger hardly ever sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.domain.codec import (
    DecodeError,
    JsonObject,
    JsonValue,
    Record,
    decode,
    decode_object,
    digest,
)
from gx.domain.events import Event
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.versions import read_version

BATCH_FUNCTION: Final = "Batch:Execute"
BATCH_EVENT: Final = "BatchExecuted"
BATCH_VERSION: Final = 1
"""Of the event's own form; its events state theirs. The first version is not written, so that the
payload of one batch is the same bytes from every release that writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem(Record):
    """One command on its way to the ledger.

    `key` identifies the request for ever: the hash of the client's idempotency key, or the
    command id. `function` is `Contract:Function`; `args` are its arguments in order, as text.
    """

    command_id: CommandId
    key: str
    function: str
    args: tuple[str, ...]
    actor: str

    def request_hash(self) -> str:
        """Hash what was asked, so that one key cannot stand for two requests."""
        return digest([self.function, list(self.args), self.actor])


class OutcomeKind(StrEnum):
    """How the ledger answered one command."""

    COMMITTED = "COMMITTED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Record):
    """What the ledger says about one command, but for its events.

    `duplicate_of` names the transaction in which the same key took effect before; then
    `outcome`, `code` and `result` repeat that answer, and there are no events.
    """

    command_id: CommandId
    outcome: OutcomeKind
    code: RefusalCode | None = None
    detail: str | None = None
    result: JsonObject | None = None
    duplicate_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Answer):
    """An answer with its events as they travel: the only source for settlement and projection."""

    events: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedCommand(Answer):
    """An answer as the contracts give it, its events typed. Its wire form is an `Outcome`'s."""

    events: tuple[Event, ...] = ()


def encode_items(items: tuple[BatchItem, ...]) -> str:
    """Write a batch as the single argument of `Batch:Execute`."""
    return f"[{','.join([item.to_text() for item in items])}]"


def parse_items(text: str) -> tuple[BatchItem, ...]:
    """Read the argument of `Batch:Execute`.

    Raises:
        DecodeError: it is not a JSON list of batch items.
    """
    return tuple([BatchItem.from_wire(_object(value)) for value in _list(decode(text))])


def encode_outcomes(outcomes: Sequence[Outcome | ExecutedCommand]) -> str:
    """Write the payload of `BatchExecuted`, in canonical JSON."""
    texts = ",".join([outcome.to_text() for outcome in outcomes])
    return f'{{"eventType":"{BATCH_EVENT}","outcomes":[{texts}]}}'


def parse_outcomes(payload: str) -> tuple[Outcome, ...]:
    """Read the payload of `BatchExecuted`, in the order of execution.

    Raises:
        NewerVersionError: its form is a newer release's.
        DecodeError: the payload is not a list of outcomes.
    """
    wire = decode_object(payload)
    read_version(wire.get("schemaVersion"), what=BATCH_EVENT, newest=BATCH_VERSION)
    return tuple([Outcome.from_wire(_object(value)) for value in _list(wire.get("outcomes"))])


def parse_events(name: str, payload: str) -> tuple[JsonObject, ...]:
    """List the domain events that a transaction's one event carries, in order.

    A batch carries its commands' events; a function called directly carries its principal
    event with the further ones in `events`. Reading them typed is `gx.domain.events.parse_event`.

    Raises:
        DecodeError: the payload does not have that shape.
    """
    if name == BATCH_EVENT:
        return tuple([event for outcome in parse_outcomes(payload) for event in outcome.events])
    principal = decode_object(payload)
    further = principal.pop("events", [])
    return (principal, *(_object(value) for value in _list(further)))


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise DecodeError(f"expected a list, got {type(value).__name__}")
    return value


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise DecodeError(f"expected an object, got {type(value).__name__}")
    return value
