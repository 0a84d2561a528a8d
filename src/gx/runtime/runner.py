"""The life of one item of a stack: waiting, starting, ready, crashed and back, stopped."""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec
import psutil
from typing_extensions import override

from gx.domain.clock import Clock
from gx.domain.errors import GxError
from gx.runtime.child import Child
from gx.runtime.logfile import RotatingLog, last_lines
from gx.runtime.process import (
    ItemState,
    ItemStatus,
    ProcessSpec,
    RestartPolicy,
    StepSpec,
    WatchPolicy,
)
from gx.runtime.stack import StackFolder

READY_POLL_S: Final = 0.05
LOG_TAIL_LINES: Final = 12


class StackStartError(GxError):
    """A stack could not start; the text names the item, how it ended and what it said last.

    `reason` is the first line of that without the item's name.
    """

    def __init__(self, name: str, reason: str, said: str = "") -> None:
        super().__init__(f"`{name}` {reason}{said}")
        self.reason = reason.partition("\n")[0]


class Runner(ABC):
    """Runs one item and says how far it is.

    `ready` is set when those that come after it may start; `opened` when the start of the
    stack need not wait for it any more: it is ready, or optional and failed once; `ended`
    when nothing of it runs any more.
    """

    def __init__(
        self, status: ItemStatus, *, clock: Clock, publish: Callable[[ItemStatus], None]
    ) -> None:
        self.status = status
        self.opened = asyncio.Event()
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self._clock = clock
        self._publish = publish

    async def run(self, after: Iterable["Runner"]) -> None:
        """Live until `stop`, or, for a step, until it is done.

        Raises:
            StackStartError: It is required and cannot be started.
        """
        try:
            for other in after:
                await first_of(other.ready, self._stopping)
            if not self._stopping.is_set():
                await self._live()
            if self.status.state is not ItemState.DONE:
                self._change(ItemState.STOPPED, pid=None, pid_created_at_s=None)
        except StackStartError as error:
            detail = error.reason.removeprefix("failed: ")
            self._change(ItemState.FAILED, pid=None, pid_created_at_s=None, detail=detail)
            raise
        finally:
            self.ended.set()

    async def stop(self, dependents: Iterable["Runner"]) -> None:
        """Wait until those that need it have ended, then end it."""
        for other in dependents:
            await other.ended.wait()
        self._stopping.set()
        await self.ended.wait()

    @abstractmethod
    async def _live(self) -> None: ...

    @abstractmethod
    def kill(self) -> None:
        """End it at once, without grace."""

    def _change(self, state: ItemState, **changes: object) -> None:
        since_ms: dict[str, object] = {"since_ms": self._clock.now_ms()}
        self.status = msgspec.structs.replace(self.status, state=state, **(since_ms | changes))
        self._publish(self.status)

    def _become_ready(self, state: ItemState, **changes: object) -> None:
        self._change(state, detail="", **changes)
        self.ready.set()
        self.opened.set()


