"""Everything that is stored, compared with everything that the ledger says, from block 0.

    1  the ledger itself, where its file is at hand: every hash, and the state
    2  the blocks are read once: folded into a replica of the read models, and their answers to
       commands compared with the outbox's record
    3  replica and live tables side by side, as of one block, in one snapshot
    4  the blocks behind that one, for the outbox alone; what neither waits nor ended

The system goes on meanwhile, and memory does not grow with the ledger. Nothing is changed but the
replica's own tables, which are removed at the end.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, cast

from gx.domain.differences import Difference, DifferenceKind, Tally
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import CorruptBlockError, StreamError
from gx.ledger.ports import Block, BlockSource
from gx.outbox.comparison import AnswerBook, OutboxComparison, Slice
from gx.projection.chunk import Chunk
from gx.projection.ports import Checkpoint, ReadModelStore
from gx.projection.reading import EventPosition, fold_block
from gx.projection.reduction import Effects
from gx.projection.replica import Replica, RowDifference
from gx.projection.same_chain import require_same_chain

ROWS_MAX: Final = 60_000
ANSWERS_MAX: Final = 20_000
BLOCKS_MAX: Final = 5_000
NEAR_BLOCKS: Final = 100
"""So close to the live read models, the snapshot is taken and the rest read under it."""
SILENCE_MAX_S: Final = 60.0
FIRST_BLOCK: Final = BlockNumber(0)

OnProgress: TypeAlias = Callable[[str], None]
LedgerCheck: TypeAlias = Callable[[OnProgress], Difference | None]


class ReconcileError(GxError):
    """The comparison could not be brought to its end; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared. `check_ledger` looks at the ledger's file, None where there is none."""

    source: BlockSource
    live: ReadModelStore
    replica: Replica
    book: AnswerBook
    check_ledger: LedgerCheck | None


@dataclass(slots=True, kw_only=True)
class Report:
    """What was compared, and what differs.

    `block_number` is the block as of which the read models were compared, `outbox_block_number`
    that of the outbox's record. `is_complete` is false where a torn block ended it early.
    """

    block_number: int = -1
    outbox_block_number: int = -1
    height: int = 0
    answers: int = 0
    events: int = 0
    parked: int = 0
    unsettled: int = 0
    outside: int = 0
    declared: int = 0
    is_complete: bool = True
    elapsed_s: float = 0.0
    tally: Tally = field(default_factory=Tally)


