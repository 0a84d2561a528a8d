"""What an alert is: one value that takes its series, thresholds and drill from declarations."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.monitoring.durations import duration
from gx.monitoring.promql import Expr
from gx.monitoring.recording import Recording
from gx.monitoring.thresholds import Threshold

BACKEND_DASHBOARD: Final = "07-cqrs-backend-monitoring"
CAPACITY_DASHBOARD: Final = "capacity"
POSTGRES_DASHBOARD: Final = "postgresql"
ENVIRONMENTS: Final = ("devnet", "testnet", "mainnet")
"""What files are rendered for unless a deployment has others."""
SCRAPE_INTERVAL_S: Final = 15
EVALUATION_INTERVAL_S: Final = 15
GROUP_WAIT_S: Final = 30
CRITICAL_GROUP_WAIT_S: Final = 10


class Severity(StrEnum):
    """How soon somebody must look; `none` is for the alert that always fires."""

    CRITICAL = "critical"
    WARNING = "warning"
    NONE = "none"


class Component(StrEnum):
    """Which part of the system an alert is about; notifications are routed by it."""

    OUTBOX = "outbox"
    PROJECTOR = "projector"
    API = "api"
    FABRIC = "fabric"
    INFRASTRUCTURE = "infrastructure"
    DATABASE = "database"
    MONITORING = "monitoring"


class Objective(StrEnum):
    """Which service level objective an alert defends; the label `slo`."""

    TRANSACTION_SUCCESS = "transaction_success"
    PROJECTION_LAG = "projection_lag"
    API_LATENCY = "api_latency"
    AVAILABILITY = "availability"


class Fault(StrEnum):
    """What a drill does to the running system in order to make an alert fire."""

    STOP_LEDGER = "stop the ledger's process"
    PAUSE_LEDGER = "let the ledger answer in bursts"
    STOP_DATABASE = "stop PostgreSQL"
    STOP_API = "stop the API"
    STALL_PROJECTOR = "let the projector's folds fail"
    SECOND_ACTIVE_WORKER = "let a second worker claim to be active"
    POISON_COMMANDS = "send commands that the ledger cannot take"
    OVERDRAW = "send commands that the contract refuses"
    OVERLOAD = "send more commands than the ledger takes"
    SLOW_API = "slow the API's answers down"
    FAILING_API = "let the API answer with server errors"
    BURN_CPU = "keep a process busy on all of its CPUs"
    FILL_MEMORY = "let a process allocate up to its limit"
    RESTART_OFTEN = "restart a process every minute"
    HOLD_CONNECTIONS = "hold every connection of a pool"
    PARK_EVENT = "set an event aside by hand"
    STOP_EXPORTER = "stop an exporter"
    FALSIFY_BALANCE = "change a projected balance by hand"
    FALSIFY_RECORD = "change by hand what a command was answered"
    MIGRATE_AHEAD = "note a migration that only a newer release knows"
    BREAK_FILTER = "scrape a target with a filter that keeps nothing"
    FLOOD_SAMPLES = "scrape a target with thousands of label values"
    BREAK_CONFIGURATION = "reload a configuration that does not parse"
    BREAK_RECEIVER = "let the receiver refuse notifications"
    BREAK_RULE = "load a rule whose evaluation fails"
    STAND_IN = "scrape an exporter that answers with the numbers"
    LEAVE_TRANSACTION_OPEN = "leave a transaction open"
    USE_UP_CONNECTIONS = "open nearly all connections that PostgreSQL has"
    SILENCE_ALERTING = "kill Prometheus or Alertmanager: the dead-man's receiver speaks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule.

    `for_s` is how long `expr` holds before it fires; `crossing_s` is how long a complete failure
    takes to make `expr` true. `family` groups alerts about the same thing, so that a critical one
    mutes its warning. `summary` is a sentence, `description` has the value. `drill` is what
    proves it on a running system.
    """

    name: str
    expr: Expr
    for_s: int = 0
    crossing_s: int = 0
    severity: Severity
    component: Component
    family: str
    slo: Objective | None = None
    summary: str
    description: str
    thresholds: tuple[Threshold, ...] = ()
    dashboard: str = BACKEND_DASHBOARD
    drill: Fault

    @property
    def detection_s(self) -> int:
        """Seconds from a complete failure to the notification, at worst."""
        wait_s = CRITICAL_GROUP_WAIT_S if self.severity is Severity.CRITICAL else GROUP_WAIT_S
        return SCRAPE_INTERVAL_S + EVALUATION_INTERVAL_S + self.crossing_s + self.for_s + wait_s

    @property
    def labels(self) -> dict[str, str]:
        """What notifications are routed and muted by."""
        labels = {
            "severity": self.severity.value,
            "component": self.component.value,
            "family": self.family,
        }
        return labels | ({"slo": self.slo.value} if self.slo else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the pages are that a notification links to."""

    runbooks: str = "http://127.0.0.1:30300/runbooks"
    dashboards: str = "http://127.0.0.1:30300/dashboards"

    def annotate(self, alert: Alert) -> dict[str, str]:
        """Return an alert's annotations."""
        return {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{self.runbooks.rstrip('/')}/{alert.name}",
            "dashboard": f"{self.dashboards.rstrip('/')}/{alert.dashboard}",
        }


def alert_to_yaml(alert: Alert, links: Links) -> dict[str, object]:
    """Return an alert as a rule file spells it."""
    return {
        "alert": alert.name,
        "expr": alert.expr.text,
        "for": duration(alert.for_s),
        "labels": alert.labels,
        "annotations": links.annotate(alert),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated one after the other; a recording rule stands before its readers."""

    name: str
    recordings: tuple[Recording, ...] = ()
    alerts: tuple[Alert, ...] = ()
    interval_s: int | None = None

    def to_yaml(self, links: Links) -> dict[str, object]:
        """Return it as a rule file spells it."""
        interval: dict[str, object] = (
            {"interval": duration(self.interval_s)} if self.interval_s else {}
        )
        return {
            "name": self.name,
            **interval,
            "rules": [
                *(recording.to_yaml() for recording in self.recordings),
                *(alert_to_yaml(alert, links) for alert in self.alerts),
            ],
        }
