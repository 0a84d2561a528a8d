"""The log goes into the file beside the writer, and does not grow while it is written."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from gx.ledger.local.checkpoints import Checkpointer, checkpoint
from gx.ledger.local.schema import FILE_NAME, open_checkpointer, open_reader, open_writer
from gx.ledger.local.statements import put_rows

VALUE = "v" * 4_000
COMMITS = 400
ROWS = 20
BURST = 50
WRITTEN_BYTES = COMMITS * ROWS * len(VALUE)


def write(connection: sqlite3.Connection, number: int) -> None:
    """Commit a few rows, each some thousand bytes."""
    rows = [(f"key-{number:06d}-{index:03d}", number, VALUE) for index in range(ROWS)]
    connection.execute("BEGIN IMMEDIATE")
    put_rows(connection, rows)
    connection.execute("COMMIT")


def log_bytes(path: Path) -> int:
    """Return how long the write-ahead log is."""
    return path.with_name(path.name + "-wal").stat().st_size


async def write_for_long(path: Path, checkpointer: Checkpointer | None) -> int:
    """Commit in bursts, without the writer's own checkpoints; return how long the log became."""
    connection = open_writer(path)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    if checkpointer is not None:
        checkpointer.start()
    for number in range(COMMITS):
        write(connection, number)
        if number % BURST == 0:
            await asyncio.sleep(0.15)
    longest = log_bytes(path)
    if checkpointer is not None:
        await checkpointer.close()
    connection.close()
    return longest


async def test_the_log_begins_anew_while_the_writer_goes_on(tmp_path: Path) -> None:
    """Else it holds all that was written."""
    with_one, without = tmp_path / "with", tmp_path / "without"
    with_one.mkdir()
    without.mkdir()

    kept = await write_for_long(without / FILE_NAME, None)
    path = with_one / FILE_NAME
    cut = await write_for_long(path, Checkpointer(path, interval_s=0.02))

    assert kept > WRITTEN_BYTES
    assert cut < WRITTEN_BYTES / 2


def test_all_of_the_log_is_in_the_file_when_nobody_writes(tmp_path: Path) -> None:
    """The file alone has every row then, whatever becomes of the log."""
    path = tmp_path / FILE_NAME
    writer = open_writer(path)
    write(writer, 1)
    beside = open_checkpointer(path)

    assert checkpoint(beside)

    alone = tmp_path / "copy.sqlite"
    alone.write_bytes(path.read_bytes())
    (count,) = open_reader(alone).execute("SELECT count(*) FROM state").fetchone()
    assert count == ROWS
    beside.close()
    writer.close()


def test_an_open_snapshot_keeps_what_it_sees(tmp_path: Path) -> None:
    """A reader in the middle of the log is not overtaken: the rest waits, and nobody is stopped."""
    path = tmp_path / FILE_NAME
    writer = open_writer(path)
    write(writer, 1)
    reader = open_reader(path)
    reader.execute("BEGIN")
    seen = reader.execute("SELECT count(*) FROM state").fetchone()
    write(writer, 2)
    beside = open_checkpointer(path)

    assert not checkpoint(beside)
    assert reader.execute("SELECT count(*) FROM state").fetchone() == seen

    reader.execute("ROLLBACK")
    assert checkpoint(beside)
    for connection in (beside, reader, writer):
        connection.close()


class BrokenConnection(sqlite3.Connection):
    """A connection whose disk is full."""

    @override
    def execute(self, *_arguments: object, **_named: object) -> sqlite3.Cursor:
        """Fail."""
        raise sqlite3.OperationalError("database or disk is full")


async def test_a_full_disk_is_logged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again every time, and the writer has its own word for the same disk."""
    path = tmp_path / FILE_NAME
    open_writer(path).close()
    broken = sqlite3.connect(path, check_same_thread=False, factory=BrokenConnection)
    monkeypatch.setattr("gx.ledger.local.checkpoints.open_checkpointer", lambda _path: broken)
    checkpointer = Checkpointer(path, interval_s=0.01)

    with capture_logs() as lines:
        checkpointer.start()
        await asyncio.sleep(0.2)
        await checkpointer.close()

    assert [line["event"] for line in lines] == ["ledger_checkpoint_failed"]


async def test_without_a_connection_the_thread_ends_with_a_word(tmp_path: Path) -> None:
    """The writer does without it."""
    checkpointer = Checkpointer(tmp_path / "no such folder" / FILE_NAME)

    with capture_logs() as lines:
        checkpointer.start()
        await checkpointer.close()

    assert [line["event"] for line in lines] == ["ledger_checkpointer_ended"]
