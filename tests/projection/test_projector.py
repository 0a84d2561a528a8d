"""The projector follows the ledger, says how it fares, and loses nothing when others fail."""

import asyncio

import pytest
from typing_extensions import override

from gx.database.leases import MemoryLeases
from gx.database.ports import DatabaseUnavailableError, Lease
from gx.domain.batches import BATCH_EVENT
from gx.domain.codec import encode
from gx.projection import session as session_module
from gx.projection.memory import MemoryReadModelStore, digest_of, empty_tables
from gx.projection.ports import Checkpoint
from gx.projection.reduction import Effects
from gx.telemetry.health import Heartbeat
from tests.projection.chain import Chain
from tests.projection.events import MINTED, UNKNOWN, a_batch
from tests.projection.projected import a_lease, straight
from tests.projection.running import CHANNEL, Bench, eventually, is_so

pytestmark = pytest.mark.usefixtures("short_waits")


class Flaky(MemoryReadModelStore):
    """A store that fails as often as it is told, before or after its work is done."""

    def __init__(self, leases: MemoryLeases) -> None:
        super().__init__(leases)
        self.failures_before: list[Exception] = []
        self.failures_after: list[Exception] = []
        self.applied: list[tuple[int, int]] = []

    @override
    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        if self.failures_before:
            raise self.failures_before.pop()
        await super().apply(lease=lease, expected=expected, reached=reached, effects=effects)
        self.applied.append((expected.block_number, reached.block_number))
        if self.failures_after:
            raise self.failures_after.pop()


class Hanging(MemoryReadModelStore):
    """A store whose first commit waits until it may end."""

    def __init__(self, leases: MemoryLeases) -> None:
        super().__init__(leases)
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    @override
    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        self.begun.set()
        await self.may_end.wait()
        await super().apply(lease=lease, expected=expected, reached=reached, effects=effects)


async def test_it_catches_up_and_follows(chain: Chain, bench: Bench) -> None:
    """What was there before it started and what comes later is all projected."""
    async with bench.running():
        await bench.reaches(4)
        chain.transfers([("bob", "alice", 500_000_000)])
        await bench.reaches(5)
        await eventually(lambda: is_so(bench.metrics.checkpoint.read() == 5))

    assert await bench.store.digest() == await straight(chain)
    assert bench.metrics.events_processed("TransferEvent").read() == 6
    assert bench.metrics.events_processed("CoinsMinted").read() == 6
    assert bench.metrics.event_processing_duration_ms.read().cumulative[-1] == 16


async def test_worker_status_and_activity_are_told_apart(bench: Bench) -> None:
    """Status says that the loop runs, active that it holds the lease."""
    async with bench.running():
        await bench.reaches(4)
        during = (bench.metrics.worker_status.read(), bench.metrics.worker_active.read())
        assert bench.metrics.lease_epoch.read() == 1
    after = (bench.metrics.worker_status.read(), bench.metrics.worker_active.read())

    assert (during, after) == ((1, 1), (0, 0))


async def test_an_empty_ledger_is_waited_for(
    memory_store: MemoryReadModelStore, memory_leases: MemoryLeases
) -> None:
    """The first block of all may come while the projector waits; it names the chain."""
    chain = Chain()
    bench = Bench(source=chain, store=memory_store, leases=memory_leases)
    async with bench.running():
        await asyncio.sleep(0.05)
        chain.bootstrap("US")
        await bench.reaches(1)

    assert (await memory_store.checkpoint()).genesis_hash == chain.committed[0].hash


async def test_a_broken_stream_is_opened_again(chain: Chain, bench: Bench) -> None:
    """Streams that end after every other block only cost time."""
    chain.breaks_after = 2
    async with bench.running():
        await bench.reaches(4)

    assert await bench.store.digest() == await straight(chain)


