"""The outbox compared with the ledger all the time, a bounded piece at each turn.

The active submitter does it, beside its work and apart from it: on a stream of its own, a few
seconds behind the newest block, so that what is settled by then is settled. Each turn looks at

    what is new         up to 10,000 answers, in pieces: nothing is left out
    what was passed     up to 1,000 answers, fewer where there is much that is new; a pass goes from
                        block 0 to the newest one that was compared at its beginning, and then the
                        next one begins: so it ends however fast the chain grows

so a record that is changed after it was compared is found by the pass that comes to it. Where both
stand and what differs is stored, so a take-over goes on where the other one stopped, and a
difference stays until a later look finds that it is gone. `gx reconcile` compares all at once.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Protocol, cast

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError
from gx.domain.clock import Clock
from gx.domain.differences import Difference, DifferenceKind
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import LedgerError
from gx.ledger.ports import Block, BlockSource
from gx.outbox.comparison import UNFOUNDED_MAX, AnswerBook, Compared, Slice
from gx.telemetry.instruments import SubmitterMetrics

_log: Final = structlog.get_logger(__name__)

_NO_BLOCK: Final = BlockNumber(-1)

KINDS: Final = (
    DifferenceKind.RESULT_WRONG,
    DifferenceKind.RESULT_MISSING,
    DifferenceKind.RESULT_UNFOUNDED,
    DifferenceKind.COMMAND_UNKNOWN,
    DifferenceKind.LEDGER,
)
"""What is found here. `LEDGER`: the chain that was compared so far is not this one."""

TOLD_MAX: Final = 20
"""Differences of one turn that are logged one by one; of more the number is."""

TURN_UNFOUNDED_MAX: Final = 1_000
"""Results without an answer that one look notes: as bad as a million, and a million is a burden."""

RECHECKED_MAX: Final = 20
"""Blocks with differences that are looked at again in each round, each in its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPosition:
    """The last block that was compared, and its hash; and where the pass over all of them is.

    `again_number` is the last block that this pass looked at, -1 before its first one, and
    `again_began_ms` when it began, None before that.
    """

    block_number: BlockNumber
    block_hash: str
    again_number: BlockNumber = _NO_BLOCK
    again_began_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLimits:
    """How much at each turn, and how often.

    What is new is looked at in pieces, with a breath between them: commands on their way need the
    same cores. A piece ends with the block that makes `answers_max` answers, or as many blocks.
    Of what was passed before, a turn looks at `again_answers_max` less the new ones, and at
    `again_answers_min` at least, and at no more blocks than that: 200 answers a second while little
    is new, so a million in an hour and a half, and 20 a second under load.
    """

    turn_s: float = 5.0
    answers_max: int = 1_000
    pieces_max: int = 10
    breath_s: float = 0.1
    again_answers_max: int = 1_000
    again_answers_min: int = 100
    silence_max_s: float = 10.0


class AuditStore(Protocol):
    """Keeps the position and what differs. Writes raise LeaseLostError under an old epoch."""

    async def position(self) -> AuditPosition | None:
        """Return where the comparison stands; None before its first block."""
        ...

    async def advance(
        self,
        lease: Lease,
        position: AuditPosition,
        *,
        found: Collection[Difference],
        explained: Collection[str],
    ) -> None:
        """Move on, note what was found, and forget what later blocks explained, by its keys."""
        ...

    async def forget(self, lease: Lease, keys: Collection[str]) -> None:
        """Forget differences that are gone."""
        ...

    async def differences(self) -> Sequence[tuple[str, DifferenceKind, BlockNumber]]:
        """List what differs: key, kind and block, in the order of the blocks."""
        ...


