"""Reads and writes of many state rows in few SQLite steps.

Python's `sqlite3` gives up the interpreter lock around every step and then waits for it, up to
the switch interval, while a contract computes in another thread. So a hundred rows go into one
statement of a fixed size: one step instead of a hundred, and the statement stays compiled.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, TypeVar
from zlib import crc32

from gx.domain.errors import GxError
from gx.ledger.local.cache import StateRow

_READ_SIZES: Final = (512, 64, 8, 1)
_WRITE_SIZES: Final = (64, 16, 4, 1)

_FIND_ROWS: Final = "SELECT key, value, version, checksum FROM state WHERE key IN ({})"
# The range's rows in the keys' byte order, which is also the order of their code points.
_SCAN_ROWS: Final = """
    SELECT key, value, version, checksum FROM state WHERE key >= ? AND key < ? ORDER BY key
"""
_PUT_ROWS: Final = """
    INSERT INTO state (key, value, version, checksum) VALUES {}
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
                                        checksum = excluded.checksum
"""
_T = TypeVar("_T")

_DELETE_ROWS: Final = "DELETE FROM state WHERE key IN ({})"


class CorruptStateError(GxError):
    """A row of the state table is not what was written there."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the stored state of key {key!r} is damaged; it is not served: run `gx ledger verify`"
        )
        self.key = key


def checksum_of(key: str, value: str, version: int) -> int:
    """Compute a row's checksum: it catches rot at once, `verify` catches forgery as well."""
    return crc32(f"{version}\0{key}\0{value}".encode())


def find_rows(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, StateRow]:
    """Read those of the keys that the state table has.

    Raises:
        CorruptStateError: a row does not match its checksum.
        sqlite3.Error: the file cannot be read.
    """
    found: dict[str, StateRow] = {}
    for part in _parts(keys, _READ_SIZES):
        rows = connection.execute(_find_statement(len(part)), part).fetchall()
        for key, value, version, checksum in rows:
            if checksum != checksum_of(key, value, version):
                raise CorruptStateError(key)
            found[key] = (version, value)
    return found


def scan_rows(
    connection: sqlite3.Connection, start: str, end: str
) -> Iterator[tuple[str, StateRow]]:
    """Yield the table's rows from `start` up to, not including, `end`, in byte order.

    Raises:
        CorruptStateError: a row does not match its checksum.
        sqlite3.Error: the file cannot be read.
    """
    for key, value, version, checksum in connection.execute(_SCAN_ROWS, (start, end)):
        if checksum != checksum_of(key, value, version):
            raise CorruptStateError(key)
        yield key, (version, value)


def put_rows(connection: sqlite3.Connection, rows: Sequence[tuple[str, int, str | None]]) -> None:
    """Write (key, version, value) rows, deleting those whose value is None. Sorted is faster.

    Raises:
        sqlite3.Error: the file cannot be written.
    """
    present = [row for row in rows if row[2] is not None]
    for part in _parts(present, _WRITE_SIZES):
        values: list[str | int | None] = []
        for key, version, value in part:
            values += (key, value, version, checksum_of(key, value or "", version))
        connection.execute(_put_statement(len(part)), values)
    gone = [key for key, _, value in rows if value is None]
    for keys in _parts(gone, _WRITE_SIZES):
        connection.execute(_delete_statement(len(keys)), keys)


@cache
def _find_statement(size: int) -> str:
    return _FIND_ROWS.format(_places(size, "?"))


@cache
def _put_statement(size: int) -> str:
    return _PUT_ROWS.format(_places(size, "(?, ?, ?, ?)"))


@cache
def _delete_statement(size: int) -> str:
    return _DELETE_ROWS.format(_places(size, "?"))


def _places(size: int, place: str) -> str:
    return ", ".join([place] * size)


def _parts(items: Sequence[_T], sizes: Sequence[int]) -> Iterator[Sequence[_T]]:
    """Cut a sequence into pieces of the given sizes, largest first, the last size being 1."""
    at = 0
    for size in sizes:
        while len(items) - at >= size:
            yield items[at : at + size]
            at += size
