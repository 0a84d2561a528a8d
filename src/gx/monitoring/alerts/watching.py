"""Who watches the watchmen: alerts about scraping, rules, notifications and probes."""

from collections.abc import Sequence
from functools import reduce
from typing import Final

from gx.monitoring.exporters.names import EXPORTER_JOBS
from gx.monitoring.external import (
    ALERTMANAGER_NOTIFICATIONS_FAILED,
    ALERTMANAGER_RELOAD_SUCCESSFUL,
    PROBE_SUCCESS,
    PROMETHEUS_NOTIFICATIONS_DROPPED,
    PROMETHEUS_RELOAD_SUCCESSFUL,
    RULE_EVALUATION_FAILURES,
    SAMPLES_KEPT,
    UP,
)
from gx.monitoring.jobs import ALL_JOBS, PROBE_JOB, PROBE_SAMPLES_MAX
from gx.monitoring.model import Alert, Component, Fault, Objective, Severity
from gx.monitoring.promql import (
    Expr,
    both,
    either,
    increase,
    max_by,
    max_over,
    rate,
    select,
    sum_by,
    vector,
)
from gx.monitoring.recording import NAMESPACE
from gx.monitoring.selectors import is_, matches, matches_not, one_of
from gx.monitoring.thresholds import SAMPLES_SHARE, beyond

MONITORING_DASHBOARD: Final = "alerts-overview"
# Whose answers are filtered; Prometheus and Alertmanager keep all that they say of themselves.
_FILTERED: Final = matches("job", "|".join(("gx-.+", *EXPORTER_JOBS.values())))
_SELF: Final = ("job", "instance")
_WINDOW_S: Final = 300
# A notification that a receiver refused comes again after its group's interval of five minutes. The
# window is longer, or the alert would be pending for less than that again and again; and what fails
# but once is forgotten before the alert fires.
_LOST_WINDOW_S: Final = 420
_LOST_FOR_S: Final = 480


def _kept(limit: int, jobs: Sequence[str]) -> Expr:
    return beyond(100 * select(SAMPLES_KEPT, one_of("job", *jobs)) / limit, ">", SAMPLES_SHARE)


def _near_their_limits() -> Expr:
    """Compare each job with its own limit; jobs of one limit together."""
    limits: dict[int, list[str]] = {PROBE_SAMPLES_MAX: [PROBE_JOB]}
    for job in ALL_JOBS:
        limits.setdefault(job.samples_max, []).append(job.name)
    return reduce(either, (_kept(limit, jobs) for limit, jobs in limits.items()))


