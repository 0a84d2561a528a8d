"""Rows of the state table that were used lately, bounded in bytes.

Two generations of plain dictionaries: a hit in the old one moves to the young one, and when the
young one is full it becomes the old one. That is nearly as good as least-recently-used and costs
one look-up where an ordered dictionary costs three.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

StateRow = tuple[int, str]
"""Version and value."""

_ENTRY_BYTES: Final = 250  # two strings' headers, a tuple, an int and a slot in a dictionary


class StateRowCache:
    """What the state table holds under recently used keys.

    It never differs from the table: the flusher replaces rows under the same lock under which
    readers add what they read, and a reader's rows are dropped if a flush came between.
    """

    def __init__(self, bytes_max: int) -> None:
        self._generation_bytes_max = bytes_max // 2
        self._young: dict[str, StateRow] = {}
        self._old: dict[str, StateRow] = {}
        self._young_bytes = 0
        self._lock = Lock()
        self._flushes = 0

    @property
    def flushes(self) -> int:
        """Count the flushes so far: read it before the table, and give it to `fill`."""
        return self._flushes

    def get(self, key: str) -> StateRow | None:
        """Return the cached row, if there is one."""
        row = self._young.get(key)
        if row is None:
            row = self._old.get(key)
            if row is not None:
                self._promote(key, row)
        return row

    def fill(self, rows: Iterable[tuple[str, StateRow]], *, flushes: int) -> None:
        """Keep rows that a reader read when `flushes` flushes had happened."""
        with self._lock:
            if flushes == self._flushes:
                for key, row in rows:
                    self._keep(key, row)

    def replace(self, rows: Mapping[str, StateRow], gone: Iterable[str]) -> None:
        """Take over what a flush has just made of the table: rows written, keys deleted.

        A row that nobody has read from the table is not added: most of what is written, a record
        of each command, is never read again, and would push out what is.
        """
        with self._lock:
            self._flushes += 1
            for key in gone:
                self._young.pop(key, None)
                self._old.pop(key, None)
            stale = self._old.keys() & rows.keys()
            grown_bytes = 0
            for key in self._young.keys() & rows.keys():
                grown_bytes += len(rows[key][1]) - len(self._young[key][1])
                self._young[key] = rows[key]
            self._count(grown_bytes)
            for key in stale:
                if self._old.pop(key, None):  # unless the generations have turned meanwhile
                    self._keep(key, rows[key])

    def _promote(self, key: str, row: StateRow) -> None:
        """Move a row to the young generation, unless a flush has replaced it meanwhile."""
        with self._lock:
            if self._old.get(key) is row:
                self._keep(key, row)

    def _keep(self, key: str, row: StateRow) -> None:
        self._young[key] = row
        self._count(len(key) + len(row[1]) + _ENTRY_BYTES)

    def _count(self, added_bytes: int) -> None:
        self._young_bytes += added_bytes
        if self._young_bytes > self._generation_bytes_max:
            self._old = self._young
            self._young = {}
            self._young_bytes = 0
