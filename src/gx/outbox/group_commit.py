"""Group commit: concurrent requests share one transaction, and so one wait for the disk.

A group is what queued while the previous one was being committed, or since that began a moment
ago: a commit costs the same for one command as for ten. A commit under load takes longer than
that, so nothing waits for a timer then, nor does a request that comes alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gx.outbox.admission import Admission
from gx.outbox.ports import Acceptance, AcceptanceKind, CommandInbox, NewCommand

GROUP_MAX: Final = 512

GAP_S: Final = 0.008
"""The least time between the beginnings of two commits: each costs some 2 ms of CPU."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    command: NewCommand
    answer: "asyncio.Future[Acceptance]"


class GroupCommitter:
    """Stores single commands in groups. One commit is under way at a time.

    `on_stored` is called after a commit that stored something new; it must not wait.
    """

    def __init__(
        self,
        inbox: CommandInbox,
        *,
        on_stored: Callable[[], None],
        admission: Admission | None = None,
        group_max: int = GROUP_MAX,
        gap_s: float = GAP_S,
    ) -> None:
        self._inbox = inbox
        self._on_stored = on_stored
        self._admission = admission
        self._group_max = group_max
        self._gap_s = gap_s
        self._queue: deque[_Waiter] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._begun_at_s = float("-inf")

    async def accept(self, command: NewCommand) -> Acceptance:
        """Store one command; it is durable when this returns.

        A cancelled caller disturbs nobody; its command may or may not have been stored.

        Raises:
            BacklogFullError: What waits is too old; nothing was stored.
            DatabaseUnavailableError: Whether it was stored is unknown; ask again with the
                same idempotency key.
            Exception: This very command cannot be stored.
        """
        if self._admission is not None:
            await self._admission.require_room()
        waiter = _Waiter(command, asyncio.get_running_loop().create_future())
        self._queue.append(waiter)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_until_empty())
        return await waiter.answer

    async def close(self) -> None:
        """Wait until everything that was asked for is answered."""
        while self._committing is not None:
            await asyncio.wait([self._committing])

    async def _commit_until_empty(self) -> None:
        try:
            while self._queue:
                await self._keep_gap()
                if group := self._next_group():
                    await self._commit(group)
        finally:
            self._committing = None

    async def _keep_gap(self) -> None:
        wait_s = self._begun_at_s + self._gap_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _next_group(self) -> Sequence[_Waiter]:
        group: list[_Waiter] = []
        while self._queue and len(group) < self._group_max:
            waiter = self._queue.popleft()
            if not waiter.answer.done():  # else its caller has gone
                group.append(waiter)
        return group

    async def _commit(self, group: Sequence[_Waiter]) -> None:
        answers: Sequence[Acceptance | Exception]
        self._begun_at_s = asyncio.get_running_loop().time()
        try:
            answers = await self._inbox.accept([waiter.command for waiter in group])
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must hear it)
            answers = [error] * len(group)
        except asyncio.CancelledError:
            for waiter in group:
                waiter.answer.cancel()
            raise
        for waiter, answer in zip(group, answers, strict=True):
            _tell(waiter, answer)
        if any(_is_new(answer) for answer in answers):
            self._on_stored()


def _tell(waiter: _Waiter, answer: Acceptance | Exception) -> None:
    if waiter.answer.done():
        return
    if isinstance(answer, Exception):
        waiter.answer.set_exception(answer)
    else:
        waiter.answer.set_result(answer)


def _is_new(answer: Acceptance | Exception) -> bool:
    return isinstance(answer, Acceptance) and answer.kind is AcceptanceKind.NEW
