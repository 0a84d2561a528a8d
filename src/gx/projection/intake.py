"""Blocks read ahead of the projection, so that reading, folding and committing overlap."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import StreamError
from gx.ledger.ports import Block, BlockSource
from gx.projection.tasks import end_tasks

WRITE_BYTES: Final = 300
"""About what one write takes, key, value and object."""


class Intake:
    """One stream of blocks from `first` on, buffered up to about `bytes_max`. For one `async with`.

    `on_block` is told of each block as it arrives.
    """

    def __init__(
        self,
        source: BlockSource,
        first: BlockNumber,
        *,
        bytes_max: int,
        on_block: Callable[[Block], None],
    ) -> None:
        self._source = source
        self._next = first
        self._bytes_max = bytes_max
        self._on_block = on_block
        self._buffer: deque[tuple[Block, int]] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        self._reading = asyncio.create_task(self._read(), name="block-intake")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading and close the stream."""
        if self._reading is not None:
            await end_tasks(self._reading)

    async def take(self) -> Block:
        """Wait for the next block.

        Raises:
            StreamError: the stream broke, and every block before that is taken.
        """
        while not self._buffer:
            if self._reading is None or self._reading.done():
                raise self._failure()
            self._arrived.clear()
            await self._arrived.wait()
        block, size = self._buffer.popleft()
        self._bytes -= size
        self._room.set()
        return block

    async def _read(self) -> None:
        try:
            async for block in self._source.blocks(self._next):
                self._require_next(block)
                size = payload_bytes(block)
                self._buffer.append((block, size))
                self._bytes += size
                self._on_block(block)
                self._arrived.set()
                while self._bytes > self._bytes_max:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._arrived.set()

    def _require_next(self, block: Block) -> None:
        if block.number != self._next:
            raise StreamError(f"expected block {self._next}, the ledger sent {block.number}")
        self._next = BlockNumber(block.number + 1)

    def _failure(self) -> BaseException:
        error = None if self._reading is None else self._reading.exception()
        return error or StreamError("the stream of blocks ended")


def payload_bytes(block: Block) -> int:
    """Estimate a block's size in memory: its events' texts, and some hundred bytes a write."""
    return sum(
        (0 if entry.event is None else len(entry.event.payload)) + WRITE_BYTES * len(entry.writes)
        for entry in block.transactions
    )
