"""The submitter when all is well: batches, order, single transactions, repeated keys."""

import asyncio
from dataclasses import replace

import pytest

from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.scopes import EXCLUSIVE
from gx.ledger.ports import ValidationCode
from gx.outbox.batching import Batching
from gx.outbox.ports import CommandStatus
from gx.runtime.clock import SystemClock
from tests.conformance.outbox.worlds import OutboxWorld, memory_world
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import REFUSED_REMARK, FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, wait_for

# ---------------------------------------------------------------- the ordinary way


async def test_accepted_commands_take_effect_once_and_are_settled(world: OutboxWorld) -> None:
    """From PENDING to COMMITTED with the transaction and the block."""
    ledger = FakeLedger()
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(20)))
    process = SubmitterProcess(world, ledger)

    await wait_for(world, ids)
    await process.finish()

    assert_each_once(ledger, ids)
    view = await world.reader.find(ids[0])
    assert view is not None
    assert view.result == {"minted": "5"}
    assert view.transaction_id is not None
    assert view.block_number is not None
    assert await world.store.live_envelopes() == []


async def test_many_commands_ride_in_one_transaction(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """A backlog goes in full batches."""
    ids = await accept(memory, *(a_mint(f"a{index}") for index in range(24)))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.batch_sizes == [8, 8, 8]


async def test_a_refusal_is_final_and_costs_its_neighbours_nothing(world: OutboxWorld) -> None:
    """Fault: business refusals retried."""
    ledger = FakeLedger()
    good, bad, other = await accept(
        world, a_mint("a"), a_mint("b", remark=REFUSED_REMARK), a_mint("c")
    )
    process = SubmitterProcess(world, ledger)
    await wait_for(world, [good, other])
    await wait_for(world, [bad], CommandStatus.REJECTED)
    await process.finish()

    assert ledger.calls["prepare"] == 1
    view = await world.reader.find(bad)
    assert view is not None
    assert (view.code, view.detail) == (RefusalCode.INSUFFICIENT_FUNDS, "holds 0")
    assert process.metrics.processed("rejected", "MINT_COINS").read() == 1
    assert process.metrics.rejected("MINT_COINS", "INSUFFICIENT_FUNDS").read() == 1
    assert process.metrics.processed("success", "MINT_COINS").read() == 2


async def test_commands_of_one_account_keep_their_order(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Also across batches, roles and the batch limit; nothing is ever invalidated."""
    roles = [LedgerRole.SUPER_ADMIN, LedgerRole.ADMIN]
    commands = [a_mint(f"a{index % 3}", role=roles[index % 2]) for index in range(60)]
    ids = await accept(memory, *commands)
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    for account in range(3):
        mine = ids[account::3]
        assert [command_id for command_id in ledger.order if command_id in mine] == mine
    assert set(ledger.validations) == {ValidationCode.VALID}


async def test_an_exclusive_command_takes_its_turn(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """Everything before it comes before it on the ledger, everything after it after."""
    exclusive = replace(a_mint("x"), scopes=EXCLUSIVE)
    before = [a_mint(f"a{index}") for index in range(10)]
    after = [a_mint(f"b{index}") for index in range(10)]
    ids = await accept(memory, *before, exclusive, *after)
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.order[10] == ids[10]
    assert set(ledger.order[:10]) == set(ids[:10])


async def test_disjoint_batches_fly_together(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """While one batch waits for ordering the next one is prepared and persisted."""
    ledger.ordering.clear()
    ids = await accept(memory, *(a_mint(f"a{index}") for index in range(24)))
    process = SubmitterProcess(memory, ledger)

    await eventually(lambda: ledger.calls["submit"] == 2)
    assert ledger.calls["prepare"] == 2
    ledger.ordering.set()
    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)


async def test_a_command_accepted_later_is_found(memory: OutboxWorld, ledger: FakeLedger) -> None:
    """Without a wake-up the next poll finds it."""
    process = SubmitterProcess(memory, ledger)
    await eventually(lambda: process.metrics.worker_active.read() == 1)

    ids = await accept(memory, a_mint("late"))

    await wait_for(memory, ids)
    await process.finish()


async def test_a_wake_up_is_heard(world: OutboxWorld) -> None:
    """The NOTIFY after the commit reaches the submitter: nobody waits for the poll."""
    wake_ups = aiter(world.store.wake_ups())
    await anext(wake_ups)
    await world.backstage.wake_up()
    async with asyncio.timeout(30):
        await anext(wake_ups)


# ---------------------------------------------------------------- chaincode without batches


@pytest.mark.parametrize("batching", Batching)
async def test_a_chaincode_without_batches_gets_one_transaction_a_command(
    memory: OutboxWorld, batching: Batching
) -> None:
    """Found out by itself, or told by a setting; nothing is buried on the way."""
    ledger = FakeLedger(knows_batches=False)
    names = [f"c{index}" for index in range(12)]
    ids = await accept(memory, *(a_mint(f"a{name}", remark=name) for name in names))
    process = SubmitterProcess(memory, ledger, options=replace(FAST, batching=batching))
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.effects == dict.fromkeys(names, 1)
    assert len(ledger.chain) == 12
    view = await memory.reader.find(ids[0])
    assert view is not None
    assert view.result is not None


async def test_a_refused_endorsement_is_a_rejection(memory: OutboxWorld) -> None:
    """Without batches the contract's no comes before there is a transaction."""
    ledger = FakeLedger(knows_batches=False)
    ids = await accept(memory, a_mint("a", remark=REFUSED_REMARK))
    process = SubmitterProcess(memory, ledger, options=replace(FAST, batching=Batching.OFF))
    await wait_for(memory, ids, CommandStatus.REJECTED)
    await process.finish()

    assert ledger.chain == []
    view = await memory.reader.find(ids[0])
    assert view is not None
    assert view.transaction_id is None
    assert view.code == RefusalCode.INSUFFICIENT_FUNDS


# ---------------------------------------------------------------- repeated keys


async def test_a_repeated_key_is_settled_with_the_transaction_of_the_original(
    memory: OutboxWorld,
) -> None:
    """After a restore from an old backup the ledger still knows what took effect, and where."""
    ledger = FakeLedger(keeps_keys=True)
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()
    original = await memory.reader.find(ids[0])
    assert original is not None

    restored = memory_world(SystemClock())
    again = await accept(restored, replace(a_mint("a"), key_hash=ids[0]), a_mint("b"))
    process = SubmitterProcess(restored, ledger)
    await wait_for(restored, again)
    await process.finish()

    view = await restored.reader.find(again[0])
    assert view is not None
    assert view.transaction_id == original.transaction_id
    assert view.block_number == original.block_number
    assert ledger.effects[ids[0]] == 1
    assert ledger.effects[again[0]] == 0
