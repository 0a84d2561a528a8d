"""The read models can be built anew beside the live ones, to the byte, at any time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.batches import BATCH_EVENT
from gx.domain.codec import encode
from gx.domain.identifiers import BlockNumber
from gx.projection import projector as projector_module
from gx.projection.feed import FeedLimits
from gx.projection.ports import WrongChainError
from gx.projection.postgres import rebuild as rebuild_module
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.rebuild import (
    Rebuild,
    RebuildError,
    RebuildProgress,
    RebuildRequest,
)
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.reading import EventFoldError
from tests.conformance.projection import A_STOP
from tests.projection.chain import Chain
from tests.projection.projected import a_lease, straight
from tests.projection.running import CHANNEL, Bench, eventually, is_stopped

REQUEST = RebuildRequest(actor="grace", reason="a fold was wrong")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "RETRY_S", 0.05)
    monkeypatch.setattr(projector_module, "UNAVAILABLE_RETRY_S", 0.02)
    monkeypatch.setattr(rebuild_module, "WAIT_S", 0.05)


@pytest.fixture
def chain() -> Chain:
    """A ledger with two users and some transfers."""
    chain = Chain()
    chain.bootstrap("US", "CA")
    chain.users("alice", "bob")
    for number in range(6):
        chain.transfers([("alice", "bob", 400_000_000 + number)])
    return chain


@pytest.fixture
async def store(chain: Chain, pool: Pool, leases: PostgresLeases) -> PostgresReadModelStore:
    """Live read models that are caught up."""
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    bench = Bench(source=chain, store=store, leases=leases)
    async with bench.running():
        await bench.reaches(9)
    return store


def a_rebuild(chain: Chain, pool: Pool, leases: PostgresLeases) -> Rebuild:
    """Return a rebuild that has not begun."""
    return Rebuild(source=chain, pool=pool, leases=leases, channel=CHANNEL, holder="cli")


async def run(chain: Chain, pool: Pool, leases: PostgresLeases) -> list[RebuildProgress]:
    """Rebuild and return the progress that was told."""
    told: list[RebuildProgress] = []
    await a_rebuild(chain, pool, leases).run(REQUEST, told.append)
    return told


async def namespaces(pool: Pool) -> set[str]:
    """List the schemas that hold tables."""
    rows = await pool.fetch("SELECT DISTINCT schemaname FROM pg_tables")
    return {row[0] for row in rows}


async def test_a_rebuild_is_identical(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """The same tables to the byte, the same checkpoint, nothing left beside them, audited."""
    before, checkpoint = await store.digest(), await store.checkpoint()

    told = await run(chain, pool, leases)

    assert await store.digest() == before == await straight(chain)
    assert await store.checkpoint() == checkpoint
    assert (told[-1].block_number, told[-1].height, told[-1].events) == (9, 10, 16)
    assert "projection_rebuild" not in await namespaces(pool)
    (row,) = await pool.fetch("SELECT actor, action, target, reason FROM audit_log")
    assert tuple(row.values()) == ("grace", "projection_rebuilt", CHANNEL, "a fold was wrong")


async def test_a_rebuild_repairs_what_was_wrong(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Rows that were lost or changed come back, and nothing differs any more."""
    lease = await a_lease(leases, f"projector:{CHANNEL}")
    await store.note_differences(lease, {"account_alice": 5})
    await store.stopped_at(lease, A_STOP)
    await pool.execute("DELETE FROM account_entries")
    await pool.execute("UPDATE accounts SET balance = 0")

    await run(chain, pool, leases)

    assert await store.digest() == await straight(chain)
    assert await store.differences() == {}
    assert await store.stop() is None


