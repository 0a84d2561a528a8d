"""Which fault is played how, which alerts must tell of it, and what it needs for itself.

Names, expected alerts and collateral are the catalogue's (`gx.monitoring.drills`); here
stands how a fault is made in a stack, and which parts two drills cannot share.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from gx.monitoring.alerts.backend import BACKEND_ALERTS
from gx.monitoring.alerts.companions import (
    LEDGER_UNREACHABLE,
    OLDEST_IS_OLD,
    PROJECTOR_STALLED,
)
from gx.monitoring.alerts.watching import PROBE_FAILS
from gx.monitoring.drills import DRILLS, Drill
from gx.monitoring.model import Alert, Fault
from gx.proof.drills import faults
from gx.proof.drills.playground import Playground

Inject: TypeAlias = Callable[[Playground], AbstractAsyncContextManager[None]]


class Part(StrEnum):
    """What a drill wants for itself."""

    LEDGER = "ledger"
    API = "api"
    SUBMITTER = "submitter"
    PROJECTOR = "projector"
    STAND_IN_CPU = "stand-in's CPU"
    STAND_IN_MEMORY = "stand-in's memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One drill as it is played. `expects` must fire, be told or rightly muted, and resolve.

    `stands_in`: the fault is not done to a process of ours, and this is why.
    """

    drill: Drill
    expects: tuple[Alert, ...]
    inject: Inject
    parts: frozenset[Part]
    how: str
    stands_in: str = ""

    @property
    def name(self) -> str:
        """The drill's name."""
        return self.drill.name

    @property
    def tolerated(self) -> frozenset[str]:
        """The alerts that may fire while it is played."""
        return self.drill.collateral | {alert.name for alert in self.drill.proves}


def _scenario(
    fault: Fault,
    inject: Inject,
    *parts: Part,
    how: str,
    stands_in: str = "",
    also: tuple[Alert, ...] = (),
) -> Scenario:
    drill = next(drill for drill in DRILLS if drill.fault is fault)
    return Scenario(
        drill=drill,
        expects=(*(alert for alert in BACKEND_ALERTS if alert.drill is fault), *also),
        inject=inject,
        parts=frozenset(parts),
        how=how,
        stands_in=stands_in,
    )


SCENARIOS: Final = (
    _scenario(
        Fault.SLOW_API,
        faults.api_slowed,
        Part.API,
        how="a transaction locks a table that requests read, for 1.6 s at a time",
    ),
    _scenario(
        Fault.STALL_PROJECTOR,
        faults.folds_failing,
        Part.PROJECTOR,
        how="a trigger in the database refuses what the projector inserts",
        also=(PROJECTOR_STALLED,),
    ),
    _scenario(
        Fault.POISON_COMMANDS,
        faults.poisoned,
        Part.SUBMITTER,
        how="commands that have lost their arguments are in the outbox",
    ),
    _scenario(
        Fault.BURN_CPU,
        faults.cpu_burnt,
        Part.STAND_IN_CPU,
        how="a process really burns 15 % of a CPU and says that its limit is 10 %",
        stands_in="a process of ours that burnt every CPU would slow every other drill",
    ),
    _scenario(
        Fault.FILL_MEMORY,
        faults.memory_filled,
        Part.STAND_IN_MEMORY,
        how="a process really keeps 62 MiB and says that its limit is 64 MiB more than its start",
        stands_in="without a cgroup the limit of a process of ours is the machine's memory",
    ),
    _scenario(
        Fault.HOLD_CONNECTIONS,
        faults.connections_held,
        Part.API,
        how="as many requests as the API has connections wait for a lock",
    ),
    _scenario(
        Fault.STOP_API,
        faults.api_stopped,
        Part.API,
        how="the API's process is paused",
        also=(PROBE_FAILS,),
    ),
    _scenario(
        Fault.STOP_LEDGER,
        faults.ledger_stopped,
        Part.LEDGER,
        Part.SUBMITTER,
        Part.API,
        how="the ledger's process is paused while 650 commands arrive",
        also=(OLDEST_IS_OLD, LEDGER_UNREACHABLE),
    ),
    _scenario(
        Fault.PAUSE_LEDGER,
        faults.ledger_in_bursts,
        Part.LEDGER,
        Part.SUBMITTER,
        how="the ledger's process is paused for 2.2 s of every 2.5 s",
    ),
    _scenario(
        Fault.RESTART_OFTEN,
        faults.restarting,
        Part.PROJECTOR,
        how="the projector's process is killed as soon as Prometheus has seen it",
    ),
)
