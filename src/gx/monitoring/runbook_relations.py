"""What a runbook says of its alert's surroundings: who is told, what mutes it, what shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alertmanager.model import Inhibition, Route
from gx.monitoring.alertmanager.routing import (
    DEVNET,
    TESTNET,
    Destinations,
    build_configuration,
)
from gx.monitoring.alertmanager.validate import MAINNET, labels_of
from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.model import Dashboard, Panel
from gx.monitoring.model import Alert, Fault, Severity

_ROUTING: Final = build_configuration(Destinations())
_NO_CAUSE: Final = frozenset({Fault.STAND_IN, Fault.SILENCE_ALERTING})


@dataclass(frozen=True, slots=True)
class Relation:
    """Alerts, and what they have to do with another one."""

    names: tuple[str, ...]
    why: str


def told_of(alert: Alert) -> Iterator[str]:
    """Say who is told in each environment, in sentences."""
    if alert.severity is Severity.NONE:
        yield f"Told: {_receivers(alert, MAINNET)}, as a heartbeat."
        return
    yield (
        f"Told in mainnet: {_receivers(alert, MAINNET)}; "
        f"testnet: {_receivers(alert, TESTNET)}; devnet: {_receivers(alert, DEVNET)}."
    )


def relations_of(alert: Alert) -> Iterator[Relation]:
    """List the alerts that an alert mutes, is muted by, shares a family or a cause with."""
    muting = tuple(each.name for each in ALERTS if _mutes(each, alert))
    muted = tuple(each.name for each in ALERTS if _mutes(alert, each))
    if muting:
        yield Relation(muting, "while it fires, this one is muted")
    if muted:
        yield Relation(muted, "muted while this one fires")
    family = _names(each for each in ALERTS if each.family == alert.family and each is not alert)
    if rest := tuple(name for name in family if name not in {*muting, *muted}):
        yield Relation(rest, "the same family")
    if alert.drill not in _NO_CAUSE:
        causes = _names(each for each in ALERTS if each.drill is alert.drill and each is not alert)
        told = {*muting, *muted, *family}
        if others := tuple(name for name in causes if name not in told):
            yield Relation(others, f"often at the same time ({alert.drill})")


def panels_of(alert: Alert) -> tuple[Panel, ...]:
    """List the panels of the alert's dashboard that are about it."""
    return tuple(
        panel
        for row in _dashboard(alert.dashboard).rows
        for panel in row.panels
        if alert.name in panel.runbooks
    )


def queries_of(alert: Alert) -> tuple[str, ...]:
    """List what those panels ask about the series that the alert reads, each once."""
    found = (
        query.resolve()
        for panel in panels_of(alert)
        for query in panel.queries
        if query.expr.reads & alert.expr.reads
    )
    return tuple(dict.fromkeys(found))


def _dashboard(uid: str) -> Dashboard:
    return next(each for each in DASHBOARDS if each.uid == uid)


def _receivers(alert: Alert, namespace: str) -> str:
    """Name who is told, and when, if not at any time."""
    routes = {route.receiver: route for route in _ROUTING.root.taking(labels_of(alert, namespace))}
    return ", ".join(f"`{name}`{_hours(route)}" for name, route in routes.items())


def _hours(route: Route) -> str:
    said = [f"in {name}" for name in route.active] + [f"not in {name}" for name in route.muted]
    return f" ({', '.join(said)})" if said else ""


def _names(alerts: Iterator[Alert]) -> tuple[str, ...]:
    return tuple(alert.name for alert in alerts)


def _mutes(source: Alert, target: Alert) -> bool:
    return source is not target and any(
        _matches(rule, source, target) for rule in _ROUTING.inhibitions
    )


def _matches(rule: Inhibition, source: Alert, target: Alert) -> bool:
    """Ask the rule with every service that the source may be about."""
    services = [matcher.value for matcher in rule.source if matcher.label == "service"]
    firing = {**labels_of(source, MAINNET), **({"service": services[0]} if services else {})}
    return rule.mutes(labels_of(target, MAINNET), firing)
