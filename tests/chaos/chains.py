"""A ledger's chain as the judge reads it: every block, with no process of the loop in between."""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from gx.domain.identifiers import BlockNumber
from gx.ledger.local.blocks import StoredBlock, show_block
from gx.ledger.local.content import BadEnvelopeError
from gx.ledger.local.schema import open_reader
from gx.ledger.ports import Block
from gx.runtime.clock import SystemClock

if TYPE_CHECKING:
    from gx.ledger.fabric.client import FabricLedger

World = Mapping[str, tuple[int, str | None]]
"""Each key that was ever written, with the block that wrote it last and the value."""

_BLOCKS: Final = "SELECT number, previous_hash, hash, metadata, content FROM blocks ORDER BY number"
_RECORD: Final = "SELECT height, tip_hash, savepoint FROM chain"


class ChainBrokenError(Exception):
    """A block cannot be read."""


class Chain(Protocol):
    """What is on the ledger."""

    async def height(self) -> int:
        """Tell how many blocks there are now."""
        ...

    def blocks(self) -> AsyncIterator[Block]:
        """Read the blocks that are there when this is called.

        Raises:
            ChainBrokenError: One of them cannot be read.
        """
        ...

    async def defects(self) -> list[str]:
        """Say where hashes and links do not fit."""
        ...

    async def state_defects(self, world: World) -> list[str]:
        """Say where the stored world state is not what the blocks wrote."""
        ...


class FileChain:
    """The embedded ledger's file, its hashes computed here and not by the code that wrote them."""

    def __init__(self, file: Path) -> None:
        self._connection: Final = open_reader(file)

    async def height(self) -> int:
        """See `Chain`."""
        height, _, _ = self._connection.execute(_RECORD).fetchone()
        return int(height)

    async def blocks(self) -> AsyncIterator[Block]:
        """See `Chain`."""
        for row in self._connection.execute(_BLOCKS).fetchall():
            try:
                yield show_block(StoredBlock(*row))
            except BadEnvelopeError as error:
                raise ChainBrokenError(f"block {row[0]}: {error}") from error

    async def defects(self) -> list[str]:
        """See `Chain`. One snapshot: the writer goes on meanwhile."""
        self._connection.execute("BEGIN")
        try:
            rows = self._connection.execute(_BLOCKS).fetchall()
            height, tip_hash, _ = self._connection.execute(_RECORD).fetchone()
        except sqlite3.DatabaseError as error:
            return [f"the file cannot be read: {error}"]
        finally:
            self._connection.execute("COMMIT")
        found = list(_link_defects(rows))
        if height != len(rows):
            found.append(f"the record tells of {height} blocks, there are {len(rows)}")
        elif rows and tip_hash != rows[-1][2]:
            found.append("the record has another newest hash than the newest block")
        return found

    async def state_defects(self, world: World) -> list[str]:
        """See `Chain`. What blocks after the savepoint wrote need not be in the table yet."""
        _, _, savepoint = self._connection.execute(_RECORD).fetchone()
        stored = {
            key: (version, value)
            for key, value, version in self._connection.execute(
                "SELECT key, value, version FROM state"
            )
        }
        settled = {key: written for key, written in world.items() if written[0] <= savepoint}
        late = world.keys() - settled.keys()
        return [
            f"{key}: blocks say {settled.get(key)}, the state table {stored.get(key)}"
            for key in sorted((settled.keys() | stored.keys()) - late)
            if _shown(settled.get(key)) != stored.get(key)
        ]


def _shown(written: tuple[int, str | None] | None) -> tuple[int, str | None] | None:
    """A key that was deleted has no row."""
    return None if written is None or written[1] is None else written


def _link_defects(rows: list[tuple[int, bytes, bytes, bytes, bytes]]) -> Iterator[str]:
    expected_previous = bytes(32)
    for place, (number, previous_hash, stored_hash, metadata, content) in enumerate(rows):
        if number != place:
            yield f"block {place} is missing: block {number} stands in its place"
            return
        data_hash = sha256(sha256(content).digest() + metadata).digest()
        computed = sha256(number.to_bytes(8, "big") + previous_hash + data_hash).digest()
        if computed != stored_hash:
            yield f"block {number} is not what was hashed"
        if previous_hash != expected_previous:
            yield f"block {number} does not follow block {number - 1}"
        expected_previous = stored_hash


class FabricChain:
    """A Fabric network, through a client of its own; the client checks hashes and links."""

    def __init__(self, ledger: "FabricLedger") -> None:
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

    async def defects(self) -> list[str]:
        """See `Chain`. `blocks` ends with an error where the client finds one."""
        return []

    async def state_defects(self, world: World) -> list[str]:  # noqa: ARG002 (the peers keep it)
        """See `Chain`. The state is the peers' own."""
        return []


@asynccontextmanager
async def open_chain(source: Path) -> AsyncIterator[Chain]:
    """Open the embedded ledger's file, or the network that a connection profile describes."""
    if source.suffix != ".json":
        yield FileChain(source)
        return
    from gx.ledger.fabric.client import FabricLedger  # noqa: PLC0415 (its packages take a second)
    from gx.ledger.fabric.profile import load_profile  # noqa: PLC0415 (its packages take a second)

    ledger = FabricLedger(load_profile(source), clock=SystemClock())
    try:
        yield FabricChain(ledger)
    finally:
        await ledger.close()
