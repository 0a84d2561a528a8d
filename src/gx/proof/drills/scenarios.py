"""Which fault is played how, which alerts must tell of it, and what it needs for itself.

Names, expected alerts and collateral are the catalogue's (`gx.monitoring.drills`); here
stands how a fault is made in a stack, and which parts two drills cannot share.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from gx.monitoring.alerts.backend import SERVICE_DOWN
from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.alerts.companions import (
    DATABASE_UNREACHABLE,
    NO_ACTIVE_PROJECTOR,
    NO_ACTIVE_SUBMITTER,
)
from gx.monitoring.alerts.storage import POSTGRES_DOWN
from gx.monitoring.alerts.watching import NOTIFICATIONS_FAIL
from gx.monitoring.drills import DRILLS, Drill
from gx.monitoring.model import Alert, Fault, Severity
from gx.proof.drills import data_faults, faults, monitoring_faults, stand_in_faults
from gx.proof.drills.playground import Playground

Inject: TypeAlias = Callable[[Playground], AbstractAsyncContextManager[None]]


class Part(StrEnum):
    """What a drill wants for itself."""

    LEDGER = "ledger"
    API = "api"
    SUBMITTER = "submitter"
    PROJECTOR = "projector"
    CONNECTIONS = "PostgreSQL's connections"
    POSTGRES_EXPORTER = "exporter of PostgreSQL"
    PROMETHEUS_FILES = "Prometheus' configuration"
    ALERTMANAGER_FILES = "Alertmanager's configuration"
    CACHE_EXPORTER = "exporter of the cache"
    SECOND_WORKER = "second worker"
    NUMBERS = "stand-ins' numbers"
    STAND_IN_CPU = "stand-in's CPU"
    STAND_IN_MEMORY = "stand-in's memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One drill as it is played. `expects` must fire, be told or rightly muted, and resolve.

    `stands_in`: the fault is not done to a process of ours, and this is why. `named`: one of
    several ways to play the same drill, with `besides` as further collateral. `is_silence`: no
    alert can speak; the dead-man's receiver must.
    """

    drill: Drill
    expects: tuple[Alert, ...]
    inject: Inject
    parts: frozenset[Part]
    how: str
    stands_in: str = ""
    named: str = ""
    besides: frozenset[str] = frozenset()
    is_silence: bool = False

    @property
    def name(self) -> str:
        """The drill's name, or its own where several play the same drill."""
        return self.named or self.drill.name

    @property
    def tolerated(self) -> frozenset[str]:
        """The alerts that may fire while it is played."""
        proven = {alert.name for alert in self.drill.proves}
        return self.drill.collateral | self.besides | proven


def _scenario(
    fault: Fault,
    inject: Inject,
    *parts: Part,
    how: str,
    stands_in: str = "",
    named: str = "",
    expects: tuple[Alert, ...] = (),
    besides: tuple[Alert, ...] = (),
) -> Scenario:
    """Make a scenario; unless it says which, every alert that its fault proves is expected."""
    drill = next(drill for drill in DRILLS if drill.fault is fault)
    proven = tuple(alert for alert in drill.proves if alert.name not in NOT_DRILLED)
    return Scenario(
        drill=drill,
        expects=expects or proven,
        inject=inject,
        parts=frozenset(parts),
        how=how,
        stands_in=stands_in,
        named=named,
        besides=frozenset(alert.name for alert in besides),
        is_silence=fault is Fault.SILENCE_ALERTING,
    )


