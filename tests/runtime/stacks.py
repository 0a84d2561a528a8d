"""Small stacks for tests: shell scripts as processes, and an observer that remembers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from gx.runtime.clock import SystemClock
from gx.runtime.process import (
    ItemState,
    ItemStatus,
    ProcessSpec,
    RestartPolicy,
    StackItem,
    StepSpec,
    WatchPolicy,
)
from gx.runtime.readiness import CallReady, Readiness
from gx.runtime.stack import StackFolder
from gx.runtime.supervisor import Supervisor
from tests.runtime.started import StartedReady

PATIENCE_S: Final = 60.0
QUICK: Final = RestartPolicy(delay_base_s=0.05, delay_max_s=0.2, stable_s=30)


WATCHED: Final = WatchPolicy(every_s=0.05, silence_max_s=0.3)


class RememberingObserver:
    """Remembers every change and lets a test wait for one."""

    def __init__(self) -> None:
        self.changes: list[ItemStatus] = []
        self.ready_after_s: float | None = None
        self._changed = asyncio.Event()

    def item_changed(self, status: ItemStatus) -> None:
        """Remember it."""
        self.changes.append(status)
        self._changed.set()

    def stack_ready(self, elapsed_s: float) -> None:
        """Remember it."""
        self.ready_after_s = elapsed_s
        self._changed.set()

    def states_of(self, name: str) -> list[ItemState]:
        """Return the states of one item, in order."""
        return [change.state for change in self.changes if change.name == name]

    def order_of(self, state: ItemState) -> list[str]:
        """Return the items that got into this state, in order."""
        return [change.name for change in self.changes if change.state is state]

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds after some change."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await self._changed.wait()
                self._changed.clear()

    async def wait_for_change(self, name: str, state: ItemState, *, times: int = 1) -> ItemStatus:
        """Wait until an item got into a state so many times, and return the last of them."""
        await self.wait_until(lambda: self.states_of(name).count(state) >= times)
        found = [one for one in self.changes if one.name == name and one.state is state]
        return found[times - 1]


def a_process(
    name: str, script: str, *, after: Sequence[str] = (), readiness: Readiness | None = None
) -> ProcessSpec:
    """Build a process that runs a shell script, ready at once unless said otherwise."""
    return ProcessSpec(
        name=name,
        command=("/bin/sh", "-c", script),
        readiness=readiness or StartedReady(),
        after=tuple(after),
        stop_grace_s=2.0,
    )


def a_step(name: str, action: Callable[[], Awaitable[None]], *after: str) -> StepSpec:
    """Build a step."""
    return StepSpec(name=name, action=action, after=after)


def when_exists(path: Path) -> CallReady:
    """Build a probe that says yes once a file is there."""

    async def ask() -> bool:
        return await asyncio.to_thread(path.exists)

    return CallReady(ask=ask)


def a_supervisor(
    items: Sequence[StackItem],
    folder: Path,
    observer: RememberingObserver,
    policy: RestartPolicy = QUICK,
) -> Supervisor:
    """Build a supervisor that restarts quickly."""
    return Supervisor(
        items,
        folder=StackFolder(folder),
        clock=SystemClock(),
        observer=observer,
        policy=policy,
        watch=WATCHED,
        urls={"api": "http://127.0.0.1:8000"},
    )


@asynccontextmanager
async def running(
    items: Sequence[StackItem], folder: Path, policy: RestartPolicy = QUICK
) -> AsyncIterator[RememberingObserver]:
    """Run a stack until it is ready, let the test look at it, and stop it."""
    observer = RememberingObserver()
    supervisor = a_supervisor(items, folder, observer, policy)
    run = asyncio.create_task(supervisor.run())
    try:
        ready = asyncio.create_task(observer.wait_until(lambda: observer.ready_after_s is not None))
        await asyncio.wait({run, ready}, return_when=asyncio.FIRST_COMPLETED)
        if run.done():
            ready.cancel()
            await run
        await ready
        yield observer
    finally:
        supervisor.request_stop()
        await asyncio.wait({run})
    await run
