"""The ledger's memory of every request: the same key is answered alike for ever."""

from dataclasses import dataclass

from gx.domain.batches import Answer, BatchItem, ExecutedCommand, OutcomeKind
from gx.domain.codec import JsonObject, Record
from gx.domain.identifiers import TransactionId
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import COMMAND_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord(Record):
    """What one request was and how it was answered, under `cmd_<key>`; never changed."""

    request_hash: str
    outcome: OutcomeKind
    code: RefusalCode | None = None
    detail: str | None = None
    result: JsonObject | None = None
    transaction_id: TransactionId


def command_key(key: str) -> str:
    """Name the world-state key of a request's record."""
    return COMMAND_PREFIX + key


def record_of(
    outcome: Answer, *, request_hash: str, transaction_id: TransactionId
) -> CommandRecord:
    """Build what is remembered of an answer."""
    return CommandRecord(
        request_hash=request_hash,
        outcome=outcome.outcome,
        code=outcome.code,
        detail=outcome.detail,
        result=outcome.result,
        transaction_id=transaction_id,
    )


def answer_again(item: BatchItem, *, request_hash: str, earlier: CommandRecord) -> ExecutedCommand:
    """Repeat what the key was answered before, without its events.

    Another request under the same key is refused with IDEMPOTENCY_KEY_REUSED.
    """
    if earlier.request_hash != request_hash:
        return ExecutedCommand(
            command_id=item.command_id,
            outcome=OutcomeKind.REJECTED,
            code=RefusalCode.IDEMPOTENCY_KEY_REUSED,
            detail=f"the key stands for another request, of transaction {earlier.transaction_id}",
        )
    return ExecutedCommand(
        command_id=item.command_id,
        outcome=earlier.outcome,
        code=earlier.code,
        detail=earlier.detail,
        result=earlier.result,
        duplicate_of=earlier.transaction_id,
    )
