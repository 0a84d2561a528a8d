"""The one task that follows commands for everybody."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gx.api.watcher import CommandWatcher, has_reached
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId, EpochMs
from gx.outbox.ports import CommandReader, CommandView
from tests.api.parts import a_command_id


def a_view(number: int = 1, status: CommandStatus = CommandStatus.PENDING) -> CommandView:
    """Make a command as its owner sees it."""
    return CommandView(
        command_id=a_command_id(number),
        command_type="TRANSFER_TOKENS",
        arguments={},
        actor="alice",
        subject="alice",
        status=status,
        accepted_at_ms=EpochMs(0),
    )


class ScriptedReader(CommandReader):
    """Answers with the views of the day; fails as often as told."""

    def __init__(self) -> None:
        self.views: dict[CommandId, CommandView] = {}
        self.failures = 0
        self.questions: list[Sequence[CommandId]] = []

    def set(self, view: CommandView) -> None:
        """Let a command stand so from now on."""
        self.views[view.command_id] = view

    @override
    async def find(self, command_id: CommandId) -> CommandView | None:
        return self.views.get(command_id)

    @override
    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        self.questions.append(command_ids)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("down")
        return [self.views[name] for name in command_ids if name in self.views]

    @override
    async def list_by_status(
        self, status: CommandStatus | None, *, limit: int, after: CommandId | None
    ) -> Sequence[CommandView]:
        del status, limit, after
        return []


class SlowReader(ScriptedReader):
    """Takes a tenth of a second for each question."""

    @override
    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        await asyncio.sleep(0.1)
        return await super().find_many(command_ids)


@pytest.mark.parametrize(
    ("status", "wanted", "is_over"),
    [
        (CommandStatus.PENDING, CommandStatus.COMMITTED, False),
        (CommandStatus.PROCESSING, CommandStatus.COMMITTED, False),
        (CommandStatus.COMMITTED, CommandStatus.COMMITTED, True),
        (CommandStatus.PROJECTED, CommandStatus.COMMITTED, True),
        (CommandStatus.COMMITTED, CommandStatus.PROJECTED, False),
        (CommandStatus.PROJECTED, CommandStatus.PROJECTED, True),
        (CommandStatus.REJECTED, CommandStatus.PROJECTED, True),
        (CommandStatus.DEAD, CommandStatus.COMMITTED, True),
        (CommandStatus.DISCARDED, CommandStatus.COMMITTED, True),
    ],
)
def test_when_waiting_is_over(
    status: CommandStatus, wanted: CommandStatus, *, is_over: bool
) -> None:
    """At the status, past it, or where it can never come."""
    assert has_reached(status, wanted) is is_over


@given(wanted=st.sampled_from([CommandStatus.COMMITTED, CommandStatus.PROJECTED]))
def test_final_is_final(wanted: CommandStatus) -> None:
    """No final status leaves anybody waiting."""
    assert all(has_reached(status, wanted) for status in CommandStatus if status.is_final)


async def test_it_rests_when_nobody_waits() -> None:
    """Without waiters the store is not asked."""
    reader = ScriptedReader()
    watcher = CommandWatcher(reader)
    reader.set(a_view(status=CommandStatus.COMMITTED))
    await watcher.wait(a_view(), CommandStatus.COMMITTED, timeout_s=30)
    await asyncio.sleep(0.05)
    asked = len(reader.questions)
    await asyncio.sleep(0.2)

    assert watcher.waiting == 0
    assert len(reader.questions) == asked


async def test_it_starts_again_for_the_next_waiter() -> None:
    """Resting is not ending."""
    reader = ScriptedReader()
    watcher = CommandWatcher(reader)
    for number in (1, 2):
        reader.set(a_view(number, CommandStatus.COMMITTED))
        view = await watcher.wait(a_view(number), CommandStatus.COMMITTED, timeout_s=30)
        assert view.status is CommandStatus.COMMITTED
        await asyncio.sleep(0.05)


async def test_a_store_that_fails_makes_nobody_fail() -> None:
    """Waiters go on waiting, and learn it when the store is back."""
    reader = ScriptedReader()
    reader.failures = 1
    reader.set(a_view(status=CommandStatus.COMMITTED))

    view = await CommandWatcher(reader).wait(a_view(), CommandStatus.COMMITTED, timeout_s=30)

    assert view.status is CommandStatus.COMMITTED


async def test_a_store_that_stays_away_ends_in_the_last_known_status() -> None:
    """When the time is up, what was known at first is answered."""
    reader = ScriptedReader()
    reader.failures = 1_000

    view = await CommandWatcher(reader).wait(a_view(), CommandStatus.COMMITTED, timeout_s=0.05)

    assert view.status is CommandStatus.PENDING


async def test_a_slow_store_is_asked_less_often() -> None:
    """Rest is four times what asking took, so a store in need is not asked to death."""
    reader = SlowReader()
    watcher = CommandWatcher(reader)
    await watcher.wait(a_view(), CommandStatus.COMMITTED, timeout_s=1)

    assert len(reader.questions) <= 3


async def test_many_commands_are_asked_for_in_bounded_questions() -> None:
    """No question names more commands than the store takes at once."""
    reader = ScriptedReader()
    watcher = CommandWatcher(reader)
    for number in range(1_200):
        reader.set(a_view(number, CommandStatus.COMMITTED))
    await asyncio.gather(
        *(
            watcher.wait(a_view(number), CommandStatus.COMMITTED, timeout_s=10)
            for number in range(1_200)
        )
    )

    assert max(map(len, reader.questions)) == 500
    assert sum(map(len, reader.questions)) >= 1_200


async def test_closing_leaves_no_task_behind() -> None:
    """After the end nothing asks any more, and waiters were let go."""
    reader = ScriptedReader()
    watcher = CommandWatcher(reader)
    waiting = asyncio.create_task(watcher.wait(a_view(), CommandStatus.COMMITTED, timeout_s=30))
    await asyncio.sleep(0.05)
    await watcher.close()

    assert (await asyncio.wait_for(waiting, 1)).status is CommandStatus.PENDING
    assert watcher.waiting == 0
