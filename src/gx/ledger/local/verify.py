"""`gx ledger verify`: recomputes the whole ledger from block 0 and names the first difference.

It reads the file beside a running server and changes nothing. Every block's hash and link, every
transaction id and its index entry, and the chain's record are recomputed. The state is replayed
from the write sets into a temporary database of its own and compared row by row.

The row of a key that was written after the savepoint is not in use: its newest value waits to
replace it. Such a row may be any that the chain ever wrote, and is compared with the block that
it names; every other row must be exactly as replayed up to the savepoint.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, TypeAlias

from typing_extensions import override

from gx.ledger.local.blocks import NO_HASH, Defect, StoredBlock, read_code
from gx.ledger.local.chain import (
    Tip,
    TornBlockError,
    find_transaction,
    load_block,
    load_tip,
    walk_blocks,
)
from gx.ledger.local.content import BadEnvelopeError, Content, decode_content, transaction_id_of
from gx.ledger.local.schema import FILE_NAME, STATE_TABLE, open_reader
from gx.ledger.local.statements import checksum_of, put_rows
from gx.ledger.ports import ValidationCode

Progress: TypeAlias = Callable[[int, int], None]
"""Told, now and then, how many blocks of how many are done."""

_PAGE_BLOCKS: Final = 256
_BUFFERED_KEYS: Final = 50_000
_TAIL_BLOCKS: Final = 4_096
_NO_ROW: Final = "no such key"

# What is replayed can be made again at any time: neither journal nor sync.
_REPLAY_PRAGMAS: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -65536;
"""
_STATE_ROWS: Final = "SELECT key, version, value, checksum FROM state ORDER BY key"
_STATE_ROW: Final = "SELECT version, value FROM state WHERE key = ?"
_STATE_COUNT: Final = "SELECT count(*) FROM state"
_TRANSACTION_COUNT: Final = "SELECT count(*) FROM transactions"