class StepRunner(Runner):
    """Does a step once."""

    def __init__(
        self, spec: StepSpec, *, clock: Clock, publish: Callable[[ItemStatus], None]
    ) -> None:
        status = ItemStatus(name=spec.name, state=ItemState.WAITING, since_ms=clock.now_ms())
        super().__init__(status, clock=clock, publish=publish)
        self._spec = spec
        self._action: asyncio.Task[None] | None = None

    @override
    async def _live(self) -> None:
        self._change(ItemState.STARTING)
        self._action = asyncio.create_task(self._do())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({self._action, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._action.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._action
            self._become_ready(ItemState.DONE)

    async def _do(self) -> None:
        try:
            await self._spec.action()
        except Exception as error:
            said = str(error) or type(error).__name__
            raise StackStartError(self._spec.name, f"failed: {said}") from error

    @override
    def kill(self) -> None:
        """Cancel the step."""
        if self._action is not None:
            self._action.cancel()


class ProcessRunner(Runner):
    """Keeps a process running: starts it, waits until it is ready, starts it again."""

    def __init__(
        self,
        spec: ProcessSpec,
        *,
        folder: StackFolder,
        policy: RestartPolicy,
        watch: WatchPolicy,
        clock: Clock,
        publish: Callable[[ItemStatus], None],
    ) -> None:
        log_path = folder.log_path(spec.name)
        status = ItemStatus(
            name=spec.name,
            state=ItemState.WAITING,
            since_ms=clock.now_ms(),
            ports=tuple(need.port for need in spec.ports),
            log=str(log_path),
            stop_signal=int(spec.stop_signal),
            stop_grace_s=spec.stop_grace_s,
            is_optional=spec.is_optional,
        )
        super().__init__(status, clock=clock, publish=publish)
        self._spec = spec
        self._policy = policy
        self._watch_policy = watch
        self._log_path = log_path
        self._child: Child | None = None

    @override
    def kill(self) -> None:
        """Kill the process and its group."""
        if self._child is not None:
            self._child.kill()

    @override
    async def _live(self) -> None:
        log = RotatingLog(self._log_path)
        try:
            await self._keep_running(log)
        finally:
            log.close()

    async def _keep_running(self, log: RotatingLog) -> None:
        crashes = 0
        while True:
            began_s = time.monotonic()
            end = await self._run_once(log)
            if self._stopping.is_set():
                return
            crashes = 1 if time.monotonic() - began_s >= self._policy.stable_s else crashes + 1
            self._require_hope(crashes, end)
            delay_s = self._policy.delay_s(crashes)
            self._change(
                ItemState.BACKOFF,
                pid=None,
                pid_created_at_s=None,
                restarts=self.status.restarts + 1,
                detail=f"{end}; starts again in {delay_s:.1f} s",
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)
                return

    def _require_hope(self, crashes: int, end: str) -> None:
        """Give up on a required process that was never ready; go on without an optional one."""
        if self._spec.is_optional:
            self.opened.set()
        elif not self.ready.is_set() and crashes >= self._policy.start_attempts_max:
            said = "\n".join(last_lines(self._log_path, LOG_TAIL_LINES))
            raise StackStartError(
                self._spec.name,
                f"{end}, {crashes} times in a row.",
                f" {self._log_path} ends:\n{said}",
            )

    async def _run_once(self, log: RotatingLog) -> str:
        """Run the process until it ends or the stack stops; return how it ended."""
        try:
            child = self._child = await Child.start(self._spec, log)
        except OSError as error:
            return f"could not be started: {error}"
        self._change(
            ItemState.STARTING, pid=child.pid, pid_created_at_s=created_at_s(child.pid), detail=""
        )
        ended = asyncio.create_task(child.wait())
        ready = asyncio.create_task(self._wait_ready())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({ended, ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not stopping.done() and not ready.result():
                await child.stop()
                return f"was not ready after {self._spec.ready_timeout_s:g} s"
            if not ended.done() and not stopping.done():
                self._become_ready(ItemState.READY)
                await self._watch_until(ended, stopping)
            if not ended.done():
                self._change(ItemState.STOPPING)
                await child.stop()
            return await ended
        finally:
            ready.cancel()
            stopping.cancel()
            child.kill()  # where a bug ended this run before the process

    async def _wait_ready(self) -> bool:
        """Ask until the process is ready; False if it takes too long."""
        deadline_s = time.monotonic() + self._spec.ready_timeout_s
        while await self._spec.readiness.fault() is not None:
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(READY_POLL_S)
        return True

    async def _watch_until(
        self, ended: asyncio.Task[str], stopping: asyncio.Task[Literal[True]]
    ) -> None:
        """Go on asking a process that was ready, until it ends or the stack stops."""
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        """Publish when the process stops doing its work, why, and when it works again."""
        good_at_ms = self._clock.now_ms()
        silence_max_ms = self._watch_policy.silence_max_s * 1_000
        while True:
            await asyncio.sleep(self._watch_policy.every_s)
            fault = await self._spec.readiness.fault()
            if fault is None:
                good_at_ms = self._clock.now_ms()
                if self.status.state is not ItemState.READY:
                    self._become_ready(ItemState.READY)
            elif not fault.is_silent or self._clock.now_ms() - good_at_ms >= silence_max_ms:
                self._tell_unready(fault.reason, good_at_ms)

    def _tell_unready(self, reason: str, since_ms: int) -> None:
        if (self.status.state, self.status.detail) != (ItemState.UNREADY, reason):
            self._change(ItemState.UNREADY, since_ms=since_ms, detail=reason)


def created_at_s(pid: int) -> float | None:
    """Return when a process was created; None if it has ended already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


async def first_of(*events: asyncio.Event) -> None:
    """Return when the first of these events is set."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
