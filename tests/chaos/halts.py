"""Points of a process at which it gets a signal, once: between two steps that belong together."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, ParamSpec, TypeVar

from gx.ledger.local.client import LocalLedger
from gx.outbox.postgres.store import PostgresOutboxStore
from gx.projection.postgres import store as read_model_store

P = ParamSpec("P")
T = TypeVar("T")
Step = Callable[P, Awaitable[T]]
Halt = Callable[[], None]


def arm(text: str) -> None:
    """Prepare what `point=SIGNAL` says.

    Raises:
        KeyError: There is no such point, or no such signal.
    """
    point, name = text.split("=")
    POINTS[point](_once(signal.Signals[name]))


def _once(number: signal.Signals) -> Halt:
    is_due = True

    def halt() -> None:
        nonlocal is_due
        if is_due:
            is_due = False
            os.kill(os.getpid(), number)

    return halt


def _before(owner: object, name: str, halt: Halt) -> None:
    setattr(owner, name, _preceded(getattr(owner, name), halt))


def _after(owner: object, name: str, halt: Halt) -> None:
    setattr(owner, name, _followed(getattr(owner, name), halt))


def _preceded(step: Step[P, T], halt: Halt) -> Step[P, T]:
    async def halting(*args: P.args, **kwargs: P.kwargs) -> T:
        halt()
        return await step(*args, **kwargs)

    return halting


def _followed(step: Step[P, T], halt: Halt) -> Step[P, T]:
    async def halting(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = await step(*args, **kwargs)
        halt()
        return answer

    return halting


POINTS: Final[Mapping[str, Callable[[Halt], None]]] = {
    "before-persist": partial(_before, PostgresOutboxStore, "persist"),
    "before-submit": partial(_before, LocalLedger, "submit"),
    "after-submit": partial(_after, LocalLedger, "submit"),
    "before-settle": partial(_before, PostgresOutboxStore, "settle"),
    # The checkpoint has moved; what it stands for is not written yet.
    "before-rows": partial(_before, read_model_store, "write_effects"),
}
