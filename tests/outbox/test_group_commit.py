"""Group commit: together what comes together, nobody waits for a timer, nobody disturbs others."""

import asyncio
from collections.abc import Sequence

import pytest
from typing_extensions import override

from gx.database.ports import DatabaseUnavailableError
from gx.domain.identifiers import CommandId
from gx.outbox.admission import Admission
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.ports import (
    Acceptance,
    AcceptanceKind,
    Backlog,
    BacklogFullError,
    CommandInbox,
    NewCommand,
)
from tests.outbox.builders import a_command, a_key, eventually


class GatedInbox(CommandInbox):
    """An inbox whose commits a test lets through."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.groups: list[list[str]] = []
        self.failure: Exception | None = None
        self.age_ms = 0
        self.looks = 0

    @override
    async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
        self.groups.append([command.arguments["accountId"] for command in commands])
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [self._answer(command) for command in commands]

    @override
    async def backlog(self) -> Backlog:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        return Backlog(pending=1, oldest_age_ms=self.age_ms)

    def _answer(self, command: NewCommand) -> Acceptance | Exception:
        name = command.arguments["accountId"]
        if name == "bad":
            return ValueError("cannot be stored")
        kind = AcceptanceKind.REPEATED if command.key_hash else AcceptanceKind.NEW
        return Acceptance(kind=kind, command_id=CommandId(name))


class Telltale:
    """Counts the wake-ups that are asked for."""

    def __init__(self) -> None:
        self.stored = 0

    def __call__(self) -> None:
        """Count one."""
        self.stored += 1


@pytest.fixture
def inbox() -> GatedInbox:
    """An inbox that lets everything through at first."""
    return GatedInbox()


@pytest.fixture
def telltale() -> Telltale:
    """A counter of wake-ups."""
    return Telltale()


async def queued_behind_a_commit(
    committer: GroupCommitter, inbox: GatedInbox, names: Sequence[str]
) -> list[asyncio.Task[Acceptance]]:
    """Hold a commit of `first`, and let others queue up behind it."""
    inbox.gate.clear()
    tasks = [asyncio.create_task(committer.accept(a_command(account="first")))]
    await eventually(lambda: inbox.groups == [["first"]])
    tasks += [asyncio.create_task(committer.accept(a_command(account=name))) for name in names]
    await asyncio.sleep(0.01)
    return tasks


async def test_what_queued_during_a_commit_goes_together(
    inbox: GatedInbox, telltale: Telltale
) -> None:
    """One transaction for all that waited, answered each with its own id."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    tasks = await queued_behind_a_commit(committer, inbox, ["a", "b", "c"])
    inbox.gate.set()

    answers = await asyncio.gather(*tasks)

    assert inbox.groups == [["first"], ["a", "b", "c"]]
    assert [answer.command_id for answer in answers] == ["first", "a", "b", "c"]
    assert telltale.stored == 2


async def test_a_group_is_bounded(inbox: GatedInbox, telltale: Telltale) -> None:
    """What is too much for one transaction goes in the next, in order."""
    committer = GroupCommitter(inbox, on_stored=telltale, group_max=2)
    tasks = await queued_behind_a_commit(committer, inbox, list("abcde"))
    inbox.gate.set()

    await asyncio.gather(*tasks)

    assert inbox.groups[1:] == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_lone_request_waits_for_nobody(inbox: GatedInbox, telltale: Telltale) -> None:
    """There is no timer in its way, however long the gap is."""
    committer = GroupCommitter(inbox, on_stored=telltale, gap_s=60)

    async with asyncio.timeout(1):
        await committer.accept(a_command(account="alone"))


async def test_requests_in_quick_succession_share_a_commit(
    inbox: GatedInbox, telltale: Telltale
) -> None:
    """Some hundred commands a second share their commits."""
    committer = GroupCommitter(inbox, on_stored=telltale, gap_s=0.5)
    await committer.accept(a_command(account="first"))

    second = asyncio.create_task(committer.accept(a_command(account="second")))
    await asyncio.sleep(0.002)
    await asyncio.gather(second, committer.accept(a_command(account="third")))

    assert inbox.groups == [["first"], ["second", "third"]]


