"""Where the projection must stand still it does, says so, and goes on only when it may."""

import asyncio
from collections.abc import Sequence

import pytest
import structlog

from gx.domain.batches import BATCH_EVENT
from gx.domain.codec import JsonObject
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import NewerBlockError
from gx.projection import projector as projector_module
from gx.projection.memory import MemoryReadModelStore
from gx.projection.ports import WrongChainError
from gx.telemetry.upgrades import UpgradeReason
from tests.projection.chain import Chain
from tests.projection.events import MINTED, UNKNOWN, a_batch
from tests.projection.projected import a_lease, straight
from tests.projection.running import CHANNEL, Bench, eventually, is_so, is_stopped

pytestmark = pytest.mark.usefixtures("short_waits")


async def test_a_failed_event_skipped_for_good(
    chain: Chain, bench: Bench, memory_store: MemoryReadModelStore
) -> None:
    """It stands still before the event's block, says so, retries, and goes on when it can."""
    chain.raw(BATCH_EVENT, a_batch((MINTED, UNKNOWN, MINTED)))
    chain.transfers([("bob", "alice", 500_000_000)])

    async with bench.running():
        failed = bench.metrics.events_failed("other")
        await eventually(lambda: is_so(failed.read() >= 3))
        stop = await memory_store.stop()
        assert (await memory_store.checkpoint()).block_number == 4
        assert stop is not None
        assert (stop.block_number, stop.position, stop.event) == (5, 1, UNKNOWN)
        assert bench.metrics.worker_active.read() == 1
        assert bench.heartbeat.fault() is None

        chain.replace_event(5, BATCH_EVENT, a_batch((MINTED, MINTED, MINTED)))
        await bench.reaches(6)

    assert await memory_store.stop() is None
    assert await memory_store.digest() == await straight(chain)


async def test_resuming_at_block_plus_one_after_half_a_block(
    chain: Chain, bench: Bench, memory_store: MemoryReadModelStore
) -> None:
    """The events before a bad one wait with their block: half a block is never applied."""
    chain.raw(BATCH_EVENT, a_batch((MINTED, UNKNOWN)))

    async with bench.running():
        await eventually(lambda: is_so(bench.metrics.events_failed("other").read() >= 2))
        before = memory_store.tables["accounts"][("alice",)]["balance"]
        chain.replace_event(5, BATCH_EVENT, a_batch((MINTED, MINTED)))
        await bench.reaches(5)
    after = memory_store.tables["accounts"][("alice",)]["balance"]

    assert int(after or 0) - int(before or 0) == 2 * 150_000_000


async def test_a_parked_event_lets_the_rest_go_on(
    chain: Chain, bench: Bench, memory_store: MemoryReadModelStore
) -> None:
    """An operator's explicit act, with a reason, is the only way past an event."""
    chain.raw(BATCH_EVENT, a_batch((MINTED, UNKNOWN, MINTED)))
    async with bench.running():
        await eventually(lambda: is_stopped(memory_store))
        assert await memory_store.park(
            BlockNumber(5), 1, actor="grace", reason="of a removed feature"
        )
        await bench.reaches(5)

        assert bench.metrics.parked_events.read() == 1
    assert [event.reason for event in await memory_store.parked()] == ["of a removed feature"]
    assert memory_store.audit == [("grace", "of a removed feature")]
    assert bench.metrics.events_processed("CoinsMinted").read() == 6 + 2


NEWER: JsonObject = {**MINTED, "schemaVersion": 2}
OF_A_NEWER_RELEASE = [
    pytest.param(a_batch((MINTED, NEWER, MINTED)), 1, id="event"),
    pytest.param('{"eventType":"BatchExecuted","rows":[],"schemaVersion":2}', 0, id="batch"),
]


