"""The ledger's file: its tables, and how connections to it are opened.

`chain` is the one-row record of where the ledger stands. The state at the tip is `state` with the
writes of the blocks after `savepoint` applied to it, in order (see `world`).
"""

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from gx.domain.errors import GxError
from gx.ledger.local.blocks import NO_HASH
from gx.ledger.local.content import ABSENT, KEY_BYTES

STORE_FORMAT: Final = 1
FILE_NAME: Final = "ledger.sqlite"

STATE_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS state (
        key      TEXT PRIMARY KEY,
        value    TEXT NOT NULL,
        version  INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"""
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS blocks (
        number        INTEGER PRIMARY KEY,
        previous_hash BLOB NOT NULL,
        hash          BLOB NOT NULL,
        metadata      BLOB NOT NULL,
        content       BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS transactions (
        transaction_id BLOB PRIMARY KEY,
        block_number   INTEGER NOT NULL,
        copy_number    INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS chain (
        id                  INTEGER PRIMARY KEY CHECK (id = 0),
        format              INTEGER NOT NULL,
        signing_key         BLOB NOT NULL,
        height              INTEGER NOT NULL,
        tip_hash            BLOB NOT NULL,
        newest_timestamp_ms INTEGER NOT NULL,
        savepoint           INTEGER NOT NULL,
        state_keys          INTEGER NOT NULL
    ) STRICT;
"""
_FIRST_ROW: Final = """
    INSERT INTO chain VALUES (0, ?, ?, 0, ?, 0, ?, 0) ON CONFLICT (id) DO NOTHING
"""

# FULL syncs the write-ahead log at every commit: an acknowledged block survives a power loss. It is
# said explicitly because the default depends on how SQLite was built. Checkpoints are another
# thread's work (`checkpoints`); a commit that finds 4000 pages (16 MB) in the log brings what is
# left of them into the file itself. A log that a long reader has let grow is cut to 64 MB. Debian
# builds SQLite with secure_delete on, which overwrites what is freed: nothing here is secret, so it
# is off.
_WRITER_PRAGMAS: Final = """
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -8192;
    PRAGMA secure_delete = OFF;
    PRAGMA trusted_schema = OFF;
"""
_CHECKPOINTER_PRAGMAS: Final = """
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -256;
    PRAGMA trusted_schema = OFF;
"""
_READER_PRAGMAS: Final = """
    PRAGMA query_only = ON;
    PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -1024;
    PRAGMA trusted_schema = OFF;
"""
_CACHED_STATEMENTS: Final = 64


class StoreUnusableError(GxError):
    """The ledger's file cannot be served; the text names the reason and what to do."""


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the ledger's file for its one writer, creating it (mode 0600) if there is none.

    Raises:
        StoreUnusableError: it cannot be opened, or another version of this program made it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connect(f"file:{_quoted(path)}?mode=rw")
        _prepare(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnusableError(f"cannot open the ledger's file {path}: {error}") from error
    return connection


def open_checkpointer(path: Path) -> sqlite3.Connection:
    """Open the ledger's file beside its writer, for checkpoints alone.

    Raises:
        StoreUnusableError: it cannot be opened.
    """
    return _open(path, "rw", _CHECKPOINTER_PRAGMAS)


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the ledger's file for reading beside its writer, or without one.

    Raises:
        StoreUnusableError: there is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise StoreUnusableError(f"there is no ledger at {path}")
    return _open(path, "ro", _READER_PRAGMAS)


def _open(path: Path, mode: str, pragmas: str) -> sqlite3.Connection:
    try:
        connection = _connect(f"file:{_quoted(path)}?mode={mode}")
        connection.executescript(pragmas)
    except sqlite3.Error as error:
        raise StoreUnusableError(f"cannot open the ledger's file {path}: {error}") from error
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    """Open without Python's implicit transactions; a connection may move between threads."""
    return sqlite3.connect(
        uri,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreUnusableError(
            f"{path} cannot use a write-ahead log (got {mode!r}): put it on a local disk"
        )
    connection.executescript(_WRITER_PRAGMAS)
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} {STATE_TABLE} COMMIT;")
    first = (STORE_FORMAT, secrets.token_bytes(KEY_BYTES), NO_HASH, ABSENT)
    connection.execute(_FIRST_ROW, first)
    (found,) = connection.execute("SELECT format FROM chain").fetchone()
    if found != STORE_FORMAT:
        raise StoreUnusableError(
            f"{path} has format {found}, this program writes {STORE_FORMAT}: "
            "use the version that made it"
        )
