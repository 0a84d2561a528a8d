"""A checkpoint that is not where the projector left it, or not of this chain, is refused."""

import asyncio

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.projection import session as session_module
from gx.projection.ports import CheckpointMovedError, WrongChainError
from gx.projection.postgres.rebuild import Rebuild, RebuildRequest
from gx.projection.postgres.store import PostgresReadModelStore
from tests.projection.chain import Chain
from tests.projection.projected import straight
from tests.projection.running import CHANNEL, PATIENCE_S, Bench

pytestmark = pytest.mark.usefixtures("short_waits")

# What a release that does not know the seal writes when it moves the checkpoint.
OLDER_RELEASE = (
    "UPDATE projection_checkpoints SET block_number = $1, updated_at = clock_timestamp()"
)


@pytest.fixture
def store(pool: Pool) -> PostgresReadModelStore:
    """Read models in this test's database."""
    return PostgresReadModelStore(pool, channel=CHANNEL)


async def follow(chain: Chain, store: PostgresReadModelStore, leases: PostgresLeases) -> None:
    """Project all there is and end."""
    bench = Bench(source=chain, store=store, leases=leases)
    async with bench.running():
        await bench.reaches(len(chain.committed) - 1)


def more(chain: Chain, blocks: int = 1) -> None:
    """Let the chain grow."""
    for _ in range(blocks):
        chain.transfers([("alice", "bob", 400_000_000)])


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SET block_number = block_number + 3", "skip"),
        ("SET block_number = block_number + 3000", "skip"),
        ("SET block_number = block_number - 2", "repeat"),
        ("SET block_number = -1", "repeat"),
        ("", "somebody deleted it"),
    ],
)
async def test_a_moved_checkpoint_is_refused_until_a_rebuild(  # noqa: PLR0917 - fixtures
    chain: Chain,
    pool: Pool,
    store: PostgresReadModelStore,
    leases: PostgresLeases,
    statement: str,
    told: str,
) -> None:
    """Ahead, far ahead, behind, at the start or gone: no block is skipped or applied twice."""
    await follow(chain, store, leases)
    digest = await store.digest()
    await pool.execute(
        f"UPDATE projection_checkpoints {statement}"
        if statement
        else "DELETE FROM projection_checkpoints"
    )
    more(chain, 8)
    bench = Bench(source=chain, store=store, leases=leases)

    with pytest.raises(CheckpointMovedError, match=told):
        await asyncio.wait_for(bench.projector().run(bench.stop), PATIENCE_S)
    assert await store.digest() == digest

    rebuild = Rebuild(source=chain, pool=pool, leases=leases, channel=CHANNEL, holder="test")
    await rebuild.run(RebuildRequest(actor="grace", reason="moved"), lambda _: None)
    more(chain)
    await follow(chain, store, leases)
    assert await store.digest() == await straight(chain)


@pytest.mark.parametrize("is_quiet", [True, False])
async def test_a_checkpoint_that_moves_under_a_projector_stops_it(  # noqa: PLR0917 - fixtures
    chain: Chain,
    pool: Pool,
    store: PostgresReadModelStore,
    leases: PostgresLeases,
    is_quiet: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the next block, or without any: the running process says so by itself."""
    monkeypatch.setattr(session_module, "LOOK_S", 0.05)
    monkeypatch.setattr(session_module, "TURN_S", 0.05)
    bench = Bench(source=chain, store=store, leases=leases)
    running = asyncio.create_task(bench.projector().run(bench.stop))
    await bench.reaches(4)
    await pool.execute("UPDATE projection_checkpoints SET block_number = 6")
    if not is_quiet:
        more(chain, 4)

    with pytest.raises(CheckpointMovedError, match="block 4 is the last that was projected"):
        await asyncio.wait_for(running, PATIENCE_S)


async def test_an_older_copy_that_has_grown_again_is_another_chain(
    chain: Chain, store: PostgresReadModelStore, leases: PostgresLeases
) -> None:
    """The first block and the height are right, the projected block is not."""
    await follow(chain, store, leases)
    digest = await store.digest()
    del chain.committed[3:]
    chain.name = "other"
    more(chain, 5)

    bench = Bench(source=chain, store=store, leases=leases)
    with pytest.raises(WrongChainError, match="has grown again"):
        await asyncio.wait_for(bench.projector().run(bench.stop), PATIENCE_S)
    assert await store.digest() == digest


async def test_what_an_older_release_projected_is_gone_on_from(
    chain: Chain, pool: Pool, store: PostgresReadModelStore, leases: PostgresLeases
) -> None:
    """Its checkpoint has no seal, or that of an earlier block; the next block seals it again."""
    await follow(chain, store, leases)
    await pool.execute(
        "UPDATE projection_checkpoints SET sealed_block = 2, sealed_hash = 'of block 2'"
    )
    await pool.execute(OLDER_RELEASE, 4)

    more(chain)
    await follow(chain, store, leases)

    assert await store.digest() == await straight(chain)
    assert (await store.checkpoint()).block_hash == chain.committed[-1].hash
