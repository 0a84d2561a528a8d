"""Which waiting commands may fly next, and together.

Pure: entries go in, batches come out, those whose fate is known are given back. The rules:

* Commands whose scopes intersect take effect in the order of acceptance; others may overtake.
  They may ride in one batch, in that order. Two batches that fly at once share no scope.
* An exclusive command (no scopes) waits until everything before it has its fate, flies alone,
  and everything after it waits for its fate.
* A batch has one signing role, a bounded number of commands and a bounded size.
* What is not due yet keeps its place: it blocks those that share a scope with it, nobody else.

Every scope has a queue of its entries in order. An entry that is first in all of its queues may
fly as soon as no flying batch holds one of its scopes. So choosing costs a few operations for
each command chosen, however many wait behind one that is stuck.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, TypeAlias

from gx.domain.identifiers import CommandId, EpochMs
from gx.domain.roles import LedgerRole
from gx.outbox.ports import Entry

ENTRY_OVERHEAD_BYTES: Final = 250
"""What a command adds to a batch beside its arguments: ids, key, names, JSON's punctuation."""

WAIT_MAX_MS: Final = 30_000
"""Longer than any wait between two tries: who would wait longer has a time of a wrong clock."""

RIDE_FREELY: Final = 1 << 30
"""No bound of its own on the company that an entry keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How large a batch may be."""

    commands_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Commands that fly together, in the order of acceptance, signed by one role."""

    entries: Sequence[Entry]
    scopes: frozenset[str]
    is_exclusive: bool

    @property
    def role(self) -> LedgerRole:
        """Return whose identity signs it."""
        return self.entries[0].role


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """An entry that waits again, until `due_at_ms`, and rides with `company_max` at most."""

    entry: Entry
    due_at_ms: EpochMs
    company_max: int = RIDE_FREELY


_Key: TypeAlias = tuple[LedgerRole, int]
"""Only entries of one key ride together: the same role, and the same bound on company."""


@dataclass(slots=True, eq=False)
class _Waiting:
    entry: Entry
    due_at_ms: int
    key: _Key
    bytes: int
    behind: int = 0
    """In how many of its scopes' queues somebody is before it."""
    is_waiting: bool = True

    def __lt__(self, other: object) -> bool:
        # An entry that returned meets outdated notes of itself in a heap: any order will do.
        return False


_Queue: TypeAlias = list[tuple[int, _Waiting]]
"""A heap by place in the order; no two entries have the same place."""


@dataclass(slots=True)
class _Loading:
    """A batch while it is being chosen."""

    key: _Key
    limits: BatchLimits
    chosen: list[_Waiting] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    bytes: int = 0

    def fits(self, candidate: _Waiting) -> bool:
        """Tell whether there is room; the first always fits."""
        return not self.chosen or self.bytes + candidate.bytes <= self.limits.bytes_max

    @property
    def is_full(self) -> bool:
        """Tell whether the batch has as many commands as it may."""
        return len(self.chosen) >= min(self.limits.commands_max, self.key[1])


