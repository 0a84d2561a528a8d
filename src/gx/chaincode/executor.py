"""The one entry to the contracts, for every ledger that hosts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gx.chaincode.batch import Batch
from gx.chaincode.context import Context, Effect
from gx.chaincode.dispatch import Registry
from gx.chaincode.idempotency import command_key, record_of
from gx.chaincode.observing import CallObserver, Ending, Unobserved
from gx.chaincode.state import WorldState
from gx.chaincode.stub import Stub
from gx.domain.batches import BATCH_FUNCTION, Answer, BatchItem, OutcomeKind
from gx.domain.codec import JsonObject, Record, encode
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """The function returned; its writes and its event are with the stub."""

    payload: str
    """A JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Record):
    """The contract said no. The stub was given no write and no event; endorse nothing."""

    code: RefusalCode
    detail: str


ExecutionResult: TypeAlias = Executed | Refused


class Executor:
    """Runs contract functions on a stub: `Batch:Execute`, one command, or a reading function.

    Keeps nothing between calls; several threads may use one executor, each with its own stub.
    """

    def __init__(self, registry: Registry, *, observer: CallObserver | None = None) -> None:
        """`observer` is told of each call, and of each command inside a batch."""
        self._registry: Final = registry
        self._observer: Final = observer or Unobserved()

    def execute(self, stub: Stub, function: str, args: Sequence[str]) -> ExecutionResult:
        """Run `Contract:Function` with its arguments.

        Raises:
            Exception: a defect of the contracts, or the stub's own failure. The transaction
                fails whole; it is neither refused nor to be endorsed.
        """
        begun = self._observer.begin()
        ending = Ending.ERROR
        try:
            payload = encode(self._run(stub, function, tuple(args)))
            ending = Ending.SUCCESS
        except RefusedError as refusal:
            ending = Ending.REFUSED
            return Refused(code=refusal.code, detail=refusal.detail)
        finally:
            self._observer.end(function, ending, begun)
        return Executed(payload=payload)

    def _run(self, stub: Stub, function: str, args: tuple[str, ...]) -> JsonObject:
        if function == BATCH_FUNCTION:
            if len(args) != 1:
                raise RefusedError(
                    RefusalCode.ARGUMENT_INVALID, f"{BATCH_FUNCTION} takes 1 argument (items)"
                )
            return Batch(self._registry, stub, observer=self._observer).execute(args[0])
        if self._registry.is_query(function):
            return self._registry.evaluate(function, args, _direct_context(stub))
        return self._submit(stub, function, args)

    def _submit(self, stub: Stub, function: str, args: tuple[str, ...]) -> JsonObject:
        """Carry out one command: the transaction stands for it, the signer is the actor."""
        call = self._registry.prepare(function, args)
        context = _direct_context(stub)
        context.state.prefetch((*self._registry.shared_keys, *call.keys(context.actor)))
        effect = self._registry.run(call, context)
        _remember(context, function, args, effect)
        context.state.flush()
        stub.set_event(*_event_of(effect))
        return effect.result or {}


def _direct_context(stub: Stub) -> Context:
    caller = stub.caller
    return Context(
        state=WorldState(stub),
        transaction_id=stub.transaction_id,
        timestamp_s=stub.timestamp_s,
        caller=caller,
        actor=caller.identity,
        command_id=CommandId(stub.transaction_id),
    )


def _remember(context: Context, function: str, args: tuple[str, ...], effect: Effect) -> None:
    """Leave the same record as a batch would: the transaction's id is command id and key."""
    command_id = context.command_id
    item = BatchItem(
        command_id=command_id, key=command_id, function=function, args=args, actor=context.actor
    )
    outcome = Answer(command_id=command_id, outcome=OutcomeKind.COMMITTED, result=effect.result)
    record = record_of(
        outcome, request_hash=item.request_hash(), transaction_id=context.transaction_id
    )
    context.state.put(command_key(item.key), record)


def _event_of(effect: Effect) -> tuple[str, str]:
    """Pack the events into the one that a transaction may carry, the principal one outside."""
    principal, *further = effect.events
    payload = principal.to_payload()
    payload["events"] = [event.to_payload() for event in further]
    return principal.WIRE_NAME, encode(payload)
