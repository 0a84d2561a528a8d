"""What is VALID on the ledger is settled, or kept until it can be: never buried or sent anew."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gx.domain.identifiers import CommandId
from gx.ledger.ports import ChaincodeEvent
from gx.outbox.ports import CommandStatus
from gx.telemetry.upgrades import UpgradeReason
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import counted, eventually
from tests.outbox.fake_ledger import REFUSED_REMARK, FakeLedger
from tests.outbox.processes import SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, statuses, wait_for


def torn(_: ChaincodeEvent) -> ChaincodeEvent | None:
    """Show an event that nobody can read."""
    return ChaincodeEvent(name="BatchExecuted", payload="not JSON")


def missing(_: ChaincodeEvent) -> ChaincodeEvent | None:
    """Show no event."""
    return None


async def remain(
    world: OutboxWorld, ids: list[CommandId], status: CommandStatus, *, for_s: float = 0.3
) -> None:
    """See that the commands keep a status for a while."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + for_s
    while loop.time() < until_s:
        assert set(await statuses(world, ids)) == {status}
        await asyncio.sleep(0.02)


async def test_a_refusal_for_an_unknown_reason_is_a_rejection(world: OutboxWorld) -> None:
    """Fault: one code of a newer chaincode buried a whole batch that was valid."""
    ledger = FakeLedger()
    ledger.shows = lambda event: replace(
        event, payload=event.payload.replace("INSUFFICIENT_FUNDS", "OF_NEXT_YEAR")
    )
    ids = await accept(world, a_mint("a"), a_mint("b", remark=REFUSED_REMARK), a_mint("c"))
    process = SubmitterProcess(world, ledger)
    await wait_for(world, [ids[0], ids[2]])
    await wait_for(world, [ids[1]], CommandStatus.REJECTED)
    await process.finish()

    view = await world.reader.find(ids[1])
    assert view is not None
    assert view.code == "OF_NEXT_YEAR"
    assert counted(process.metrics.rejected) == {("MINT_COINS", "OTHER"): 1}


