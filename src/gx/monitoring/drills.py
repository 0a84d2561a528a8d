"""Drills: which fault makes which alerts fire on a running system, and which others may join in.

An alert names the fault that proves it. Here each fault becomes a drill: where it can be played,
and its collateral: alerts that may fire besides the expected ones, being about the same trouble.
Whatever else fires while it is played is a false alarm.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import (
    API_IS_SLOW,
    API_IS_VERY_SLOW,
    BREAKER_IS_OPEN,
    DEAD_LETTERS_ACCUMULATE,
    DEAD_LETTERS_ARE_CRITICAL,
    FABRIC_FAILURES,
    FABRIC_FAILURES_ARE_CRITICAL,
    HIGH_CPU,
    LAG_EXCEEDS_SLO,
    LAG_IS_CRITICAL,
    POOL_IS_EXHAUSTED,
    QUEUE_BUILDS_UP,
    QUEUE_IS_CRITICAL,
    RESTART_LOOP,
    SERVICE_DOWN,
    SUCCESS_RATE_BELOW_SLO,
)
from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.alerts.companions import (
    API_ERRORS,
    DATABASE_UNREACHABLE,
    FAILURES_AT_LOW_VOLUME,
    LEDGER_UNREACHABLE,
    NO_ACTIVE_PROJECTOR,
    NO_ACTIVE_SUBMITTER,
    OLDEST_IS_OLD,
    PROJECTOR_STALLED,
    REFUSED_IN_BULK,
    WRITES_REFUSED,
)
from gx.monitoring.alerts.storage import CONNECTIONS_NEAR_LIMIT, POSTGRES_DOWN, TRANSACTION_IS_OLD
from gx.monitoring.alerts.watching import (
    CONFIG_RELOAD_FAILED,
    NOTIFICATIONS_FAIL,
    PROBE_FAILS,
    TARGET_DOWN,
)
from gx.monitoring.alerts.workers import BREAKER_REJECTS, COMMANDS_UNRESOLVED
from gx.monitoring.model import Alert, Fault, Objective


class Stage(StrEnum):
    """Where a drill is played."""

    LOCAL_STACK = "on the running local stack"
    SCRAPED = "on a Prometheus of its own that scrapes a stand-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill. `collateral` are the alerts that may fire besides those that it proves."""

    name: str
    fault: Fault
    stage: Stage
    collateral: frozenset[str]

    @property
    def proves(self) -> tuple[Alert, ...]:
        """The alerts that must fire, and resolve once the fault is gone."""
        return tuple(alert for alert in ALERTS if alert.drill is self.fault)


def _names(*alerts: Alert) -> frozenset[str]:
    return frozenset(alert.name for alert in alerts)


def _burns(*objectives: Objective) -> frozenset[str]:
    return frozenset(alert.name for alert in BURN_ALERTS if alert.slo in objectives)


_LAG: Final = _names(LAG_EXCEEDS_SLO, LAG_IS_CRITICAL, PROJECTOR_STALLED) | _burns(
    Objective.PROJECTION_LAG
)
_SLOW: Final = _names(API_IS_SLOW, API_IS_VERY_SLOW) | _burns(Objective.API_LATENCY)
_QUEUE: Final = _names(QUEUE_BUILDS_UP, QUEUE_IS_CRITICAL, OLDEST_IS_OLD, WRITES_REFUSED)
_FAILED: Final = _names(
    SUCCESS_RATE_BELOW_SLO,
    FAILURES_AT_LOW_VOLUME,
    DEAD_LETTERS_ACCUMULATE,
    DEAD_LETTERS_ARE_CRITICAL,
) | _burns(Objective.TRANSACTION_SUCCESS)
_DOWN: Final = _names(SERVICE_DOWN, PROBE_FAILS) | _burns(Objective.AVAILABILITY)
_LEDGER: Final = _names(
    BREAKER_IS_OPEN,
    BREAKER_REJECTS,
    COMMANDS_UNRESOLVED,
    FABRIC_FAILURES,
    FABRIC_FAILURES_ARE_CRITICAL,
    LEDGER_UNREACHABLE,
)
# A full backlog answers 503, which is a server error, too.
_SHED: Final = _QUEUE | _names(API_ERRORS)
_NONE: Final[frozenset[str]] = frozenset()
# A Prometheus that reloads knows no Alertmanager for up to five seconds, at any pace, and drops
# what it would send.
_RELOADED: Final = _names(NOTIFICATIONS_FAIL)

