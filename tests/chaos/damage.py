"""How the embedded ledger's file is damaged while nobody has it open."""

import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Final

WAL_HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
HEADER_SALTS: Final = slice(16, 24)
SLICE_BYTES: Final = 24


def tear_log(file: Path, seed: str) -> int:
    """Leave half of a write behind the write-ahead log's end; return where it begins.

    The frame is of this log (its salts are right), but its checksum is not, and half of its page
    is missing: a write that was under way when the power failed. Nothing before it changes.
    """
    log = file.with_name(f"{file.name}-wal")
    chance = random.Random(seed)  # noqa: S311 (damage, not secrets)
    content = log.read_bytes() if log.exists() else b""
    if len(content) < WAL_HEADER_BYTES:
        return 0
    page_bytes = int.from_bytes(content[8:12], "big")
    salts = content[HEADER_SALTS]
    end = _end_of_log(content, salts, page_bytes + FRAME_HEADER_BYTES)
    head = (3).to_bytes(4, "big") + (0).to_bytes(4, "big") + salts + chance.randbytes(8)
    with log.open("r+b") as opened:
        opened.seek(end)
        opened.write(head + chance.randbytes(page_bytes // 2))
        opened.truncate()
    return end


def _end_of_log(content: bytes, salts: bytes, frame_bytes: int) -> int:
    """Find the first frame that is not of this log: older ones may lie behind the newest."""
    end = WAL_HEADER_BYTES
    while len(content) >= end + frame_bytes and content[end + 8 : end + 16] == salts:
        end += frame_bytes
    return end


def newest_block(file: Path) -> int:
    """Bring everything from the log into the file, and return its newest block's number."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (number,) = connection.execute("SELECT max(number) FROM blocks").fetchone()
    finally:
        connection.close()
    return int(number)


def flip_byte(file: Path, number: int) -> None:
    """Flip one bit in the middle of a block's content, where it lies on the disk."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        (content,) = connection.execute(
            "SELECT content FROM blocks WHERE number = ?", (number,)
        ).fetchone()
    finally:
        connection.close()
    data = file.read_bytes()
    for begin in range(len(content) // 2, len(content) - SLICE_BYTES, SLICE_BYTES):
        place = data.find(content[begin : begin + SLICE_BYTES])
        # Not cut in two by the end of a page, and of no other block or row.
        if place >= 0 and data.find(content[begin : begin + SLICE_BYTES], place + 1) < 0:
            with file.open("r+b") as opened:
                opened.seek(place)
                opened.write(bytes([data[place] ^ 1]))
            return
    raise AssertionError(f"the content of block {number} is not in {file} as it is")


def cut_block(file: Path, number: int) -> None:
    """Leave only the first half of a block's content."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute(
            "UPDATE blocks SET content = substr(content, 1, length(content) / 2) WHERE number = ?",
            (number,),
        )
    finally:
        connection.close()


def copy_folder(source: Path, target: Path) -> None:
    """Copy a ledger's folder with everything in it; nobody has it open."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def restore_folder(copy: Path, folder: Path) -> None:
    """Put the copy's files into the place of the folder's, which may be a mount."""
    for each in folder.iterdir():
        each.unlink()
    for each in copy.iterdir():
        shutil.copy2(each, folder / each.name)
        with (folder / each.name).open("rb") as written:
            os.fsync(written.fileno())
    shutil.rmtree(copy)
