"""Logs of the stack: bounded, whole lines, followed through rotation."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.runtime.logfile import LINE_BYTES_MAX, RotatingLog, follow_logs, last_lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "log" / "api.log"


def write_lines(log: RotatingLog, *numbers: int) -> None:
    """Write numbered lines of ten bytes."""
    for number in numbers:
        log.write(f"line {number:04}\n".encode())


def test_a_log_never_takes_more_than_its_files(path: Path) -> None:
    """Old lines go, new ones stay, and each file keeps its size."""
    log = RotatingLog(path, size_max_bytes=100, files_max=3)
    write_lines(log, *range(100))
    log.close()

    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["api.log", "api.log.1", "api.log.2"]
    assert all(file.stat().st_size <= 100 for file in files)
    kept = b"".join(file.read_bytes() for file in [files[2], files[1], files[0]])
    assert kept.splitlines()[-1] == b"line 0099"
    assert len(kept.splitlines()) == 30


def test_a_log_goes_on_where_an_earlier_process_stopped(path: Path) -> None:
    """A restart of the stack does not empty it, and its size still counts."""
    for number in range(15):
        log = RotatingLog(path, size_max_bytes=100)
        write_lines(log, number)
        log.close()

    assert path.with_name("api.log.1").stat().st_size == 100
    assert last_lines(path, 100)[-1] == "line 0014"


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda one: one.replace(b"\n", b"")), max_size=40),
    cuts=st.lists(st.integers(1, 40), max_size=40),
)
def test_rotation_loses_no_byte_and_cuts_no_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int]
) -> None:
    """However the pipe cuts what a process writes, every file holds whole lines, in order."""
    path = tmp_path_factory.mktemp("log") / "api.log"
    text = b"".join(line + b"\n" for line in lines)
    log = RotatingLog(path, size_max_bytes=64, files_max=1_000)
    position = 0
    for cut in itertools.chain(cuts, itertools.repeat(7)):
        if position >= len(text):
            break
        log.write(text[position : position + cut])
        position += cut
    log.close()

    older = sorted(path.parent.glob("api.log.*"), key=lambda one: -int(one.suffix[1:]))
    contents = [file.read_bytes() for file in [*older, path]]
    assert b"".join(contents) == text
    assert all(content.endswith(b"\n") or not content for content in contents)


def test_a_line_longer_than_a_file_is_kept(path: Path) -> None:
    """A process that never ends its line does not grow a file without bound."""
    log = RotatingLog(path, size_max_bytes=1_000, files_max=200)
    for _ in range(10):
        log.write(b"x" * 150_000)
    log.close()

    sizes = [file.stat().st_size for file in path.parent.iterdir()]
    assert sum(sizes) == 1_500_000
    assert max(sizes) <= 1_000 + LINE_BYTES_MAX


@pytest.mark.parametrize("count", [0, 1, 3, 10_000, 20_001])
def test_the_last_lines_are_found_without_reading_all(path: Path, count: int) -> None:
    """Also across the blocks in which the file is read backwards."""
    log = RotatingLog(path)
    write_lines(log, *range(20_000))
    log.close()

    expected = [f"line {number:04}" for number in range(20_000)][max(20_000 - count, 0) :]
    assert last_lines(path, count) == expected
    assert last_lines(path.with_name("none.log"), 3) == []


def test_following_shows_old_and_new_lines_through_rotation(path: Path, tmp_path: Path) -> None:
    """`gx logs -f` misses and repeats nothing, and waits for logs that come later."""
    log = RotatingLog(path, size_max_bytes=100, files_max=50)
    write_lines(log, 1, 2, 3)
    turns = itertools.count()
    late = tmp_path / "log" / "late.log"

    def is_over() -> bool:
        turn = next(turns)
        if turn < 30:
            write_lines(log, *range(4 + turn * 3, 7 + turn * 3))
        if turn == 10:
            late.write_text("hello\nunfinished")
        return turn >= 40

    seen = list(follow_logs({"api": path, "late": late}, lines=2, is_over=is_over, poll_s=0))
    log.close()

    assert [line for name, line in seen if name == "api"] == [
        f"line {number:04}" for number in range(2, 94)
    ]
    assert [line for name, line in seen if name == "late"] == ["hello"]


def test_following_ends_only_after_the_last_line(path: Path) -> None:
    """What was written while the end was decided is shown."""
    log = RotatingLog(path)
    ended = threading.Event()

    def is_over() -> bool:
        if not ended.is_set():
            ended.set()
            write_lines(log, 1)
        return ended.is_set()

    lines: Iterator[tuple[str, str]] = follow_logs({"api": path}, lines=5, is_over=is_over)
    assert list(lines) == [("api", "line 0001")]
    log.close()
