"""The committed world state: pending revisions above, the state table below, snapshots across.

A commit makes its block durable and adds its writes to `PendingState`; from time to time the
writer flushes what is pending to the state table, in slices that ride in the transactions of
later blocks, and then moves the savepoint. After a crash the blocks above the savepoint are
replayed. Fabric's peers do the same between block store and state database.

Why reads are consistent without locks. A flush has a limit, not newer than the oldest open
snapshot, and writes no revision above it. So a row of the table is never newer than any open
snapshot, and a key that is not pending has, in the table, the value which every open snapshot is
to see. Pending revisions are dropped only after the table has them.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final

from gx.ledger.local.cache import StateRow, StateRowCache
from gx.ledger.local.content import ABSENT
from gx.ledger.local.pending import PendingState, revision_at
from gx.ledger.local.statements import find_rows, put_rows, scan_rows

ValueRead = tuple[int, str | None]
"""Version and value of a key; (`ABSENT`, None) if there is no such key."""

_NO_VALUE: Final[ValueRead] = (ABSENT, None)


class Snapshots:
    """Which points in the chain somebody is reading at."""

    def __init__(self, newest: int) -> None:
        self._newest = newest
        self._open: dict[int, int] = {}
        self._lock = Lock()

    @contextmanager
    def hold(self) -> Iterator[int]:
        """Hold the newest snapshot open: the number of the newest block whose writes it has."""
        with self._lock:
            number = self._newest
            self._open[number] = self._open.get(number, 0) + 1
        try:
            yield number
        finally:
            with self._lock:
                self._open[number] -= 1
                if not self._open[number]:
                    del self._open[number]

    def oldest(self) -> int:
        """Return the oldest snapshot that is open or may be opened from now on."""
        with self._lock:
            return min(self._open, default=self._newest)

    def advance(self, newest: int) -> None:
        """Let new snapshots see block `newest`."""
        with self._lock:
            self._newest = newest


class World:
    """The world state at every open snapshot. Only the writer calls `add`, and the flusher."""

    def __init__(self, *, newest: int, savepoint: int, cache_bytes: int) -> None:
        self.snapshots: Final = Snapshots(newest)
        self.pending: Final = PendingState()
        self.cache: Final = StateRowCache(cache_bytes)
        self.floor = savepoint
        """Every key written after block `floor` is pending."""

    def add(self, number: int, writes: Mapping[str, str | None]) -> None:
        """Take a durable block's writes in; `Snapshots.advance` then shows them."""
        self.pending.add(number, writes, oldest_snapshot=self.snapshots.oldest())

    def read(
        self, connection: sqlite3.Connection, keys: Sequence[str], snapshot: int
    ) -> list[ValueRead]:
        """Return version and value of each key as a snapshot that is held open sees them.

        No key may be asked for twice in one call.

        Raises:
            CorruptStateError: a stored row is damaged.
            sqlite3.Error: the file cannot be read.
        """
        pending, cached = self.pending.newest, self.cache.get
        values: list[ValueRead] = []
        unknown: dict[str, int] = {}
        for key in keys:
            revision = pending(key)
            if revision is not None and revision[0] > snapshot:
                revision = revision_at(revision, snapshot)
            if revision is not None:
                values.append(_NO_VALUE if revision[1] is None else (revision[0], revision[1]))
                continue
            row = cached(key)
            if row is None:
                unknown[key] = len(values)
            values.append(row or _NO_VALUE)
        for key, row in self._read_table(connection, list(unknown)).items():
            values[unknown[key]] = row
        return values

    def scan(
        self, connection: sqlite3.Connection, start: str, end: str, snapshot: int
    ) -> Iterator[tuple[str, StateRow]]:
        """Yield the keys from `start` up to, not including, `end`, in byte order.

        Raises:
            CorruptStateError: a stored row is damaged.
            sqlite3.Error: the file cannot be read.
        """
        overlay: dict[str, StateRow | None] = {}
        for key in self.pending.keys_between(start, end):
            revision = revision_at(self.pending.newest(key), snapshot)
            if revision is not None:
                value = revision[1]
                overlay[key] = None if value is None else (revision[0], value)
        stored = (pair for pair in scan_rows(connection, start, end) if pair[0] not in overlay)
        for key, row in _merge(iter(sorted(overlay.items())), stored):
            if row is not None:
                yield key, row

    def _read_table(
        self, connection: sqlite3.Connection, keys: Sequence[str]
    ) -> dict[str, StateRow]:
        flushes = self.cache.flushes
        rows = find_rows(connection, keys)
        self.cache.fill(rows.items(), flushes=flushes)
        return rows


def _merge(
    first: Iterator[tuple[str, StateRow | None]], second: Iterator[tuple[str, StateRow]]
) -> Iterator[tuple[str, StateRow | None]]:
    """Merge two sorted sequences that share no key."""
    left, right = next(first, None), next(second, None)
    while left is not None and right is not None:
        if left[0] < right[0]:
            yield left
            left = next(first, None)
        else:
            yield right
            right = next(second, None)
    if left is not None:
        yield left
        yield from first
    if right is not None:
        yield right
        yield from second


class Flush:
    """One pass of the pending state into the table: `stage` in a commit, then `confirm`.

    The writer's, like `World.add`. Staging anew what was rolled back is harmless.
    """

    def __init__(self, world: World, *, limit: int) -> None:
        self._world: Final = world
        self.limit: Final = limit
        self._keys: Final = sorted(world.pending.keys(), reverse=True)
        self._staged: list[tuple[str, int, str | None]] = []
        self._staged_keys = 0
        world.floor = limit

    def stage(self, connection: sqlite3.Connection, keys_max: int) -> bool:
        """Write the next slice, at most `keys_max` keys; tell whether it is the last one.

        Raises:
            sqlite3.Error: the file cannot be written.
        """
        keys = self._keys[-keys_max:]
        rows = self._world.pending.flushable(reversed(keys), self.limit)
        put_rows(connection, rows)
        self._staged, self._staged_keys = rows, len(keys)
        return len(keys) == len(self._keys)

    def confirm(self) -> None:
        """Let go of the staged slice's revisions: the table has them durably."""
        written: dict[str, StateRow] = {
            key: (version, value) for key, version, value in self._staged if value is not None
        }
        gone = [key for key, _, value in self._staged if value is None]
        self._world.cache.replace(written, gone)
        self._world.pending.forget(self._staged)
        del self._keys[len(self._keys) - self._staged_keys :]
        self._staged, self._staged_keys = [], 0
