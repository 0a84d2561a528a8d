"""The world state as one transaction sees it: its own writes included, undone piece by piece.

Records are immutable, so the overlay holds them decoded: a record is read from text once and
written to text once, however many commands of a batch touch it, and undoing a command means
forgetting its layer.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from gx.chaincode.stub import Modification, Stub
from gx.domain.codec import Record

R = TypeVar("R", bound=Record)

_Layer = dict[str, Record | None]


class WorldState:
    """Reads with the transaction's own writes on top; writes once, in `flush`.

    A key always holds the same type of record. What was read stays in the transaction's read
    set also when the command that read it is undone.
    """

    __slots__ = ("_committed", "_layers", "_stub", "_texts")

    def __init__(self, stub: Stub) -> None:
        self._stub: Final = stub
        self._texts: Final[dict[str, str | None]] = {}
        self._committed: Final[_Layer] = {}
        self._layers: Final[list[_Layer]] = [{}]

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
        for layer in reversed(self._layers):
            if key in layer:
                return _typed(key, layer[key], kind)
        if key in self._committed:
            return _typed(key, self._committed[key], kind)
        text = self._text(key)
        record = None if text is None else kind.from_text(text)
        self._committed[key] = record
        return record

    def find_written(self, key: str, kind: type[R]) -> R | None:
        """Return what this transaction itself wrote under `key`, without reading the ledger.

        For keys that contain the transaction's id: nobody else can have written them.
        """
        for layer in reversed(self._layers):
            if key in layer:
                return _typed(key, layer[key], kind)
        return None

    def put(self, key: str, record: Record) -> None:
        """Write the record, to be seen by every later read of this transaction."""
        self._layers[-1][key] = record

    def delete(self, key: str) -> None:
        """Remove the key."""
        self._layers[-1][key] = None

    def scan(self, prefix: str, kind: type[R]) -> Iterator[tuple[str, R]]:
        """Yield the keys that begin with `prefix` and their records, in byte order.

        The whole range joins the read set: a key that another transaction adds to it
        invalidates this one.
        """
        written = self._written(prefix)
        committed = dict(self._stub.get_range(prefix, _end_of(prefix)))
        for key in sorted({**committed, **written}):
            if key in written:
                record = _typed(key, written[key], kind)
            else:
                record = kind.from_text(committed[key])
            if record is not None:
                yield key, record

    def history(self, key: str) -> Iterator[Modification]:
        """Yield what committed transactions did to the key, newest first."""
        return self._stub.get_history(key)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Keep the writes made within only if nothing is raised within."""
        self._layers.append({})
        try:
            yield
        except BaseException:
            self._layers.pop()
            raise
        layer = self._layers.pop()
        self._layers[-1].update(layer)

    def writes(self) -> Mapping[str, str | None]:
        """Return the transaction's writes as text, in byte order of their keys."""
        (layer,) = self._layers
        return {
            key: None if record is None else record.to_text()
            for key, record in sorted(layer.items(), key=_key_of)
        }

    def flush(self) -> None:
        """Hand all writes to the peer in one message. Nothing may follow."""
        if writes := self.writes():
            self._stub.put_states(writes)

    def _text(self, key: str) -> str | None:
        if key not in self._texts:
            self._texts[key] = self._stub.get_state(key)
        return self._texts[key]

    def _written(self, prefix: str) -> _Layer:
        merged: _Layer = {}
        for layer in self._layers:
            merged.update({key: layer[key] for key in layer if key.startswith(prefix)})
        return merged


def _typed(key: str, record: Record | None, kind: type[R]) -> R | None:
    if record is None or type(record) is kind:
        return record
    raise TypeError(f"{key} holds a {type(record).__name__}, asked for a {kind.__name__}")


def _key_of(item: tuple[str, Record | None]) -> str:
    return item[0]


def _end_of(prefix: str) -> str:
    """Return the first text after all those that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