_SLOW_PAIR: Final = (
    "its windows are hours and days: rule tests on both sides of the threshold, and the back-test"
)
_MOST_REQUESTS: Final = (
    "it wants seven of ten requests to be slow for an hour, beside which no other drill could be "
    "played: rule tests and the back-test"
)
_NO_DOUBT: Final = (
    "a ledger that is paused takes nothing, so that commands wait rather than be in doubt: rule "
    "tests, and tests of the submitter that lose the verdict's answer"
)
_NO_REFUSAL: Final = (
    "while the circuit is open the submitter waits, so that an outage in which nobody else asks "
    "has nothing to refuse: rule tests"
)
NOT_DRILLED: Final[Mapping[str, str]] = {
    **{each.name: _SLOW_PAIR for each in BURN_ALERTS if each.severity is Severity.WARNING},
    "APIResponseTimeBudgetBurnFast": _MOST_REQUESTS,
    "CommandsUnresolved": _NO_DOUBT,
    "CircuitBreakerRejecting": _NO_REFUSAL,
}
"""Alerts that no drill plays, each with why, and what shows that they fire instead."""

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
        Fault.STOP_API,
        faults.api_stopped,
        Part.API,
        how="the API's process is paused",
    ),
    _scenario(
        Fault.HOLD_CONNECTIONS,
        faults.connections_held,
        Part.API,
        how="as many requests as the API has connections wait for a lock",
    ),
    _scenario(
        Fault.STOP_LEDGER,
        faults.ledger_stopped,
        Part.LEDGER,
        Part.SUBMITTER,
        Part.API,
        how="the ledger's process is paused while 650 commands arrive",
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
    _scenario(
        Fault.OVERDRAW,
        data_faults.overdrawn,
        Part.SUBMITTER,
        how="four callers mint more than there may ever be, again and again",
    ),
    _scenario(
        Fault.FAILING_API,
        data_faults.reads_failing,
        Part.API,
        how="a table that requests read is renamed",
    ),
    _scenario(
        Fault.OVERLOAD,
        data_faults.backlog_old,
        Part.API,
        Part.SUBMITTER,
        Part.LEDGER,
        how="the ledger is paused, and what waits for it made older than the API lets anything be",
    ),
    _scenario(
        Fault.FALSIFY_BALANCE,
        data_faults.balance_falsified,
        Part.PROJECTOR,
        how="a balance in the read model is changed by hand",
    ),
    _scenario(
        Fault.FALSIFY_RECORD,
        data_faults.record_falsified,
        Part.SUBMITTER,
        how="the transaction of the newest command's result is changed by hand",
    ),
    _scenario(
        Fault.MIGRATE_AHEAD,
        data_faults.migrated_ahead,
        Part.API,
        Part.SUBMITTER,
        Part.PROJECTOR,
        how="a migration is noted after which only a newer release can work",
    ),
    _scenario(
        Fault.PARK_EVENT,
        data_faults.event_parked,
        Part.PROJECTOR,
        how="an event is set aside by hand, and the projector restarted",
    ),
    _scenario(
        Fault.LEAVE_TRANSACTION_OPEN,
        data_faults.transaction_left_open,
        Part.CONNECTIONS,
        how="a transaction is begun and left",
    ),
    _scenario(
        Fault.USE_UP_CONNECTIONS,
        data_faults.connections_used_up,
        Part.CONNECTIONS,
        how="all but 25 of PostgreSQL's 200 connections are opened",
    ),
    _scenario(
        Fault.STOP_EXPORTER,
        monitoring_faults.exporter_paused,
        Part.POSTGRES_EXPORTER,
        Part.CONNECTIONS,
        how="the exporter of PostgreSQL is paused",
    ),
    _scenario(
        Fault.BREAK_FILTER,
        monitoring_faults.filter_broken,
        Part.CACHE_EXPORTER,
        Part.PROMETHEUS_FILES,
        how="a job's filter is changed to one that keeps nothing, and Prometheus reloads",
    ),
    _scenario(
        Fault.FLOOD_SAMPLES,
        stand_in_faults.samples_flooded,
        Part.CACHE_EXPORTER,
        how="an exporter says 8,500 of the 10,000 samples that its job may have",
        stands_in="an exporter of a cache that runs away is not to be had",
    ),
    _scenario(
        Fault.BREAK_RULE,
        monitoring_faults.rule_broken,
        Part.PROMETHEUS_FILES,
        how="a rule is loaded that finds two partners for one sample",
    ),
    _scenario(
        Fault.BREAK_CONFIGURATION,
        monitoring_faults.configuration_broken,
        Part.ALERTMANAGER_FILES,
        how="Alertmanager reloads a configuration with a misspelt word",
    ),
    _scenario(
        Fault.BREAK_RECEIVER,
        monitoring_faults.slack_wrong,
        Part.ALERTMANAGER_FILES,
        how="Slack answers 404 for one channel while an alert is to be told there",
    ),
    _scenario(
        Fault.STOP_API,
        monitoring_faults.target_removed,
        Part.PROMETHEUS_FILES,
        Part.API,
        how="the ledger's job is taken out of the scrape configuration, "
        "where its last samples count for five minutes more",
        named="removed-target",
        expects=(SERVICE_DOWN,),
        besides=(NOTIFICATIONS_FAIL,),
    ),
    _scenario(
        Fault.SECOND_ACTIVE_WORKER,
        stand_in_faults.two_active,
        Part.SECOND_WORKER,
        how="two workers say that they hold the same lease",
        stands_in="the lease's fencing lets no two of ours hold it",
    ),
    _scenario(
        Fault.STAND_IN,
        stand_in_faults.numbers_sick,
        Part.NUMBERS,
        how="nodes of Fabric, a certificate, a disk, a replica and a worker say that they are ill",
        stands_in="this stack has no Fabric, no replica, and no disk to fill",
    ),
    _scenario(
        Fault.STOP_DATABASE,
        data_faults.database_paused,
        Part.API,
        Part.SUBMITTER,
        Part.PROJECTOR,
        Part.LEDGER,
        Part.CONNECTIONS,
        Part.POSTGRES_EXPORTER,
        Part.SECOND_WORKER,
        how="PostgreSQL's processes are paused",
        expects=(NO_ACTIVE_SUBMITTER, NO_ACTIVE_PROJECTOR, DATABASE_UNREACHABLE),
    ),
    _scenario(
        Fault.STOP_DATABASE,
        monitoring_faults.database_unreached,
        Part.POSTGRES_EXPORTER,
        Part.CONNECTIONS,
        Part.SECOND_WORKER,
        how="the exporter of PostgreSQL is started with an address at which nobody listens",
        named="unreached-database",
        expects=(POSTGRES_DOWN,),
    ),
    _scenario(
        Fault.SILENCE_ALERTING,
        monitoring_faults.prometheus_killed,
        *Part,
        how="Prometheus is killed",
        named="killed-prometheus",
    ),
    _scenario(
        Fault.SILENCE_ALERTING,
        monitoring_faults.alertmanager_killed,
        *Part,
        how="Alertmanager is killed",
        named="killed-alertmanager",
    ),
)
