"""What a contract function gets to know: the world state, and the facts of its call."""

from dataclasses import dataclass

from gx.chaincode.state import WorldState
from gx.chaincode.stub import Caller
from gx.domain.codec import JsonObject
from gx.domain.events import Event
from gx.domain.identifiers import CommandId, EpochSeconds, TransactionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One call of one contract function.

    `actor` is the user or service for whom the call is made, `caller` whose certificate signed
    the transaction. `command_id` identifies the command for ever: the transaction's id where the
    function was called directly.
    """

    state: WorldState
    transaction_id: TransactionId
    timestamp_s: EpochSeconds
    caller: Caller
    actor: str
    command_id: CommandId


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a contract function did: its events, the principal one first, and an answer.

    `result` is for whoever sent the command; everybody else learns from the events.
    """

    events: tuple[Event, ...]
    result: JsonObject | None = None
