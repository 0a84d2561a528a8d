"""Poison and outages: who is to blame pays, nobody else."""

import asyncio
from dataclasses import replace

import pytest

from gx.domain.catalogue import COMMANDS
from gx.ledger.errors import EndorseError, LedgerUnavailableError
from gx.outbox.ports import CommandStatus
from gx.telemetry.upgrades import UpgradeReason
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import POISON_REMARK, FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, statuses, wait_for

# ---------------------------------------------------------------- poison


async def test_poison_is_isolated_and_buried_with_its_history(world: OutboxWorld) -> None:
    """Fault: a poison command blocking the queue's head. The others take effect, once each."""
    ledger = FakeLedger()
    commands = [a_mint(f"a{index}") for index in range(8)]
    commands[3] = a_mint("a3", remark=POISON_REMARK)
    ids = await accept(world, *commands)
    others = [command_id for index, command_id in enumerate(ids) if index != 3]
    process = SubmitterProcess(world, ledger)
    await wait_for(world, others)
    await wait_for(world, [ids[3]], CommandStatus.DEAD)
    await process.finish()

    assert_each_once(ledger, others)
    letter = await world.letters.find(ids[3])
    assert letter is not None
    assert "gave up after 3 attempts" in letter.reason
    assert len(letter.history) == 4
    view = await world.reader.find(ids[3])
    assert view is not None
    assert view.attempts == 3
    assert process.metrics.dead_lettered("MINT_COINS").read() == 1
    assert process.metrics.processed("failed", "MINT_COINS").read() == 1
    innocent = await world.reader.find(ids[0])
    assert innocent is not None
    assert innocent.attempts == 0


async def test_poison_keeps_only_its_own_account_waiting(memory: OutboxWorld) -> None:
    """Commands on its account come after it, those on others do not wait."""
    ledger = FakeLedger()
    ids = await accept(
        memory, a_mint("p", remark=POISON_REMARK), a_mint("p"), a_mint("p"), a_mint("free")
    )
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids[1:])
    await process.finish()

    assert ledger.order.index(ids[1]) < ledger.order.index(ids[2])
    assert await statuses(memory, ids[:1]) == [CommandStatus.DEAD]


async def test_a_replayed_dead_letter_flies_again(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """Once its cause is gone an operator's replay brings it through, with its id."""
    ledger.faults["prepare"].extend(
        EndorseError("crash", code="500", is_transient=False) for _ in range(3)
    )
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids, CommandStatus.DEAD)

    await memory.letters.replay(ids[0], actor="op", reason="fixed")

    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)


