"""Reading the pending set into the schedule, page by page.

A watermark keeps the usual read off what was seen. A rescan, a page every few seconds, finds what
became visible behind it or was forgotten: nothing should, and nothing is lost if something does.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError
from gx.domain.identifiers import CommandId
from gx.outbox.options import SubmitterOptions
from gx.outbox.ports import OutboxStore
from gx.outbox.scheduling import Schedule

_log: Final = structlog.get_logger(__name__)

TOGETHER_S: Final = 0.002
"""So long a command waits for others in any case, also one that comes after a pause."""


class PendingReader:
    """Keeps the schedule filled, up to `pending_max` entries."""

    def __init__(self, store: OutboxStore, schedule: Schedule, options: SubmitterOptions) -> None:
        self._store = store
        self._schedule = schedule
        self._options = options
        self._watermark = 0
        self._is_news = True
        self._is_more = False
        self._read_at_s = float("-inf")
        self._rescanned_at_s = _now_s()
        self._rescan_from = 0
        self._released: set[CommandId] | None = None

    def wake_up(self) -> None:
        """Note that there may be something new."""
        self._is_news = True

    def released(self, command_ids: Iterable[CommandId]) -> None:
        """Note what leaves the schedule: a rescan under way must not bring it back."""
        if self._released is not None:
            self._released.update(command_ids)

    def next_read_in_s(self) -> float:
        """Tell how long there is nothing to read, unless somebody wakes us up."""
        if self._room <= 0:
            return self._options.poll_s
        if self._is_news or self._is_more:
            return 0
        return self._read_at_s + self._options.poll_s - _now_s()

    async def read_on(self) -> None:
        """Read what is new, as far as there is room. A database that is away is asked later."""
        try:
            if _now_s() >= self._rescanned_at_s + self._options.rescan_s:
                await self._rescan()
            if self._room > 0 and self.next_read_in_s() <= 0:
                await self._read()
        except DatabaseUnavailableError as error:
            _log.warning("pending_not_read", error=error)
            self._is_news = self._is_more = False
            self._read_at_s = self._rescanned_at_s = _now_s()

    @property
    def _room(self) -> int:
        return self._options.pending_max - self._schedule.waiting

    async def _read(self) -> None:
        if not self._is_more:
            await self._linger()
        self._is_news = False
        limit = min(self._options.page_max, self._room)
        entries = await self._store.pending(after_seq=self._watermark, limit=limit)
        if entries:
            self._watermark = entries[-1].seq
        self._schedule.add(entries)
        self._is_more = len(entries) == limit
        self._read_at_s = _now_s()

    async def _linger(self) -> None:
        """Let what comes within a moment go together: a batch of one costs what one of ten does."""
        due_s = self._read_at_s + self._options.linger_s
        await asyncio.sleep(max(TOGETHER_S, due_s - _now_s()))

    async def _rescan(self) -> None:
        limit = self._options.page_max
        self._released = set()
        try:
            entries = await self._store.pending(after_seq=self._rescan_from, limit=limit)
            late = [
                entry
                for entry in entries
                if entry.seq <= self._watermark and entry.command_id not in self._released
            ]
        finally:
            self._released = None
        found = self._schedule.add(late)
        if found:
            _log.warning("entries_found_late", entries=found)
        self._rescan_from = entries[-1].seq if len(entries) == limit else 0
        self._rescanned_at_s = _now_s()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
