"""A ledger's chain as the judge reads it: every block, with no process of the loop in between."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from gx.domain.identifiers import BlockNumber
from gx.ledger.fabric.client import FabricLedger
from gx.ledger.fabric.profile import load_profile
from gx.ledger.local.blocks import NO_HASH, show_block
from gx.ledger.local.chain import load_tip, walk_blocks
from gx.ledger.local.schema import open_reader
from gx.ledger.ports import Block
from gx.runtime.clock import SystemClock


class Chain(Protocol):
    """What is on the ledger."""

    async def height(self) -> int:
        """Tell how many blocks there are now."""
        ...

    def blocks(self) -> AsyncIterator[Block]:
        """Read the blocks that are there when this is called, hashes and links checked."""
        ...


class FileChain:
    """The embedded ledger's file."""

    def __init__(self, file: Path) -> None:
        self._connection: Final = open_reader(file)

    async def height(self) -> int:
        """See `Chain`."""
        tip, _ = load_tip(self._connection)
        return tip.height

    async def blocks(self) -> AsyncIterator[Block]:
        """See `Chain`."""
        last = await self.height() - 1
        for stored in walk_blocks(self._connection, 0, last=last, previous_hash=NO_HASH):
            yield show_block(stored)


class FabricChain:
    """A Fabric network, through a client of its own; the client checks hashes and links."""

    def __init__(self, ledger: FabricLedger) -> None:
        self._ledger: Final = ledger

    async def height(self) -> int:
        """See `Chain`."""
        return (await self._ledger.chain_info()).height

    async def blocks(self) -> AsyncIterator[Block]:
        """See `Chain`."""
        last = await self.height() - 1
        async with aclosing(self._ledger.blocks(BlockNumber(0))) as stream:
            async for block in stream:
                yield block
                if block.number == last:
                    return


@asynccontextmanager
async def open_chain(source: Path) -> AsyncIterator[Chain]:
    """Open the embedded ledger's file, or the network that a connection profile describes."""
    if source.suffix != ".json":
        yield FileChain(source)
        return
    ledger = FabricLedger(load_profile(source), clock=SystemClock())
    try:
        yield FabricChain(ledger)
    finally:
        await ledger.close()