async def test_only_the_bad_request_hears_of_its_error(
    inbox: GatedInbox, telltale: Telltale
) -> None:
    """Its neighbours in the group are accepted."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    tasks = await queued_behind_a_commit(committer, inbox, ["a", "bad", "b"])
    inbox.gate.set()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers[2], ValueError)
    assert [type(answer) for answer in answers].count(Acceptance) == 3


async def test_a_database_that_is_away_is_everybodys_error(
    inbox: GatedInbox, telltale: Telltale
) -> None:
    """Nobody is told that a command is stored when that is not known; later ones succeed."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    inbox.failure = DatabaseUnavailableError("gone")
    tasks = await queued_behind_a_commit(committer, inbox, ["a", "b"])
    inbox.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [DatabaseUnavailableError] * 3
    assert telltale.stored == 0

    inbox.failure = None
    assert (await committer.accept(a_command(account="later"))).kind is AcceptanceKind.NEW


async def test_a_cancelled_caller_disturbs_nobody(inbox: GatedInbox, telltale: Telltale) -> None:
    """Gone while queueing: not stored. Gone while committing: the others are answered."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    first, a, b = await queued_behind_a_commit(committer, inbox, ["a", "b"])
    first.cancel()
    a.cancel()
    await asyncio.wait([first, a])
    inbox.gate.set()

    assert (await b).command_id == "b"
    assert inbox.groups == [["first"], ["b"]]


async def test_closing_waits_for_every_answer(inbox: GatedInbox, telltale: Telltale) -> None:
    """A request that was taken is answered before the process ends."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    tasks = await queued_behind_a_commit(committer, inbox, ["a", "b"])
    closing = asyncio.create_task(committer.close())
    await asyncio.sleep(0.01)
    assert not closing.done()

    inbox.gate.set()
    await closing

    assert all(task.done() for task in tasks)


async def test_nobody_is_woken_for_what_was_known(inbox: GatedInbox, telltale: Telltale) -> None:
    """A repeated request stored nothing."""
    committer = GroupCommitter(inbox, on_stored=telltale)
    await committer.accept(a_command(account="known", key_hash=a_key()))
    assert telltale.stored == 0


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the set time."""
        return self.now_s


async def test_an_old_backlog_refuses_and_says_when_to_come_back(inbox: GatedInbox) -> None:
    """Before lag grows without end; nothing is stored."""
    admission = Admission(inbox, age_max_s=30, monotonic_s=Seconds())
    committer = GroupCommitter(inbox, on_stored=Telltale(), admission=admission)
    inbox.age_ms = 37_500

    with pytest.raises(BacklogFullError) as caught:
        await committer.accept(a_command())

    assert caught.value.retry_after_s == 8
    assert inbox.groups == []


@pytest.mark.parametrize(("age_ms", "is_refused"), [(30_000, False), (30_001, True)])
async def test_the_bound_is_exact(inbox: GatedInbox, age_ms: int, *, is_refused: bool) -> None:
    """At the bound there is room, beyond it there is none."""
    inbox.age_ms = age_ms
    admission = Admission(inbox, age_max_s=30, monotonic_s=Seconds())
    try:
        await admission.require_room()
    except BacklogFullError:
        assert is_refused
    else:
        assert not is_refused


async def test_one_look_serves_many_requests(inbox: GatedInbox) -> None:
    """The backlog is looked at a few times a second, not for each request."""
    seconds = Seconds()
    admission = Admission(inbox, age_max_s=30, monotonic_s=seconds)
    await asyncio.gather(*(admission.require_room() for _ in range(100)))
    assert inbox.looks == 1

    seconds.now_s += 0.3
    await asyncio.gather(*(admission.require_room() for _ in range(100)))
    await asyncio.sleep(0)
    assert inbox.looks == 2


async def test_after_a_pause_no_old_look_decides(inbox: GatedInbox) -> None:
    """An hour-old number refuses nobody, and admits nobody."""
    seconds = Seconds()
    admission = Admission(inbox, age_max_s=30, monotonic_s=seconds)
    await admission.require_room()
    inbox.age_ms = 99_000
    seconds.now_s += 3_600

    with pytest.raises(BacklogFullError):
        await admission.require_room()

    inbox.age_ms = 0
    seconds.now_s += 3_600
    await admission.require_room()


async def test_an_unknown_backlog_refuses_nobody(inbox: GatedInbox) -> None:
    """A database that cannot be asked answers when the command is stored."""
    inbox.failure = DatabaseUnavailableError("gone")
    admission = Admission(inbox, age_max_s=30, monotonic_s=Seconds())
    await admission.require_room()