WATCHDOG: Final = Alert(
    name="Watchdog",
    expr=vector(1),
    severity=Severity.NONE,
    component=Component.MONITORING,
    family="watchdog",
    summary="Alerting works; this alert always fires.",
    description="If it stops arriving, Prometheus or Alertmanager is broken (value {{ $value }}).",
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.SILENCE_ALERTING,
)
PROBE_FAILS: Final = Alert(
    name="ProbeFailing",
    expr=select(PROBE_SUCCESS, is_("job", PROBE_JOB)).equals(0),
    for_s=120,
    severity=Severity.CRITICAL,
    component=Component.INFRASTRUCTURE,
    family="service_down",
    slo=Objective.AVAILABILITY,
    summary="A service says that it is not ready, or does not answer.",
    description=(
        "{{ $labels.instance }} of {{ $labels.service }} in {{ $labels.namespace }} is not ready "
        "(value {{ $value }})."
    ),
    drill=Fault.STOP_API,
)
SCRAPE_IS_EMPTY: Final = Alert(
    name="ScrapeEmpty",
    expr=both(
        select(SAMPLES_KEPT, _FILTERED).equals(0),
        select(UP, _FILTERED).equals(1),
        on=[NAMESPACE, *_SELF],
    ),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.MONITORING,
    family="scrape_empty",
    summary="A target answers and nothing of its answer is kept: alerts on it are blind.",
    description=(
        "Prometheus keeps {{ $value }} samples of {{ $labels.job }} ({{ $labels.instance }})."
    ),
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.BREAK_FILTER,
)
SAMPLE_LIMIT_NEAR: Final = Alert(
    name="SampleLimitNear",
    expr=_near_their_limits(),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.MONITORING,
    family="sample_limit",
    summary="A target delivers nearly as many samples as it may; beyond that its scrapes fail.",
    description=(
        "{{ $labels.instance }} ({{ $labels.job }}) delivers {{ $value | humanize }} % of its "
        "sample limit."
    ),
    thresholds=(SAMPLES_SHARE,),
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.FLOOD_SAMPLES,
)
# Over a window: a scrape of Prometheus by itself may fail just while it reloads.
CONFIG_RELOAD_FAILED: Final = Alert(
    name="ConfigReloadFailed",
    expr=either(
        max_over(select(PROMETHEUS_RELOAD_SUCCESSFUL), _WINDOW_S).equals(0),
        max_over(select(ALERTMANAGER_RELOAD_SUCCESSFUL), _WINDOW_S).equals(0),
    ),
    for_s=300,
    crossing_s=_WINDOW_S,
    severity=Severity.WARNING,
    component=Component.MONITORING,
    family="config_reload",
    summary="Prometheus or Alertmanager runs with an old configuration: the new one is broken.",
    description="{{ $labels.job }} ({{ $labels.instance }}) could not reload (value {{ $value }}).",
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.BREAK_CONFIGURATION,
)
NOTIFICATIONS_FAIL: Final = Alert(
    name="NotificationsFailing",
    expr=either(
        sum_by(
            rate(select(ALERTMANAGER_NOTIFICATIONS_FAILED), _LOST_WINDOW_S), *_SELF, "integration"
        )
        > 0,
        sum_by(rate(select(PROMETHEUS_NOTIFICATIONS_DROPPED), _LOST_WINDOW_S), *_SELF) > 0,
    ),
    for_s=_LOST_FOR_S,
    crossing_s=30,
    severity=Severity.CRITICAL,
    component=Component.MONITORING,
    family="notifications",
    summary="Alerts do not reach their receivers.",
    description=(
        "{{ $labels.job }} ({{ $labels.instance }}) loses {{ $value | humanize }} notifications "
        "a second{{ with $labels.integration }} to {{ . }}{{ end }}."
    ),
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.BREAK_RECEIVER,
)
RULES_FAIL: Final = Alert(
    name="RuleEvaluationFailing",
    expr=max_by(increase(select(RULE_EVALUATION_FAILURES), _WINDOW_S), *_SELF, "rule_group") > 0,
    for_s=300,
    severity=Severity.WARNING,
    component=Component.MONITORING,
    family="rule_evaluation",
    summary="A rule cannot be evaluated: its alert is silent whatever happens.",
    description=(
        "{{ $value | humanize }} evaluations of {{ $labels.rule_group }} failed within 5 minutes."
    ),
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.BREAK_RULE,
)

# Of our own processes `BackendServiceDown` tells; this one is about what the other alerts see with.
TARGET_DOWN: Final = Alert(
    name="MonitoringTargetDown",
    expr=select(UP, matches_not("job", "gx-.+")).equals(0),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.MONITORING,
    family="monitoring_target",
    summary="An exporter or a part of monitoring does not answer: the alerts on it are blind.",
    description=(
        "{{ $labels.job }} ({{ $labels.instance }}) does not answer its scrapes "
        "(value {{ $value }})."
    ),
    dashboard=MONITORING_DASHBOARD,
    drill=Fault.STOP_EXPORTER,
)

WATCHING_ALERTS: Final = (
    WATCHDOG,
    PROBE_FAILS,
    TARGET_DOWN,
    SCRAPE_IS_EMPTY,
    SAMPLE_LIMIT_NEAR,
    CONFIG_RELOAD_FAILED,
    NOTIFICATIONS_FAIL,
    RULES_FAIL,
)
