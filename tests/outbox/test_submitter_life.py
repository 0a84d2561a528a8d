"""Stopping, signs of life, and what is shown."""

import asyncio
from dataclasses import replace

from gx.outbox.ports import CommandStatus
from gx.outbox.scheduling import BatchLimits
from gx.outbox.submitter import Upkeep
from gx.telemetry.health import Heartbeat
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, statuses, wait_for


async def test_draining_finishes_what_is_in_flight(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """On SIGTERM nothing new is begun, and nothing begun is left."""
    ids = await accept(memory, *(a_mint(f"a{index}") for index in range(24)))
    ledger.ordering.clear()
    process = SubmitterProcess(memory, ledger)
    await eventually(lambda: ledger.calls["submit"] == 2)

    process.stop.set()
    await asyncio.sleep(0.05)
    ledger.ordering.set()
    await process.finish()

    done = await statuses(memory, ids)
    assert done.count(CommandStatus.COMMITTED) == 16
    assert done.count(CommandStatus.PENDING) == 8
    assert await memory.store.live_envelopes() == []
    assert process.metrics.worker_status.read() == 0


async def test_draining_gives_up_in_time_and_loses_nothing(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """A ledger that does not order must not keep the process from ending."""
    ids = await accept(memory, a_mint("a"))
    ledger.ordering.clear()
    process = SubmitterProcess(memory, ledger, options=replace(FAST, drain_s=0.1))
    await eventually(lambda: ledger.calls["submit"] == 1)

    await process.finish()

    assert await statuses(memory, ids) == [CommandStatus.PROCESSING]
    ledger.ordering.set()
    successor = SubmitterProcess(memory, ledger, holder="submitter-2")
    await wait_for(memory, ids)
    await successor.finish()
    assert_each_once(ledger, ids)


async def test_waiting_is_a_sign_of_life(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """The heartbeat beats while idle, while the breaker is open, and while standing by."""
    beats = Heartbeat("submitter", deadline_s=1.9)
    ledger.is_down = True
    await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger, upkeep=Upkeep(heartbeat=beats))
    await asyncio.sleep(2.2)

    assert beats.fault() is None
    await process.finish()


async def test_the_active_one_maintains_the_database(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Partitions are made and keys pruned by whoever holds the lease; a failure stops nothing."""
    runs = 0

    async def maintain() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("no disk")

    options = replace(FAST, maintain_s=0.02)
    process = SubmitterProcess(memory, ledger, options=options, upkeep=Upkeep(maintain=maintain))
    ids = await accept(memory, a_mint("a"))
    await wait_for(memory, ids)
    await eventually(lambda: runs > 1)
    await process.finish()


async def test_the_gauges_show_the_queue(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """Also a standby shows it: these are the database's numbers."""
    lease = await memory.leases.acquire("submitter:gxchannel", "another", ttl_s=60)
    assert lease is not None
    await accept(memory, a_mint("a"), a_mint("b"))
    standby = SubmitterProcess(memory, ledger, holder="submitter-2")

    await eventually(lambda: standby.metrics.pending.read() == 2)
    standby.life.loses_database = lambda: True
    await eventually(lambda: standby.metrics.pending.read() is None)
    await standby.finish()


async def test_whether_database_and_ledger_are_up_is_the_processs_to_say(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Fault: two writers of one gauge, each with its own idea. The submitter writes neither."""
    process = SubmitterProcess(memory, ledger)
    process.metrics.database_up.set(0.25)
    process.metrics.ledger_up.set(0.25)
    await eventually(lambda: process.metrics.pending.read() == 0)
    calls = ledger.calls["chain_info"]
    await asyncio.sleep(0.2)
    await process.finish()

    assert process.metrics.database_up.read() == 0.25
    assert process.metrics.ledger_up.read() == 0.25
    assert ledger.calls["chain_info"] == calls


async def test_a_small_memory_still_gets_everything_through(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The backlog may be larger than what is held in memory."""
    options = replace(
        FAST, pending_max=10, page_max=7, batch=BatchLimits(commands_max=4, bytes_max=1_000_000)
    )
    ids = await accept(memory, *(a_mint(f"a{index % 9}") for index in range(80)))
    process = SubmitterProcess(memory, ledger, options=options)
    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)