class Reconciliation:
    """One whole comparison. For one `run`, by whoever holds the lease of the replica."""

    def __init__(self, sides: Sides, on_progress: OnProgress) -> None:
        self._sides = sides
        self._tell = on_progress
        self._report = Report()
        self._outbox = OutboxComparison(self._report.tally)
        self._parked: Collection[EventPosition] = ()
        self._next = FIRST_BLOCK

    async def run(self) -> Report:
        """Compare everything.

        Raises:
            WrongChainError: the read models are of another chain, or ahead of this one.
            EventFoldError: an event cannot be projected by this version.
            ReconcileError: the read models were replaced meanwhile.
            LedgerError: the ledger cannot be read.
            DatabaseUnavailableError: the database cannot be had.
        """
        began_s = time.monotonic()
        sides, report = self._sides, self._report
        if sides.check_ledger is not None:
            found = await asyncio.to_thread(sides.check_ledger, self._tell)
            if found is not None:
                report.tally.add(found)
        try:
            await self._compare()
        except CorruptBlockError as error:
            report.is_complete = False
            self._note_torn(error)
        report.elapsed_s = time.monotonic() - began_s
        return report

    def _note_torn(self, error: CorruptBlockError) -> None:
        """Count a torn block, unless looking at the ledger's file has named it already."""
        known, found = self._report.tally.firsts.get(DifferenceKind.LEDGER), _torn(error)
        if known is None or known.key != found.key:
            self._report.tally.add(found)

    async def _compare(self) -> None:
        sides, report = self._sides, self._report
        # In this order: the ledger may grow between the two, a checkpoint ahead of it must not be.
        projected = await sides.live.checkpoint()
        chain = await sides.source.chain_info()
        await require_same_chain(projected, chain, sides.source)
        report.height = chain.height
        self._parked = {(e.block_number, e.position) for e in await sides.live.parked()}
        report.parked = len(self._parked)
        await sides.replica.create()
        try:
            await self._approach()
            await sides.replica.complete()
            await self._approach()
            await self._compare_read_models()
        finally:
            await sides.replica.drop()
        await self._compare_outbox()

    # ------------------------------------------------------------ read models

    async def _approach(self) -> None:
        """Lead the replica close to where the live read models are by then."""
        while True:
            target = (await self._sides.live.checkpoint()).projected_block
            distance = target - self._next
            await self._lead_to(target)
            if distance <= NEAR_BLOCKS:
                return

    async def _compare_read_models(self) -> None:
        async with self._sides.replica.beside_live() as both:
            number = both.checkpoint.projected_block
            if number < self._next - 1:
                raise ReconcileError(
                    f"the read models went back from block {self._next - 1} to {number}: somebody "
                    "rebuilt or restored them meanwhile; run it again"
                )
            await self._lead_to(number)
            self._report.block_number = number
            self._compare_checkpoint(both.checkpoint)
            first = await both.compare(
                self._report.tally, lambda table, rows: self._tell(f"{table}, row {rows} ...")
            )
        if first is not None:
            await self._place(first)

    def _compare_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Count a checkpoint that was moved; the tables are compared as of the block they hold."""
        if checkpoint.sealed_block is not None:
            difference = Difference(
                kind=DifferenceKind.ROW_CHANGED,
                place="projection_checkpoints",
                key="the read models",
                column="block_number",
                ledger=f"{checkpoint.sealed_block} is projected",
                stored=str(checkpoint.block_number),
            )
            self._report.tally.add(difference)

    async def _lead_to(self, last: int) -> None:
        """Read blocks up to this one, fold them and compare their answers."""
        chunk, told = Chunk(self._parked), Slice()
        async with aclosing(self._blocks(last)) as blocks:
            async for block in blocks:
                chunk.add(block)
                told.read(block)
                if _is_full(chunk, told):
                    await self._take(chunk, told)
                    chunk, told = Chunk(self._parked), Slice()
        await self._take(chunk, told)

    async def _take(self, chunk: Chunk, told: Slice) -> None:
        if chunk.blocks:
            await self._sides.replica.add(chunk)
            self._report.events += chunk.counts.total()
            await self._compare_answers(told)

    async def _place(self, found: RowDifference) -> None:
        """Say of the first row that differs which block changed it last."""
        tally, difference = self._report.tally, found.difference
        if tally.firsts.get(difference.kind) is not difference:
            return
        self._tell("looking for the block of the first difference ...")
        last = await self._last_block_of(found)
        tally.firsts[difference.kind] = replace(difference, block_number=last)

    async def _last_block_of(self, found: RowDifference) -> int | None:
        last = None
        async for block in self._read(FIRST_BLOCK, self._report.block_number):
            effects = Effects()
            fold_block(block, effects, Counter(), self._parked)
            size = len(found.key)
            rows = effects.appended.get(found.model, [])
            if found.key in effects.rows.get(found.model, {}) or any(
                cells[:size] == found.key for cells in rows
            ):
                last = block.number
        return last

    # ------------------------------------------------------------ the outbox

    async def _compare_outbox(self) -> None:
        chain = await self._sides.source.chain_info()
        told = Slice()
        async with aclosing(self._blocks(chain.height - 1)) as blocks:
            async for block in blocks:
                told.read(block)
                if len(told.answers) >= ANSWERS_MAX:
                    await self._compare_answers(told)
                    told = Slice()
        await self._compare_answers(told)
        self._report.outbox_block_number = self._next - 1
        await self._explain_unfounded()
        self._tell("what neither waits nor ended ...")
        await self._sides.book.add_strays(self._report.tally)
        self._report.unsettled = self._outbox.unsettled
        self._report.outside = self._outbox.outside
        self._report.declared = self._outbox.declared

    async def _compare_answers(self, told: Slice) -> None:
        self._report.answers += len(told.answers)
        self._outbox.take(told, await self._sides.book.compare(told))

    async def _explain_unfounded(self) -> None:
        """Read the newest blocks too, if results stand in earlier ones than their answers."""
        if self._outbox.unfounded:
            chain = await self._sides.source.chain_info()
            async with aclosing(self._blocks(chain.height - 1)) as blocks:
                async for block in blocks:
                    told = Slice()
                    told.read(block)
                    self._outbox.explain(told)
        self._outbox.finish()

    # ------------------------------------------------------------ blocks

    async def _blocks(self, last: int) -> AsyncGenerator[Block, None]:
        """Read on, up to this block."""
        async for block in self._read(self._next, last):
            self._next = BlockNumber(block.number + 1)
            if block.number % NEAR_BLOCKS == 0:
                self._tell(f"block {block.number} of {max(last, self._report.height - 1)} ...")
            yield block

    async def _read(self, first: BlockNumber, last: int) -> AsyncGenerator[Block, None]:
        if last < first:
            return
        stream = cast("AsyncGenerator[Block, None]", self._sides.source.blocks(first))
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout(SILENCE_MAX_S):
                        block = await anext(stream)
                except TimeoutError:
                    raise StreamError(
                        f"the ledger has block {last}, and sent none for {SILENCE_MAX_S:.0f} s"
                    ) from None
                yield block
                if block.number >= last:
                    return


def _is_full(chunk: Chunk, told: Slice) -> bool:
    return (
        chunk.effects.size() >= ROWS_MAX
        or len(told.answers) >= ANSWERS_MAX
        or len(chunk.blocks) >= BLOCKS_MAX
    )


def _torn(error: CorruptBlockError) -> Difference:
    return Difference(
        kind=DifferenceKind.LEDGER,
        place="ledger",
        key=f"block {error.number}",
        column="content",
        ledger="an intact block",
        stored=f"torn ({error.reason})",
        block_number=error.number,
    )
