"""The supervisor: order, readiness, restarts, stopping, and what it leaves behind (nothing)."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import psutil
import pytest

from gx.runtime.logfile import last_lines
from gx.runtime.ports import PortNeed, PortTakenError
from gx.runtime.process import ItemState, ProcessSpec, RestartPolicy, StackItem
from gx.runtime.readiness import CallReady, Unready
from gx.runtime.runner import StackStartError
from gx.runtime.stack import StackFolder, StackRunningError, is_alive
from tests.ports import free_port
from tests.runtime.stacks import (
    RememberingObserver,
    a_process,
    a_step,
    a_supervisor,
    running,
    when_exists,
)
from tests.runtime.started import StartedReady

SLEEP = "exec sleep 60"
SLOW_TO_STOP = "trap 'sleep 0.3; exit' TERM; while :; do sleep 0.05; done"
READY, BACKOFF, STOPPED = ItemState.READY, ItemState.BACKOFF, ItemState.STOPPED


def is_working(process: psutil.Process) -> bool:
    """Say whether a process still does anything."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def never() -> bool:
    """Answer a probe with no."""
    return False


async def test_items_start_in_order_and_stop_in_the_opposite_one(tmp_path: Path) -> None:
    """Nothing starts before what it comes after is ready, or ends after it has."""
    done: list[str] = []

    async def migrate() -> None:
        done.append("migrate")

    items: list[StackItem] = [
        a_process("api", SLOW_TO_STOP, after=["migrate", "ledger"]),
        a_step("migrate", migrate, "postgres"),
        a_process("ledger", SLEEP),
        a_process("postgres", SLEEP),
    ]
    async with running(items, tmp_path) as observer:
        events = [(change.name, change.state) for change in observer.changes]
        for first, then in (("postgres", "migrate"), ("migrate", "api"), ("ledger", "api")):
            good = ItemState.DONE if first == "migrate" else READY
            assert events.index((first, good)) < events.index((then, ItemState.STARTING))
        assert done == ["migrate"]
        await asyncio.sleep(0.2)  # until the shell has set its trap
        assert observer.states_of("migrate")[-1] is ItemState.DONE
    stopped = observer.order_of(STOPPED)
    assert stopped[0] == "api"
    assert set(stopped[1:]) == {"ledger", "postgres"}


async def test_a_process_is_ready_when_its_probe_says_so(tmp_path: Path) -> None:
    """Running is not ready: what comes after waits for the probe."""
    marker = tmp_path / "marker"
    first = a_process("first", f"sleep 0.3; touch {marker}; {SLEEP}", readiness=when_exists(marker))
    second = a_process("second", f"ls {marker} || exit 3; {SLEEP}", after=["first"])

    async with running([second, first], tmp_path) as observer:
        assert observer.states_of("first")[:2] == [ItemState.STARTING, READY]
        assert BACKOFF not in observer.states_of("second")


async def test_a_crashed_process_starts_again_and_it_is_said(tmp_path: Path) -> None:
    """The observer and the state file hear how it ended, when it restarts, how often it did."""
    async with running([a_process("worker", SLEEP)], tmp_path) as observer:
        first = await observer.wait_for_change("worker", READY)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        crash = await observer.wait_for_change("worker", BACKOFF)
        again = await observer.wait_for_change("worker", READY, times=2)
        state = StackFolder(tmp_path).read()

    assert "was killed by SIGKILL; starts again in" in crash.detail
    assert again.pid not in {None, first.pid}
    assert again.restarts == 1
    assert state is not None
    assert state.items[0].restarts == 1
    assert observer.states_of("worker")[-1] is STOPPED


async def test_a_process_that_falls_silent_is_told_and_left_alone(tmp_path: Path) -> None:
    """A hung process looks alive to the kernel: only its silence shows, and it may come back."""
    marker = tmp_path / "marker"
    script = f"touch {marker}; {SLEEP}"
    async with running(
        [a_process("worker", script, readiness=when_exists(marker))], tmp_path
    ) as observer:
        first = await observer.wait_for_change("worker", READY)
        marker.unlink()
        silent = await observer.wait_for_change("worker", ItemState.UNREADY)
        state = StackFolder(tmp_path).read()
        marker.touch()
        again = await observer.wait_for_change("worker", READY, times=2)

    assert silent.detail == "does not answer"
    assert state is not None
    assert state.items[0].state is ItemState.UNREADY
    assert (again.pid, again.detail, again.restarts) == (first.pid, "", 0)
    assert observer.states_of("worker").count(ItemState.UNREADY) == 1


async def test_a_process_that_says_it_cannot_work_is_believed_at_once(tmp_path: Path) -> None:
    """While the database is away, the table names the reason, not `ready`."""
    fault: list[Unready] = []

    class Telling:
        async def fault(self) -> Unready | None:
            return fault[0] if fault else None

    async with running([a_process("api", SLEEP, readiness=Telling())], tmp_path) as observer:
        fault.append(Unready("not ready: database: no connection"))
        told = await observer.wait_for_change("api", ItemState.UNREADY)
    assert told.detail == "not ready: database: no connection"


