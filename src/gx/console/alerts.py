"""What fires and what is about to, with the pages to read; and whether somebody is notified."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from gx.console.panels import BY_UID
from gx.console.prometheus import ActiveAlert, Prometheus, Rule, RuleGroup
from gx.console.runbooks import RunbookShelf
from gx.console.sources import Source, SourceAwayError, SourceError
from gx.console.wire import WireAlert, WireAlerts, WireRule
from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.watching import WATCHDOG

T = TypeVar("T")

FIRING: Final = "firing"
_BY_NAME: Final = {alert.name: alert for alert in ALERTS}
_SEVERITIES: Final = ("critical", "warning")
_STATES: Final = (FIRING, "pending")


class MuteStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Whether Alertmanager keeps an alert to itself, and for which reason."""

    state: str
    silenced_by: list[str]
    inhibited_by: list[str]


class HeldAlert(msgspec.Struct, frozen=True):
    """An alert as Alertmanager has it."""

    labels: dict[str, str]
    status: MuteStatus


async def read_alerts(
    prometheus: Prometheus, alertmanager: Source, shelf: RunbookShelf
) -> WireAlerts:
    """Read rules from Prometheus and who is notified from Alertmanager; either may be away."""
    groups, held = await asyncio.gather(
        _or_fault(prometheus.rule_groups()), _or_fault(_held_alerts(alertmanager))
    )
    found: Sequence[RuleGroup] = () if isinstance(groups, SourceError) else groups
    muting: Sequence[HeldAlert] = () if isinstance(held, SourceError) else held
    active = [
        _alert(rule, alert, muting, shelf)
        for group in found
        for rule in group.rules
        for alert in rule.alerts
        if alert.state in _STATES
    ]
    return WireAlerts(
        problem=str(groups) if isinstance(groups, SourceError) else None,
        alertmanager_problem=str(held) if isinstance(held, SourceError) else None,
        watchdog=any(each.name == WATCHDOG.name and each.state == FIRING for each in active),
        alerts=tuple(sorted(_without_watchdog(active), key=_by_urgency)),
        rules=tuple(_rule(group, rule, shelf) for group in found for rule in group.rules),
    )


async def _or_fault(asked: Coroutine[object, object, T]) -> T | SourceError:
    try:
        return await asked
    except SourceError as error:
        return error


async def _held_alerts(alertmanager: Source) -> Sequence[HeldAlert]:
    body = await alertmanager.get("/api/v2/alerts")
    try:
        return msgspec.json.decode(body, type=list[HeldAlert])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceAwayError(
            f"what answers at {alertmanager.url} is not Alertmanager: {error}"
        ) from error


def _without_watchdog(alerts: Iterable[WireAlert]) -> list[WireAlert]:
    return [alert for alert in alerts if alert.name != WATCHDOG.name]


def _by_urgency(alert: WireAlert) -> tuple[int, int, str, str]:
    """Order what fires before what waits, critical before warning, and then the oldest first."""
    severity = alert.severity
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return (_STATES.index(alert.state), rank, alert.active_at, alert.name)


def _alert(
    rule: Rule, alert: ActiveAlert, held: Sequence[HeldAlert], shelf: RunbookShelf
) -> WireAlert:
    return WireAlert(
        name=rule.name,
        state=alert.state,
        severity=alert.labels.get("severity", ""),
        component=alert.labels.get("component", ""),
        labels={name: value for name, value in alert.labels.items() if name != "alertname"},
        summary=alert.annotations.get("summary", ""),
        description=alert.annotations.get("description", ""),
        active_at=alert.active_at,
        value=alert.value,
        runbook=_runbook(rule.name, shelf),
        dashboard=_dashboard(rule.name),
        muted=_muted(alert.labels, held) if alert.state == FIRING else None,
    )


def _rule(group: RuleGroup, rule: Rule, shelf: RunbookShelf) -> WireRule:
    return WireRule(
        name=rule.name,
        group=group.name,
        severity=rule.labels.get("severity", ""),
        state=rule.state,
        health=rule.health,
        last_error=rule.last_error,
        expr=rule.query,
        for_s=rule.duration,
        summary=rule.annotations.get("summary", ""),
        runbook=_runbook(rule.name, shelf),
        dashboard=_dashboard(rule.name),
    )


def _runbook(name: str, shelf: RunbookShelf) -> str | None:
    return f"/runbooks/{name}" if name in shelf else None


def _dashboard(name: str) -> str | None:
    """Return the page that shows what an alert is about, if it is one of ours."""
    alert = _BY_NAME.get(name)
    if alert is None or alert.dashboard not in BY_UID:
        return None
    return f"/dashboards/{alert.dashboard}"


def _muted(labels: Mapping[str, str], held: Sequence[HeldAlert]) -> str | None:
    """Say why nobody is told; Alertmanager's labels are ours and those of its Prometheus."""
    for each in held:
        if labels.items() <= each.labels.items() and each.status.state == "suppressed":
            return "silenced" if each.status.silenced_by else "inhibited"
    return None