_Row: TypeAlias = tuple[int, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first thing found that is not what it should be: where, and both values."""

    where: str
    defect: Defect

    @override
    def __str__(self) -> str:
        return f"{self.where} is wrong: {self.defect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was checked. The ledger is sound if there is no `difference`."""

    blocks: int
    transactions: int
    keys: int
    tip_hash: str
    difference: Difference | None


class _DifferenceFoundError(Exception):
    def __init__(self, where: str, defect: Defect) -> None:
        super().__init__(where)
        self.difference: Final = Difference(where=where, defect=defect)


def verify_ledger(folder: Path, *, progress: Progress | None = None) -> VerifyReport:
    """Recompute a folder's ledger; stops at the first difference.

    Raises:
        StoreUnusableError: there is no ledger in the folder, or it cannot be opened at all.
    """
    with closing(open_reader(folder / FILE_NAME)) as reader, closing(_open_replay()) as replay:
        verifier = _Verifier(reader, replay, progress or _ignore)
        difference = None
        try:
            verifier.run()
        except _DifferenceFoundError as found:
            difference = found.difference
        except TornBlockError as error:
            difference = Difference(where=f"block {error.number}", defect=error.defect)
        except sqlite3.DatabaseError as error:
            defect = Defect(what="content", stored=f"unreadable ({error})", recomputed="a database")
            difference = Difference(where=str(folder / FILE_NAME), defect=defect)
        return verifier.report(difference)


def _ignore(_done: int, _of: int) -> None:
    pass


def _open_replay() -> sqlite3.Connection:
    """Open a private database that lives in memory and spills to a temporary file."""
    replay = sqlite3.connect("", isolation_level=None)
    replay.executescript(_REPLAY_PRAGMAS + STATE_TABLE)
    return replay


@dataclass(slots=True)
class _Replayed:
    """How far the replay is, and its writes that are not in its table yet."""

    height: int = 0
    hash: bytes = NO_HASH
    transactions: int = 0
    newest_timestamp_ms: int = 0
    buffer: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    later: dict[str, str | None] = field(default_factory=dict)
    """What became of each key that was written after the savepoint."""


class _Verifier:
    def __init__(
        self, reader: sqlite3.Connection, replay: sqlite3.Connection, progress: Progress
    ) -> None:
        self._reader: Final = reader
        self._replay: Final = replay
        self._progress: Final = progress
        self._done: Final = _Replayed()
        self._keys = 0

    def run(self) -> None:
        """Follow the savepoint until little is left, then check the rest in one snapshot.

        The snapshot keeps the server's write-ahead log from being reused, so it must be short.
        """
        while True:
            tip, _ = load_tip(self._reader)
            if tip.savepoint - self._done.height < _TAIL_BLOCKS:
                break
            self._replay_to(tip.savepoint, of=tip.height)
        self._reader.execute("BEGIN")
        tip, _ = load_tip(self._reader)
        self._replay_to(tip.savepoint, of=tip.height)
        self._flush()
        self._replay_to(tip.newest, of=tip.height, is_later=True)
        self._check_tip(tip)
        self._check_state(tip)

    def report(self, difference: Difference | None) -> VerifyReport:
        """Sum up."""
        return VerifyReport(
            blocks=self._done.height,
            transactions=self._done.transactions,
            keys=self._keys,
            tip_hash=self._done.hash.hex() if self._done.height else "",
            difference=difference,
        )

    def _replay_to(self, last: int, *, of: int, is_later: bool = False) -> None:
        done = self._done
        while done.height <= last:
            page_last = min(last, done.height + _PAGE_BLOCKS - 1)
            for block in walk_blocks(
                self._reader, done.height, last=page_last, previous_hash=done.hash
            ):
                self._take(block, is_later=is_later)
            self._progress(done.height, of)

    def _take(self, block: StoredBlock, *, is_later: bool) -> None:
        done = self._done
        try:
            content, code = decode_content(block.content), read_code(block.metadata)
        except BadEnvelopeError as error:
            raise _DifferenceFoundError(
                f"block {block.number}",
                Defect(what="content", stored=str(error), recomputed="a transaction"),
            ) from error
        self._check_transaction(block.number, content, code)
        if code is ValidationCode.VALID:
            self._take_writes(block.number, content.writes(), is_later=is_later)
        if len(done.buffer) > _BUFFERED_KEYS:
            self._flush()
        done.height, done.hash = block.number + 1, block.hash
        done.newest_timestamp_ms = max(done.newest_timestamp_ms, content.timestamp_ms)

    def _take_writes(
        self, number: int, writes: Mapping[str, str | None], *, is_later: bool
    ) -> None:
        if is_later:
            self._done.later.update(writes)
        else:
            self._done.buffer.update((key, (number, value)) for key, value in writes.items())

    def _check_transaction(self, number: int, content: Content, code: ValidationCode) -> None:
        """Check the id against nonce and creator, and the index entry against the block."""
        transaction_id = content.transaction_id
        derived = transaction_id_of(content.nonce, content.role)
        _require(f"block {number}", "transaction id", transaction_id, derived)
        found = find_transaction(self._reader, transaction_id)
        is_copy = code is ValidationCode.DUPLICATE_TXID
        at = None if found is None else found[1 if is_copy else 0]
        what = f"index entry of {'copy of ' if is_copy else ''}transaction {transaction_id}"
        _require(f"block {number}", what, "missing" if at is None else str(at), str(number))
        self._done.transactions += not is_copy

    def _flush(self) -> None:
        rows = [(key, version, value) for key, (version, value) in self._done.buffer.items()]
        self._replay.execute("BEGIN")
        put_rows(self._replay, sorted(rows, key=lambda row: row[0]))
        self._replay.execute("COMMIT")
        self._done.buffer.clear()

    def _check_tip(self, tip: Tip) -> None:
        done = self._done
        _require("chain record", "height", str(tip.height), str(done.height))
        _require("chain record", "tip hash", tip.hash.hex(), done.hash.hex())
        _require(
            "chain record",
            "newest timestamp",
            str(tip.newest_timestamp_ms),
            str(done.newest_timestamp_ms),
        )
        (transactions,) = self._reader.execute(_TRANSACTION_COUNT).fetchone()
        _require("transaction index", "entries", str(transactions), str(done.transactions))

    def _check_state(self, tip: Tip) -> None:
        (self._keys,) = self._replay.execute(_STATE_COUNT).fetchone()
        unused: dict[int, dict[str, str]] = {}
        for key, stored, replayed in _side_by_side(self._reader, self._replay):
            if stored == replayed:
                continue
            if key not in self._done.later:
                raise _DifferenceFoundError(
                    f"key {key!r}",
                    Defect(what="state", stored=_show(stored), recomputed=_show(replayed)),
                )
            if stored is not None:
                unused.setdefault(stored[0], {})[key] = stored[1]
        for number, rows in sorted(unused.items()):
            self._check_unused_rows(number, rows)
        self._keys += sum(self._growth(key, value) for key, value in self._done.later.items())
        _require("chain record", "state keys", str(tip.state_keys), str(self._keys))

    def _check_unused_rows(self, number: int, rows: Mapping[str, str]) -> None:
        """Compare rows that wait to be replaced with the block that they say wrote them."""
        if not 0 <= number < self._done.height:
            where = f"key {next(iter(rows))!r}"
            _require(where, "version", str(number), "the number of a block that wrote it")
        written = decode_content(load_block(self._reader, number).content).writes()
        for key, value in rows.items():
            _require(f"key {key!r}", "state", value, str(written.get(key)))

    def _growth(self, key: str, value: str | None) -> int:
        """Tell how a key that was written after the savepoint changes the number of keys."""
        was_there = self._replay.execute(_STATE_ROW, (key,)).fetchone() is not None
        return (value is not None) - was_there


def _side_by_side(
    reader: sqlite3.Connection, replay: sqlite3.Connection
) -> Iterator[tuple[str, _Row, _Row]]:
    """Yield every key of either table with both rows, in byte order."""
    stored = ((key, 0, row) for key, row in _rows(reader))
    replayed = ((key, 1, row) for key, row in _rows(replay))
    for key, group in groupby(merge(stored, replayed), key=itemgetter(0)):
        sides: list[_Row] = [None, None]
        for _, side, row in group:
            sides[side] = row
        yield key, sides[0], sides[1]


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[str, tuple[int, str]]]:
    for key, version, value, checksum in connection.execute(_STATE_ROWS):
        _require(f"key {key!r}", "checksum", str(checksum), str(checksum_of(key, value, version)))
        yield key, (version, value)


def _show(row: _Row) -> str:
    return _NO_ROW if row is None else f"{row[1]} (block {row[0]})"


def _require(where: str, what: str, stored: str, recomputed: str) -> None:
    if stored != recomputed:
        raise _DifferenceFoundError(where, Defect(what=what, stored=stored, recomputed=recomputed))
