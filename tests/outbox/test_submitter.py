"""The submitter against a ledger that can fail at every step: each command exactly once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.scopes import EXCLUSIVE
from gx.ledger.errors import (
    EndorseError,
    LedgerUnavailableError,
    SubmitError,
    VerdictError,
)
from gx.ledger.ports import ValidationCode
from gx.outbox.options import Batching
from gx.outbox.ports import CommandStatus, NewCommand
from gx.outbox.scheduling import BatchLimits
from gx.outbox.submitter import Upkeep
from gx.runtime.clock import SystemClock
from gx.telemetry.health import Heartbeat, ReadinessCheck
from tests.conformance.outbox.worlds import OutboxWorld, memory_world, postgres_world
from tests.outbox.builders import a_command, eventually
from tests.outbox.fake_ledger import POISON_REMARK, REFUSED_REMARK, FakeLedger
from tests.outbox.processes import FAST, POINTS, SubmitterProcess


def a_mint(
    account: str, *, remark: str = "for the test", role: LedgerRole | None = None
) -> NewCommand:
    """Build a command that conflicts only with those on the same account."""
    return a_command(
        account=account,
        remark=remark,
        scopes=frozenset({f"account:{account}"}),
        role=role or LedgerRole.SUPER_ADMIN,
    )


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[OutboxWorld]:
    """An empty outbox by a real clock."""
    if request.param == "memory":
        yield memory_world(SystemClock())
        return
    async with postgres_world(request.getfixturevalue("database_dsn")) as opened:
        yield opened


@pytest.fixture
async def memory() -> OutboxWorld:
    """An empty outbox in memory, where the storage does not matter."""
    return memory_world(SystemClock())


@pytest.fixture
def ledger() -> FakeLedger:
    """A ledger whose contracts do not remember commands: whatever is sent twice shows."""
    return FakeLedger()


async def accept(world: OutboxWorld, *commands: NewCommand) -> list[CommandId]:
    """Store commands and return their ids."""
    return [answer.command_id for answer in await world.accept(*commands)]


async def statuses(world: OutboxWorld, ids: Sequence[CommandId]) -> list[CommandStatus]:
    """Read the commands' statuses in order."""
    by_id = {view.command_id: view.status for view in await world.reader.find_many(ids)}
    return [by_id[command_id] for command_id in ids]


async def wait_for(
    world: OutboxWorld, ids: Sequence[CommandId], status: CommandStatus = CommandStatus.COMMITTED
) -> None:
    """Wait until every command has the status."""

    async def holds() -> bool:
        return set(await statuses(world, ids)) == {status}

    await eventually(holds)


def assert_each_once(ledger: FakeLedger, ids: Sequence[CommandId]) -> None:
    """Every command took effect once, and nothing else did."""
    assert ledger.effects == dict.fromkeys(ids, 1)


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
    async with asyncio.timeout(5):
        await anext(wake_ups)


# ---------------------------------------------------------------- crashes


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_any_point_leaves_exactly_one_effect(
    world: OutboxWorld, point: str
) -> None:
    """Fault: a crash after commit minting twice. A successor finishes what was begun."""
    ledger = FakeLedger()
    ids = await accept(world, *(a_mint(f"a{index}") for index in range(5)))
    first = SubmitterProcess(world, ledger, stops_at=point)
    await asyncio.wait_for(first.life.stopped.wait(), 5)
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
    await asyncio.wait_for(paused.life.stopped.wait(), 5)

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


# ---------------------------------------------------------------- ambiguous answers


