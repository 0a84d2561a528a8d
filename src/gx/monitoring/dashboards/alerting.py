"""The dashboard of the alerts: what fires, and whether alerting itself can be believed.

An empty page of alerts means that all is well only while Prometheus evaluates its rules and
Alertmanager delivers; the last row says whether they do.
"""

from typing import Final

from gx.monitoring.alerts.watching import MONITORING_DASHBOARD, WATCHDOG
from gx.monitoring.dashboards.model import (
    NAMESPACE,
    Band,
    Color,
    Dashboard,
    Drawing,
    Measure,
    Panel,
    Query,
    Row,
    State,
)
from gx.monitoring.external import (
    ALERT_STATES,
    ALERTMANAGER_NOTIFICATIONS_FAILED,
    PROMETHEUS_NOTIFICATIONS_DROPPED,
    RULE_EVALUATION_FAILURES,
    UP,
)
from gx.monitoring.model import Severity
from gx.monitoring.promql import (
    Expr,
    Selector,
    either,
    increase,
    max_by,
    select,
    sum_by,
    vector,
)
from gx.monitoring.selectors import Matcher, is_

_WINDOW_S: Final = 300
_FIRING: Final = is_("alertstate", "firing")
_PENDING: Final = is_("alertstate", "pending")


def _or_zero(expr: Expr) -> Expr:
    """Say 0 where Prometheus has no series because there is nothing to count."""
    return either(sum_by(expr), vector(0))


def _alerts(*matchers: Matcher) -> Selector:
    return select(ALERT_STATES, *matchers)


def _count(
    title: str, description: str, expr: Expr, runbook: str, *, color: Color = Color.RED
) -> Panel:
    """Make a panel of one number that should be 0."""
    return Panel(
        title=title,
        description=description,
        drawing=Drawing.STAT,
        measure=Measure.COUNT,
        queries=(Query(expr=expr, legend=title),),
        runbooks=(runbook,),
        bands=(Band(None, Color.GREEN), Band(1, color)),
    )


def _firing(severity: Severity, color: Color) -> Panel:
    return _count(
        f"Firing: {severity.value}",
        f"Alerts of severity {severity.value} that fire now, in all environments.",
        _or_zero(_alerts(_FIRING, is_("severity", severity.value))),
        WATCHDOG.name,
        color=color,
    )


CRITICAL: Final = _firing(Severity.CRITICAL, Color.RED)
WARNING: Final = _firing(Severity.WARNING, Color.YELLOW)
PENDING: Final = _count(
    "Pending",
    "Alerts whose condition holds, but not yet for as long as they wait before they fire.",
    _or_zero(_alerts(_PENDING)),
    WATCHDOG.name,
    color=Color.YELLOW,
)
TARGETS_DOWN: Final = _count(
    "Targets down",
    "Targets that did not answer their last scrape. One that left the configuration is not here: "
    "BackendServiceDown says it.",
    _or_zero(1 - select(UP)),
    "BackendServiceDown",
)
FIRING_OVER_TIME: Final = Panel(
    title="Firing alerts by name",
    description="Every alert while it fires; the watchdog always does.",
    drawing=Drawing.STACKED,
    measure=Measure.COUNT,
    queries=(
        Query(
            expr=sum_by(_alerts(_FIRING), "alertname", NAMESPACE, "severity"),
            legend="{{severity}} {{alertname}} {{namespace}}",
        ),
    ),
    runbooks=(WATCHDOG.name,),
    least=0,
)
TARGETS_UP: Final = Panel(
    title="Targets up by job",
    description="How many targets of each job answered their last scrape.",
    drawing=Drawing.LINES,
    measure=Measure.COUNT,
    queries=(
        Query(
            expr=sum_by(select(UP), "job", NAMESPACE),
            legend="{{job}} {{namespace}}",
        ),
    ),
    runbooks=("BackendServiceDown", "ScrapeEmpty", "MonitoringTargetDown"),
    least=0,
)
ALIVE: Final = Panel(
    title="Watchdog",
    description=(
        "The alert that always fires. SILENT: rules are not evaluated, and no alert can be "
        "believed."
    ),
    drawing=Drawing.STAT,
    measure=Measure.STATE,
    queries=(
        Query(
            expr=either(max_by(_alerts(_FIRING, is_("alertname", WATCHDOG.name))), vector(0)),
            legend=WATCHDOG.name,
        ),
    ),
    runbooks=(WATCHDOG.name, "ConfigReloadFailed"),
    bands=(Band(None, Color.RED), Band(1, Color.GREEN)),
    states=(State(0, "SILENT", Color.RED), State(1, "FIRING", Color.GREEN)),
)
RULE_FAILURES: Final = _count(
    "Failed rule evaluations",
    "Evaluations of rules that failed in the last 5 minutes: their alerts are blind.",
    _or_zero(increase(select(RULE_EVALUATION_FAILURES), _WINDOW_S)),
    "RuleEvaluationFailing",
)
FAILED_NOTIFICATIONS: Final = _count(
    "Failed notifications",
    "Notifications that a receiver did not take in the last 5 minutes.",
    _or_zero(increase(select(ALERTMANAGER_NOTIFICATIONS_FAILED), _WINDOW_S)),
    "NotificationsFailing",
)
DROPPED: Final = _count(
    "Alerts without an Alertmanager",
    "Alerts that no Alertmanager took from Prometheus in the last 5 minutes.",
    _or_zero(increase(select(PROMETHEUS_NOTIFICATIONS_DROPPED), _WINDOW_S)),
    "NotificationsFailing",
)

ALERTING: Final = Dashboard(
    uid=MONITORING_DASHBOARD,
    title="GX Protocol - Alerts",
    description="What fires and what is about to, and whether alerting itself works.",
    tags=("gx-protocol", "alerts"),
    variables=(),
    rows=(
        Row("Now", (CRITICAL, WARNING, PENDING, TARGETS_DOWN)),
        Row("Over time", (FIRING_OVER_TIME, TARGETS_UP)),
        Row("Alerting itself", (ALIVE, RULE_FAILURES, FAILED_NOTIFICATIONS, DROPPED)),
    ),
    refresh_s=10,
    span="6h",
)