@pytest.mark.parametrize(("payload", "position"), OF_A_NEWER_RELEASE)
async def test_what_a_newer_release_wrote_is_waited_for(
    chain: Chain, bench: Bench, *, payload: str, position: int
) -> None:
    """Neither skipped nor parked: it says which release is needed, and that one goes on from here.

    The upgrade is stood in for by a block that this release reads.
    """
    memory_store = bench.store
    chain.raw(BATCH_EVENT, payload)
    chain.transfers([("bob", "alice", 500_000_000)])
    needed = bench.metrics.upgrade_needed(UpgradeReason.EVENT)
    assert needed.read() == 0

    with structlog.testing.capture_logs() as said:
        async with bench.running():
            await eventually(lambda: is_stopped(memory_store))
            stop = await memory_store.stop()
            assert stop is not None
            assert (stop.block_number, stop.position, stop.is_newer) == (5, position, True)
            assert needed.read() == 1
            assert not await memory_store.park(
                BlockNumber(5), position, actor="grace", reason="in the way"
            )
            assert (await memory_store.checkpoint()).block_number == 4

            chain.replace_event(5, BATCH_EVENT, a_batch((MINTED, MINTED, MINTED)))
            await bench.reaches(6)
            assert needed.read() == 0

    assert await memory_store.stop() is None
    assert await memory_store.digest() == await straight(chain)
    (first, *_) = [entry for entry in said if entry["event"] == "event_not_projectable"]
    assert (first["block_number"], first["position"]) == (5, position)
    assert all(
        words in str(first["error"])
        for words in ("version 2", "reads version 1", "upgrade the projector")
    )


async def test_a_projector_that_resigns_waits_for_no_upgrade(
    chain: Chain, bench: Bench, memory_store: MemoryReadModelStore
) -> None:
    """What stands in the way is then another's to say."""
    chain.raw(BATCH_EVENT, a_batch((NEWER,)))
    async with bench.running():
        await eventually(lambda: is_stopped(memory_store))

    assert bench.metrics.upgrade_needed(UpgradeReason.EVENT).read() == 0


async def test_a_block_of_a_newer_release_is_waited_for(chain: Chain, bench: Bench) -> None:
    """It is not called corrupt, and the reader goes on when it can."""
    chain.unreadable = NewerBlockError(BlockNumber(5), "the transaction's form has version 2")
    needed = bench.metrics.upgrade_needed(UpgradeReason.BLOCK)

    async with bench.running():
        await eventually(lambda: is_so(needed.read() == 1))
        chain.unreadable = None
        await bench.reaches(len(chain.committed) - 1)
        assert needed.read() == 0


async def test_retries_never_grow(bench: Bench) -> None:
    """Each wait is 3 s within a tenth, the tenth attempt as the first."""
    projector = bench.projector()
    lease = await a_lease(bench.leases, f"projector:{CHANNEL}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projector_module, "RETRY_S", 3.0)
        waits = [await projector._react(lease, ValueError("odd")) for _ in range(50)]

    assert 2.7 <= min(waits) < max(waits) <= 3.3


@pytest.mark.parametrize("blocks", [[0], [0, 1, 2, 3, 4]], ids=["shorter", "replaced"])
async def test_another_chain_is_refused(
    bench: Bench, memory_store: MemoryReadModelStore, blocks: Sequence[int]
) -> None:
    """A ledger that lacks or replaced what was projected ends the projector with a clear error."""
    async with bench.running():
        await bench.reaches(4)
    before = await memory_store.digest()
    other = Chain(name="chain" if len(blocks) == 1 else "other")
    for _ in blocks:
        other.raw(BATCH_EVENT, a_batch((MINTED,)))
    again = Bench(source=other, store=memory_store, leases=bench.leases)

    with pytest.raises(WrongChainError, match="gx projection rebuild"):
        async with again.running() as task:
            await asyncio.wait([task], timeout=5)

    assert await memory_store.digest() == before
    assert again.metrics.worker_status.read() == 0


async def test_a_standing_projection_is_one_log_event_a_try(chain: Chain, bench: Bench) -> None:
    """The log names block, position and type, as fields."""
    chain.raw(BATCH_EVENT, a_batch((UNKNOWN,)))
    with structlog.testing.capture_logs() as logged:
        async with bench.running():
            await eventually(lambda: is_so(bench.metrics.events_failed("other").read() >= 1))

    entry = next(entry for entry in logged if entry["event"] == "event_not_projectable")
    assert (entry["block_number"], entry["position"], entry["event_type"]) == (5, 0, "other")
