"""The outbox compared with the ledger: what was answered there, and what is on record here.

Blocks are compared a slice at a time, in order. For each slice both questions are asked: is every
answer of its blocks on record as the ledger gave it, and has the ledger every answer that is on
record for its blocks? So the work depends on the slice alone, and memory does not grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from gx.domain.differences import Difference, Tally
from gx.domain.identifiers import BlockNumber, CommandId, TransactionId
from gx.ledger.errors import NewerBlockError
from gx.ledger.ports import Block, LedgerTransaction, Verdict, event_transactions
from gx.outbox.settlements import is_of_newer_form, read_outcomes

_NO_BLOCK: Final = BlockNumber(-1)
UNFOUNDED_MAX: Final = 100_000
"""So many results may wait for a later block to explain them; more are differences at once."""


class LedgerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One command's answer in a block.

    `transaction_id` is the transaction in which the command's key first got it: an earlier one
    where `is_repeat`. `result` is JSON.
    """

    command_id: CommandId
    transaction_id: TransactionId
    block_number: BlockNumber
    outcome: str
    code: str | None
    detail: str | None
    result: str | None
    is_repeat: bool


@dataclass(slots=True)
class Slice:
    """What some consecutive blocks say of commands.

    `direct` are transactions that called a function past `Batch:Execute`, with their blocks: the
    submitter's where batching is off, and anybody else's.
    """

    answers: list[LedgerAnswer] = field(default_factory=list)
    direct: dict[TransactionId, BlockNumber] = field(default_factory=dict)
    first: BlockNumber | None = None
    last: BlockNumber = _NO_BLOCK
    hash: str = ""

    def add(self, later: "Slice") -> None:
        """Take the blocks that follow."""
        self.answers += later.answers
        self.direct |= later.direct
        self.first = later.first if self.first is None else self.first
        self.last, self.hash = later.last, later.hash

    def read(self, block: Block) -> None:
        """Take one more block.

        Raises:
            NewerBlockError: only a newer release can read what it says of commands.
        """
        self.first = block.number if self.first is None else self.first
        self.last, self.hash = block.number, block.hash
        for transaction in event_transactions(block):
            verdict = _verdict_of(block, transaction)
            outcomes = read_outcomes(verdict)
            if not outcomes and is_of_newer_form(verdict):
                raise NewerBlockError(block.number, "its answers are in a newer form")
            if outcomes is None:
                self.direct[transaction.transaction_id] = block.number
                continue
            self.answers.extend(
                LedgerAnswer(
                    command_id=command_id,
                    transaction_id=TransactionId(
                        outcome.duplicate_of or transaction.transaction_id
                    ),
                    block_number=block.number,
                    outcome=outcome.outcome,
                    code=outcome.code,
                    detail=outcome.detail,
                    result=_json_of(outcome.result),
                    is_repeat=outcome.duplicate_of is not None,
                )
                for command_id, outcome in outcomes.items()
            )


def _verdict_of(block: Block, transaction: LedgerTransaction) -> Verdict:
    return Verdict(
        transaction_id=transaction.transaction_id,
        validation_code=transaction.validation_code,
        block_number=block.number,
        event=transaction.event,
    )


def _json_of(value: dict[str, object] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfoundedResult:
    """A result whose transaction is in these blocks, which have no answer to its command."""

    command_id: CommandId
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What comparing a slice found.

    `unsettled` are answers to commands that still wait in the outbox, by their blocks: they will
    be settled. `outside` counts direct calls that no command of ours was, `declared` answers to
    commands that an operator declared as none of ours.
    """

    differences: Sequence[Difference] = ()
    unfounded: Sequence[UnfoundedResult] = ()
    unsettled: Sequence[BlockNumber] = ()
    outside: int = 0
    declared: int = 0


class AnswerBook(Protocol):
    """What the outbox has on record."""

    async def compare(self, told: Slice) -> Compared:
        """Compare the blocks of a slice with the record, from both sides."""
        ...

    async def add_strays(self, tally: Tally) -> None:
        """Count commands and envelopes that nothing will ever end, whatever the blocks say."""
        ...


@dataclass(slots=True)
class OutboxComparison:
    """A whole comparison, slice by slice from the first block on.

    A command that repeats another one's key is settled with the block of the first: its own answer
    stands in a later block. Such results wait in `unfounded` until that block was read.
    """

    tally: Tally
    unsettled: int = 0
    outside: int = 0
    declared: int = 0
    unfounded: dict[CommandId, Difference] = field(default_factory=dict)

    def take(self, told: Slice, compared: Compared) -> None:
        """Add what a slice's comparison found."""
        for difference in compared.differences:
            self.tally.add(difference)
        self.unsettled += len(compared.unsettled)
        self.outside += compared.outside
        self.declared += compared.declared
        for result in compared.unfounded:
            if len(self.unfounded) < UNFOUNDED_MAX:
                self.unfounded[result.command_id] = result.difference
            else:
                self.tally.add(result.difference)
        self.explain(told)

    def explain(self, told: Slice) -> None:
        """Let answers explain results that were found in earlier blocks."""
        if self.unfounded:
            for answer in told.answers:
                self.unfounded.pop(answer.command_id, None)

    def finish(self) -> None:
        """Count the results that no block explained."""
        for difference in self.unfounded.values():
            self.tally.add(difference)
        self.unfounded.clear()