async def test_what_a_crashed_process_left_in_its_group_is_killed(tmp_path: Path) -> None:
    """A restarted process must not meet the children of the old one."""
    note = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {note}.part; mv {note}.part {note}; wait"
    async with running(
        [a_process("worker", script, readiness=when_exists(note))], tmp_path
    ) as observer:
        left = psutil.Process(int(await asyncio.to_thread(note.read_text)))
        first = await observer.wait_for_change("worker", READY)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        await observer.wait_for_change("worker", BACKOFF)
        async with asyncio.timeout(30):
            while is_working(left):  # noqa: ASYNC110 (the kernel sets no event)
                await asyncio.sleep(0.01)


async def test_a_required_process_that_cannot_start_stops_the_stack(tmp_path: Path) -> None:
    """The error has its last words; what did start is stopped."""
    items = [
        a_process("good", SLEEP),
        a_process("bad", "echo no such database; exit 3", readiness=CallReady(ask=never)),
    ]
    observer = RememberingObserver()

    with pytest.raises(StackStartError) as raised:
        await a_supervisor(items, tmp_path, observer).run()

    assert "`bad` ended with status 3, 3 times in a row" in str(raised.value)
    assert "no such database" in str(raised.value)
    assert observer.states_of("bad")[-1] is ItemState.FAILED
    assert observer.states_of("good")[-1] is STOPPED


async def test_a_failed_step_stops_the_stack(tmp_path: Path) -> None:
    """Migrations that fail must not be followed by an API."""

    async def migrate() -> None:
        raise ValueError("relation exists")

    items: list[StackItem] = [
        a_step("migrate", migrate),
        a_process("api", SLEEP, after=["migrate"]),
    ]
    observer = RememberingObserver()

    with pytest.raises(StackStartError, match="`migrate` failed: relation exists"):
        await a_supervisor(items, tmp_path, observer).run()
    assert [c.detail for c in observer.changes if c.state is ItemState.FAILED] == [
        "relation exists"
    ]
    assert observer.states_of("api") == [STOPPED]


async def test_a_stack_starts_without_an_optional_process(tmp_path: Path) -> None:
    """Monitoring that cannot start does not take the system with it, and is tried again."""
    optional = ProcessSpec(
        name="prometheus",
        command=("/nonexistent/prometheus",),
        readiness=CallReady(ask=never),
        is_optional=True,
    )
    async with running([a_process("api", SLEEP), optional], tmp_path) as observer:
        crash = await observer.wait_for_change("prometheus", BACKOFF, times=2)
        assert "ended with status 127" in crash.detail
        assert observer.states_of("api")[-1] is READY
    said = await asyncio.to_thread(last_lines, tmp_path / "log" / "prometheus.log", 1)
    assert said == ["cannot run /nonexistent/prometheus: No such file or directory"]


async def test_a_process_that_never_gets_ready_is_stopped_and_tried_again(tmp_path: Path) -> None:
    """A start that hangs ends in an error, not in waiting for ever."""
    hanging = ProcessSpec(
        name="hanging",
        command=("/bin/sleep", "60"),
        readiness=CallReady(ask=never),
        ready_timeout_s=0.1,
    )
    policy = RestartPolicy(delay_base_s=0.01, start_attempts_max=2)
    with pytest.raises(StackStartError, match=r"was not ready after 0.1 s, 2 times"):
        await a_supervisor([hanging], tmp_path, RememberingObserver(), policy).run()


async def test_a_process_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    """Grace has an end."""
    stubborn = ProcessSpec(
        name="stubborn",
        command=("/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"),
        readiness=StartedReady(),
        stop_grace_s=0.3,
    )
    async with running([stubborn], tmp_path) as observer:
        status = await observer.wait_for_change("stubborn", READY)
        await asyncio.sleep(0.2)  # until the shell has set its trap
    assert not is_alive(status)


