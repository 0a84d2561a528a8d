"""Follows many commands for many waiting clients with one question at a time.

However many clients wait, one task asks for all their commands together, and rests four times as
long as asking took: a thousand waiters cost the database little more than one.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final

import structlog

from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from gx.outbox.ports import CommandReader, CommandView

_log: Final = structlog.get_logger(__name__)

POLL_MIN_S: Final = 0.02
POLL_MAX_S: Final = 2.0
_REST_PER_ASKING: Final = 4
_QUESTION_MAX: Final = 500
_PAUSE_AFTER_FAILURE_S: Final = 0.5

_PROGRESS: Final = (
    CommandStatus.PENDING,
    CommandStatus.PROCESSING,
    CommandStatus.COMMITTED,
    CommandStatus.PROJECTED,
)


def has_reached(status: CommandStatus, wanted: CommandStatus) -> bool:
    """Tell whether waiting is over: `wanted` is reached or passed, or nothing more will come."""
    if status.is_final or status is wanted:
        return True
    return _PROGRESS.index(status) >= _PROGRESS.index(wanted)


class _Watch:
    """One client's interest in one command; `newest` is what was last seen of it."""

    __slots__ = ("changed", "newest")

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.newest: CommandView | None = None


class CommandWatcher:
    """Wakes whoever waits for a command when its status changes.

    It works while somebody waits and rests otherwise. After `drain` nobody waits any more.
    """

    def __init__(
        self, reader: CommandReader, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._monotonic_s = monotonic_s
        self._watches: defaultdict[CommandId, set[_Watch]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0
        """How many wait now."""
        self._draining = asyncio.Event()

    @property
    def is_draining(self) -> bool:
        """Tell whether the process is about to stop."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Let everybody go with what is known now: the process is about to stop."""
        self._draining.set()
        for watches in self._watches.values():
            for watch in watches:
                watch.changed.set()

    async def close(self) -> None:
        """Drain, and end the asking task."""
        self.drain()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def wait(
        self, current: CommandView, wanted: CommandStatus, *, timeout_s: float
    ) -> CommandView:
        """Return the command once it has reached `wanted` or a final status, or as it is then."""
        deadline_s = self._monotonic_s() + timeout_s
        with self._watch(current.command_id) as watch:
            while not has_reached(current.status, wanted) and not self.is_draining:
                left_s = deadline_s - self._monotonic_s()
                if left_s <= 0:
                    break
                with suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await watch.changed.wait()
                watch.changed.clear()
                current = watch.newest or current
        return current

    async def follow(
        self, current: CommandView, *, heartbeat_s: float
    ) -> AsyncIterator[CommandView | None]:
        """Yield the command at each change of its status up to a final one; None as a heartbeat."""
        yield current
        with self._watch(current.command_id) as watch:
            while not current.status.is_final and not self.is_draining:
                with suppress(TimeoutError):
                    async with asyncio.timeout(heartbeat_s):
                        await watch.changed.wait()
                watch.changed.clear()
                newest = watch.newest or current
                is_changed = newest.status is not current.status
                current = newest
                yield current if is_changed else None

    @contextmanager
    def _watch(self, command_id: CommandId) -> Iterator[_Watch]:
        watch = _Watch()
        self._watches[command_id].add(watch)
        self.waiting += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="command-watcher")
        try:
            yield watch
        finally:
            self.waiting -= 1
            self._watches[command_id].discard(watch)
            if not self._watches[command_id]:
                del self._watches[command_id]

    async def _run(self) -> None:
        while self._watches:
            started_s = self._monotonic_s()
            try:
                await self._ask_all()
            except Exception as error:  # noqa: BLE001 - whatever fails now, waiters go on waiting
                _log.warning("command_progress_unknown", error=repr(error), waiting=self.waiting)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)
            asking_s = self._monotonic_s() - started_s
            await asyncio.sleep(min(POLL_MAX_S, max(POLL_MIN_S, asking_s * _REST_PER_ASKING)))

    async def _ask_all(self) -> None:
        for command_ids in _chunks(self._watches, _QUESTION_MAX):
            for view in await self._reader.find_many(command_ids):
                self._tell(view)

    def _tell(self, view: CommandView) -> None:
        for watch in self._watches.get(view.command_id, ()):
            if watch.newest is None or watch.newest.status is not view.status:
                watch.newest = view
                watch.changed.set()


def _chunks(command_ids: Iterable[CommandId], size: int) -> list[Sequence[CommandId]]:
    remaining = iter(list(command_ids))
    chunks: list[Sequence[CommandId]] = []
    while chunk := list(islice(remaining, size)):
        chunks.append(chunk)
    return chunks
