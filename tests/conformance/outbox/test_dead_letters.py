"""What every DeadLetters promises."""

import asyncio

from gx.domain.identifiers import CommandId
from gx.outbox.ports import CommandStatus, Entry
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import a_command, a_settlement, an_envelope

UNKNOWN = CommandId("00000000-0000-7000-8000-000000000000")


async def buried(world: OutboxWorld, number: int = 1) -> list[Entry]:
    """Accept commands and give them up."""
    lease = await world.hold_lease()
    await world.accept(*(a_command(account=f"a{index}") for index in range(number)))
    entries = list(await world.store.pending(after_seq=0, limit=number))
    for entry in entries:
        await world.store.bury(lease, entry, reason="gave up")
    return entries


async def test_a_replayed_letter_keeps_its_id_and_takes_a_new_place(world: OutboxWorld) -> None:
    """What the ledger knows of the id still holds; nobody is overtaken by the dead."""
    (entry,) = await buried(world)
    (later,) = await world.accept(a_command())

    assert await world.letters.replay(entry.command_id, actor="op", reason="ledger fixed")

    first, second = await world.store.pending(after_seq=0, limit=10)
    assert first.command_id == later.command_id
    assert second.command_id == entry.command_id
    assert second.seq > entry.seq
    assert (second.scopes, second.arguments) == (entry.scopes, entry.arguments)
    assert second.attempts == 0
    view = await world.reader.find(entry.command_id)
    assert view is not None
    assert view.status is CommandStatus.PENDING


async def test_a_replayed_command_can_be_settled(world: OutboxWorld) -> None:
    """It is an ordinary command again."""
    (entry,) = await buried(world)
    await world.letters.replay(entry.command_id, actor="op", reason="ledger fixed")
    lease = await world.hold_lease()
    envelope = an_envelope()
    (replayed,) = await world.store.pending(after_seq=0, limit=1)
    await world.store.persist(lease, envelope, [replayed])

    settlement = a_settlement(entry.command_id, envelope.transaction_id)
    await world.store.settle(lease, envelope.transaction_id, [settlement])

    view = await world.reader.find(entry.command_id)
    assert view is not None
    assert view.status is CommandStatus.COMMITTED


async def test_a_replayed_letter_that_dies_again_keeps_both_histories(world: OutboxWorld) -> None:
    """The operator sees all that was ever tried."""
    (entry,) = await buried(world)
    await world.letters.replay(entry.command_id, actor="op", reason="try again")
    lease = await world.hold_lease()
    (replayed,) = await world.store.pending(after_seq=0, limit=1)

    await world.store.bury(lease, replayed, reason="gave up again")

    (letter,) = await world.letters.list_dead(limit=5, after=None)
    assert [line["reason"] for line in letter.history] == ["gave up", "gave up again"]
    assert letter.state == "dead"


async def test_a_discarded_letter_is_final(world: OutboxWorld) -> None:
    """Its command has a result, waits nowhere, and cannot be handled again."""
    (entry,) = await buried(world)

    assert await world.letters.discard(entry.command_id, actor="op", reason="not wanted")

    view = await world.reader.find(entry.command_id)
    assert view is not None
    assert view.status is CommandStatus.DISCARDED
    assert list(await world.store.pending(after_seq=0, limit=10)) == []
    assert not await world.letters.replay(entry.command_id, actor="op", reason="too late")
    assert not await world.letters.discard(entry.command_id, actor="op", reason="twice")
    letter = await world.letters.find(entry.command_id)
    assert letter is not None
    assert letter.state == "discarded"


async def test_of_two_operators_at_once_one_acts(world: OutboxWorld) -> None:
    """A letter is handled once."""
    (entry,) = await buried(world)

    answers = await asyncio.gather(
        world.letters.replay(entry.command_id, actor="op1", reason="again"),
        world.letters.discard(entry.command_id, actor="op2", reason="away"),
        world.letters.replay(entry.command_id, actor="op3", reason="again"),
    )

    assert sorted(answers) == [False, False, True]
    assert len(await world.backstage.audit()) == 1


async def test_only_unhandled_letters_are_listed_newest_first(world: OutboxWorld) -> None:
    """What an operator still has to do."""
    entries = await buried(world, 4)
    await world.letters.replay(entries[1].command_id, actor="op", reason="again")

    first = await world.letters.list_dead(limit=2, after=None)
    second = await world.letters.list_dead(limit=2, after=first[-1].command_id)

    assert [letter.command_id for letter in (*first, *second)] == [
        entries[index].command_id for index in (3, 2, 0)
    ]


async def test_every_act_is_audited_with_actor_and_reason(world: OutboxWorld) -> None:
    """Who, what, which command, and why."""
    first, second = await buried(world, 2)
    await world.letters.replay(first.command_id, actor="ann", reason="ledger fixed")
    await world.letters.discard(second.command_id, actor="ben", reason="not wanted")

    records = await world.backstage.audit()

    assert [(r.actor, r.action, r.target, r.reason) for r in records] == [
        ("ann", "dead_letter_replayed", first.command_id, "ledger fixed"),
        ("ben", "dead_letter_discarded", second.command_id, "not wanted"),
    ]


async def test_what_is_not_dead_cannot_be_handled(world: OutboxWorld) -> None:
    """Neither an unknown command nor a waiting one."""
    (answer,) = await world.accept(a_command())

    for command_id in (UNKNOWN, answer.command_id):
        assert not await world.letters.replay(command_id, actor="op", reason="r")
        assert not await world.letters.discard(command_id, actor="op", reason="r")
        assert await world.letters.find(command_id) is None
    assert await world.backstage.audit() == []
