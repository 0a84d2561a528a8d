"""World state that is committed but not yet in the state table: every key's recent revisions.

Blocks are what makes a transaction durable; their writes reach the state table later, many
blocks at a time (`world`), so that a hot account costs one row write for hundreds of transfers.
Until then they are here.

Snapshots need no locks: a key's revisions are a chain, newest first, and a reader takes the
first one that is not newer than its snapshot. The writer keeps the older ones for as long as an
open snapshot may ask for them.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Revision: TypeAlias = tuple[int, str | None, "Revision | None"]
"""The block that wrote it, the value (None where it deleted the key), and what was before."""


def revision_at(newest: Revision | None, snapshot: int) -> Revision | None:
    """Walk to the revision that a snapshot sees; None if it is not among the pending ones."""
    while newest is not None and newest[0] > snapshot:
        newest = newest[2]
    return newest


class PendingState:
    """The revisions since the savepoint. Written by the writer alone, read by every thread."""

    def __init__(self) -> None:
        self._revisions: dict[str, Revision] = {}

    def __len__(self) -> int:
        return len(self._revisions)

    def newest(self, key: str) -> Revision | None:
        """Return the key's newest pending revision."""
        return self._revisions.get(key)

    def keys(self) -> list[str]:
        """List the pending keys, in no order."""
        return list(self._revisions)

    def keys_between(self, start: str, end: str) -> list[str]:
        """List the pending keys from `start` up to, not including, `end`, in no order."""
        return [key for key in list(self._revisions) if start <= key < end]

    def add(self, number: int, writes: Mapping[str, str | None], *, oldest_snapshot: int) -> None:
        """Take a block's writes in, forgetting revisions that no open snapshot can see."""
        revisions = self._revisions
        find = revisions.get
        for key, value in writes.items():
            before = find(key)
            if before is not None and before[2] is not None and before[0] <= oldest_snapshot:
                before = (before[0], before[1], None)
            revisions[key] = (number, value, before)

    def flushable(self, keys: Iterable[str], limit: int) -> list[tuple[str, int, str | None]]:
        """List key, version and value of what may go to the state table.

        That is each key's newest revision not after `limit`. A key without one was written again
        since: it stays pending, and its row in the table stays as old as it is.
        """
        rows: list[tuple[str, int, str | None]] = []
        find = self._revisions.get
        for key in keys:
            revision = revision_at(find(key), limit)
            if revision is not None:
                rows.append((key, revision[0], revision[1]))
        return rows

    def forget(self, rows: Iterable[tuple[str, int, str | None]]) -> None:
        """Drop the revisions that are in the state table now, and older ones."""
        revisions = self._revisions
        for key, flushed, _ in rows:
            newest = revisions[key]
            if newest[0] <= flushed:
                del revisions[key]
            else:
                revisions[key] = _without(newest, flushed)


def _without(newest: Revision, flushed: int) -> Revision:
    """Rebuild a chain of revisions without those up to `flushed`."""
    kept: list[Revision] = []
    revision: Revision | None = newest
    while revision is not None and revision[0] > flushed:
        kept.append(revision)
        revision = revision[2]
    chain: Revision | None = None
    for number, value, _ in reversed(kept):
        chain = (number, value, chain)
    return newest if chain is None else chain
