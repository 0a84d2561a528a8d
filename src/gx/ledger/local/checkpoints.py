"""The checkpointer's thread: brings the write-ahead log into the ledger's file, beside the writer.

SQLite by itself does so within the commit that fills the log. That commit, and those behind it,
then wait for hundreds of scattered pages and a sync, the longer the larger the file is. A
checkpoint of another connection (`PASSIVE`) keeps nobody waiting. Once it has caught up with the
writer, the next commit begins the log anew. Under a load that never lets it, a commit that finds
the log full (`schema`) copies what is left, which is little.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Final

import structlog

from gx.ledger.local.schema import StoreUnusableError, open_checkpointer

_log: Final = structlog.get_logger(__name__)

INTERVAL_S: Final = 0.05
"""Short, because a checkpoint ends with a sync of all it wrote, and others' syncs wait for it."""
TRIES: Final = 4
"""What was written during a checkpoint is little: the next one at once mostly catches up."""


class Checkpointer:
    """Copies what has come every `interval_s`. Failures are logged, once until one succeeds."""

    def __init__(self, path: Path, *, interval_s: float = INTERVAL_S) -> None:
        self._path: Final = path
        self._interval_s: Final = interval_s
        self._end: Final = Event()
        self._thread: Final = Thread(target=self._run, name="ledger-checkpoints", daemon=True)
        self._is_failing = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def close(self) -> None:
        """End the thread, and its connection."""
        self._end.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            opened = open_checkpointer(self._path)
        except StoreUnusableError as error:  # commits go on, and copy the log themselves
            _log.warning("ledger_checkpointer_ended", error=str(error))
            return
        with closing(opened) as connection:
            while not self._end.wait(self._interval_s):
                self._try(connection)

    def _try(self, connection: sqlite3.Connection) -> None:
        try:
            checkpoint(connection)
        except sqlite3.Error as error:
            if not self._is_failing:
                _log.warning("ledger_checkpoint_failed", error=str(error))
            self._is_failing = True
        else:
            self._is_failing = False


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Copy the log into the file; tell whether all of it is there.

    Raises:
        sqlite3.Error: the file cannot be written (disk full, I/O error); the log has it still.
    """
    for _ in range(TRIES):
        row: tuple[int, int, int] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        is_busy, frames, copied = row
        if is_busy or copied == frames:
            return not is_busy
    return False