async def test_the_projector_goes_on_after_a_rebuild(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Projecting and reading go on all the while; every read sees whole blocks, none goes back."""
    queries = PostgresQueries(pool, channel=CHANNEL)
    bench = Bench(source=chain, store=store, leases=leases)
    async with bench.running(), growing(chain), reading(queries) as seen:
        for _ in range(3):
            await run(chain, pool, leases)
            assert bench.metrics.worker_status.read() == 1
    last = len(chain.committed) - 1
    again = Bench(source=chain, store=store, leases=leases)
    async with again.running():
        await again.reaches(last)

    assert len(seen) > 10
    assert seen == sorted(seen)
    assert await store.digest() == await straight(chain)


@asynccontextmanager
async def growing(chain: Chain) -> AsyncIterator[None]:
    """Commit blocks for the length of an `async with`."""

    async def grow() -> None:
        while True:
            chain.transfers([("bob", "alice", 1)])
            await asyncio.sleep(0.003)

    task = asyncio.create_task(grow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def reading(queries: PostgresQueries) -> AsyncIterator[list[int]]:
    """Read all the while, checking that sums are whole; collect the blocks of the answers."""
    seen: list[int] = []

    async def read() -> None:
        while True:
            answer = await queries.supply()
            assert answer.body is not None
            assert answer.body["minted"] == answer.body["balances"] == "95000200000000000"
            seen.append(answer.block_number)
            await asyncio.sleep(0.002)

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = FeedLimits(blocks_max=2, rows_max=100, prefetch_bytes_max=10_000)
    monkeypatch.setattr(rebuild_module, "LIMITS", limits)


@pytest.mark.usefixtures("_small_chunks")
async def test_a_killed_rebuild_changes_nothing_and_the_next_one_starts_anew(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Half-filled tables beside the live ones disturb nobody."""

    def die(progress: RebuildProgress) -> None:
        if progress.block_number >= 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await a_rebuild(chain, pool, leases).run(REQUEST, die)

    assert "projection_rebuild" in await namespaces(pool)
    assert await store.digest() == await straight(chain)
    await run(chain, pool, leases)
    assert await store.digest() == await straight(chain)


async def test_one_rebuild_at_a_time(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """A second one is refused and disturbs neither the first nor the live tables."""
    assert await leases.acquire(f"rebuild:{CHANNEL}", "somebody", ttl_s=60) is not None
    before = await store.digest()

    with pytest.raises(RebuildError, match="already"):
        await run(chain, pool, leases)

    assert await store.digest() == before


@pytest.fixture
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild_module, "SWAP_ATTEMPTS", 2)


@pytest.mark.usefixtures("_few_attempts")
async def test_a_long_reader_makes_it_give_up(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """The live tables are not taken from under somebody's query; the error says what to do."""
    async with pool.transaction() as reader:
        await reader.fetch("SELECT 1 FROM accounts")
        with pytest.raises(RebuildError, match="pg_stat_activity"):
            await run(chain, pool, leases)

    assert await store.digest() == await straight(chain)


async def test_a_rebuild_stops_at_an_event_that_cannot_be_projected(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Nothing is skipped here either: unless an operator has parked the event."""
    unknown = encode({"eventType": BATCH_EVENT, "outcomes": [{"commandId": "c", "events": [{}]}]})
    chain.raw(BATCH_EVENT, unknown)
    before = await store.digest()
    with pytest.raises(EventFoldError):
        await run(chain, pool, leases)
    assert await store.digest() == before
    assert "projection_rebuild" not in await namespaces(pool)

    bench = Bench(source=chain, store=store, leases=leases)
    async with bench.running():
        await eventually(lambda: is_stopped(store))
        assert await store.park(BlockNumber(10), 0, actor="grace", reason="of no use")
        await bench.reaches(10)
    before = await store.digest()

    await run(chain, pool, leases)

    assert await store.digest() == before


async def test_another_chain_needs_a_word(
    pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Read models of one chain are replaced by those of another only if that is asked for."""
    other = Chain(name="other")
    other.bootstrap("GB")
    with pytest.raises(WrongChainError):
        await run(other, pool, leases)

    accepted = RebuildRequest(actor="grace", reason="a new devnet", accept_new_chain=True)
    await a_rebuild(other, pool, leases).run(accepted, lambda _: None)

    assert await store.digest() == await straight(other)
    assert (await store.checkpoint()).genesis_hash == other.committed[0].hash


async def test_who_could_read_can_still_read(
    chain: Chain, pool: Pool, leases: PostgresLeases, store: PostgresReadModelStore
) -> None:
    """Grants on the live tables pass to those that take their place."""
    del store
    await pool.execute("CREATE ROLE gx_test_reader")
    try:
        await pool.execute("GRANT SELECT ON accounts TO gx_test_reader")
        await pool.execute("GRANT SELECT ON supply TO PUBLIC")

        await run(chain, pool, leases)

        may = "SELECT has_table_privilege('gx_test_reader', $1, 'SELECT')"
        answers = [await pool.fetch_value(may, name) for name in ("accounts", "supply", "users")]
        assert answers == [True, True, False]
    finally:
        await pool.execute("DROP OWNED BY gx_test_reader")
        await pool.execute("DROP ROLE gx_test_reader")
