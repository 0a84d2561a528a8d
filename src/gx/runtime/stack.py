"""The stack's own files: one lock, one state file, one log per process.

    var/run/stack.lock   held with flock by the supervisor for as long as it lives
    var/run/stack.json   what runs, replaced as a whole at every change
    var/log/<name>.log   what each process says

So another terminal can see, read and stop a stack without asking its supervisor.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import psutil

from gx.database.places import UnreachableFolderError, require_writable
from gx.domain.errors import GxError
from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.settings import CommonSettings, load

API_URL: Final = "API"
"""The name of the API's address among a stack's addresses."""

POSTGRES: Final = "postgres"
"""The item, and the folder, of the stack's own database."""

LEDGER: Final = "ledger"
"""The item that is the embedded ledger, where the stack has one."""

LOCK_PATIENCE_S: Final = 1.0  # another terminal's look at the lock takes microseconds
POLL_S: Final = 0.05
STOP_TIMEOUT_S: Final = 120.0
CREATED_TOLERANCE_S: Final = 0.05  # the kernel counts in hundredths


class StackRunningError(GxError):
    """A stack already runs on this folder; the text says how to see and stop it."""


class StackStopError(GxError):
    """A stack did not stop in time; the text names the process to look at."""


class RestartError(GxError):
    """A process that was ended is not ready again; the text says where to look."""


class NoSuchProcessError(GxError):
    """No running process of the stack has this name; the text lists those that there are."""


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, as of the supervisor's last word. `urls` are for people; they hold no secret."""

    supervisor_pid: int
    supervisor_created_at_s: float
    started_at_ms: int
    urls: dict[str, str]
    items: list[ItemStatus]


class StopOutcome(StrEnum):
    """What `stop_stack` found and did."""

    NOT_RUNNING = "nothing was running"
    STOPPED = "the stack has stopped"
    LEFTOVERS_ENDED = "its supervisor was gone; what it left running has been ended"


class StackFolder:
    """The files of the stack whose data is in `root` (usually `var`)."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.state_path = self.root / "run" / "stack.json"
        self.lock_path = self.root / "run" / "stack.lock"
        self.log_folder = self.root / "log"

    def log_path(self, name: str) -> Path:
        """Return the file with the newest output of a process."""
        return self.log_folder / f"{name}.log"

    def log_paths(self) -> dict[str, Path]:
        """Return every process's log that there is, by the process's name."""
        return {path.stem: path for path in sorted(self.log_folder.glob("*.log"))}

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only supervisor of this folder.

        Raises:
            StackRunningError: Another one is.
            UnreachableFolderError: We cannot write in the folder.
        """
        require_writable(self.lock_path.parent)
        try:
            self.lock_path.parent.mkdir(parents=True, exist_ok=True)
            opened = self.lock_path.open("w")
        except OSError as error:  # a read-only or virtual file system, or a file in the way
            raise UnreachableFolderError(
                f"The stack's folder {self.root} cannot be made: {error.strerror}."
                " Name another in GX_DATA_DIR."
            ) from error
        with opened as file:
            deadline = time.monotonic() + LOCK_PATIENCE_S
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise StackRunningError(self._running_text())
                time.sleep(POLL_S)
            yield

    def _running_text(self) -> str:
        state = self.read()
        who = f" (process {state.supervisor_pid})" if state else ""
        return (
            f"A stack already runs on {self.root}{who}. See it with `gx status`, stop it with"
            " `gx down`, or name another folder with GX_DATA_DIR."
        )

    def is_running(self) -> bool:
        """Say whether a supervisor holds this folder now."""
        try:
            with self.lock_path.open() as file:
                return not _try_lock(file.fileno())
        except FileNotFoundError:
            return False

    def write(self, state: StackState) -> None:
        """Replace the state file by one rename; a reader sees the old or the new one."""
        partial = self.state_path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        partial.replace(self.state_path)

    def read(self) -> StackState | None:
        """Return the last state; None if no stack ever ran here or its file is unreadable."""
        try:
            return msgspec.json.decode(self.state_path.read_bytes(), type=StackState)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def end_leftovers(self) -> list[str]:
        """End what a supervisor that was killed left running; return the names.

        Call it while holding the lock, or when nobody does.
        """
        state = self.read()
        left = [item for item in state.items if is_alive(item)] if state else []
        for item in reversed(left):
            _end(item)
        return [item.name for item in left]


