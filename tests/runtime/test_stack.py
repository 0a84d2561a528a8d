"""A stack seen from another terminal, and after its supervisor was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.stack import (
    StackFolder,
    StackState,
    StackStopError,
    StopOutcome,
    build_state,
    is_alive,
    stop_stack,
)
from tests.ports import free_port

StartStack = Callable[[], subprocess.Popen[str]]
PATIENCE_S = 60.0


@pytest.fixture
def folder(reachable_folder: Path) -> StackFolder:
    """The files of a stack that another user's database can reach."""
    return StackFolder(reachable_folder)


@pytest.fixture
def start_stack(folder: StackFolder) -> Iterator[StartStack]:
    """Start a real stack in another process and wait until it is ready; kill it afterwards."""
    started: list[subprocess.Popen[str]] = []
    ports = [str(free_port()), str(free_port())]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.stack_process", str(folder.root), *ports],
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready after")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    folder.end_leftovers()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def state_of(folder: StackFolder) -> StackState:
    """Return the state that must be there."""
    state = folder.read()
    assert state is not None
    return state


def alive(folder: StackFolder) -> list[str]:
    """Return the names of the processes of the last known state that still run."""
    state = folder.read()
    return [item.name for item in state.items if is_alive(item)] if state else []


def test_another_terminal_sees_what_runs(folder: StackFolder, start_stack: StartStack) -> None:
    """Process ids, ports, states and addresses are in the state file, whole at any moment."""
    assert not folder.is_running()
    supervisor = start_stack()

    state = state_of(folder)
    assert folder.is_running()
    assert state.supervisor_pid == supervisor.pid
    assert [item.state for item in state.items] == [ItemState.READY] * 3
    assert alive(folder) == ["postgres", "valkey", "stubborn"]
    assert state.urls["postgres"] == f"127.0.0.1:{state.items[0].ports[0]}"
    assert set(folder.log_paths()) == {"postgres", "valkey", "stubborn"}


def test_another_terminal_stops_it(folder: StackFolder, start_stack: StartStack) -> None:
    """`gx down` waits until everything has ended, and says what it did."""
    supervisor = start_stack()

    assert stop_stack(folder) is StopOutcome.STOPPED
    assert supervisor.wait(timeout=30) == 0
    assert alive(folder) == []
    assert {item.state for item in state_of(folder).items} == {ItemState.STOPPED}
    assert stop_stack(folder) is StopOutcome.NOT_RUNNING


def test_nothing_survives_a_supervisor_that_is_killed(
    folder: StackFolder, start_stack: StartStack
) -> None:
    """SIGKILL runs no handler; the kernel ends the children, whoever they run as."""
    supervisor = start_stack()
    pids = {item.name: item.pid for item in state_of(folder).items}
    children = [psutil.Process(pid) for pid in pids.values() if pid is not None]
    if os.geteuid() == 0:
        assert children[0].uids().real != 0

    supervisor.kill()

    wait_until(lambda: not alive(folder))
    assert len(children) == 3


def test_a_stack_starts_again_after_its_supervisor_was_killed(
    folder: StackFolder, start_stack: StartStack
) -> None:
    """No lock, no port and no lock file of PostgreSQL stands in the way of the next start."""
    first = start_stack()
    first.kill()

    second = start_stack()

    assert state_of(folder).supervisor_pid == second.pid
    assert alive(folder) == ["postgres", "valkey", "stubborn"]


def test_ctrl_c_reaches_the_supervisor_alone(folder: StackFolder, start_stack: StartStack) -> None:
    """PostgreSQL is asked after what needs it has ended; its log shows a clean shutdown."""
    supervisor = start_stack()
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(timeout=30) == 0
    assert "database system is shut down" in folder.log_path("postgres").read_text()


def a_status(process: subprocess.Popen[bytes], *, age_s: float = 0.0) -> ItemStatus:
    """Build the status of an item with this process, or of one that had its id earlier."""
    return ItemStatus(
        name="left",
        state=ItemState.READY,
        since_ms=0,
        pid=process.pid,
        pid_created_at_s=psutil.Process(process.pid).create_time() - age_s,
        stop_grace_s=0.3,
    )


@pytest.fixture
def survivor() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ignores SIGTERM and outlives what started it."""
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    command = ["/bin/sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def write_state(folder: StackFolder, item: ItemStatus) -> None:
    """Leave the state file of a supervisor that no longer holds the lock."""
    folder.state_path.parent.mkdir(parents=True)
    folder.write(build_state(started_at_ms=0, urls={}, items=[item]))


def test_what_escaped_the_kernel_is_ended_by_the_next_command(
    folder: StackFolder, survivor: subprocess.Popen[bytes]
) -> None:
    """`gx down` without a supervisor still leaves nothing running."""
    write_state(folder, a_status(survivor))

    assert stop_stack(folder) is StopOutcome.LEFTOVERS_ENDED
    assert survivor.wait(timeout=30) == -signal.SIGKILL


def test_a_process_that_got_an_old_id_is_left_alone(
    folder: StackFolder, survivor: subprocess.Popen[bytes]
) -> None:
    """Ids are reused; killing by id alone would kill strangers."""
    write_state(folder, a_status(survivor, age_s=3600))

    assert stop_stack(folder) is StopOutcome.NOT_RUNNING
    assert survivor.poll() is None


def test_a_stack_that_does_not_stop_is_told(folder: StackFolder) -> None:
    """`gx down` does not wait for ever, nor claims what did not happen."""
    with folder.lock(), pytest.raises(StackStopError, match="did not stop within 0 s"):
        stop_stack(folder, timeout_s=0.1)


@pytest.mark.parametrize("text", [b"", b"{", b'{"supervisor_pid": "x"}', b'{"items": "\xff"}'])
def test_an_unreadable_state_is_none(folder: StackFolder, text: bytes) -> None:
    """A full disk must not make every later command fail."""
    folder.state_path.parent.mkdir(parents=True)
    folder.state_path.write_bytes(text)

    assert folder.read() is None
    assert stop_stack(folder) is StopOutcome.NOT_RUNNING