_LOCAL: Final[Mapping[Fault, tuple[str, frozenset[str]]]] = {
    Fault.STOP_LEDGER: ("ledger-outage", _LEDGER | _SHED | _LAG | _names(SERVICE_DOWN)),
    Fault.PAUSE_LEDGER: ("ledger-in-bursts", _LEDGER | _SHED | _LAG | _SLOW),
    Fault.STOP_DATABASE: (
        "database-outage",
        _DOWN
        | _LAG
        | _SLOW
        | _SHED
        | _names(
            POSTGRES_DOWN,
            DATABASE_UNREACHABLE,
            NO_ACTIVE_SUBMITTER,
            NO_ACTIVE_PROJECTOR,
            POOL_IS_EXHAUSTED,
            TARGET_DOWN,
            COMMANDS_UNRESOLVED,
        ),
    ),
    Fault.STOP_API: ("api-outage", _DOWN),
    Fault.STALL_PROJECTOR: ("stalled-projection", _LAG),
    Fault.SECOND_ACTIVE_WORKER: ("two-leases", _NONE),
    # A command that cannot be sent counts as a transaction that failed, too.
    Fault.POISON_COMMANDS: (
        "poison",
        _FAILED
        | _names(REFUSED_IN_BULK, OLDEST_IS_OLD, FABRIC_FAILURES, FABRIC_FAILURES_ARE_CRITICAL),
    ),
    Fault.OVERDRAW: ("refusals", _NONE),
    Fault.OVERLOAD: (
        "overload",
        _LEDGER | _SHED | _SLOW | _LAG | _names(HIGH_CPU, POOL_IS_EXHAUSTED, SERVICE_DOWN),
    ),
    Fault.SLOW_API: ("slow-api", _SLOW | _names(POOL_IS_EXHAUSTED, TRANSACTION_IS_OLD)),
    Fault.FAILING_API: ("failing-api", _SLOW | _names(POOL_IS_EXHAUSTED)),
    Fault.RESTART_OFTEN: ("restarts", _DOWN | _LAG | _names(NO_ACTIVE_PROJECTOR)),
    Fault.HOLD_CONNECTIONS: (
        "held-connections",
        _SLOW
        | _DOWN
        | _SHED
        | _LAG
        | _names(CONNECTIONS_NEAR_LIMIT, TRANSACTION_IS_OLD, DATABASE_UNREACHABLE),
    ),
    Fault.PARK_EVENT: ("parked-event", _LAG | _DOWN | _names(NO_ACTIVE_PROJECTOR, RESTART_LOOP)),
    Fault.FALSIFY_BALANCE: ("falsified-balance", _NONE),
    Fault.FALSIFY_RECORD: ("falsified-record", _NONE),
    # A process that waits for its upgrade says that it is not ready.
    Fault.MIGRATE_AHEAD: ("newer-schema", _DOWN),
    Fault.STOP_EXPORTER: ("exporter-outage", _NONE),
    Fault.BREAK_CONFIGURATION: ("broken-configuration", _NONE),
    Fault.BREAK_RECEIVER: ("broken-receiver", _NONE),
    Fault.BREAK_RULE: ("broken-rule", _RELOADED),
    Fault.LEAVE_TRANSACTION_OPEN: ("open-transaction", _NONE),
    Fault.USE_UP_CONNECTIONS: (
        "used-up-connections",
        _names(DATABASE_UNREACHABLE, POSTGRES_DOWN, POOL_IS_EXHAUSTED, TARGET_DOWN),
    ),
    # What was not watched meanwhile counts as down until it is seen again.
    Fault.SILENCE_ALERTING: (
        "silent-alerting",
        _DOWN | _names(TARGET_DOWN, NOTIFICATIONS_FAIL, CONFIG_RELOAD_FAILED),
    ),
}
# What would harm the machine, or does not exist on it, is played by an exporter that stands in.
_SCRAPED: Final[Mapping[Fault, tuple[str, frozenset[str]]]] = {
    Fault.BURN_CPU: ("busy-cpu", _NONE),
    Fault.FILL_MEMORY: ("full-memory", _NONE),
    Fault.BREAK_FILTER: ("empty-scrape", _RELOADED),
    Fault.FLOOD_SAMPLES: ("many-samples", _NONE),
    Fault.STAND_IN: ("stand-in", _names(RESTART_LOOP)),
}

DRILLS: Final[tuple[Drill, ...]] = tuple(
    Drill(name=name, fault=fault, stage=stage, collateral=collateral)
    for stage, faults in ((Stage.LOCAL_STACK, _LOCAL), (Stage.SCRAPED, _SCRAPED))
    for fault, (name, collateral) in faults.items()
)


def drill_of(alert: Alert) -> Drill:
    """Return the drill that proves an alert; `find_drill_faults` says which have none."""
    return next(drill for drill in DRILLS if drill.fault is alert.drill)


def find_drill_faults(
    alerts: Collection[Alert], drills: Iterable[Drill] = DRILLS
) -> tuple[str, ...]:
    """Say which alert has no drill, which drill proves nothing, and whose collateral is gone."""
    kept = tuple(drills)
    return (*_undrilled(alerts, kept), *_pointless(alerts, kept), *_unknown(alerts, kept))


def _undrilled(alerts: Collection[Alert], drills: Iterable[Drill]) -> Iterator[str]:
    faults = {drill.fault for drill in drills}
    for alert in alerts:
        if alert.drill not in faults:
            yield f'{alert.name}: no drill plays its fault "{alert.drill}"'


def _pointless(alerts: Collection[Alert], drills: Iterable[Drill]) -> Iterator[str]:
    used = {alert.drill for alert in alerts}
    for drill in drills:
        if drill.fault not in used:
            yield f"the drill {drill.name} proves no alert"


def _unknown(alerts: Collection[Alert], drills: Iterable[Drill]) -> Iterator[str]:
    names = {alert.name for alert in alerts}
    for drill in drills:
        for name in sorted(drill.collateral - names):
            yield f"the drill {drill.name} expects {name}, and there is no such alert"
