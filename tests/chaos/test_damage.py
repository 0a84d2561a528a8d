"""Damage to a ledger's file: what a fault declares, and nothing else."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.chaos import damage

CONTENT = bytes(range(256)) * 16


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open as the ledger does: a log is written ahead."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        yield connection


def crashed(file: Path, blocks: int) -> None:
    """Leave a file and its log as a killed process does, with so many blocks."""
    with opened(file) as connection:
        connection.execute("CREATE TABLE blocks (number INTEGER PRIMARY KEY, content BLOB)")
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        for number in range(blocks):
            content = number.to_bytes(4, "big") + CONTENT + b"%d" % number * 40
            connection.execute("INSERT INTO blocks VALUES (?, ?)", (number, content))
        log = file.with_name(f"{file.name}-wal")
        kept = {path: path.read_bytes() for path in (file, log)}
    for path, data in kept.items():
        path.write_bytes(data)


@pytest.mark.parametrize("blocks", [1, 7, 40])
def test_a_torn_tail_costs_nothing_that_was_committed(tmp_path: Path, blocks: int) -> None:
    """Half a write stands behind the newest commit: every block before it can be read."""
    file = tmp_path / "ledger.sqlite"
    crashed(file, blocks)
    length = file.with_name(f"{file.name}-wal").stat().st_size

    end = damage.tear_log(file, "seed")

    assert end == length
    assert file.with_name(f"{file.name}-wal").stat().st_size > length
    with opened(file) as connection:
        assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (blocks,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_torn_tail_replaces_frames_of_an_older_log(tmp_path: Path) -> None:
    """After a checkpoint the log begins anew over the old one: its end is in the middle."""
    file = tmp_path / "ledger.sqlite"
    with opened(file) as connection:
        connection.execute("CREATE TABLE blocks (number INTEGER PRIMARY KEY, content BLOB)")
        for number in range(20):
            connection.execute("INSERT INTO blocks VALUES (?, ?)", (number, CONTENT))
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        connection.execute("INSERT INTO blocks VALUES (20, ?)", (CONTENT,))
        log = file.with_name(f"{file.name}-wal")
        kept = {path: path.read_bytes() for path in (file, log)}
    for path, data in kept.items():
        path.write_bytes(data)

    assert damage.tear_log(file, "seed") < len(kept[log])

    with opened(file) as connection:
        assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (21,)


def test_a_flipped_byte_is_one_bit_of_one_block(tmp_path: Path) -> None:
    """Everything else is as it was, so what finds it has found this."""
    file = tmp_path / "ledger.sqlite"
    crashed(file, 9)
    assert damage.newest_block(file) == 8
    before = file.read_bytes()

    damage.flip_byte(file, 5)

    after = file.read_bytes()
    changed = [place for place in range(len(before)) if before[place] != after[place]]
    assert len(changed) == 1
    assert (before[changed[0]] ^ after[changed[0]]).bit_count() == 1


def test_a_cut_block_keeps_its_first_half(tmp_path: Path) -> None:
    """The others keep all of theirs."""
    file = tmp_path / "ledger.sqlite"
    crashed(file, 3)

    damage.cut_block(file, 2)

    with opened(file) as connection:
        lengths = connection.execute("SELECT length(content) FROM blocks ORDER BY number")
        whole = len(CONTENT) + 4 + 40
        assert [length for (length,) in lengths] == [whole, whole, whole // 2]


def test_a_restored_folder_is_the_copy_again(tmp_path: Path) -> None:
    """What came later is gone, and nothing else; the folder itself stays, it may be a mount."""
    folder, copy = tmp_path / "ledger", tmp_path / "copy"
    folder.mkdir()
    (folder / "a").write_text("right")
    damage.copy_folder(folder, copy)
    inode = folder.stat().st_ino
    (folder / "a").write_text("wrong")
    (folder / "b").write_text("later")

    damage.restore_folder(copy, folder)

    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "right"}
    assert folder.stat().st_ino == inode
    assert not copy.exists()