async def test_a_silent_stream_is_opened_again(
    chain: Chain, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that broke without a word shows by the chain's height."""
    monkeypatch.setattr(session_module, "TURN_S", 0.05)
    monkeypatch.setattr(session_module, "SILENCE_MAX_S", 0.1)
    chain.silences = 2
    async with bench.running():
        await bench.reaches(4)

    assert chain.silences == 0


async def test_a_hung_call_while_health_says_200(chain: Chain, memory_leases: MemoryLeases) -> None:
    """A commit that never returns stops the heartbeat: the process is restarted."""
    store = Hanging(memory_leases)
    bench = Bench(source=chain, store=store, leases=memory_leases)
    bench.heartbeat = Heartbeat("projector", deadline_s=0.1)
    async with bench.running():
        await store.begun.wait()
        await eventually(lambda: is_so(bench.heartbeat.fault() is not None))
        assert bench.metrics.worker_active.read() == 1
        store.may_end.set()


async def test_event_time_is_the_ledgers(bench: Bench, memory_store: MemoryReadModelStore) -> None:
    """Event time = arrival time must be impossible: rows hold the transaction's time."""
    bench.clock.advance(s=1_000_000)
    async with bench.running():
        await bench.reaches(4)

    entries = memory_store.tables["account_entries"]
    times = {key[1]: row["recorded_at"] for key, row in entries.items()}
    assert times == {0: 1_700_000_000, 3: 1_700_000_003, 4: 1_700_000_004}


async def test_a_ledger_that_is_away_is_waited_for(chain: Chain, bench: Bench) -> None:
    """The projector stays alive and active, and goes on when the ledger is back."""
    async with bench.running():
        await bench.reaches(4)
        chain.set_reachable(False)
        await asyncio.sleep(0.1)
        assert bench.heartbeat.fault() is None
        assert bench.metrics.worker_active.read() == 1
        chain.set_reachable(True)
        chain.transfers([("bob", "alice", 500_000_000)])
        await bench.reaches(5)

    assert await bench.store.digest() == await straight(chain)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_database_that_is_away_is_waited_for(
    chain: Chain, memory_leases: MemoryLeases, moment: str
) -> None:
    """Whether a broken commit took effect is read from the checkpoint: nothing comes twice."""
    store = Flaky(memory_leases)
    bench = Bench(source=chain, store=store, leases=memory_leases, chunk_blocks_max=1)
    failures = store.failures_before if moment == "before" else store.failures_after
    failures += [DatabaseUnavailableError("the test cut it") for _ in range(3)]
    async with bench.running():
        await bench.reaches(4)

    assert await store.digest() == await straight(chain)
    assert store.applied == [(number - 1, number) for number in range(5)]


async def test_a_chunk_that_fails_is_split(chain: Chain, memory_leases: MemoryLeases) -> None:
    """Whatever the database refuses, the blocks before it are not held up by it."""
    store = Flaky(memory_leases)
    bench = Bench(source=chain, store=store, leases=memory_leases)
    store.failures_before += [ValueError("no such value")]
    async with bench.running():
        await bench.reaches(4)

    assert await store.digest() == await straight(chain)
    assert len(store.applied) == 5


async def test_a_block_that_the_database_refuses_is_counted(
    chain: Chain, memory_leases: MemoryLeases
) -> None:
    """A failure of nobody's event counts as a failed one, so that the alert fires."""
    store = Flaky(memory_leases)
    store.failures_before += [ValueError("no such value") for _ in range(4)]
    bench = Bench(source=chain, store=store, leases=memory_leases)
    async with bench.running():
        await bench.reaches(4)

    assert bench.metrics.events_failed("other").read() >= 1


async def test_many_blocks_are_one_commit_when_behind(
    chain: Chain, memory_leases: MemoryLeases
) -> None:
    """Catching up does not cost a commit a block."""
    for number in range(50):
        chain.raw("CoinsMinted", encode({**MINTED, "remark": f"no. {number}"}))
    store = Flaky(memory_leases)
    async with (bench := Bench(source=chain, store=store, leases=memory_leases)).running():
        await bench.reaches(54)

    assert len(store.applied) < 10


async def test_chunks_stay_within_their_bounds(chain: Chain, memory_leases: MemoryLeases) -> None:
    """A backlog is cut into pieces of a size that memory and locks can bear."""
    for number in range(20):
        chain.raw("CoinsMinted", encode({**MINTED, "remark": f"no. {number}"}))
    store = Flaky(memory_leases)
    bench = Bench(source=chain, store=store, leases=memory_leases, chunk_blocks_max=4)
    async with bench.running():
        await bench.reaches(24)

    assert max(reached - expected for expected, reached in store.applied) <= 4


async def test_stopping_finishes_what_was_begun(bench: Bench) -> None:
    """A stop leaves whole blocks and a free lease, at once."""
    async with bench.running():
        await bench.reaches(4)
    took_over = await bench.leases.acquire(f"projector:{CHANNEL}", "second", ttl_s=1)

    assert took_over is not None
    assert took_over.epoch == 2


async def test_an_idle_chain_reported_as_lag_or_a_stuck_projector_reported_as_healthy(
    chain: Chain, bench: Bench
) -> None:
    """Caught up the lag is 0 however old the newest block is; stuck it grows with the clock."""
    async with bench.running():
        await bench.reaches(4)
        await eventually(lambda: is_so(bench.metrics.lag_blocks.read() == 0))
        bench.clock.advance(s=3_600)
        assert bench.metrics.lag_ms.read() == 0

        block = chain.raw(BATCH_EVENT, a_batch((UNKNOWN,)))
        await eventually(lambda: is_so(bench.metrics.lag_blocks.read() == 1))
        bench.clock.ms = block.timestamp_ms + 7_000
        assert bench.metrics.lag_ms.read() == 7_000
        bench.clock.advance(s=3_600)
        assert bench.metrics.lag_ms.read() == 3_607_000


async def test_a_standby_reports_no_lag_and_no_differences(
    bench: Bench, memory_store: MemoryReadModelStore
) -> None:
    """What every replica exposed would be summed; only the active one's numbers are there."""
    await a_lease(bench.leases, f"projector:{CHANNEL}")
    async with bench.running():
        height = bench.metrics.blockchain_height(CHANNEL)
        await eventually(lambda: is_so(height.read() == 5))

        assert bench.metrics.worker_status.read() == 1
        assert bench.metrics.worker_active.read() == 0
        assert bench.metrics.lag_ms.read() is None
        assert bench.metrics.reconciliation_difference("accounts").read() is None
    assert await memory_store.digest() == digest_of(empty_tables())


async def test_a_lost_lease_ends_the_work(chain: Chain, bench: Bench) -> None:
    """Who was replaced stands by, and reports itself as standing by."""
    async with bench.running():
        await bench.reaches(4)
        held = bench.leases
        assert isinstance(held, MemoryLeases)
        (lease, _) = held._held[f"projector:{CHANNEL}"]
        await held.release(lease)
        assert await held.acquire(f"projector:{CHANNEL}", "second", ttl_s=60) is not None
        chain.transfers([("bob", "alice", 500_000_000)])
        await eventually(lambda: is_so(bench.metrics.worker_active.read() == 0))
        assert bench.metrics.checkpoint.read() is None, "a successor may stand elsewhere"

    assert (await bench.store.checkpoint()).block_number == 4