async def test_a_second_stop_does_not_wait_for_grace(tmp_path: Path) -> None:
    """Somebody who presses Ctrl-C twice means it."""
    stubborn = ProcessSpec(
        name="stubborn",
        command=("/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"),
        readiness=StartedReady(),
        stop_grace_s=60,
    )
    observer = RememberingObserver()
    supervisor = a_supervisor([stubborn], tmp_path, observer)
    run = asyncio.create_task(supervisor.run())
    await observer.wait_for_change("stubborn", READY)
    await asyncio.sleep(0.2)

    supervisor.request_stop()
    await observer.wait_for_change("stubborn", ItemState.STOPPING)
    supervisor.request_stop()

    async with asyncio.timeout(30):
        await run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_the_stack(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, `kill`, and a closed terminal all end it cleanly."""
    observer = RememberingObserver()
    run = asyncio.create_task(a_supervisor([a_process("api", SLEEP)], tmp_path, observer).run())
    status = await observer.wait_for_change("api", READY)

    os.kill(os.getpid(), number)

    async with asyncio.timeout(30):
        await run
    assert not is_alive(status)


async def test_a_stop_while_starting_starts_nothing_more(tmp_path: Path) -> None:
    """Ctrl-C during a slow start is obeyed at once."""
    items = [
        a_process("slow", SLEEP, readiness=CallReady(ask=never)),
        a_process("next", SLEEP, after=["slow"]),
    ]
    observer = RememberingObserver()
    supervisor = a_supervisor(items, tmp_path, observer)
    run = asyncio.create_task(supervisor.run())
    await observer.wait_for_change("slow", ItemState.STARTING)

    supervisor.request_stop()

    async with asyncio.timeout(30):
        await run
    assert observer.states_of("next") == [STOPPED]
    assert observer.ready_after_s is None


async def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    """The text names the port, who needs it, who has it, and the setting that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        need = PortNeed(port=port, setting="GX_API_PORT")
        api = ProcessSpec(name="api", command=("x",), readiness=StartedReady(), ports=(need,))
        observer = RememberingObserver()
        with pytest.raises(PortTakenError) as raised:
            await a_supervisor([a_process("other", SLEEP), api], tmp_path, observer).run()

    for part in (f"Port {port}", "`api`", "GX_API_PORT", f"process {os.getpid()}"):
        assert part in str(raised.value)
    assert observer.changes == []


async def test_two_processes_cannot_want_the_same_port(tmp_path: Path) -> None:
    """A mistake in the settings is told as one, not as a crash of the second process."""
    port = free_port()
    items = [
        ProcessSpec(
            name=name,
            command=("x",),
            readiness=StartedReady(),
            ports=(PortNeed(port=port, setting=f"GX_{name.upper()}_PORT"),),
        )
        for name in ("api", "ledger")
    ]
    with pytest.raises(PortTakenError, match=r"`ledger` needs.*`api`.*GX_LEDGER_PORT"):
        await a_supervisor(items, tmp_path, RememberingObserver()).run()


async def test_a_second_stack_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Two supervisors would start two of everything on the same data."""
    async with running([a_process("api", SLEEP)], tmp_path):
        with pytest.raises(StackRunningError) as raised:
            await a_supervisor([a_process("api", SLEEP)], tmp_path, RememberingObserver()).run()
    for part in (str(tmp_path), str(os.getpid()), "gx status", "gx down", "GX_DATA_DIR"):
        assert part in str(raised.value)
    assert not StackFolder(tmp_path).is_running()


async def test_output_of_both_kinds_is_logged_across_restarts(tmp_path: Path) -> None:
    """What a process said before it crashed is what one wants to read."""
    script = f"echo out; echo err >&2; echo $$; {SLEEP}"
    async with running([a_process("worker", script)], tmp_path) as observer:
        first = await observer.wait_for_change("worker", READY)
        await asyncio.sleep(0.2)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        second = await observer.wait_for_change("worker", READY, times=2)
        await asyncio.sleep(0.2)
    lines = await asyncio.to_thread(last_lines, tmp_path / "log" / "worker.log", 10)
    assert lines == ["out", "err", str(first.pid), "out", "err", str(second.pid)]


async def test_each_process_has_a_session_of_its_own(tmp_path: Path) -> None:
    """A terminal's Ctrl-C reaches the supervisor alone, which stops the rest in order."""
    async with running([a_process("api", SLEEP)], tmp_path) as observer:
        status = await observer.wait_for_change("api", READY)
        assert status.pid is not None
        assert os.getsid(status.pid) == status.pid != os.getsid(0)


def test_backoff_grows_to_its_bound_and_is_jittered() -> None:
    """Processes that crash together must not come back together."""
    policy = RestartPolicy(delay_base_s=1, delay_max_s=8)
    for crashes, ceiling_s in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (10_000, 8)):
        delays = [policy.delay_s(crashes) for _ in range(200)]
        assert 0 <= min(delays) < ceiling_s / 4
        assert ceiling_s * 3 / 4 < max(delays) <= ceiling_s


async def test_a_stable_run_forgives_earlier_crashes(tmp_path: Path) -> None:
    """A crash a day is not a crash loop: the delay begins small again."""
    policy = RestartPolicy(delay_base_s=0.001, delay_max_s=60, stable_s=0.0)
    async with running([a_process("worker", "exit 1")], tmp_path, policy) as observer:
        twentieth = await observer.wait_for_change("worker", BACKOFF, times=20)
    assert twentieth.detail == "ended with status 1; starts again in 0.0 s"


@pytest.mark.parametrize(
    ("after_a", "after_b", "problem"),
    [(["b"], ["a"], "wait for each other"), (["c"], [], "not in the stack")],
)
async def test_a_stack_that_cannot_be_ordered_is_refused(
    tmp_path: Path, after_a: list[str], after_b: list[str], problem: str
) -> None:
    """A mistake in the wiring is found before anything starts."""
    items = [a_process("a", SLEEP, after=after_a), a_process("b", SLEEP, after=after_b)]
    with pytest.raises(ValueError, match=problem):
        a_supervisor(items, tmp_path, RememberingObserver())
