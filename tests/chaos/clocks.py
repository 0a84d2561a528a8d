"""Wrong clocks: of our processes by a file that they read, of PostgreSQL by libfaketime."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from gx.runtime.debian import AptFetcher, FetchError, unpack

PACKAGE: Final = "libfaketime"
LIBRARY: Final = "libfaketime.so.1"
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 (where the library leaves its files)
LEFTOVERS: Final = ("faketime_shm_", "sem.faketime_sem_")
CACHE: Final = Path(".cache/faketime")


class Clocks:
    """One file for each process, which says by how many seconds its clock is wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        folder.chmod(0o755)

    def file(self, name: str) -> Path:
        """Return the file that a process reads, right at first."""
        path = self._folder / name
        path.write_text("+0")
        return path

    def move(self, name: str, by_s: float) -> None:
        """Move the clock of a process, and of its standby, from where it is."""
        for path in self._folder.iterdir():
            if path.name in {name, f"{name}-b"}:
                partial = path.with_name(f".{path.name}")
                partial.write_text(f"{float(path.read_text()) + by_s:+.0f}")
                partial.chmod(0o644)
                partial.replace(path)

    def is_movable(self, name: str) -> bool:
        """Tell whether this process's clock can be set."""
        return (self._folder / name).exists()


def faketime_prefix(library: Path, clock_file: Path) -> Sequence[str]:
    """Return what stands before a command that shall live by this file's time.

    Waiting goes by the monotonic clock, which stays right.
    """
    return (
        "/usr/bin/env",
        f"LD_PRELOAD={library}",
        f"FAKETIME_TIMESTAMP_FILE={clock_file}",
        "FAKETIME_NO_CACHE=1",  # every backend sees a jump at the same moment
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "NO_FAKE_STAT=1",
    )


def find_faketime(into: Path) -> Path | None:
    """Return a copy of the library that every user can read; None where it cannot be had.

    It is unpacked from Debian's package, once, and never installed.
    """
    cache = CACHE.absolute()
    if not (found := list(cache.rglob(LIBRARY))):
        downloads = cache / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        try:
            AptFetcher(cache / "apt").fetch([PACKAGE], downloads)
            unpack(downloads, cache / "tree")
        except (FetchError, OSError):
            return None
        found = list(cache.rglob(LIBRARY))
    copy = into / LIBRARY
    copy.write_bytes(found[0].read_bytes())
    copy.chmod(0o755)
    return copy


@contextmanager
def swept_shared_memory() -> Iterator[None]:
    """Remove what the library of processes that were killed leaves behind."""
    before = set(_shared_files())
    try:
        yield
    finally:
        for path, pid in _shared_files().items():
            if path not in before and not psutil.pid_exists(pid):
                path.unlink(missing_ok=True)


def _shared_files() -> Mapping[Path, int]:
    found = {}
    for name in os.listdir(SHARED_MEMORY):  # noqa: PTH208 (names alone; files come and go)
        for prefix in LEFTOVERS:
            if name.startswith(prefix):
                found[SHARED_MEMORY / name] = int(name.removeprefix(prefix))
    return found
