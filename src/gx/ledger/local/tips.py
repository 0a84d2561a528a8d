"""The chain's tip as the event loop knows it: who waits for a block is woken by the next commit."""

import asyncio
from typing import Final

from gx.ledger.local.chain import Tip


class TipBoard:
    """The newest durable tip, and the chain's identity. For the event loop's thread alone."""

    def __init__(self, tip: Tip, genesis_hash: bytes | None) -> None:
        self.tip = tip
        self.genesis_hash = genesis_hash or b""
        self._changed: asyncio.Event = asyncio.Event()
        self.closing: Final = asyncio.Event()

    def advance(self, tip: Tip, genesis_hash: bytes | None) -> None:
        """Show a new tip; `genesis_hash` is given with the first one."""
        self.tip = tip
        if genesis_hash is not None:
            self.genesis_hash = genesis_hash
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

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
