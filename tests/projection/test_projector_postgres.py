"""The projector on a real database: two at once, killed ones, frozen ones."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from typing_extensions import override

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings
from gx.database.ports import Lease, Leases
from gx.projection import projector as projector_module
from gx.projection.ports import ReadModelStore
from gx.projection.postgres import store as store_module
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.postgres.writing import write_effects
from gx.projection.reduction import Effects
from tests.projection.chain import Chain
from tests.projection.projected import a_lease, straight
from tests.projection.running import CHANNEL, Bench, eventually

LEASE_S = 0.6


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "RETRY_S", 0.05)
    monkeypatch.setattr(projector_module, "UNAVAILABLE_RETRY_S", 0.02)


@pytest.fixture
def chain() -> Chain:
    """A ledger with two users who have coins."""
    chain = Chain()
    chain.bootstrap("US", "CA")
    chain.users("alice", "bob")
    return chain


@pytest.fixture
def store(pool: Pool) -> PostgresReadModelStore:
    """The read models in this test's database."""
    return PostgresReadModelStore(pool, channel=CHANNEL)


class FrozenLeases(Leases):
    """The leases of a process that is stopped in the middle: it renews nothing any more."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.is_frozen = False

    @override
    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        return None if self.is_frozen else await self._leases.acquire(name, holder, ttl_s=ttl_s)

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        return True if self.is_frozen else await self._leases.renew(lease, ttl_s=ttl_s)

    @override
    async def release(self, lease: Lease) -> None:
        if not self.is_frozen:
            await self._leases.release(lease)


@pytest.fixture
async def benches(
    chain: Chain, pool: Pool, pool_settings: PoolSettings
) -> AsyncIterator[list[Bench]]:
    """Two projectors of one channel, each with connections of its own."""
    leases = [PostgresLeases(pool_settings) for _ in range(2)]
    yield [
        Bench(
            source=chain,
            store=PostgresReadModelStore(pool, channel=CHANNEL),
            leases=FrozenLeases(own),
            holder=name,
            lease_s=LEASE_S,
            chunk_blocks_max=3,
        )
        for name, own in zip(("first", "second"), leases, strict=True)
    ]
    for own in leases:
        await own.close()


async def grow(chain: Chain, blocks: int) -> None:
    """Commit one transfer a block, slowly enough for chunks to be many."""
    for number in range(blocks):
        pair = ("alice", "bob") if number % 2 else ("bob", "alice")
        chain.transfers([(*pair, 400_000_000 + number)])
        await asyncio.sleep(0.005)


async def test_the_projection_of_real_blocks_is_the_one_in_memory(
    chain: Chain, store: ReadModelStore, leases: PostgresLeases
) -> None:
    """Both stores hold the same tables, to the byte of the digest."""
    async with Bench(source=chain, store=store, leases=leases).running():
        await grow(chain, 20)
        await Bench(source=chain, store=store, leases=leases).reaches(23)

    assert await store.digest() == await straight(chain)


async def test_a_stale_lease_letting_two_workers_project(
    chain: Chain, benches: list[Bench]
) -> None:
    """A frozen projector that comes back is fenced out; every event has had its effect once."""
    first, second = benches
    async with first.running():
        await first.reaches(3)
        async with second.running():
            frozen = first.leases
            assert isinstance(frozen, FrozenLeases)
            frozen.is_frozen = True
            growing = asyncio.create_task(grow(chain, 300))

            async def took_over() -> bool:
                return second.metrics.worker_active.read() == 1

            await eventually(took_over)
            await growing
            await second.reaches(303)

            async def resigned() -> bool:
                return first.metrics.worker_active.read() == 0

            await eventually(resigned)

    assert await second.store.digest() == await straight(chain)
    # Higher than the frozen one's; how much so depends on how busy the machine was meanwhile.
    assert (second.metrics.lease_epoch.read() or 0) >= 2


async def test_a_standby_takes_over_within_seconds(chain: Chain, benches: list[Bench]) -> None:
    """The successor of a projector that died goes on at its checkpoint."""
    first, second = benches
    task = asyncio.create_task(first.projector().run(first.stop))
    async with second.running():
        await first.reaches(3)
        frozen = first.leases
        assert isinstance(frozen, FrozenLeases)
        frozen.is_frozen = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        begun_s = asyncio.get_running_loop().time()
        chain.transfers([("alice", "bob", 400_000_000)])
        await second.reaches(4)

        assert asyncio.get_running_loop().time() - begun_s < 3 * LEASE_S
    assert await second.store.digest() == await straight(chain)


async def test_a_kill_between_effect_and_commit_leaves_no_gap(
    chain: Chain, pool: Pool, leases: PostgresLeases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is cut with everything written but not committed wrote nothing."""
    kills = 0

    async def write_then_die(
        connection: asyncpg.pool.PoolConnectionProxy, namespace: str, effects: Effects
    ) -> None:
        nonlocal kills
        await write_effects(connection, namespace, effects)
        if kills < 3 and effects.size():
            kills += 1
            own_pid = await connection.fetchval("SELECT pg_backend_pid()")
            killer = await asyncpg.connect(pool.settings.dsn)
            await killer.execute("SELECT pg_terminate_backend($1)", own_pid)
            await killer.close()

    monkeypatch.setattr(store_module, "write_effects", write_then_die)
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    bench = Bench(source=chain, store=store, leases=leases, chunk_blocks_max=2)
    async with bench.running():
        await grow(chain, 10)
        await bench.reaches(13)

    assert kills == 3
    assert await store.digest() == await straight(chain)


async def test_a_stopped_writer_does_not_hold_up_its_successor(
    store: PostgresReadModelStore, leases: PostgresLeases, pool: Pool
) -> None:
    """The server ends a projector's transaction that stands still, long before other ones."""
    lease = await a_lease(leases, f"projector:{CHANNEL}")

    async with store._fenced(lease) as connection:
        timeout = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    after = await pool.fetch_value("SHOW idle_in_transaction_session_timeout")

    assert (timeout, after) == ("5s", "30s")
