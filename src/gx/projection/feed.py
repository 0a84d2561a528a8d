"""Blocks turned into chunks ahead of the commit: reading, folding and committing overlap."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from gx.domain.identifiers import BlockNumber
from gx.ledger.ports import Block, BlockSource
from gx.projection.chunk import Chunk
from gx.projection.intake import Intake
from gx.projection.reading import EventPosition
from gx.projection.tasks import end_tasks

EVENTS_PER_SLICE: Final = 256
"""Folding gives way to others after so many events: one or two milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """A chunk ends with the block that reaches `blocks_max` or `rows_max`."""

    blocks_max: int
    rows_max: int
    prefetch_bytes_max: int


class ChunkFeed:
    """Folds blocks from `first` on into an open chunk until somebody takes it.

    For one `async with`. While a chunk is applied the next one grows, so chunks are as large as
    the backlog, within the limits. `on_block` is told of each block as it arrives.
    """

    def __init__(
        self,
        source: BlockSource,
        first: BlockNumber,
        *,
        parked: Collection[EventPosition],
        limits: FeedLimits,
        on_block: Callable[[Block], None],
    ) -> None:
        self._intake = Intake(source, first, bytes_max=limits.prefetch_bytes_max, on_block=on_block)
        self._parked = parked
        self._limits = limits
        self._open = Chunk(parked)
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._folding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read and fold."""
        await self._intake.__aenter__()
        self._folding = asyncio.create_task(self._fold(), name="block-folding")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop folding and reading; what nobody took is dropped."""
        if self._folding is not None:
            await end_tasks(self._folding)
        await self._intake.__aexit__()

    def wake(self) -> None:
        """Let a waiting `take` return at once, with nothing if there is nothing."""
        self._changed.set()

    async def take(self, timeout_s: float) -> Chunk | None:
        """Return what is folded, None if nothing is after `timeout_s`.

        Raises:
            EventFoldError: the next block cannot be projected; all before it has been taken.
            StreamError: the stream broke; all that came before has been taken.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        self._changed.clear()
        if self._open.blocks:
            return self._take_open()
        if self._folding is not None and self._folding.done():
            self._folding.result()
        return None

    def _take_open(self) -> Chunk:
        chunk, self._open = self._open, Chunk(self._parked)
        self._taken.set()
        if self._folding is not None and self._folding.done():
            self._changed.set()  # the next call raises what ended the folding
        return chunk

    async def _fold(self) -> None:
        folded = 0
        try:
            while True:
                block = await self._intake.take()
                while self._is_full():
                    self._taken.clear()
                    await self._taken.wait()
                before = self._open.counts.total()
                self._open.add(block)
                self._changed.set()
                folded += 1 + self._open.counts.total() - before
                if folded >= EVENTS_PER_SLICE:
                    folded = 0
                    await asyncio.sleep(0)
        finally:
            self._changed.set()

    def _is_full(self) -> bool:
        chunk, limits = self._open, self._limits
        return len(chunk.blocks) >= limits.blocks_max or chunk.effects.size() >= limits.rows_max
