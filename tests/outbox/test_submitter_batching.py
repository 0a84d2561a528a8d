"""A chaincode without batches: found out in flight, and no command pays for it."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from gx.domain.roles import LedgerRole
from gx.ledger.breaker import BreakingLedger
from gx.ledger.errors import EndorseError
from gx.ledger.ports import ChaincodeEvent
from gx.outbox.accounts import Accounts
from gx.outbox.batching import Batching
from gx.outbox.chain_guard import ChainGuard
from gx.outbox.delivery import Delivery
from gx.outbox.pace import Pace
from gx.outbox.ports import CommandStatus
from gx.outbox.scheduling import Batch, Return
from gx.outbox.verdicts import VerdictDesk
from gx.outbox.workplace import Workplace
from gx.runtime.clock import SystemClock
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess, some_metrics
from tests.outbox.scenes import a_mint, accept, statuses, wait_for


async def test_two_that_find_it_out_at_once_are_both_sent_again(memory: OutboxWorld) -> None:
    """Fault: the second single command was rejected for the batch function's absence."""
    ledger = FakeLedger(knows_batches=False)
    ids = await accept(
        memory,
        a_mint("a", remark="c0"),
        a_mint("b", remark="c1", role=LedgerRole.PARTNER_API),
    )
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.effects == {"c0": 1, "c1": 1}


async def test_batches_are_tried_again_after_a_while(memory: OutboxWorld) -> None:
    """An upgrade may have brought them; nobody should have to restart the submitter for it."""
    ledger = FakeLedger(knows_batches=False)
    process = SubmitterProcess(memory, ledger, options=replace(FAST, batches_again_s=0.1))
    await wait_for(memory, await accept(memory, a_mint("a", remark="c")))
    assert ledger.batch_sizes == []

    ledger.knows_batches = True
    for number in count():
        await wait_for(memory, await accept(memory, a_mint("a", remark=f"c{number}")))
        if ledger.batch_sizes:
            break
    await process.finish()

    assert set(ledger.effects.values()) == {1}


async def a_delivery(memory: OutboxWorld, ledger: FakeLedger, commands: int) -> "Flight":
    """Make a delivery of some commands while batching is on."""
    await accept(memory, *(a_mint(f"a{n}", remark=f"c{n}") for n in range(commands)))
    entries = await memory.store.pending(after_seq=0, limit=commands)
    breaking = BreakingLedger(ledger)
    clock = SystemClock()
    place = Workplace(
        lease=await memory.hold_lease(),
        store=memory.store,
        ledger=breaking,
        desk=VerdictDesk(breaking, guard=ChainGuard(memory.store, channel=FAST.channel)),
        accounts=Accounts(some_metrics(), clock),
        clock=clock,
        options=FAST,
        pace=Pace(commands_max=FAST.batch.commands_max, target_s=FAST.endorsing_target_s),
    )
    return Flight(place, Batch(entries=entries, scopes=frozenset("s"), is_exclusive=False))


class Flight:
    """A delivery, and what came back from it."""

    def __init__(self, place: Workplace, batch: Batch) -> None:
        self.returned: list[Return] = []
        place.release = lambda _, returning: self.returned.extend(returning)
        self.place = place
        self.delivery = Delivery(batch, place)


@pytest.mark.parametrize("commands", [1, 4])
async def test_what_was_launched_before_batching_went_off_waits_again(
    memory: OutboxWorld, commands: int
) -> None:
    """Fault: a batch that was built late sent its first command and forgot the others."""
    ledger = FakeLedger(knows_batches=False)
    flight = await a_delivery(memory, ledger, commands)
    flight.place.is_batching = False

    await flight.delivery.run()

    assert len(flight.returned) == commands
    assert ledger.chain == []
    pending = await memory.store.pending(after_seq=0, limit=9)
    assert len(pending) == commands


@pytest.mark.parametrize("event", [None, ChaincodeEvent(name="CoinsMinted", payload="not JSON")])
async def test_a_valid_transaction_of_one_command_is_settled_whatever_its_event(
    memory: OutboxWorld, event: ChaincodeEvent | None
) -> None:
    """It took effect. Burying it would let a replay execute it twice."""
    ledger = FakeLedger(knows_batches=False)
    ledger.shows = lambda _: event
    ids = await accept(memory, a_mint("a", remark="c0"))
    options = replace(FAST, batching=Batching.OFF)
    process = SubmitterProcess(memory, ledger, options=options)
    await wait_for(memory, ids)
    assert not await memory.letters.replay(ids[0], actor="op", reason="to be sure")
    await process.finish()

    assert ledger.effects == {"c0": 1}
    assert await statuses(memory, ids) == [CommandStatus.COMMITTED]


async def test_a_replayed_letter_executes_once_without_batches(memory: OutboxWorld) -> None:
    """Killed between the ledger's yes and its settlement, it is settled, not sent again."""
    ledger = FakeLedger(knows_batches=False)
    ledger.faults["prepare"].extend(
        EndorseError("crash", code="500", is_transient=False) for _ in range(3)
    )
    ids = await accept(memory, a_mint("a", remark="c0"))
    options = replace(FAST, batching=Batching.OFF)
    process = SubmitterProcess(memory, ledger, options=options)
    await wait_for(memory, ids, CommandStatus.DEAD)
    process.life.stops_at = "before settle"
    assert await memory.letters.replay(ids[0], actor="op", reason="mended")
    await asyncio.wait_for(process.life.stopped.wait(), 30)
    await process.kill()
    successor = SubmitterProcess(memory, ledger, holder="submitter-2", options=options)
    await wait_for(memory, ids)
    await successor.finish()

    assert ledger.effects == {"c0": 1}
