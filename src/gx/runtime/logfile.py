"""Log files of the stack's processes: bounded on disk, readable while they are written."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

SIZE_MAX_BYTES: Final = 10 * 1024 * 1024
FILES_MAX: Final = 5
FOLLOW_POLL_S: Final = 0.2
LINE_BYTES_MAX: Final = 65_536  # a line may go over the size by this much rather than be cut
TAIL_BLOCK_BYTES: Final = 65_536


class RotatingLog:
    """One process's log: `name.log`, older ones `name.log.1` to `.4`, 10 MB each.

    Rotation happens between two lines unless a line is very long.
    """

    def __init__(
        self, path: Path, *, size_max_bytes: int = SIZE_MAX_BYTES, files_max: int = FILES_MAX
    ) -> None:
        self._path = path
        self._size_max_bytes = size_max_bytes
        self._files_max = files_max
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._size_bytes = path.stat().st_size
        self._is_in_line = False

    def write(self, data: bytes) -> None:
        """Append; what does not fit into this file goes to the next one."""
        while data:
            cut = self._fitting_bytes(data)
            self._append(data[:cut])
            data = data[cut:]
            if data:
                self._rotate()

    def _fitting_bytes(self, data: bytes) -> int:
        """Return how much goes into this file: whole lines, and the end of one begun in it."""
        room = self._size_max_bytes - self._size_bytes
        if len(data) <= room:
            return len(data)
        whole_lines = data.rfind(b"\n", 0, max(room, 0)) + 1
        if whole_lines or (self._size_bytes > 0 and not self._is_in_line):
            return whole_lines
        line_room = max(room + LINE_BYTES_MAX, 0)
        return data.find(b"\n", 0, line_room) + 1 or min(len(data), line_room)

    def close(self) -> None:
        """Close the file; what was written is in it already."""
        self._file.close()

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._size_bytes += len(data)
        self._is_in_line = bool(data) and not data.endswith(b"\n")

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._files_max - 1, 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1)
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("wb", buffering=0)
        self._size_bytes = 0

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log, oldest first; none if there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(_tail_offset(file, count))
            return file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _tail_offset(file: BinaryIO, count: int) -> int:
    """Return where the last `count` lines begin; an unfinished one counts as a line."""
    position = end = file.seek(0, 2)
    if count == 0:
        return end
    tail = b""
    while position > 0 and tail.rstrip(b"\n").count(b"\n") < count:
        step = min(TAIL_BLOCK_BYTES, position)
        position = file.seek(position - step)
        tail = file.read(step) + tail
    lines = tail.splitlines(keepends=True)
    return end - sum(len(line) for line in lines[-count:])


def follow_logs(
    paths: Mapping[str, Path],
    *,
    lines: int,
    is_over: Callable[[], bool] = lambda: False,
    poll_s: float = FOLLOW_POLL_S,
) -> Iterator[tuple[str, str]]:
    """Yield (process name, line): the last `lines` of each, then every new one.

    Goes on over rotation and waits for logs that do not exist yet. Ends once `is_over`
    has said so and everything written before has been yielded.
    """
    with ExitStack() as files:
        followers = {name: _Follower(path, lines) for name, path in paths.items()}
        for follower in followers.values():
            files.callback(follower.close)
        while True:
            over = is_over()
            for name, follower in followers.items():
                for line in follower.new_lines():
                    yield name, line
            if over:
                return
            time.sleep(poll_s)


class _Follower:
    """Reads a log from its last lines on, through rotation."""

    def __init__(self, path: Path, lines: int) -> None:
        self._path = path
        self._rest = b""
        self._file = _open_if_there(path)
        if self._file is not None:
            self._file.seek(_tail_offset(self._file, lines))

    def new_lines(self) -> Iterator[str]:
        """Yield the whole lines that were added since the last call."""
        yield from self._read()
        if self._was_rotated():
            yield from self._read()  # what came between the read and the rotation
            self.close()
            self._file = _open_if_there(self._path)
            yield from self._read()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")

    def _was_rotated(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or now.st_ino != os.fstat(self._file.fileno()).st_ino


def _open_if_there(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
