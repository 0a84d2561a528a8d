"""Starts a local stack, keeps it running and stops it.

Items start as soon as everything they come after is ready, side by side where they can,
and stop in the opposite order. SIGINT, SIGTERM or SIGHUP stop the stack; a second one
kills it. If the supervisor itself is killed, the kernel ends its children (`tether.py`),
and the next start ends whatever escaped even that (`stack.py`).
"""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gx.domain.clock import Clock
from gx.runtime.ports import require_free_ports
from gx.runtime.process import (
    ItemStatus,
    ProcessSpec,
    RestartPolicy,
    StackItem,
    StackObserver,
    WatchPolicy,
    dependents_of,
    require_sound,
)
from gx.runtime.runner import ProcessRunner, Runner, StepRunner
from gx.runtime.stack import StackFolder, build_state

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs the items of one stack in one folder. Use it once, in the main thread.

    `urls` go into the state file for `gx status`; they must not hold secrets.
    """

    def __init__(
        self,
        items: Sequence[StackItem],
        *,
        folder: StackFolder,
        clock: Clock,
        observer: StackObserver,
        policy: RestartPolicy | None = None,
        watch: WatchPolicy | None = None,
        urls: Mapping[str, str] | None = None,
    ) -> None:
        require_sound(items)
        self._items = items
        self._folder = folder
        self._clock = clock
        self._observer = observer
        self._policy = policy or RestartPolicy()
        self._watch = watch or WatchPolicy()
        self._urls = urls or {}
        self._started_at_ms = clock.now_ms()
        self._stopping = asyncio.Event()
        self._runners: dict[str, Runner] = {}

    def request_stop(self) -> None:
        """Stop the stack; asked a second time, kill it."""
        if self._stopping.is_set():
            for runner in self._runners.values():
                runner.kill()
        self._stopping.set()

    async def run(self) -> None:
        """Start everything, tell the observer when it is ready, and run until stopped.

        Whatever way it ends, nothing of the stack runs afterwards.

        Raises:
            StackRunningError: Another supervisor has this folder.
            PortTakenError: A port is taken; nothing was started.
            StackStartError: Something required does not start; the rest was stopped.
        """
        with self._folder.lock(), self._signals():
            await asyncio.to_thread(self._folder.end_leftovers)
            needs = [(spec.name, need) for spec in self._processes() for need in spec.ports]
            await asyncio.to_thread(require_free_ports, needs)
            self._runners = {item.name: self._runner(item) for item in self._items}
            self._write_state()
            await self._run_items()

    def _processes(self) -> list[ProcessSpec]:
        return [item for item in self._items if isinstance(item, ProcessSpec)]

    def _runner(self, item: StackItem) -> Runner:
        if isinstance(item, ProcessSpec):
            return ProcessRunner(
                item,
                folder=self._folder,
                policy=self._policy,
                watch=self._watch,
                clock=self._clock,
                publish=self._publish,
            )
        return StepRunner(item, clock=self._clock, publish=self._publish)

    async def _run_items(self) -> None:
        began_s = time.monotonic()
        lives = [
            asyncio.create_task(
                self._runners[item.name].run([self._runners[name] for name in item.after])
            )
            for item in self._items
        ]
        failed = asyncio.create_task(_first_failure(lives))
        stopping = asyncio.create_task(self._stopping.wait())
        opened = asyncio.create_task(self._wait_opened())
        try:
            await asyncio.wait({failed, stopping, opened}, return_when=asyncio.FIRST_COMPLETED)
            if opened.done() and not failed.done() and not stopping.done():
                self._observer.stack_ready(time.monotonic() - began_s)
                await asyncio.wait({failed, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopping, opened):
                task.cancel()
            await self._stop_all()
            await asyncio.gather(*lives, return_exceptions=True)
            failure = await failed
        if failure is not None:
            raise failure

    async def _wait_opened(self) -> None:
        for runner in self._runners.values():
            await runner.opened.wait()

    async def _stop_all(self) -> None:
        """Stop every item once those that come after it have ended."""
        self._stopping.set()
        await asyncio.gather(
            *(self._runners[item.name].stop(self._dependents(item)) for item in self._items)
        )

    def _dependents(self, item: StackItem) -> list[Runner]:
        return [self._runners[name] for name in dependents_of(item.name, self._items)]

    def _publish(self, status: ItemStatus) -> None:
        self._write_state()
        self._observer.item_changed(status)

    def _write_state(self) -> None:
        statuses = [runner.status for runner in self._runners.values()]
        state = build_state(started_at_ms=self._started_at_ms, urls=self._urls, items=statuses)
        self._folder.write(state)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let the stop signals stop this stack instead of this process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.request_stop)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)


async def _first_failure(lives: Sequence[asyncio.Task[None]]) -> BaseException | None:
    """Return the first failure among these lives, or None once all have ended without one."""
    for life in asyncio.as_completed(lives):
        try:
            await life
        except Exception as error:  # noqa: BLE001 (it is raised again after the stack has stopped)
            return error
    return None