@pytest.mark.parametrize("shows", [torn, missing])
async def test_a_valid_batch_that_cannot_be_read_is_kept_and_told(
    world: OutboxWorld, ledger: FakeLedger, shows: Callable[[ChaincodeEvent], ChaincodeEvent | None]
) -> None:
    """No command of it is buried, and others go on; it is settled as soon as it can be read."""
    ledger.shows = shows
    held = await accept(world, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(world, ledger)
    errors = process.metrics.transactions("error")
    await eventually(lambda: errors.read() > 1)
    await remain(world, held, CommandStatus.PROCESSING)
    ledger.shows = lambda event: event
    others = await accept(world, a_mint("c"), a_mint("d"))
    await wait_for(world, [*held, *others])
    await process.finish()

    assert_each_once(ledger, [*held, *others])
    assert process.metrics.processed("failed", "MINT_COINS").read() == 2
    assert process.metrics.dead_lettered("MINT_COINS").read() == 0
    assert list(await world.store.live_envelopes()) == []


def of_newer_form(event: ChaincodeEvent) -> ChaincodeEvent:
    """Show the event as a chaincode writes it that gives its fields another meaning."""
    return replace(event, payload=event.payload.replace("{", '{"schemaVersion":2,', 1))


async def test_answers_of_a_newer_form_wait_for_the_release_that_reads_them(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """What looks like an answer in them may be none: nothing is settled, nothing buried."""
    ledger.shows = of_newer_form
    held = await accept(memory, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(memory, ledger)
    needed = process.metrics.upgrade_needed(UpgradeReason.OUTCOME)
    await eventually(lambda: needed.read() == 1)
    await remain(memory, held, CommandStatus.PROCESSING)
    ledger.shows = lambda event: event
    await wait_for(memory, held)
    await eventually(lambda: needed.read() == 0)
    await process.finish()

    assert_each_once(ledger, held)


async def test_envelopes_of_a_newer_release_are_left_alone(world: OutboxWorld) -> None:
    """The older submitter sends nothing, not even what came later, and lets a newer one lead."""
    ledger = FakeLedger()
    held = await accept(world, a_mint("a"))
    newer = SubmitterProcess(world, ledger, holder="of the next release", stops_at="after persist")
    await asyncio.wait_for(newer.life.stopped.wait(), 30)
    await newer.kill()
    await world.backstage.set_envelope_format(2)
    others = await accept(world, a_mint("b"))

    older = SubmitterProcess(world, ledger)
    needed = older.metrics.upgrade_needed(UpgradeReason.ENVELOPE)
    await eventually(lambda: needed.read() == 1)
    await remain(world, held, CommandStatus.PROCESSING)
    assert set(await statuses(world, others)) == {CommandStatus.PENDING}
    assert older.metrics.worker_active.read() == 0

    await world.backstage.set_envelope_format(1)
    await wait_for(world, [*held, *others])
    await eventually(lambda: needed.read() == 0)
    await older.finish()
    assert_each_once(ledger, [*held, *others])


async def test_a_batch_of_one_is_not_taken_for_a_yes(memory: OutboxWorld) -> None:
    """Without its event nobody knows whether the one command in it was refused."""
    ledger = FakeLedger()
    ledger.shows = missing
    ids = await accept(memory, a_mint("a", remark=REFUSED_REMARK))
    process = SubmitterProcess(memory, ledger)
    await eventually(lambda: process.metrics.transactions("error").read() > 1)
    await remain(memory, ids, CommandStatus.PROCESSING)
    ledger.shows = lambda event: event
    await wait_for(memory, ids, CommandStatus.REJECTED)
    await process.finish()


async def test_many_unreadable_batches_take_no_room_from_others(memory: OutboxWorld) -> None:
    """And the process still ends in time: they wait for the next release, not for the drain."""
    ledger = FakeLedger()
    hidden: set[str] = set()

    def shows(event: ChaincodeEvent) -> ChaincodeEvent | None:
        return torn(event) if any(name in event.payload for name in hidden) else event

    ledger.shows = shows
    process = SubmitterProcess(memory, ledger)
    held: list[CommandId] = []
    for number in range(8):
        ids = await accept(memory, a_mint(f"held{number}"))
        hidden.update(ids)
        await wait_for(memory, ids, CommandStatus.PROCESSING)
        held += ids
    others = await accept(memory, *(a_mint(f"a{number}") for number in range(30)))
    await wait_for(memory, others)
    began_s = asyncio.get_running_loop().time()
    await process.finish()

    assert asyncio.get_running_loop().time() - began_s < 1
    assert set(await statuses(memory, held)) == {CommandStatus.PROCESSING}
    assert len(await memory.store.live_envelopes()) == 8
    hidden.clear()
    successor = SubmitterProcess(memory, ledger, holder="of the next release")
    await wait_for(memory, held)
    await successor.finish()
    assert_each_once(ledger, [*held, *others])


async def test_an_outcome_that_is_missing_keeps_only_its_own_command_waiting(
    world: OutboxWorld, ledger: FakeLedger
) -> None:
    """The others have their answers; it stays in its envelope, also over a restart."""
    lost: list[CommandId] = []

    def shows(event: ChaincodeEvent) -> ChaincodeEvent:
        for command_id in lost:
            event = replace(event, payload=event.payload.replace(command_id, "somebody else"))
        return event

    ledger.shows = shows
    ids = await accept(world, a_mint("a"), a_mint("b"), a_mint("c"))
    lost.append(ids[1])
    process = SubmitterProcess(world, ledger)
    await wait_for(world, [ids[0], ids[2]])
    await remain(world, lost, CommandStatus.PROCESSING)
    await process.finish()
    successor = SubmitterProcess(world, ledger, holder="submitter-2")
    await remain(world, [ids[1]], CommandStatus.PROCESSING)

    lost.clear()

    await wait_for(world, ids)
    await successor.finish()
    assert_each_once(ledger, ids)
