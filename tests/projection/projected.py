"""Blocks projected straight into a store, one at a time, for tests that need a filled one."""

from collections import Counter
from collections.abc import Iterable

from gx.database.leases import MemoryLeases
from gx.database.ports import Lease, Leases
from gx.ledger.ports import Block
from gx.projection.memory import MemoryReadModelStore
from gx.projection.ports import Checkpoint, ReadModelStore
from gx.projection.reading import fold_block
from gx.projection.reduction import Effects
from tests.projection.chain import Chain
from tests.projection.clocks import StoppedClock


async def a_lease(leases: Leases, name: str = "projector:gxchannel") -> Lease:
    """Take a lease that is free."""
    lease = await leases.acquire(name, "test", ttl_s=60)
    assert lease is not None
    return lease


async def project(store: ReadModelStore, lease: Lease, blocks: Iterable[Block]) -> None:
    """Apply these blocks, each in a transaction of its own."""
    for block in blocks:
        effects = Effects()
        fold_block(block, effects, Counter())
        reached = Checkpoint(
            block_number=block.number, block_timestamp_ms=block.timestamp_ms, genesis_hash="g"
        )
        await store.apply(
            lease=lease, expected=await store.checkpoint(), reached=reached, effects=effects
        )


async def straight(chain: Chain) -> str:
    """Return the digest of the read models when nothing goes wrong, from memory."""
    leases = MemoryLeases(StoppedClock())
    store = MemoryReadModelStore(leases)
    await project(store, await a_lease(leases), chain.committed)
    return await store.digest()