def stack_folder() -> StackFolder:
    """Return the files of the stack whose data is in `GX_DATA_DIR` (usually `var`)."""
    return StackFolder(load(CommonSettings).data_dir)


def build_state(
    *, started_at_ms: int, urls: Mapping[str, str], items: Sequence[ItemStatus]
) -> StackState:
    """Return the state of a stack whose supervisor is this process."""
    own = psutil.Process()
    return StackState(
        supervisor_pid=own.pid,
        supervisor_created_at_s=own.create_time(),
        started_at_ms=started_at_ms,
        urls=dict(urls),
        items=list(items),
    )


def stop_stack(folder: StackFolder, *, timeout_s: float = STOP_TIMEOUT_S) -> StopOutcome:
    """Stop the stack of this folder from any process, and wait until it has stopped.

    Raises:
        StackStopError: It has not within `timeout_s`.
    """
    if not folder.is_running():
        ended = folder.end_leftovers()
        return StopOutcome.LEFTOVERS_ENDED if ended else StopOutcome.NOT_RUNNING
    deadline = time.monotonic() + timeout_s
    asked: int | None = None
    while folder.is_running():
        asked = asked or _ask_to_stop(folder.read())
        if time.monotonic() > deadline:
            raise StackStopError(
                f"The stack on {folder.root} did not stop within {timeout_s:.0f} s."
                f" Its supervisor is process {asked or 'unknown'}; see `gx logs`."
            )
        time.sleep(POLL_S)
    return StopOutcome.STOPPED


def _ask_to_stop(state: StackState | None) -> int | None:
    """Send SIGTERM to the supervisor; None while it has not said yet which process it is."""
    if state is None or not _is_same_process(state.supervisor_pid, state.supervisor_created_at_s):
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.supervisor_pid, signal.SIGTERM)
    return state.supervisor_pid


def restart_process(
    folder: StackFolder, name: str, *, timeout_s: float = STOP_TIMEOUT_S
) -> ItemStatus:
    """End one process as its own stop signal does, and wait until its supervisor's next is ready.

    Raises:
        NoSuchProcessError: No such process runs.
        RestartError: The next one is not ready in time.
    """
    state = folder.read()
    alive = {item.name: item for item in state.items if is_alive(item)} if state else {}
    if name not in alive:
        there = ", ".join(alive) or "nothing of the stack runs; start it with `gx up`"
        raise NoSuchProcessError(f"no process {name} runs; there are: {there}")
    before = alive[name]
    if before.pid is not None:
        os.kill(before.pid, before.stop_signal)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        state = folder.read()
        for item in state.items if state else ():
            if item.name == name and item.pid != before.pid and item.state is ItemState.READY:
                return item
        time.sleep(POLL_S)
    raise RestartError(
        f"{name} was stopped and is not ready again after {timeout_s:.0f} s; see `gx logs {name}`"
    )


def is_alive(item: ItemStatus) -> bool:
    """Say whether the item's process still runs; one with a reused id is another process."""
    if item.pid is None or item.pid_created_at_s is None:
        return False
    return _is_same_process(item.pid, item.pid_created_at_s)


def _is_same_process(pid: int, created_at_s: float) -> bool:
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - created_at_s) <= CREATED_TOLERANCE_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(item: ItemStatus) -> None:
    """Ask a process to end, wait its grace period, then kill its whole group."""
    if item.pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(item.pid, item.stop_signal)
    deadline = time.monotonic() + item.stop_grace_s
    while is_alive(item) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    if is_alive(item):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(item.pid, signal.SIGKILL)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
