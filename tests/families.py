"""A program that a test starts, with everything that it starts in turn, and how all of it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

WITHIN_S: Final = 150.0
POLL_S: Final = 0.05


@dataclass(slots=True)
class Family:
    """A program, every process that was ever seen below it, and the folder of all they write."""

    head: subprocess.Popen[bytes]
    folder: Path
    seen: set[psutil.Process] = field(default_factory=set)

    def until_running(self, *marks: str) -> None:
        """Wait until there is a descendant for each of these parts of a command line."""
        deadline_s = time.monotonic() + WITHIN_S
        while not all(self._has(mark) for mark in marks):
            assert self.head.poll() is None, f"it ended by itself:\n{self.said()}"
            assert time.monotonic() < deadline_s, f"{marks} did not all start:\n{self.said()}"
            time.sleep(POLL_S)

    def find(self, mark: str) -> psutil.Process:
        """Return the descendant with this part of a command line."""
        return next(process for process in self.seen if mark in _command(process))

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the program alone, and return its status when it has ended."""
        self._look()
        self.head.send_signal(number)
        return self.head.wait(WITHIN_S)

    def left(self) -> list[str]:
        """Return what still runs of those that were seen, after they had their time to end."""
        deadline_s = time.monotonic() + WITHIN_S
        while (alive := list(filter(_is_running, self.seen))) and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        return [str(process) for process in alive]

    def said(self) -> str:
        """Return what the program said."""
        return (self.folder / "said").read_text(errors="replace")

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.seen.update(psutil.Process(self.head.pid).children(recursive=True))

    def _has(self, mark: str) -> bool:
        self._look()
        return any(mark in _command(process) for process in self.seen)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Family]:
    """Run Python with these arguments; its temporary folders lie in the family's own."""
    with tempfile.TemporaryDirectory(prefix="gxf", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # another user's database has to get through
        family = Family(_started(arguments, folder), folder)
        try:
            yield family
        finally:
            family.head.kill()
            family.head.wait()
            for process in filter(_is_running, family.seen):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def _started(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "TMPDIR": str(folder)},  # noqa: TID251 (a child's environment)
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
