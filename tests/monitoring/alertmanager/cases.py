"""Who must be told of which alert, and what mutes it: written down apart from the routing.

The cases come from the catalogue's alerts, so that a new alert is routed in a test at once; what
is expected of them follows from a small table that knows nothing of routes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import Alert, Severity
from gx.telemetry.metric import Process

DEVNET: Final = "backend-devnet"
TESTNET: Final = "backend-testnet"
MAINNET: Final = "backend-mainnet"
NAMESPACES: Final = (DEVNET, TESTNET, MAINNET, None)

Labels = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCase:
    """An alert fires; exactly these are told."""

    name: str
    labels: Labels
    expect: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitionCase:
    """Two alerts fire; the first one is muted, or is not."""

    name: str
    labels: Labels
    firing: Labels
    inhibited: bool


def labels_of(alert: Alert, namespace: str | None, **more: str) -> Labels:
    """Return the labels that an alert has when it fires, as far as routing looks at them."""
    place = {} if namespace is None else {"namespace": namespace}
    return {"alertname": alert.name, **alert.labels, **place, **more}


def expected_receivers(alert: Alert, namespace: str | None) -> frozenset[str]:
    """Return who must be told."""
    if alert.severity is Severity.NONE:
        return frozenset({"deadman"})
    if namespace == DEVNET:
        return frozenset({"slack-devnet"})
    is_test = namespace == TESTNET
    if alert.severity is Severity.CRITICAL:
        return frozenset({"slack-critical"} if is_test else {"slack-critical", "pagerduty"})
    own = f"slack-{alert.component}"
    return frozenset({own} if is_test else {own, "slack-on-call"})


def _unknown() -> Iterator[RouteCase]:
    """Alerts that the catalogue does not have still reach somebody."""
    stranger = {"alertname": "SomebodyElses", "namespace": MAINNET, "component": "elsewhere"}
    yield RouteCase(
        name="an alert without a severity",
        labels=stranger,
        expect=frozenset({"slack-default"}),
    )
    yield RouteCase(
        name="a warning of an unknown component",
        labels={**stranger, "severity": "warning"},
        expect=frozenset({"slack-default", "slack-on-call"}),
    )
    yield RouteCase(
        name="a warning of an unknown component in testnet",
        labels={**stranger, "severity": "warning", "namespace": TESTNET},
        expect=frozenset({"slack-default"}),
    )
    yield RouteCase(
        name="a critical alert of an environment that nobody declared",
        labels={**stranger, "severity": "critical", "namespace": "backend-new"},
        expect=frozenset({"slack-critical", "pagerduty"}),
    )


ROUTE_CASES: Final = (
    *(
        RouteCase(
            name=f"{alert.name} in {namespace or 'no namespace'}",
            labels=labels_of(alert, namespace),
            expect=expected_receivers(alert, namespace),
        )
        for alert in ALERTS
        for namespace in NAMESPACES
        if alert.severity is not Severity.NONE or namespace is None
    ),
    *_unknown(),
)

BREAKER_MUTES: Final = (
    "FabricTransactionFailureRate",
    "FabricTransactionFailureCritical",
    "OutboxQueueBuildup",
)
SERVICE_MUTES: Final = {
    Process.SUBMITTER: ("OutboxQueueBuildup", "DeadLetterQueueAccumulating"),
    Process.PROJECTOR: ("ProjectionLagExceedsSLO", "EventProcessingFailures"),
    Process.API: ("APIResponseTimeSlow", "WritesRefused"),
}
"""Some of each; that all are found is a rule of its own."""


def alert_named(name: str) -> Alert:
    """Find an alert of the catalogue."""
    return next(alert for alert in ALERTS if alert.name == name)


def _families() -> Iterator[InhibitionCase]:
    for warning in ALERTS:
        for critical in ALERTS:
            if (warning.severity, critical.severity) != (Severity.WARNING, Severity.CRITICAL):
                continue
            if warning.family == critical.family:
                yield from _here_and_elsewhere(warning, critical)


def _here_and_elsewhere(target: Alert, source: Alert) -> Iterator[InhibitionCase]:
    for where, other in (("the same place", MAINNET), ("another environment", TESTNET)):
        yield InhibitionCase(
            name=f"{target.name} while {source.name} fires in {where}",
            labels=labels_of(target, MAINNET),
            firing=labels_of(source, other),
            inhibited=other == MAINNET,
        )


def _breaker() -> Iterator[InhibitionCase]:
    source = alert_named("FabricCircuitBreakerOpen")
    for name in BREAKER_MUTES:
        yield from _here_and_elsewhere(alert_named(name), source)
    for name in ("DeadLetterQueueAccumulating", "OldestPending", "OutboxQueueCritical"):
        yield InhibitionCase(
            name=f"{name} although {source.name} fires",
            labels=labels_of(alert_named(name), MAINNET),
            firing=labels_of(source, MAINNET, instance="submitter-0"),
            inhibited=False,
        )


def _services() -> Iterator[InhibitionCase]:
    source = alert_named("BackendServiceDown")
    for process, names in SERVICE_MUTES.items():
        for name in names:
            for down in (Process.SUBMITTER, Process.PROJECTOR, Process.API):
                yield InhibitionCase(
                    name=f"{name} while {down} is down",
                    labels=labels_of(alert_named(name), MAINNET),
                    firing=labels_of(source, MAINNET, service=down.value, job=f"gx-{down}"),
                    inhibited=down is process,
                )


def _others() -> Iterator[InhibitionCase]:
    critical = alert_named("OutboxQueueCritical")
    yield InhibitionCase(
        name="a warning without a family while a critical alert without one fires",
        labels={"alertname": "One", "severity": "warning", "namespace": MAINNET},
        firing={"alertname": "Other", "severity": "critical", "namespace": MAINNET},
        inhibited=False,
    )
    yield InhibitionCase(
        name="a warning of another family of the same component",
        labels=labels_of(alert_named("DeadLetterQueueAccumulating"), MAINNET),
        firing=labels_of(critical, MAINNET),
        inhibited=False,
    )
    yield InhibitionCase(
        name="Watchdog while everything burns",
        labels=labels_of(alert_named("Watchdog"), None),
        firing=labels_of(alert_named("NotificationsFailing"), None),
        inhibited=False,
    )


INHIBITION_CASES: Final = (*_families(), *_breaker(), *_services(), *_others())


def to_amlint() -> str:
    """Write every case as amlint reads them."""
    routes: list[dict[str, object]] = [
        {"name": case.name, "labels": case.labels, "expect": sorted(case.expect)}
        for case in ROUTE_CASES
    ]
    inhibitions: list[dict[str, object]] = [
        {
            "name": case.name,
            "labels": case.labels,
            "firing": [case.firing],
            "inhibited": case.inhibited,
        }
        for case in INHIBITION_CASES
    ]
    return yaml.safe_dump([*routes, *inhibitions], sort_keys=False)