class OutboxAudit:
    """Compares for as long as its process is the active submitter."""

    def __init__(
        self,
        *,
        source: BlockSource,
        book: AnswerBook,
        store: AuditStore,
        clock: Clock,
        metrics: SubmitterMetrics,
        limits: AuditLimits | None = None,
    ) -> None:
        self._source = source
        self._book = book
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or AuditLimits()
        self._settled_height = 0
        self._round_end = -1
        self._completed_ms: int | None = None
        self._rechecked = _NO_BLOCK
        self._pass_end = _NO_BLOCK
        self._unexplained: dict[str, Difference] = {}
        self._left_unexplained: frozenset[str] = frozenset()
        metrics.reconciliation_age_s.read_with(self._age_s)

    async def run(self, lease: Lease) -> None:
        """Compare turn by turn until cancelled or replaced. A failed turn is tried again."""
        self._completed_ms = self._clock.now_ms()
        self._settled_height, self._round_end = 0, -1
        self._pass_end, self._left_unexplained = _NO_BLOCK, frozenset()
        self._unexplained.clear()
        try:
            while True:
                await self._turn_safely(lease)
                await asyncio.sleep(self._limits.turn_s)
        except LeaseLostError as error:
            _log.warning("outbox_audit_fenced_out", error=error)
        finally:
            self._forget()

    async def _turn_safely(self, lease: Lease) -> None:
        try:
            await self.turn(lease)
        except LeaseLostError:
            raise
        except (LedgerError, DatabaseUnavailableError, TimeoutError) as error:
            _log.info("outbox_audit_postponed", error=error)
        except Exception:  # noqa: BLE001 (comparing must not end submitting; its age tells)
            _log.exception("outbox_audit_failed")

    async def turn(self, lease: Lease) -> None:
        """Compare the next blocks of those that were there at the last turn, and some older ones.

        Raises:
            LeaseLostError: another submitter is active.
            LedgerError: the ledger cannot be read now.
            DatabaseUnavailableError: the database cannot be had now.
        """
        height = (await self._source.chain_info()).height
        target, self._settled_height = self._settled_height - 1, height
        position = await self._store.position()
        if position is not None and not await self._is_same_chain(lease, position, height):
            await self._show()
            return
        reached = -1 if position is None else int(position.block_number)
        answers = 0
        if reached < target:
            reached, answers = await self._compare_new(lease, reached + 1, target)
        await self._look_again(lease, answers)
        if target >= 0:
            await self._end_round(lease, reached, target)
        await self._show()

    # ------------------------------------------------------------ one turn

    async def _compare_new(self, lease: Lease, first: int, last: int) -> tuple[int, int]:
        """Compare some blocks from `first` on; return the last one that could be, and answers."""
        answers = 0
        for number in range(self._limits.pieces_max):
            if number:
                await asyncio.sleep(self._limits.breath_s)
            blocks = await self._read(first, last, self._limits.answers_max)
            told = await self._compare(lease, blocks)
            if told.first is None:
                break
            first, answers = told.last + 1, answers + len(told.answers)
            if told.last < blocks[-1].last or first > last:
                break
        return first - 1, answers

    async def _compare(self, lease: Lease, blocks: Sequence[Slice]) -> Slice:
        """Compare these blocks as far as they are settled; return those."""
        told, compared = await self._compared(blocks)
        if compared.unsettled:
            # Their settlement is on its way. Compare what is before, and these next time.
            end = min(compared.unsettled)
            told, compared = await self._compared([each for each in blocks if each.last < end])
        if told.first is None:
            return told
        unfounded = [result.difference for result in compared.unfounded]
        position = await self._store.position()
        reached = AuditPosition(block_number=told.last, block_hash=told.hash)
        if position is not None:
            reached = replace(position, block_number=told.last, block_hash=told.hash)
        await self._advance(lease, reached, told, [*compared.differences, *unfounded])
        return told

    async def _look_again(self, lease: Lease, new_answers: int) -> None:
        """Compare some of what was passed before: it may have been changed since."""
        position = await self._store.position()
        if position is None:
            return
        limits, newest = self._limits, position.block_number
        began_ms = position.again_began_ms
        began_ms = self._clock.now_ms() if began_ms is None else began_ms
        answers_max = max(limits.again_answers_min, limits.again_answers_max - new_answers)
        if self._pass_end < 0 or position.again_began_ms is None:
            self._pass_end = newest
        end = min(self._pass_end, newest)
        first = min(position.again_number + 1, end)
        told, compared = await self._compared(await self._read(first, end, answers_max))
        found = list(compared.differences)
        self._keep_unexplained(told, compared)
        reached = replace(position, again_number=told.last, again_began_ms=began_ms)
        if told.last >= end:
            found += self._never_explained(is_at_newest=end >= newest)
            reached = replace(position, again_number=_NO_BLOCK, again_began_ms=None)
        await self._advance(lease, reached, told, found)
        if told.last >= end:
            duration_s = (self._clock.now_ms() - began_ms) / 1_000
            self._metrics.reconciliation_duration_s.set(duration_s)
            _log.debug("outbox_compared_again", block_number=end, duration_s=duration_s)

    def _keep_unexplained(self, told: Slice, compared: Compared) -> None:
        """Keep results that a later block may explain until the end of the pass."""
        for result in compared.unfounded[: UNFOUNDED_MAX - len(self._unexplained)]:
            self._unexplained[result.command_id] = result.difference
        for answer in told.answers:
            self._unexplained.pop(answer.command_id, None)

    def _never_explained(self, *, is_at_newest: bool) -> Sequence[Difference]:
        """Return what no block explained, at the end of a pass.

        Where blocks came meanwhile that it did not look at, those may: the next pass does.
        """
        keys = self._unexplained.keys() if is_at_newest else self._left_unexplained
        never = [self._unexplained.pop(key) for key in [*keys] if key in self._unexplained]
        self._left_unexplained = frozenset(self._unexplained)
        return never

    async def _advance(
        self, lease: Lease, reached: AuditPosition, told: Slice, found: Sequence[Difference]
    ) -> None:
        if found:
            known = {(key, kind) for key, kind, _ in await self._store.differences()}
            new = [each for each in found if (each.key, each.kind) not in known]
            for each in new[:TOLD_MAX]:
                _log.error("outbox_difference_found", kind=each.kind, key=each.key)
            if len(new) > TOLD_MAX:
                _log.error("outbox_differences_found", differences=len(new))
        explained = [answer.command_id for answer in told.answers if answer.is_repeat]
        await self._store.advance(lease, reached, found=found, explained=explained)

    async def _compared(self, blocks: Sequence[Slice]) -> tuple[Slice, Compared]:
        told = Slice()
        for block in blocks:
            told.add(block)
        return told, await self._book.compare(told)

    async def _read(self, first: int, last: int, answers_max: int) -> Sequence[Slice]:
        """Read what the blocks say of commands, each block by itself."""
        blocks: list[Slice] = []
        answers = 0
        stream = cast("AsyncGenerator[Block, None]", self._source.blocks(BlockNumber(first)))
        async with aclosing(stream), asyncio.timeout(self._limits.silence_max_s):
            async for block in stream:
                told = Slice()
                told.read(block)
                blocks.append(told)
                answers += len(told.answers)
                if block.number >= last or max(answers, len(blocks)) >= answers_max:
                    break
        return blocks

    async def _is_same_chain(self, lease: Lease, position: AuditPosition, height: int) -> bool:
        """Tell whether the ledger still holds the block that was compared last."""
        number = position.block_number
        found = "no such block"
        if number < height:
            (block,) = await self._read(number, number, self._limits.answers_max)
            found = block.hash
        if found == position.block_hash:
            return True
        _log.error("compared_chain_changed", block_number=number, found=found)
        difference = Difference(
            kind=DifferenceKind.LEDGER,
            place="block",
            key=f"block {number}",
            column="hash",
            ledger=found,
            stored=position.block_hash,
            block_number=number,
        )
        await self._store.advance(lease, position, found=[difference], explained=())
        return False

    # ------------------------------------------------------------ rounds

    async def _end_round(self, lease: Lease, reached: int, target: int) -> None:
        """A round is over when all is compared that was there at its beginning."""
        if self._round_end < 0:
            self._round_end = target
        if reached < self._round_end:
            return
        await self._recheck(lease)
        self._completed_ms, self._round_end = self._clock.now_ms(), -1

    async def _recheck(self, lease: Lease) -> None:
        """Look again at blocks with differences: somebody may have mended or declared them."""
        known = await self._store.differences()
        numbers = self._next_to_recheck({number for _, _, number in known})
        gone: list[str] = []
        for number in numbers:
            blocks = await self._read(number, number, self._limits.answers_max)
            _, compared = await self._compared(blocks)
            found = {difference.key for difference in compared.differences}
            found.update(result.command_id for result in compared.unfounded)
            gone.extend(
                key
                for key, kind, block in known
                if block == number and key not in found and kind is not DifferenceKind.LEDGER
            )
        gone.extend(key for key, kind, _ in known if kind is DifferenceKind.LEDGER)
        if gone:
            _log.info("outbox_differences_gone", differences=len(gone))
            await self._store.forget(lease, gone)

    def _next_to_recheck(self, numbers: Collection[BlockNumber]) -> Sequence[BlockNumber]:
        """Go on behind those of the last round, so that each one's turn comes."""
        in_order = sorted(numbers, key=lambda number: (number <= self._rechecked, number))
        chosen = in_order[:RECHECKED_MAX]
        self._rechecked = chosen[-1] if chosen else _NO_BLOCK
        return chosen

    # ------------------------------------------------------------ what is shown

    async def _show(self) -> None:
        counts: Mapping[DifferenceKind, int] = Counter(
            kind for _, kind, _ in await self._store.differences()
        )
        for kind in KINDS:
            self._metrics.outbox_differences(kind.value).set(counts.get(kind, 0))

    def _age_s(self) -> float | None:
        if self._completed_ms is None:
            return None
        return max(0, self._clock.now_ms() - self._completed_ms) / 1_000

    def _forget(self) -> None:
        """Show nothing: another process compares now."""
        self._completed_ms = None
        self._metrics.reconciliation_duration_s.clear()
        for kind in KINDS:
            self._metrics.outbox_differences(kind.value).clear()
