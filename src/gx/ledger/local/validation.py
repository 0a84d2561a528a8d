"""Whether a transaction still reads what it read: Fabric's MVCC rule.

A transaction is valid if every key it read still has the version it read, and every range it
scanned would give the same keys with the same versions; a key that does not exist has the
version `ABSENT`. What transactions ahead of it in the same group wrote counts.

Most transactions need no look at the state: if no block came after the one they were simulated
on, nothing can have changed, and otherwise only keys that were written since are compared.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gx.ledger.local.cache import StateRow
from gx.ledger.local.content import ABSENT, Content, RangeRead
from gx.ledger.local.world import ValueRead, World
from gx.ledger.ports import ValidationCode


def digest_range(rows: Iterable[tuple[str, int]]) -> bytes:
    """Hash what a range gave: its keys in byte order with their versions."""
    running = hashlib.sha256()
    for key, version in rows:
        running.update(f"{len(key)}:{key}={version};".encode())
    return running.digest()


class Staged:
    """The state as the next transaction of a group finds it: committed, plus those before it."""

    def __init__(self, connection: sqlite3.Connection, world: World, newest: int) -> None:
        self._connection: Final = connection
        self._world: Final = world
        self._committed: Final = newest
        self._added: list[tuple[int, Mapping[str, str | None]]] = []
        self._merged: dict[str, ValueRead] = {}
        self.newest = newest

    def add(self, number: int, writes: Mapping[str, str | None]) -> None:
        """Let later transactions see these writes of block `number`."""
        self._added.append((number, writes))
        self.newest = number

    @property
    def _writes(self) -> dict[str, ValueRead]:
        """What the group has written so far, merged when somebody asks: a lone one never does."""
        for number, writes in self._added:
            for key, value in writes.items():
                self._merged[key] = (ABSENT if value is None else number, value)
        self._added.clear()
        return self._merged

    def current(self, keys: Sequence[str]) -> list[ValueRead]:
        """Return version and value of each key."""
        if not keys:
            return []
        found = self._world.read(self._connection, keys, self._committed)
        staged = self._writes
        if not staged:
            return found
        return [staged.get(key, read) for key, read in zip(keys, found, strict=True)]

    def suspects(self, content: Content) -> list[str]:
        """List the keys read that may have changed since the transaction's snapshot."""
        if content.snapshot < self._world.floor:
            return content.read_keys
        pending, staged, snapshot = self._world.pending.newest, self._writes, content.snapshot
        return [
            key
            for key in content.read_keys
            if key in staged or ((newest := pending(key)) is not None and newest[0] > snapshot)
        ]

    def digest(self, read: RangeRead) -> bytes:
        """Hash what the range would give now."""
        rows: dict[str, StateRow | None] = dict(
            self._world.scan(self._connection, read.start, read.end, self._committed)
        )
        for key, (version, value) in self._writes.items():
            if read.start <= key < read.end:
                rows[key] = None if value is None else (version, value)
        return digest_range((key, row[0]) for key, row in sorted(rows.items()) if row is not None)


def validate(content: Content, staged: Staged) -> ValidationCode:
    """Judge a transaction by what it read.

    Raises:
        CorruptStateError: a row needed for the judgement is damaged.
        sqlite3.Error: the file cannot be read.
    """
    if content.snapshot == staged.newest:
        return ValidationCode.VALID
    suspects = staged.suspects(content)
    if suspects:
        read = dict(zip(content.read_keys, content.read_versions, strict=True))
        now = staged.current(suspects)
        if any(version != read[key] for key, (version, _) in zip(suspects, now, strict=True)):
            return ValidationCode.MVCC_READ_CONFLICT
    if any(staged.digest(scanned) != scanned.digest for scanned in content.ranges):
        return ValidationCode.PHANTOM_READ_CONFLICT
    return ValidationCode.VALID
