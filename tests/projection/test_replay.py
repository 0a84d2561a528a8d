"""Replaying gives the same tables, from wherever and in whatever pieces; and they are true."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.database.leases import MemoryLeases
from gx.database.ports import Lease, LeaseLostError
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.world_state import ACCOUNT_PREFIX, AccountRecord
from gx.ledger.ports import Block
from gx.projection.chunk import Chunk
from gx.projection.memory import MemoryReadModelStore
from gx.projection.ports import Checkpoint
from gx.projection.reading import fold_block
from gx.projection.reduction import Effects
from tests.projection.chain import Chain
from tests.projection.clocks import StoppedClock
from tests.projection.histories import BLOCKS, Step, play
from tests.projection.projected import a_lease, project


def a_store() -> tuple[MemoryReadModelStore, MemoryLeases]:
    """Return a new store with its leases."""
    leases = MemoryLeases(StoppedClock())
    return MemoryReadModelStore(leases), leases


def reached(block: Block) -> Checkpoint:
    """Return the checkpoint after a block."""
    return Checkpoint(
        block_number=block.number, block_timestamp_ms=block.timestamp_ms, genesis_hash="g"
    )


async def apply_chunk(store: MemoryReadModelStore, lease: Lease, blocks: list[Block]) -> None:
    """Apply blocks in one transaction."""
    chunk = Chunk()
    for block in blocks:
        chunk.add(block)
    await store.apply(
        lease=lease,
        expected=await store.checkpoint(),
        reached=reached(blocks[-1]),
        effects=chunk.effects,
    )


@given(blocks=BLOCKS, cuts=st.lists(st.integers(1, 4), max_size=12), repeat=st.integers(0, 12))
async def test_replay_from_any_checkpoint_is_replay_from_zero(
    blocks: list[list[Step]], cuts: list[int], repeat: int
) -> None:
    """Chunks of any size make the same tables, and a chunk that comes twice changes nothing."""
    chain = Chain()
    play(chain, blocks)
    straight, leases = a_store()
    await project(straight, await a_lease(leases), chain.committed)

    store, leases = a_store()
    lease = await a_lease(leases)
    left = list(chain.committed)
    sizes = [*cuts, len(left)]
    for turn, size in enumerate(sizes):
        piece, left = left[:size], left[size:]
        if not piece:
            break
        before = await store.checkpoint()
        await apply_chunk(store, lease, piece)
        if turn == repeat:
            effects = Effects()
            for block in piece:
                fold_block(block, effects, Counter())
            with pytest.raises(LeaseLostError):
                await store.apply(
                    lease=lease, expected=before, reached=reached(piece[-1]), effects=effects
                )

    assert await store.digest() == await straight.digest()


@given(blocks=BLOCKS)
async def test_the_read_models_are_what_the_ledger_holds(blocks: list[list[Step]]) -> None:
    """Every account is, in every field, what the world state says; and the sums agree."""
    chain = Chain()
    play(chain, blocks)
    store, leases = a_store()
    await project(store, await a_lease(leases), chain.committed)

    accounts = store.tables["accounts"]
    records = {
        key[len(ACCOUNT_PREFIX) :]: AccountRecord.from_text(value)
        for key, value in chain.ledger.values().items()
        if key.startswith(ACCOUNT_PREFIX)
    }
    assert {key[0] for key in accounts} == set(records)
    for name, record in records.items():
        row = accounts[(name,)]
        assert (row["kind"], row["status"], row["is_frozen"], row["country"]) == (
            *(record.kind, record.status, record.frozen, record.country),
        )
        assert row["tax_timer_started_at"] == record.tax_timer_started_at
        assert row["balance"] == record.balance or name == OPERATIONS_FUND
    totals = await store.totals()
    assert totals.minted == totals.balances == store.tables["supply"][(True,)]["balances"]
