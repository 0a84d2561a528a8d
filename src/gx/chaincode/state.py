"""The world state as one transaction sees it: its own writes included, undone piece by piece.

Records are immutable, so they are kept decoded: a record is read from text once and written to
text once, however many commands of a batch touch it, and undoing a command means putting the
records back that it replaced.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from operator import itemgetter
from typing import Final, TypeAlias, TypeVar

from gx.chaincode.stub import Modification, Stub
from gx.domain.codec import Record

R = TypeVar("R", bound=Record)

_View: TypeAlias = dict[str, Record | None]
_Found: TypeAlias = tuple[str, str | None]


class _Unread:
    """Stands for a key that was written before it was read."""


_UNREAD: Final = _Unread()
_Journal: TypeAlias = dict[str, Record | _Unread | None]
"""What the view held under each key before the first write since the journal was opened."""


class WorldState:
    """Reads with the transaction's own writes on top; writes once, in `flush`.

    A key always holds the same type of record. What was read stays in the transaction's read
    set also when the command that read it is undone.
    """

    __slots__ = ("_journals", "_stub", "_texts", "_view")

    def __init__(self, stub: Stub) -> None:
        self._stub: Final = stub
        self._texts: Final[dict[str, str | None]] = {}
        self._view: Final[_View] = {}
        self._journals: Final[list[_Journal]] = [{}]

    def prefetch(self, keys: Iterable[str]) -> None:
        """Read these keys in one message, so that later reads of them cost none."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._texts]
        if wanted:
            self._texts.update(zip(wanted, self._stub.get_states(wanted), strict=True))

    def find(self, key: str, kind: type[R]) -> R | None:
        """Return the record under `key`, None without one.

        Raises:
            DecodeError: the ledger holds something else there.
        """
        record = self._view.get(key, _UNREAD)
        if type(record) is kind:  # the usual case first: most records are read again and again
            return record
        if isinstance(record, _Unread):
            text = self._text(key)
            record = self._view[key] = None if text is None else kind.from_text(text)
        if record is None or type(record) is kind:
            return record
        raise TypeError(f"{key} holds a {type(record).__name__}, asked for a {kind.__name__}")

    def find_own(self, key: str, kind: type[R]) -> R | None:
        """Return the record under a key that contains this transaction's id.

        Nobody else can have written it, so the ledger is not asked: the key stays out of the
        read set.
        """
        if key not in self._view:
            return None
        return self.find(key, kind)

    def put(self, key: str, record: Record) -> None:
        """Write the record, to be seen by every later read of this transaction."""
        self._write(key, record)

    def delete(self, key: str) -> None:
        """Remove the key."""
        self._write(key, None)

    def scan(self, prefix: str, kind: type[R]) -> Iterator[tuple[str, R]]:
        """Yield the keys that begin with `prefix` and their records, in byte order.

        What was scanned joins the read set, the whole range if nobody stops before its end: a key
        that another transaction adds to it invalidates this one. Nothing of it is kept, so that
        a long range costs no memory here. Keys that are written meanwhile are not met.
        """
        committed: Iterable[_Found] = self._stub.get_range(prefix, _end_of(prefix))
        written = {key for journal in self._journals for key in journal if key.startswith(prefix)}
        own: Iterable[_Found] = ((key, None) for key in sorted(written))
        last = None
        for key, text in merge(committed, own, key=itemgetter(0)):
            if key == last:
                continue
            last = key
            if text is None or key in self._view:
                record = self.find(key, kind)
            else:
                record = kind.from_text(text)
            if record is not None:
                yield key, record

    def history(self, key: str) -> Iterator[Modification]:
        """Yield what committed transactions did to the key, newest first."""
        return self._stub.get_history(key)

    def nested(self) -> "Part":
        """Open a part of the transaction: `with` it, to keep its writes only if nothing raises."""
        return Part(self._view, self._journals)

    def writes(self) -> Mapping[str, str | None]:
        """Return the transaction's writes as text, in byte order of their keys."""
        (journal,) = self._journals
        view = self._view
        return {
            key: None if (record := view[key]) is None else record.to_text()
            for key in sorted(journal)
        }

    def flush(self) -> None:
        """Hand all writes to the peer in one message. Nothing may follow."""
        if writes := self.writes():
            self._stub.put_states(writes)

    def _text(self, key: str) -> str | None:
        if key not in self._texts:
            self._texts[key] = self._stub.get_state(key)
        return self._texts[key]

    def _write(self, key: str, record: Record | None) -> None:
        journal = self._journals[-1]
        if key not in journal:
            journal[key] = self._view.get(key, _UNREAD)
        self._view[key] = record


class Part:
    """A part of a transaction that is kept or undone as a whole; parts may be nested."""

    __slots__ = ("_journals", "_view")

    def __init__(self, view: _View, journals: list[_Journal]) -> None:
        self._view: Final = view
        self._journals: Final = journals

    def __enter__(self) -> None:
        self._journals.append({})

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        journal = self._journals.pop()
        if kind is None:
            outer = self._journals[-1]
            for key, before in journal.items():
                outer.setdefault(key, before)
        else:
            self._undo(journal)

    def _undo(self, journal: _Journal) -> None:
        for key, before in journal.items():
            if isinstance(before, _Unread):
                del self._view[key]
            else:
                self._view[key] = before


def _end_of(prefix: str) -> str:
    """Return the first text after all those that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