async def test_a_lost_answer_is_looked_up_not_sent_anew(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The transaction arrived, its answer did not: never endorse anew without a verdict."""
    ledger.faults["submitted"].append(SubmitError("deadline exceeded", code="DEADLINE"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 1
    assert_each_once(ledger, ids)


async def test_a_lost_request_is_submitted_again_with_the_same_bytes(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Nobody knows that it did not arrive; the same bytes cannot take effect twice."""
    ledger.faults["submit"].append(SubmitError("deadline exceeded", code="DEADLINE"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 1
    assert ledger.calls["submit"] == 2
    assert_each_once(ledger, ids)


async def test_a_transaction_that_commits_late_is_not_doubled(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Commits, but times out, and the stream is silent: the copy is a duplicate id."""
    ledger.is_muted = True
    ledger.faults["submitted"].append(SubmitError("deadline exceeded"))
    ledger.faults["verdict"].append(VerdictError("deadline exceeded"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.validations[ValidationCode.DUPLICATE_TXID] == 1
    assert ledger.calls["prepare"] == 1
    assert_each_once(ledger, ids)


async def test_a_silent_stream_is_replaced_by_asking(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """On the deadline the verdict is asked for, and the stream opened again."""
    ledger.is_muted = True
    process = SubmitterProcess(memory, ledger)
    ids = await accept(memory, a_mint("a"))
    await wait_for(memory, ids)

    await eventually(lambda: ledger.calls["blocks"] >= 2)
    await ledger.unmute()
    await process.finish()
    assert_each_once(ledger, ids)


async def test_broken_streams_and_repeated_blocks_change_nothing(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The first verdict on an id counts, however often and late blocks come."""
    ledger.repeats_blocks = True
    process = SubmitterProcess(memory, ledger)
    ids: list[CommandId] = []
    for number in range(6):
        ids += await accept(memory, *(a_mint(f"a{number}-{index}") for index in range(9)))
        await ledger.cut_streams()
        await asyncio.sleep(0.01)
    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)


async def test_a_definite_refusal_of_the_orderer_lets_the_commands_be_endorsed_anew(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Bytes that were never ordered and never will be hold nothing up."""
    ledger.faults["submit"].append(SubmitError("too large", code="ABORTED", is_transient=False))
    ids = await accept(memory, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] > 1
    assert_each_once(ledger, ids)


async def test_a_refusal_after_an_unknown_submission_must_stand_for_a_while(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """An earlier submission may still be on its way: it is not endorsed anew at once."""
    ledger.is_muted = True
    ledger.faults["submit"].append(SubmitError("deadline exceeded"))
    refusals = [SubmitError("expired", code="BAD", is_transient=False) for _ in range(500)]
    ledger.faults["submit"].extend(refusals)
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await eventually(lambda: len(ledger.faults["submit"]) < 500)
    assert ledger.calls["prepare"] == 1

    await eventually(lambda: ledger.calls["prepare"] == 2)
    ledger.faults["submit"].clear()
    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)


# ---------------------------------------------------------------- invalid verdicts


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (ValidationCode.MVCC_READ_CONFLICT, "mvcc_read_conflict"),
        (ValidationCode.PHANTOM_READ_CONFLICT, "phantom_read_conflict"),
    ],
)
async def test_an_invalidated_transaction_is_made_anew(
    world: OutboxWorld, code: ValidationCode, reason: str
) -> None:
    """Its id is dead for good, so a new endorsement is safe; it costs no attempt."""
    ledger = FakeLedger()
    ledger.codes.append(code)
    ids = await accept(world, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(world, ledger)
    await wait_for(world, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 2
    assert_each_once(ledger, ids)
    view = await world.reader.find(ids[0])
    assert view is not None
    assert view.attempts == 0
    assert process.metrics.reendorsements(reason).read() == 1
    assert process.metrics.transactions("error").read() == 0


async def test_a_command_that_is_always_invalid_is_given_up_alone(memory: OutboxWorld) -> None:
    """A verdict that will not change is poison: isolated, and buried after its bound."""
    ledger = FakeLedger()
    ledger.codes.extend([ValidationCode.ENDORSEMENT_POLICY_FAILURE] * 3)
    (bad,) = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)

    await wait_for(memory, [bad], CommandStatus.DEAD)
    await process.finish()

    assert process.metrics.transactions("error").read() == 3
    assert await memory.store.live_envelopes() == []


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


async def test_a_command_that_this_release_does_not_know_is_buried_alone(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """A newer edge may have accepted it; it must not stop the others."""
    stranger = replace(a_mint("s"), command_type="FROM_THE_FUTURE")
    ids = await accept(memory, a_mint("a"), stranger, a_mint("b"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, [ids[0], ids[2]])
    await wait_for(memory, [ids[1]], CommandStatus.DEAD)
    await process.finish()


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
    await asyncio.wait_for(process.life.stopped.wait(), 5)
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
    assert view.code is RefusalCode.INSUFFICIENT_FUNDS


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


# ---------------------------------------------------------------- stopping and health


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
    ready = ReadinessCheck("database")
    ledger.is_down = True
    await accept(memory, a_mint("a"))
    upkeep = Upkeep(heartbeat=beats, database_check=ready)
    process = SubmitterProcess(memory, ledger, upkeep=upkeep)
    await asyncio.sleep(2.2)

    assert beats.fault() is None
    assert ready.fault() is None
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


async def test_the_gauges_show_the_queue_and_the_ledger(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Also a standby shows them: they are the database's and the ledger's numbers."""
    lease = await memory.leases.acquire("submitter:gxchannel", "another", ttl_s=60)
    assert lease is not None
    await accept(memory, a_mint("a"), a_mint("b"))
    standby = SubmitterProcess(memory, ledger, holder="submitter-2")

    await eventually(lambda: standby.metrics.pending.read() == 2)
    assert standby.metrics.ledger_up.read() == 1
    assert standby.metrics.database_up.read() == 1
    ledger.is_down = True
    await eventually(lambda: standby.metrics.ledger_up.read() == 0)
    await standby.finish()


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
