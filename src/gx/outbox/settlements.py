"""From a verdict to the final answers of the commands that rode in the transaction.

They come from the block alone, never from what the endorsement returned: so they are the same
after a crash, in another process, and for a transaction that somebody else submitted.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from gx.domain.batches import BATCH_EVENT, BATCH_VERSION, OutcomeKind
from gx.domain.codec import DecodeError, JsonObject, decode_object
from gx.domain.identifiers import BlockNumber, CommandId, TransactionId
from gx.domain.refusals import RefusedError
from gx.domain.versions import FIRST
from gx.ledger.ports import Verdict
from gx.outbox.ports import Entry, Settlement


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """What settlement needs of a `gx.domain.batches.Outcome`: all but the events.

    A batch's events are the larger part of its payload. Not looking at them makes reading the
    outcomes five times as fast. `code` is text: a newer ledger may refuse for reasons that this
    release does not know, and the answer is no all the same.
    """

    command_id: CommandId
    outcome: OutcomeKind
    code: str | None = None
    detail: str | None = None
    result: dict[str, object] | None = None
    duplicate_of: str | None = None


class _Stated(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int = FIRST


class _BatchExecuted(msgspec.Struct, frozen=True, rename="camel"):
    outcomes: list[Outcome]
    schema_version: int = FIRST


class _RawBatchExecuted(msgspec.Struct, frozen=True):
    outcomes: list[msgspec.Raw]


_BATCH_EXECUTED: Final = msgspec.json.Decoder(_BatchExecuted)
_RAW_BATCH_EXECUTED: Final = msgspec.json.Decoder(_RawBatchExecuted)
_STATED: Final = msgspec.json.Decoder(_Stated)
_OUTCOME: Final = msgspec.json.Decoder(Outcome)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a VALID transaction says of its commands.

    `unanswered` have no outcome in it that can be read. They may have taken effect.
    """

    settlements: Sequence[Settlement]
    unanswered: Sequence[Entry]


def read_outcomes(verdict: Verdict) -> Mapping[CommandId, Outcome] | None:
    """List a batch's outcomes by command; None when the transaction was no batch.

    An outcome that cannot be read is left out: its command is unanswered, the others are not. Of a
    batch of a newer form none is read: what looks familiar in it may mean something else.
    """
    event = verdict.event
    if event is None or event.name != BATCH_EVENT:
        return None
    try:
        batch = _BATCH_EXECUTED.decode(event.payload)
        outcomes = batch.outcomes if batch.schema_version <= BATCH_VERSION else []
    except _UNREADABLE:
        outcomes = [] if is_of_newer_form(verdict) else _read_one_by_one(event.payload)
    return {outcome.command_id: outcome for outcome in outcomes}


def is_of_newer_form(verdict: Verdict) -> bool:
    """Tell whether only a newer release can read what a batch's event says."""
    event = verdict.event
    if event is None or event.name != BATCH_EVENT:
        return False
    try:
        return _STATED.decode(event.payload).schema_version > BATCH_VERSION
    except _UNREADABLE:
        return False


def _read_one_by_one(payload: str) -> list[Outcome]:
    try:
        raw = _RAW_BATCH_EXECUTED.decode(payload).outcomes
    except _UNREADABLE:
        return []
    outcomes = []
    for text in raw:
        with suppress(*_UNREADABLE):
            outcomes.append(_OUTCOME.decode(text))
    return outcomes


def duplicates_in(outcomes: Mapping[CommandId, Outcome]) -> set[TransactionId]:
    """List the earlier transactions in which repeated keys took effect."""
    return {
        TransactionId(outcome.duplicate_of)
        for outcome in outcomes.values()
        if outcome.duplicate_of is not None
    }


def settle_batch(
    entries: Sequence[Entry],
    verdict: Verdict,
    outcomes: Mapping[CommandId, Outcome],
    first_blocks: Mapping[TransactionId, BlockNumber],
) -> Answers:
    """Answer each command with its own outcome.

    A repeated key is answered with the transaction in which it took effect, and with that one's
    block as far as `first_blocks` knows it.
    """
    settlements = []
    unanswered = []
    for entry in entries:
        outcome = outcomes.get(entry.command_id)
        if outcome is None:
            unanswered.append(entry)
            continue
        origin = TransactionId(outcome.duplicate_of or verdict.transaction_id)
        settlements.append(
            Settlement(
                command_id=entry.command_id,
                outcome=outcome.outcome,
                code=outcome.code,
                detail=outcome.detail,
                result=cast("JsonObject | None", outcome.result),
                transaction_id=origin,
                block_number=first_blocks.get(origin, verdict.block_number),
            )
        )
    return Answers(settlements=settlements, unanswered=unanswered)


def settle_single(entry: Entry, verdict: Verdict, result: str) -> Answers:
    """Answer a command that was a transaction of its own: VALID means it took effect."""
    settlement = Settlement(
        command_id=entry.command_id,
        outcome=OutcomeKind.COMMITTED,
        code=None,
        detail=None,
        result=_object_or_none(result),
        transaction_id=verdict.transaction_id,
        block_number=verdict.block_number,
    )
    return Answers(settlements=[settlement], unanswered=[])


def settle_refused(entry: Entry, refusal: RefusedError) -> Settlement:
    """Answer a command that the contract refused to endorse: there is no transaction."""
    return Settlement(
        command_id=entry.command_id,
        outcome=OutcomeKind.REJECTED,
        code=refusal.code,
        detail=refusal.detail,
        result=None,
        transaction_id=None,
        block_number=None,
    )


def _object_or_none(text: str) -> JsonObject | None:
    try:
        return decode_object(text)
    except DecodeError:
        return None
