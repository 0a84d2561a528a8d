"""Killed, frozen, doubled: each command takes effect exactly once all the same."""

import asyncio

import pytest

from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import POINTS, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, wait_for


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_any_point_leaves_exactly_one_effect(
    world: OutboxWorld, point: str
) -> None:
    """Fault: a crash after commit minting twice. A successor finishes what was begun."""
    ledger = FakeLedger()
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(5)))
    first = SubmitterProcess(world, ledger, stops_at=point)
    await asyncio.wait_for(first.life.stopped.wait(), 30)
    await first.kill()

    second = SubmitterProcess(world, ledger, holder="submitter-2")
    await wait_for(world, ids)
    await second.finish()

    assert_each_once(ledger, ids)
    assert await world.store.live_envelopes() == []


@pytest.mark.parametrize("point", POINTS)
async def test_a_pause_longer_than_the_lease_is_fenced(world: OutboxWorld, point: str) -> None:
    """Fault: a stale lease letting two workers submit one command. The zombie changes nothing."""
    ledger = FakeLedger()
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(5)))
    paused = SubmitterProcess(world, ledger, stops_at=point)
    await asyncio.wait_for(paused.life.stopped.wait(), 30)

    successor = SubmitterProcess(world, ledger, holder="submitter-2")
    await eventually(lambda: successor.metrics.worker_active.read() == 1)
    await wait_for(world, ids)
    paused.life.go_on()
    more = await accept(world, a_mint("after"))
    await wait_for(world, more)
    await eventually(lambda: paused.metrics.worker_active.read() == 0)

    assert successor.metrics.worker_active.read() == 1
    await paused.finish()
    await successor.finish()
    assert_each_once(ledger, [*ids, *more])


async def test_of_two_submitters_one_is_active(world: OutboxWorld) -> None:
    """Both run, one works, and the other takes over when it stops."""
    ledger = FakeLedger()
    first = SubmitterProcess(world, ledger)
    await eventually(lambda: first.metrics.worker_active.read() == 1)
    second = SubmitterProcess(world, ledger, holder="submitter-2")
    await eventually(lambda: second.metrics.worker_status.read() == 1)
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(30)))
    await wait_for(world, ids)
    assert second.metrics.worker_active.read() == 0

    await first.finish()
    more = await accept(world, a_mint("more"))
    await wait_for(world, more)

    assert second.metrics.worker_active.read() == 1
    assert (second.metrics.lease_epoch.read() or 0) > (first.metrics.lease_epoch.read() or 0)
    await second.finish()
    assert_each_once(ledger, [*ids, *more])
