"""What every CommandReader promises: a status that is derived, never written."""

import pytest

from gx.domain.identifiers import CommandId
from gx.outbox.ports import CommandStatus, Entry
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import a_command, a_refusal, a_settlement, an_envelope

UNKNOWN = CommandId("00000000-0000-7000-8000-000000000000")


async def one_of_each(world: OutboxWorld) -> dict[CommandStatus, CommandId]:
    """Bring a command into every status there is."""
    lease = await world.hold_lease()
    await world.accept(*(a_command(account=f"a{index}") for index in range(7)))
    entries: list[Entry] = list(await world.store.pending(after_seq=0, limit=10))
    by_status = dict(zip(CommandStatus, (e.command_id for e in entries), strict=True))
    entry = dict(zip(CommandStatus, entries, strict=True))
    settled, live = an_envelope(), an_envelope()
    in_block = {
        CommandStatus.PROJECTED: a_settlement(
            by_status[CommandStatus.PROJECTED], settled.transaction_id, block=7
        ),
        CommandStatus.COMMITTED: a_settlement(
            by_status[CommandStatus.COMMITTED], settled.transaction_id, block=8
        ),
        CommandStatus.REJECTED: a_refusal(
            by_status[CommandStatus.REJECTED], settled.transaction_id, block=8
        ),
    }
    await world.store.persist(lease, settled, [entry[status] for status in in_block])
    await world.store.settle(lease, settled.transaction_id, list(in_block.values()))
    await world.store.persist(lease, live, [entry[CommandStatus.PROCESSING]])
    for status in (CommandStatus.DEAD, CommandStatus.DISCARDED):
        await world.store.bury(lease, entry[status], reason="gave up")
    await world.letters.discard(by_status[CommandStatus.DISCARDED], actor="op", reason="not wanted")
    await world.backstage.project(7)
    return by_status


@pytest.mark.parametrize("status", CommandStatus)
async def test_a_status_follows_from_what_is_stored(
    world: OutboxWorld, status: CommandStatus
) -> None:
    """Each status has its own ground: a result and the checkpoint, a letter, an envelope."""
    by_status = await one_of_each(world)

    view = await world.reader.find(by_status[status])

    assert view is not None
    assert view.status is status


async def test_a_command_tells_its_batch(world: OutboxWorld) -> None:
    """When its transaction was prepared and how many rode in it: on the way, and afterwards."""
    by_status = await one_of_each(world)

    riding = await world.reader.find(by_status[CommandStatus.PROCESSING])
    settled = await world.reader.find(by_status[CommandStatus.COMMITTED])
    waiting = await world.reader.find(by_status[CommandStatus.PENDING])

    assert riding is not None
    assert settled is not None
    assert waiting is not None
    assert (riding.batch_commands, settled.batch_commands) == (1, 3)
    assert riding.prepared_at_ms is not None
    assert settled.prepared_at_ms is not None
    assert settled.settled_at_ms is not None
    assert settled.accepted_at_ms <= settled.prepared_at_ms <= settled.settled_at_ms
    assert (waiting.batch_commands, waiting.prepared_at_ms) == (None, None)


@pytest.mark.parametrize("status", CommandStatus)
async def test_a_status_lists_its_commands_alone(world: OutboxWorld, status: CommandStatus) -> None:
    """Listing reads another index for each status and must agree with the derivation."""
    by_status = await one_of_each(world)

    views = await world.reader.list_by_status(status, limit=10, after=None)

    assert [view.command_id for view in views] == [by_status[status]]
    assert views[0].status is status


async def test_a_committed_command_is_projected_once_the_checkpoint_is_there(
    world: OutboxWorld,
) -> None:
    """The checkpoint alone changes the answer; nobody writes it into the command."""
    by_status = await one_of_each(world)
    await world.backstage.project(8)

    committed = await world.reader.find(by_status[CommandStatus.COMMITTED])
    rejected = await world.reader.find(by_status[CommandStatus.REJECTED])

    assert committed is not None
    assert rejected is not None
    assert committed.status is CommandStatus.PROJECTED
    assert rejected.status is CommandStatus.REJECTED


async def test_without_a_checkpoint_nothing_is_projected(world: OutboxWorld) -> None:
    """A projector that never ran has reached no block, not even block 0."""
    lease = await world.hold_lease()
    (answer,) = await world.accept(a_command())
    entries = await world.store.pending(after_seq=0, limit=1)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, entries)
    settlement = a_settlement(answer.command_id, envelope.transaction_id, block=0)
    await world.store.settle(lease, envelope.transaction_id, [settlement])

    (view,) = await world.reader.list_by_status(CommandStatus.COMMITTED, limit=5, after=None)

    assert view.status is CommandStatus.COMMITTED
    assert view.result == {"balance": "5"}


async def test_a_live_envelope_tells_its_transaction(world: OutboxWorld) -> None:
    """While a command is processed one can already look for its transaction."""
    by_status = await one_of_each(world)
    (live,) = await world.store.live_envelopes()

    view = await world.reader.find(by_status[CommandStatus.PROCESSING])

    assert view is not None
    assert view.transaction_id == live.envelope.transaction_id


async def test_a_given_up_command_says_why(world: OutboxWorld) -> None:
    """Its owner reads the reason; a discarded one reads the operator's."""
    by_status = await one_of_each(world)

    dead = await world.reader.find(by_status[CommandStatus.DEAD])
    discarded = await world.reader.find(by_status[CommandStatus.DISCARDED])

    assert dead is not None
    assert discarded is not None
    assert dead.detail == "gave up"
    assert discarded.detail == "not wanted"
    assert discarded.settled_at_ms is not None


async def test_a_code_that_this_release_does_not_know_is_shown(world: OutboxWorld) -> None:
    """Fault: an older API failed on what a newer ledger had answered."""
    lease = await world.hold_lease()
    (accepted,) = await world.accept(a_command())
    refusal = a_refusal(accepted.command_id, None, block=None, code="OF_NEXT_YEAR")
    await world.store.settle(lease, None, [refusal])

    view = await world.reader.find(accepted.command_id)

    assert view is not None
    assert (view.status, view.code) == (CommandStatus.REJECTED, "OF_NEXT_YEAR")


async def test_an_unknown_command_is_none(world: OutboxWorld) -> None:
    """Neither an error nor a made-up status."""
    assert await world.reader.find(UNKNOWN) is None


async def test_many_are_found_at_once(world: OutboxWorld) -> None:
    """Known ones are returned once each, unknown ones left out."""
    by_status = await one_of_each(world)
    ids = list(by_status.values())

    views = await world.reader.find_many([*ids, UNKNOWN, ids[0]])

    assert {view.command_id: view.status for view in views} == {
        command_id: status for status, command_id in by_status.items()
    }


async def test_pages_are_newest_first_and_complete(world: OutboxWorld) -> None:
    """A cursor neither skips nor repeats."""
    accepted = await world.accept(*(a_command(account=f"a{index}") for index in range(5)))
    newest_first = [answer.command_id for answer in reversed(accepted)]

    first = await world.reader.list_by_status(None, limit=3, after=None)
    second = await world.reader.list_by_status(
        CommandStatus.PENDING, limit=3, after=first[-1].command_id
    )

    assert [view.command_id for view in (*first, *second)] == newest_first
