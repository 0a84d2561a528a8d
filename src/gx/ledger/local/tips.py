"""The chain's tip as the event loop knows it: who waits for a block is woken by the next commit."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from gx.ledger.local.blocks import StoredBlock
from gx.ledger.local.chain import Tip

RECENT_BYTES_MAX: Final = 2 * 1024 * 1024
"""How much of the chain's end is kept for streams that follow closely: some 1,500 transfers."""


class TipBoard:
    """The newest durable tip, and the chain's identity. For the event loop's thread alone.

    Keeps the newest blocks, which streams would else read back from the file and check each for
    itself: these were hashed and made durable by this very process.
    """

    def __init__(self, tip: Tip, genesis_hash: bytes | None) -> None:
        self.tip = tip
        self.genesis_hash = genesis_hash or b""
        self._changed: asyncio.Event = asyncio.Event()
        self.closing: Final = asyncio.Event()
        self._recent: Final[deque[StoredBlock]] = deque()
        self._recent_bytes = 0

    def advance(
        self, tip: Tip, genesis_hash: bytes | None, blocks: Sequence[StoredBlock] = ()
    ) -> None:
        """Show a new tip and the durable blocks up to it; `genesis_hash` comes with the first."""
        self.tip = tip
        if genesis_hash is not None:
            self.genesis_hash = genesis_hash
        for block in blocks:
            self._keep(block)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def blocks_from(self, number: int) -> list[StoredBlock]:
        """Return the blocks from `number` to the tip if all of them are kept, else none."""
        recent = self._recent
        if not recent or recent[0].number > number or recent[-1].number != self.tip.newest:
            return []
        return [block for block in recent if block.number >= number]

    def _keep(self, block: StoredBlock) -> None:
        recent = self._recent
        if recent and recent[-1].number + 1 != block.number:  # a gap: those before are of no use
            recent.clear()
            self._recent_bytes = 0
        recent.append(block)
        self._recent_bytes += len(block.content)
        while self._recent_bytes > RECENT_BYTES_MAX and recent:
            self._recent_bytes -= len(recent.popleft().content)

    def close(self) -> None:
        """Wake everybody for the last time: the server ends."""
        self.closing.set()
        self._changed.set()

    async def wait_beyond(self, number: int, *, timeout_s: float) -> bool:
        """Wait until there is a block above `number`; False if none came in time."""
        if self.tip.newest > number or self.closing.is_set():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                while self.tip.newest <= number and not self.closing.is_set():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