async def test_a_command_that_this_release_does_not_know_waits_for_one_that_does(
    memory: OutboxWorld, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer edge accepted it: it is not buried, and stops those alone that must not overtake it.

    The newer release is stood in for by a catalogue that knows the command.
    """
    stranger = replace(a_mint("s"), command_type="FROM_THE_FUTURE")
    ids = await accept(memory, a_mint("a"), stranger, a_mint("b"), a_mint("s"))
    process = SubmitterProcess(memory, ledger)
    needed = process.metrics.upgrade_needed(UpgradeReason.COMMAND)
    await wait_for(memory, [ids[0], ids[2]])
    await eventually(lambda: needed.read() == 1)
    await asyncio.sleep(0.3)
    assert set(await statuses(memory, [ids[1], ids[3]])) == {CommandStatus.PENDING}
    # What waits for another release says nothing about the queue: the API must go on.
    assert [view.attempts for view in await memory.reader.find_many([ids[1]])] == [1]
    await process.finish()
    assert needed.read() == 0

    catalogue = {**COMMANDS, "FROM_THE_FUTURE": COMMANDS["MINT_COINS"]}
    monkeypatch.setattr("gx.outbox.proposals.COMMANDS", catalogue)
    successor = SubmitterProcess(memory, ledger, holder="of the next release")
    await wait_for(memory, ids)
    await successor.finish()
    assert_each_once(ledger, ids)


# ---------------------------------------------------------------- outages


async def test_an_outage_costs_no_command_an_attempt(world: OutboxWorld) -> None:
    """Fault: five attempts burnt in five seconds of outage."""
    ledger = FakeLedger()
    ledger.is_down = True
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(20)))
    process = SubmitterProcess(world, ledger)
    await eventually(lambda: process.metrics.breaker_state.read() in (1.0, 0.5))
    calls = ledger.calls["prepare"]
    await asyncio.sleep(0.5)

    assert ledger.calls["prepare"] == calls
    assert [view.attempts for view in await world.reader.find_many(ids)] == [0] * 20
    assert set(await statuses(world, ids)) == {CommandStatus.PENDING}
    ledger.is_down = False
    await wait_for(world, ids)
    await process.finish()
    assert_each_once(ledger, ids)
    assert [view.attempts for view in await world.reader.find_many(ids)] == [0] * 20
    assert process.metrics.breaker_transitions("open").read() >= 1
    assert process.metrics.breaker_state.read() == 0.0


async def test_an_outage_between_persist_and_verdict_is_waited_out(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """What is unresolved is neither endorsed anew nor buried, however long it takes."""
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger, stops_at="before submit")
    await asyncio.wait_for(process.life.stopped.wait(), 30)
    ledger.is_down = True
    process.life.go_on()
    await asyncio.sleep(0.4)
    assert await statuses(memory, ids) == [CommandStatus.PROCESSING]

    ledger.is_down = False

    await wait_for(memory, ids)
    await process.finish()
    assert ledger.calls["prepare"] == 1
    assert_each_once(ledger, ids)


async def test_failing_endorsements_of_a_ledger_that_answers_nothing_charge_nobody(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The chaincode is down though the peer is up: the probe fails too, so nobody is to blame."""
    failures = [EndorseError("chaincode stream terminated", code="ABORTED") for _ in range(3)]
    ledger.faults["prepare"].extend(failures)
    ledger.faults["evaluate"].extend(LedgerUnavailableError("no chaincode") for _ in range(12))
    ledger.faults["chain_info"].extend(LedgerUnavailableError("no chaincode") for _ in range(12))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    view = await memory.reader.find(ids[0])
    assert view is not None
    assert view.attempts == 0
    assert_each_once(ledger, ids)


async def test_a_hiccup_is_tried_again(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """A transient failure of endorsement costs a short wait."""
    ledger.faults["prepare"].append(EndorseError("payloads do not match", code="ABORTED"))
    ids = await accept(memory, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert process.metrics.processed("retry", "MINT_COINS").read() == 2
    assert_each_once(ledger, ids)


async def test_a_ledger_that_reads_but_does_not_endorse_for_long_charges_nobody(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Fault: five quick tries. Answering reads proves little about endorsing."""
    ledger.faults["prepare"].extend(
        EndorseError("chaincode stream terminated", code="ABORTED") for _ in range(30)
    )
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    view = await memory.reader.find(ids[0])
    assert view is not None
    assert view.attempts == 0
    assert_each_once(ledger, ids)


async def test_what_is_never_endorsed_is_given_up_in_the_end(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Each stretch of patience costs an attempt, and those are bounded."""
    ledger.faults["prepare"].extend(EndorseError("ABORTED", code="ABORTED") for _ in range(2_000))
    (bad,) = await accept(memory, a_mint("a"))
    retry = replace(FAST.retry, patience_s=0.1)
    breaker = replace(FAST.breaker, failures_max=1_000_000)
    options = replace(FAST, retry=retry, breaker=breaker)
    process = SubmitterProcess(memory, ledger, options=options)
    await wait_for(memory, [bad], CommandStatus.DEAD)
    await process.finish()

    letter = await memory.letters.find(bad)
    assert letter is not None
    assert "gave up after 3 attempts" in letter.reason
    assert ledger.calls["prepare"] > 9


async def test_calls_that_the_breaker_refused_are_counted(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """How much it kept away from a ledger that does not answer."""
    await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger, stops_at="before submit")
    await asyncio.wait_for(process.life.stopped.wait(), 30)
    ledger.is_down = True
    process.life.go_on()
    await eventually(lambda: process.metrics.breaker_rejections.read() > 0)
    await process.finish()
