"""What a local stack consists of: processes to keep running and steps to do once."""

import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Protocol

import msgspec

from gx.database.tether import Account
from gx.runtime.ports import PortNeed
from gx.runtime.readiness import Readiness


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessSpec:
    """A program that has to run as long as the stack does.

    It starts when all of `after` are ready and stops before any of them stops. Its
    environment is exactly `environment`, or ours if that is None. `stop_signal` asks it
    to end, SIGKILL follows after `stop_grace_s`; it gets `death_signal` if the supervisor
    dies first. A stack starts without a process that `is_optional`, and keeps trying.
    """

    name: str
    command: tuple[str, ...]
    readiness: Readiness
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    account: Account | None = None
    working_folder: Path | None = None
    ports: tuple[PortNeed, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL
    ready_timeout_s: float = 60.0
    is_optional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSpec:
    """Something to do once, when all of `after` are ready: migrations, bootstrap."""

    name: str
    action: Callable[[], Awaitable[None]]
    after: tuple[str, ...] = ()


StackItem = ProcessSpec | StepSpec


class ItemState(StrEnum):
    """Where an item is in its life."""

    WAITING = "waiting"  # for what it comes after
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"  # runs, but does not answer, or says itself that it cannot work
    DONE = "done"  # a step
    BACKOFF = "backoff"  # crashed; starts again by itself
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"  # and the stack with it


class ItemStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How an item is. `pid_created_at_s` tells its process from a later one with the same id."""

    name: str
    state: ItemState
    since_ms: int
    pid: int | None = None
    pid_created_at_s: float | None = None
    restarts: int = 0
    detail: str = ""
    ports: tuple[int, ...] = ()
    log: str | None = None
    stop_signal: int = int(signal.SIGTERM)
    stop_grace_s: float = 0.0
    is_optional: bool = False


class StackObserver(Protocol):
    """Is told what happens, in order, from the supervisor's event loop; must not block."""

    def item_changed(self, status: ItemStatus) -> None:
        """Take note of an item's new state."""
        ...

    def stack_ready(self, elapsed_s: float) -> None:
        """Take note that everything required is ready, this long after the start."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RestartPolicy:
    """When a crashed process starts again: exponential backoff with full jitter.

    A process that ran for `stable_s` has its crashes forgiven. One that was never ready
    may try `start_attempts_max` times before the stack's start counts as failed.
    """

    delay_base_s: float = 0.25
    delay_max_s: float = 10.0
    stable_s: float = 10.0
    start_attempts_max: int = 3

    def delay_s(self, crashes: int) -> float:
        """Return how long to wait after this many crashes in a row (1 or more)."""
        ceiling_s = min(self.delay_max_s, self.delay_base_s * 2.0 ** min(crashes - 1, 32))
        return random.uniform(0, ceiling_s)  # noqa: S311 (jitter is no secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchPolicy:
    """How a ready process is watched: asked every `every_s`.

    One that says itself that it cannot work is believed at once. One that says nothing may
    be busy for a moment: it is told after `silence_max_s`. Neither is started again: that
    would not bring a lost database back, and would end what a debugger holds.
    """

    every_s: float = 3.0
    silence_max_s: float = 10.0


def require_sound(items: Sequence[StackItem]) -> None:
    """Require that the items can be started in some order.

    Raises:
        ValueError: A name is used twice or unknown, items wait for each other, or one that
            is required waits for one that is optional.
    """
    by_name = {item.name: item for item in items}
    if len(by_name) != len(items):
        raise ValueError("two items of the stack have the same name")
    for item in items:
        unknown = [name for name in item.after if name not in by_name]
        if unknown:
            raise ValueError(f"`{item.name}` comes after `{unknown[0]}`, which is not in the stack")
        optional = [name for name in item.after if is_optional(by_name[name])]
        if optional and not is_optional(item):
            raise ValueError(f"`{item.name}` is required but comes after optional `{optional[0]}`")
    try:
        TopologicalSorter({item.name: item.after for item in items}).prepare()
    except CycleError as error:
        raise ValueError("items of the stack wait for each other") from error


def dependents_of(name: str, items: Sequence[StackItem]) -> set[str]:
    """Return the items that come after this one, directly or through others.

    Through others too: an API that waits for a migration, a step that is over long before
    the stack stops, needs the migrated database to the end.
    """
    direct = {item.name for item in items if name in item.after}
    return direct.union(*(dependents_of(other, items) for other in direct))


def is_optional(item: StackItem) -> bool:
    """Say whether the stack starts without this item; a step never is optional."""
    return isinstance(item, ProcessSpec) and item.is_optional
