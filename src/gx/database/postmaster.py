"""What is left of an earlier server in a data folder: a lock file, perhaps a live process.

PostgreSQL itself takes over the lock of a server that is dead. It cannot when the dead
server's process id has meanwhile been given to another program of the same user, which is
likely in a container, where ids start at 1 again. Then, and only then, we remove the
lock; never while any process works in the data folder.
"""

import contextlib
import time
from pathlib import Path
from typing import Final

import psutil

from gx.domain.errors import GxError

LOCK_NAME: Final = "postmaster.pid"
DYING_WAIT_S: Final = 3  # a server whose starter was killed takes a moment to end
POLL_S: Final = 0.05


class ServerRunningError(GxError):
    """A server already works in this data folder; the text names its process id."""


def release_stale_lock(data: Path) -> None:
    """Make sure that a new server can start in `data`, waiting for one that is dying.

    Raises:
        ServerRunningError: A live server holds the folder, still after three seconds.
    """
    holder = _lock_holder(data)
    if holder is None:
        return
    deadline = time.monotonic() + DYING_WAIT_S
    while workers := processes_in(data):
        if time.monotonic() > deadline:
            raise ServerRunningError(
                f"A PostgreSQL server already works in {data} (process {min(workers)})."
                " Stop it with `gx down`, or by `kill -INT` of that process."
            )
        time.sleep(POLL_S)
    if psutil.pid_exists(holder):
        (data / LOCK_NAME).unlink(missing_ok=True)


def processes_in(data: Path) -> set[int]:
    """Return the PostgreSQL processes whose working folder is this data folder."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and Path(process.cwd()) == data.resolve():
                found.add(process.pid)
    return found


def _lock_holder(data: Path) -> int | None:
    try:
        first_line = (data / LOCK_NAME).read_text(encoding="utf-8").partition("\n")[0]
        return int(first_line)
    except (FileNotFoundError, ValueError):
        return None