class Schedule:
    """The pending set in memory."""

    def __init__(self, limits: BatchLimits) -> None:
        self.limits = limits
        self._known: set[CommandId] = set()
        self._queues: dict[str, _Queue] = {}
        self._held: set[str] = set()
        self._ready: dict[_Key, _Queue] = {}
        self._parked: list[tuple[int, int, _Waiting]] = []
        self._behind: _Queue = []  # from the first exclusive entry on, in order
        self._queued = 0
        self._flying: set[Batch] = set()
        self._flies_exclusively = False
        self._now_ms = 0

    @property
    def waiting(self) -> int:
        """Return how many entries wait."""
        return self._queued + len(self._behind)

    @property
    def flying(self) -> int:
        """Return how many batches fly."""
        return len(self._flying)

    def add(self, entries: Iterable[Entry]) -> int:
        """Take entries in, those that are known left out; return how many were new."""
        added = 0
        for entry in entries:
            if entry.command_id not in self._known:
                self._known.add(entry.command_id)
                self._enqueue(_waiting(entry, _due_ms(entry), RIDE_FREELY))
                added += 1
        self._open_behind()
        return added

    def next_batch(self, now_ms: int) -> Batch | None:
        """Choose what flies next; None when nothing may. The batch flies until it is released."""
        self._now_ms = now_ms
        self._wake_due()
        if self._flies_exclusively:
            return None
        key = self._oldest_ready_key()
        return self._next_exclusive() if key is None else self._load(key)

    def hold(self, entries: Sequence[Entry]) -> Batch:
        """Take in entries that fly already: those of a live envelope."""
        self._known.update(entry.command_id for entry in entries)
        scopes = frozenset().union(*(entry.scopes for entry in entries))
        self._held |= scopes
        is_exclusive = any(not entry.scopes for entry in entries)
        return self._fly(list(entries), scopes, is_exclusive=is_exclusive)

    def release(self, batch: Batch, returning: Sequence[Return] = ()) -> None:
        """Take a batch out of flight. Entries that do not return are forgotten."""
        self._flying.remove(batch)
        self._flies_exclusively = any(other.is_exclusive for other in self._flying)
        self._known.difference_update(entry.command_id for entry in batch.entries)
        for back in returning:
            self._known.add(back.entry.command_id)
            self._enqueue(_waiting(back.entry, back.due_at_ms, back.company_max))
        # Live envelopes may share scopes: the first had its verdict when the second was made.
        freed = batch.scopes.difference(*(other.scopes for other in self._flying))
        self._held -= freed
        self._open_behind()
        for scope in freed:
            self._consider_first(scope)

    def next_due_ms(self) -> int | None:
        """Tell when the next entry that waits for its time is due; None if there is none.

        It is later than the time of the last choice: what was due then waits for a release.
        """
        while self._parked and not self._parked[0][2].is_waiting:
            heappop(self._parked)
        dues = [self._parked[0][0]] if self._parked else []
        if self._behind and not self._queued:
            dues.append(self._behind[0][1].due_at_ms)
        return min((due_ms for due_ms in dues if due_ms > self._now_ms), default=None)

    # ------------------------------------------------------------ queues

    def _enqueue(self, waiting: _Waiting) -> None:
        """Put an entry where its place in the order is."""
        if not self._behind and waiting.entry.scopes and not self._flies_exclusively:
            self._queue_up(waiting)
        else:
            heappush(self._behind, (waiting.entry.seq, waiting))

    def _open_behind(self) -> None:
        """Let in what no exclusive entry holds back any more."""
        if self._flies_exclusively:
            return
        while self._behind and self._behind[0][1].entry.scopes:
            self._queue_up(heappop(self._behind)[1])

    def _queue_up(self, waiting: _Waiting) -> None:
        place = waiting.entry.seq
        for scope in waiting.entry.scopes:
            queue = self._queues.get(scope)
            if queue is None:
                self._queues[scope] = [(place, waiting)]
                continue
            first = queue[0][1] if place < queue[0][0] else waiting
            first.behind += 1  # either the newcomer is not first, or the first is no longer
            heappush(queue, (place, waiting))
        self._queued += 1
        self._consider(waiting)

    def _leave_queues(self, waiting: _Waiting) -> None:
        """Take an entry that is first everywhere out; those behind it move up."""
        waiting.is_waiting = False
        self._queued -= 1
        for scope in waiting.entry.scopes:
            queue = self._queues[scope]
            heappop(queue)
            if queue:
                queue[0][1].behind -= 1
            else:
                del self._queues[scope]

    def _consider_first(self, scope: str) -> None:
        queue = self._queues.get(scope)
        if queue:
            self._consider(queue[0][1])

    def _consider(self, waiting: _Waiting) -> None:
        """Note an entry that may fly, now or when it is due."""
        if not self._may_fly(waiting):
            return
        if not self._is_due(waiting.due_at_ms):
            heappush(self._parked, (waiting.due_at_ms, waiting.entry.seq, waiting))
        else:
            heappush(self._ready.setdefault(waiting.key, []), (waiting.entry.seq, waiting))

    def _may_fly(self, waiting: _Waiting) -> bool:
        return waiting.is_waiting and waiting.behind == 0 and self._is_free(waiting)

    def _wake_due(self) -> None:
        while self._parked and self._is_due(self._parked[0][0]):
            self._consider(heappop(self._parked)[2])

    def _is_due(self, due_at_ms: int) -> bool:
        """Tell whether a time has come. Nothing waits for longer than a wait can be.

        A time that is further away was noted before the clock was set back.
        """
        wait_ms = due_at_ms - self._now_ms
        return wait_ms <= 0 or 0 < self._now_ms < due_at_ms - WAIT_MAX_MS

    # ------------------------------------------------------------ choosing

    def _oldest_ready_key(self) -> _Key | None:
        """Choose the role of the oldest entry that may fly, dropping notes that are outdated."""
        for key, ready in list(self._ready.items()):
            while ready and not self._may_fly(ready[0][1]):
                heappop(ready)
            if not ready:
                del self._ready[key]
        return min(self._ready, key=lambda key: self._ready[key][0][0], default=None)

    def _load(self, key: _Key) -> Batch:
        loading = _Loading(key=key, limits=self.limits)
        ready = self._ready[key]
        while ready and not loading.is_full:
            place, waiting = heappop(ready)
            if not self._may_fly(waiting):
                continue
            if not loading.fits(waiting):
                heappush(ready, (place, waiting))
                break
            self._take(waiting, loading, ready)
        self._held |= loading.scopes
        entries = [waiting.entry for waiting in loading.chosen]
        return self._fly(entries, frozenset(loading.scopes), is_exclusive=False)

    def _is_free(self, waiting: _Waiting) -> bool:
        """Tell whether no flying batch holds a scope of this entry; one being loaded does not."""
        return self._held.isdisjoint(waiting.entry.scopes)

    def _take(self, waiting: _Waiting, loading: _Loading, ready: _Queue) -> None:
        """Put an entry into the batch; those right behind it may ride along."""
        loading.chosen.append(waiting)
        loading.bytes += waiting.bytes
        loading.scopes.update(waiting.entry.scopes)
        self._leave_queues(waiting)
        for scope in waiting.entry.scopes:
            queue = self._queues.get(scope)
            if queue:
                self._ride_along(queue[0][1], loading, ready)

    def _ride_along(self, following: _Waiting, loading: _Loading, ready: _Queue) -> None:
        if (
            following.behind == 0
            and following.key == loading.key
            and self._is_due(following.due_at_ms)
            and self._is_free(following)
        ):
            heappush(ready, (following.entry.seq, following))

    def _next_exclusive(self) -> Batch | None:
        if self._queued or self._flying or not self._behind:
            return None
        if not self._is_due(self._behind[0][1].due_at_ms):
            return None
        waiting = heappop(self._behind)[1]
        waiting.is_waiting = False
        return self._fly([waiting.entry], frozenset(), is_exclusive=True)

    def _fly(self, entries: list[Entry], scopes: frozenset[str], *, is_exclusive: bool) -> Batch:
        entries.sort(key=lambda entry: entry.seq)
        batch = Batch(entries=entries, scopes=scopes, is_exclusive=is_exclusive)
        self._flying.add(batch)
        self._flies_exclusively |= is_exclusive
        return batch


def _due_ms(entry: Entry) -> int:
    """Return when an entry of the store is due: one that was never postponed, at once.

    Its time is of the database's clock, which may be ahead of ours.
    """
    return entry.due_at_ms if entry.due_at_ms > entry.accepted_at_ms else 0


def _waiting(entry: Entry, due_at_ms: int, company_max: int) -> _Waiting:
    payload = sum(map(len, entry.arguments.values()))
    return _Waiting(
        entry=entry,
        due_at_ms=due_at_ms,
        key=(entry.role, company_max),
        bytes=ENTRY_OVERHEAD_BYTES + payload + len(entry.actor),
    )
