"""`Batch:Execute`: many commands in one ledger transaction, each with an outcome of its own.

Commands take effect in order, each seeing what those before it did. A refusal undoes that
command alone. Every command leaves a record under its key, refusals too, so that the same key
is answered alike for ever and takes effect once.

An exception that is no refusal is a defect, or the host's failure: it fails the transaction
whole, nothing is written, and the submitter finds the culprit by splitting the batch.
"""

from typing import Final

from gx.chaincode.context import Context, Effect
from gx.chaincode.dispatch import PreparedCall, Registry
from gx.chaincode.idempotency import CommandRecord, answer_again, command_key, record_of
from gx.chaincode.observing import CallObserver, Ending
from gx.chaincode.state import WorldState
from gx.chaincode.stub import Stub
from gx.domain.batches import (
    BATCH_EVENT,
    BatchItem,
    ExecutedCommand,
    OutcomeKind,
    encode_outcomes,
    parse_items,
)
from gx.domain.codec import DecodeError, JsonObject
from gx.domain.refusals import RefusalCode, RefusedError

ITEMS_MAX: Final = 10_000
"""More commands than any submitter gathers: a bound on one transaction's time and memory."""


class Batch:
    """One transaction's commands, on their way through the contracts."""

    def __init__(self, registry: Registry, stub: Stub, *, observer: CallObserver) -> None:
        self._registry: Final = registry
        self._observer: Final = observer
        self._stub: Final = stub
        self._state: Final = WorldState(stub)
        self._transaction_id: Final = stub.transaction_id
        self._timestamp_s: Final = stub.timestamp_s
        self._caller: Final = stub.caller

    def execute(self, text: str) -> JsonObject:
        """Carry the commands out, write everything and set the one event.

        Returns how many took effect now; the outcomes themselves travel in the event.

        Raises:
            RefusedError: ARGUMENT_INVALID, `text` is no batch. Nothing is written.
        """
        items = _parse(text)
        calls = [self._prepare(item) for item in items]
        self._prefetch(items, calls)
        pairs = zip(items, calls, strict=True)
        outcomes = [self._outcome(item, call) for item, call in pairs]
        self._state.flush()
        self._stub.set_event(BATCH_EVENT, encode_outcomes(outcomes))
        return {"commands": len(outcomes)}

    def _prepare(self, item: BatchItem) -> PreparedCall | RefusedError:
        try:
            return self._registry.prepare(item.function, item.args)
        except RefusedError as refusal:
            return refusal

    def _prefetch(
        self, items: tuple[BatchItem, ...], calls: list[PreparedCall | RefusedError]
    ) -> None:
        """Read in one message what the commands will surely read."""
        keys = list(self._registry.shared_keys)
        for item, call in zip(items, calls, strict=True):
            keys.append(command_key(item.key))
            if isinstance(call, PreparedCall):
                keys.extend(call.keys(item.actor))
        self._state.prefetch(keys)

    def _outcome(self, item: BatchItem, call: PreparedCall | RefusedError) -> ExecutedCommand:
        request_hash = item.request_hash()
        earlier = self._state.find(command_key(item.key), CommandRecord)
        if earlier is not None:
            return answer_again(item, request_hash=request_hash, earlier=earlier)
        try:
            effect = self._run_observed(item, call)
        except RefusedError as refusal:
            outcome = ExecutedCommand(
                command_id=item.command_id,
                outcome=OutcomeKind.REJECTED,
                code=refusal.code,
                detail=refusal.detail,
            )
        else:
            outcome = ExecutedCommand(
                command_id=item.command_id,
                outcome=OutcomeKind.COMMITTED,
                result=effect.result,
                events=effect.events,
            )
        record = record_of(outcome, request_hash=request_hash, transaction_id=self._transaction_id)
        self._state.put(command_key(item.key), record)
        return outcome

    def _run_observed(self, item: BatchItem, call: PreparedCall | RefusedError) -> Effect:
        """Count the command as a call of its own, like one that came without a batch."""
        begun = self._observer.begin()
        ending = Ending.ERROR
        try:
            effect = self._run(item, call)
            ending = Ending.SUCCESS
        except RefusedError:
            ending = Ending.REFUSED
            raise
        finally:
            self._observer.end(item.function, ending, begun)
        return effect

    def _run(self, item: BatchItem, call: PreparedCall | RefusedError) -> Effect:
        if isinstance(call, RefusedError):
            raise call
        context = Context(
            state=self._state,
            transaction_id=self._transaction_id,
            timestamp_s=self._timestamp_s,
            caller=self._caller,
            actor=item.actor,
            command_id=item.command_id,
        )
        with self._state.nested():
            return self._registry.run(call, context)


def _parse(text: str) -> tuple[BatchItem, ...]:
    try:
        items = parse_items(text)
    except DecodeError as error:
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID, f"no batch of commands: {error}"
        ) from error
    if not 1 <= len(items) <= ITEMS_MAX:
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID,
            f"a batch has 1 to {ITEMS_MAX} commands, got {len(items)}",
        )
    return items
