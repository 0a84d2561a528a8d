"""What every CommandInbox promises."""

import asyncio

import pytest

from gx.outbox.ports import Acceptance, AcceptanceKind, CommandStatus
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import a_command, a_key


async def test_what_is_accepted_waits_in_the_order_of_acceptance(world: OutboxWorld) -> None:
    """Every command of a group gets an id of its own and the next places in the order."""
    accepted = await world.accept(*(a_command(account=name) for name in ("a", "b", "c")))
    later = await world.accept(a_command(account="d"))

    entries = await world.store.pending(after_seq=0, limit=10)

    assert [entry.command_id for entry in entries] == [
        answer.command_id for answer in (*accepted, *later)
    ]
    assert {answer.kind for answer in accepted} == {AcceptanceKind.NEW}
    assert [entry.seq for entry in entries] == sorted({entry.seq for entry in entries})


async def test_an_entry_is_what_was_asked(world: OutboxWorld) -> None:
    """Nothing of a command is lost or changed on its way through the storage."""
    command = a_command(account="Zoë", remark='tab\t"quote" \\ 🪙', key_hash=a_key())
    (answer,) = await world.accept(command)

    (entry,) = await world.store.pending(after_seq=0, limit=10)

    assert entry.command_id == answer.command_id
    assert entry.command_type == command.command_type
    assert entry.arguments == command.arguments
    assert (entry.actor, entry.role, entry.scopes) == (
        command.actor,
        command.role,
        command.scopes,
    )
    assert (entry.key, entry.trace_parent) == (command.key_hash, command.trace_parent)
    assert entry.attempts == 0
    assert entry.due_at_ms == entry.accepted_at_ms


async def test_without_a_clients_key_the_command_id_is_the_key(world: OutboxWorld) -> None:
    """The ledger records every command under a key."""
    (answer,) = await world.accept(a_command())

    (entry,) = await world.store.pending(after_seq=0, limit=1)

    assert entry.key == answer.command_id


async def test_no_scopes_stay_no_scopes(world: OutboxWorld) -> None:
    """An exclusive command must not come back with an empty name as its scope."""
    await world.accept(a_command(scopes=frozenset()))

    (entry,) = await world.store.pending(after_seq=0, limit=1)

    assert entry.scopes == frozenset()


async def test_the_same_key_with_the_same_body_is_the_same_command(world: OutboxWorld) -> None:
    """A client may repeat a request whose answer it lost."""
    key = a_key()
    (first,) = await world.accept(a_command(key_hash=key))

    (second,) = await world.accept(a_command(key_hash=key))

    assert second == Acceptance(kind=AcceptanceKind.REPEATED, command_id=first.command_id)
    assert len(await world.store.pending(after_seq=0, limit=10)) == 1


async def test_the_same_key_with_another_body_is_told_apart(world: OutboxWorld) -> None:
    """A reused key is the row's own outcome and names the earlier command."""
    key = a_key()
    (first,) = await world.accept(a_command(key_hash=key))

    other, reused = await world.accept(a_command(), a_command(key_hash=key, fingerprint="f2"))

    assert reused == Acceptance(kind=AcceptanceKind.KEY_REUSED, command_id=first.command_id)
    assert other.kind is AcceptanceKind.NEW


async def test_one_key_twice_in_one_group_is_one_command(world: OutboxWorld) -> None:
    """A client's hasty repetition can ride in the same group as the original."""
    key = a_key()

    first, again, reused = await world.accept(
        a_command(key_hash=key),
        a_command(key_hash=key),
        a_command(key_hash=key, fingerprint="f2"),
    )

    assert first.kind is AcceptanceKind.NEW
    assert again == Acceptance(kind=AcceptanceKind.REPEATED, command_id=first.command_id)
    assert reused == Acceptance(kind=AcceptanceKind.KEY_REUSED, command_id=first.command_id)
    assert len(await world.store.pending(after_seq=0, limit=10)) == 1


async def test_one_key_in_concurrent_groups_is_one_command(world: OutboxWorld) -> None:
    """Two replicas of the API may get the same request at the same moment."""
    key = a_key()

    groups = await asyncio.gather(
        *(world.accept(a_command(), a_command(key_hash=key)) for _ in range(6))
    )

    answers = [group[1] for group in groups]
    assert len({answer.command_id for answer in answers}) == 1
    assert sorted(answer.kind for answer in answers) == ["new"] + ["repeated"] * 5
    assert len(await world.store.pending(after_seq=0, limit=20)) == 7


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_only_the_bad_row_of_a_group_fails(world: OutboxWorld, place: int) -> None:
    """What cannot be stored costs its neighbours nothing."""
    commands = [a_command(account="good"), a_command(account="good")]
    commands.insert(place, a_command(remark="a zero \x00 character"))

    answers = await world.inbox.accept(commands)

    assert isinstance(answers[place], Exception)
    assert sum(isinstance(answer, Acceptance) for answer in answers) == 2
    entries = await world.store.pending(after_seq=0, limit=10)
    assert [entry.arguments["accountId"] for entry in entries] == ["good", "good"]


async def test_a_failed_row_leaves_its_key_free(world: OutboxWorld) -> None:
    """A request that was not stored may be corrected under the same key."""
    key = a_key()
    await world.inbox.accept([a_command(remark="\x00", key_hash=key), a_command()])

    (answer,) = await world.accept(a_command(key_hash=key, fingerprint="corrected"))

    assert answer.kind is AcceptanceKind.NEW


async def test_an_empty_group_is_no_group(world: OutboxWorld) -> None:
    """Nothing asked, nothing stored."""
    assert list(await world.inbox.accept([])) == []


async def test_the_backlog_is_what_waits(world: OutboxWorld) -> None:
    """It counts entries that no envelope holds, and is 0 old when none waits."""
    assert (await world.inbox.backlog()).pending == 0
    assert (await world.inbox.backlog()).oldest_age_ms == 0

    await world.accept(a_command(), a_command())

    backlog = await world.inbox.backlog()
    assert backlog.pending == 2
    assert 0 <= backlog.oldest_age_ms < 60_000


async def test_an_accepted_command_is_pending(world: OutboxWorld) -> None:
    """The 202's status resource is there at once."""
    (answer,) = await world.accept(a_command(account="alice"))

    view = await world.reader.find(answer.command_id)

    assert view is not None
    assert view.status is CommandStatus.PENDING
    assert view.arguments["accountId"] == "alice"
    assert (view.subject, view.actor) == ("root@issuer", "root")
    assert view.settled_at_ms is None
