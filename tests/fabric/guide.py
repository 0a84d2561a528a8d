"""A native network for the guides: their commands are typed beside its folder `var`."""

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from gx.fabric.release import Binaries
from tests.end_to_end.tour import Step
from tests.fabric.native import POLL_S, START_S, NativeNetwork

TYPED_S: Final = 300
UP: Final = "gx fabric up"
DOWN: Final = "gx fabric down"
LAST_LINE: Final = "Fabric connection profile"
_SAVED: Final = re.compile(r"Save as `([\w.-]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
_CHANGING: Final = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b[0-9a-f]{12,16}\b"), "HASH"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"Starting Fabric .*(?= in )"), "Starting Fabric"),
    (re.compile(r"/\S*(?=/var/fabric)"), ""),
    (re.compile(r"after [\d.]+ s"), "after N s"),
    (re.compile(r"\d+(?= (blocks|transactions|keys))"), "N"),
    (re.compile(r"(?<=^block )  +\d+"), "N"),
    (re.compile(r'(?<="bootstrappedAt":)\d+'), "N"),
    # Another version of OpenSSL has other spaces here.
    (re.compile(r"(?<=\w) ?= ?(?=\w)"), "="),
)


class GuideNetwork:
    """A folder in which somebody follows a guide. The network runs while they do."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.folder: Final = folder
        self.network: Final = NativeNetwork(folder / "var", binaries)
        self._runs = False

    def save_files_of(self, document: Path) -> None:
        """Write the scripts that a guide asks its reader to save."""
        for name, content in _SAVED.findall(document.read_text(encoding="utf-8")):
            (self.folder / name).write_text(content, encoding="utf-8")

    def type(self, command: str) -> str:
        """Type a line; return what it printed, of a start until the network was ready."""
        if command == UP:
            return self.start()
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**self.network.environment, "COLUMNS": "200", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TYPED_S,
        )
        if self._runs and command.startswith(DOWN):
            self.network.wait()
            self._runs = False
        return done.stdout

    def start(self) -> str:
        """Start the network, unless it runs; return what this start printed."""
        log = self.folder / "var" / "up.log"
        before = log.stat().st_size if log.exists() else 0
        if self._runs:
            return ""
        self.network.start()
        self._runs = True
        give_up_s = time.monotonic() + START_S
        while LAST_LINE not in (said := log.read_bytes()[before:].decode()):
            assert time.monotonic() < give_up_s, said
            time.sleep(POLL_S)
        return said

    def end(self) -> None:
        """End what runs."""
        if self._runs:
            with suppress(psutil.NoSuchProcess):
                self.network.kill()


@contextmanager
def guide_network(folder: Path, binaries: Binaries) -> Iterator[GuideNetwork]:
    """Have a folder and its network until the tests are done with it."""
    guide = GuideNetwork(folder, binaries)
    try:
        yield guide
    finally:
        guide.end()


def comparable(text: str | Sequence[str]) -> list[str]:
    """Replace what differs from run to run; processes become ready in no order."""
    lines = text.splitlines() if isinstance(text, str) else text
    return sorted(_stable(line) for line in lines if line.strip())


def _stable(line: str) -> str:
    for pattern, word in _CHANGING:
        line = pattern.sub(word, line)
    return line.rstrip()


def assert_prints(guide: GuideNetwork, step: Step) -> str:
    """Type a guide's line, which must print what the guide says; return what it printed."""
    printed = guide.type(step.command)
    assert comparable(printed) == comparable(step.output), f"{step.command} printed {printed}"
    return printed
