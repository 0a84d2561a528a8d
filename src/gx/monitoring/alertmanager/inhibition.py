"""What mutes what: a critical alert its warning, and a cause what follows from it."""

from collections.abc import Iterable, Iterator
from typing import Final

from gx.monitoring.alertmanager.model import Inhibition, is_, one_of, present
from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import (
    BREAKER_IS_OPEN,
    FABRIC_FAILURES,
    FABRIC_FAILURES_ARE_CRITICAL,
    QUEUE_BUILDS_UP,
    SERVICE_DOWN,
)
from gx.monitoring.model import Alert, Severity
from gx.monitoring.recording import Recording
from gx.monitoring.selectors import Series
from gx.telemetry.metric import Metric, Process

# `=~".+"`: a label that is missing on both sides counts as equal, so that without it any critical
# alert without a family would mute every warning without one (prometheus/alertmanager#507).
BY_FAMILY: Final = Inhibition(
    source=(is_("severity", Severity.CRITICAL.value), present("family")),
    target=(is_("severity", Severity.WARNING.value), present("family")),
    equal=("namespace", "family"),
    reason="the critical alert of a family says what its warning says, and more",
)
BY_BREAKER: Final = Inhibition(
    source=(is_("alertname", BREAKER_IS_OPEN.name),),
    target=(
        one_of(
            "alertname",
            FABRIC_FAILURES.name,
            FABRIC_FAILURES_ARE_CRITICAL.name,
            QUEUE_BUILDS_UP.name,
        ),
    ),
    equal=("namespace",),
    reason="while nothing reaches the ledger, transactions fail and commands wait",
)


def warnings_about(process: Process) -> tuple[Alert, ...]:
    """List the warnings that know what they know from one kind of process alone."""
    return tuple(
        alert
        for alert in ALERTS
        if alert.severity is Severity.WARNING
        if _sources(alert.expr.reads) == {process}
    )


def _sources(reads: Iterable[Series]) -> set[Process]:
    """Name the processes that export what is read, at any depth."""
    found: set[Process] = set()
    for series in reads:
        if isinstance(series, Metric):
            found |= series.processes
        elif isinstance(series, Recording):
            found |= _sources(series.expr.reads)
    return found


def _by_service() -> Iterator[Inhibition]:
    for process in Process:
        warnings = warnings_about(process)
        if warnings:
            yield Inhibition(
                source=(is_("alertname", SERVICE_DOWN.name), is_("service", process.value)),
                target=(one_of("alertname", *(alert.name for alert in warnings)),),
                equal=("namespace",),
                reason=f"while {process} is down, what it says of itself is old",
            )


INHIBITIONS: Final = (BY_FAMILY, BY_BREAKER, *_by_service())
