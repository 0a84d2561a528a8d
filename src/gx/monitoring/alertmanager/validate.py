"""What may not be wrong with the routing: nothing is lost, nobody is woken up for nothing."""

from collections.abc import Iterable, Iterator

from gx.monitoring.alertmanager.model import (
    DAY_MINUTES,
    Configuration,
    Labels,
    Matcher,
    Operator,
    Route,
    Weekday,
)
from gx.monitoring.alertmanager.routing import (
    DEADMAN,
    DEVNET,
    PAGERDUTY,
    SLACK_DEFAULT,
    TESTNET,
)
from gx.monitoring.alertmanager.schedule import OFFICE_HOURS, ON_CALL_HOURS
from gx.monitoring.alerts.watching import WATCHDOG
from gx.monitoring.model import Alert, Severity
from gx.monitoring.thresholds import BACKEND_NAMESPACE

MAINNET = f"{BACKEND_NAMESPACE}mainnet"
NAMESPACES = (DEVNET, TESTNET, MAINNET, "monitoring", None)


def find_routing_faults(configuration: Configuration, alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Say what is wrong with the routing of these alerts; empty when nothing is."""
    kept = tuple(alerts)
    return (
        *_tree_faults(configuration),
        *_schedule_faults(configuration),
        *_name_faults(configuration, {alert.name for alert in kept}),
        *(fault for alert in kept for fault in _alert_faults(configuration, alert)),
        *_inhibition_faults(configuration, kept),
    )


def labels_of(alert: Alert, namespace: str | None) -> Labels:
    """Return what routing looks at when an alert fires in a namespace, or in none."""
    return (
        alert.labels | {"alertname": alert.name} | ({"namespace": namespace} if namespace else {})
    )


def _tree_faults(configuration: Configuration) -> Iterator[str]:
    root, routes = configuration.root, tuple(configuration.root.walk())
    declared = [receiver.name for receiver in configuration.receivers]
    used = {route.receiver for route in routes}
    intervals = {interval.name for interval in configuration.intervals}
    if root.matchers or root.active or root.muted or root.goes_on:
        yield "the root route has conditions: alerts that fulfil none would be lost"
    for name in sorted({name for name in declared if declared.count(name) > 1}):
        yield f"receiver {name}: there are two of this name"
    for name in sorted(used - set(declared)):
        yield f"receiver {name}: a route names it and it is not declared"
    for name in sorted(set(declared) - used):
        yield f"receiver {name}: no route leads to it"
    for route in routes:
        for name in {*route.active, *route.muted} - intervals:
            yield f"route to {route.receiver}: it names the interval {name}, which is not declared"
        if route.timing.repeat_interval_s is not None and route.receiver != DEADMAN:
            yield from _timing_faults(route, root)


def _timing_faults(route: Route, root: Route) -> Iterator[str]:
    interval_s = route.timing.group_interval_s or root.timing.group_interval_s or 0
    if (route.timing.repeat_interval_s or 0) < interval_s:
        yield f"route to {route.receiver}: it repeats sooner than its groups are sent"


def _schedule_faults(configuration: Configuration) -> Iterator[str]:
    """Find a minute of the week in which nobody, or everybody, is responsible."""
    both = [
        interval
        for interval in configuration.intervals
        if interval.name in {OFFICE_HOURS, ON_CALL_HOURS}
    ]
    for day in Weekday:
        for minute in range(DAY_MINUTES):
            count = sum(interval.contains(day, minute) for interval in both)
            if count != 1:
                yield (
                    f"schedule: {day} {minute // 60:02}:{minute % 60:02} is in {count} of "
                    f"{OFFICE_HOURS} and {ON_CALL_HOURS}"
                )
                return


def _name_faults(configuration: Configuration, names: set[str]) -> Iterator[str]:
    """Find matchers of alerts that do not exist, such as after a new name."""
    matchers = [
        *(matcher for route in configuration.root.walk() for matcher in route.matchers),
        *(
            matcher
            for rule in configuration.inhibitions
            for matcher in (*rule.source, *rule.target)
        ),
    ]
    for matcher in matchers:
        for name in _alert_names(matcher):
            if name not in names:
                yield f"matcher {matcher.text}: no alert is called {name}"


def _alert_names(matcher: Matcher) -> list[str]:
    if matcher.label != "alertname":
        return []
    is_pattern = matcher.operator in {Operator.MATCHES, Operator.MATCHES_NOT}
    return matcher.value.split("|") if is_pattern else [matcher.value]


def _alert_faults(configuration: Configuration, alert: Alert) -> Iterator[str]:
    for namespace in NAMESPACES:
        told = configuration.receivers_of(labels_of(alert, namespace))
        where = namespace or "no namespace"
        if alert.name == WATCHDOG.name:
            if told != (DEADMAN,):
                yield f"{alert.name}: it must reach the dead-man's receiver alone, not {told}"
            continue
        if SLACK_DEFAULT in told:
            yield f"{alert.name} in {where}: only the default receiver is told"
        pages = alert.severity is Severity.CRITICAL and namespace not in {DEVNET, TESTNET}
        if pages != (PAGERDUTY in told):
            yield f"{alert.name} in {where}: it {'must' if pages else 'must not'} page"
        if DEADMAN in told:
            yield f"{alert.name} in {where}: it would look like a heartbeat"


def _inhibition_faults(configuration: Configuration, alerts: tuple[Alert, ...]) -> Iterator[str]:
    for rule in configuration.inhibitions:
        if not rule.equal:
            yield f"inhibition ({rule.reason}): without equal labels it mutes everywhere"
        if any(matcher.accepts({}) for matcher in (*rule.source[:1], *rule.target[:1])):
            yield f"inhibition ({rule.reason}): it takes alerts that lack the label"
        for alert in alerts:
            if _is_untouchable(alert) and all(
                matcher.accepts(labels_of(alert, MAINNET)) for matcher in rule.target
            ):
                yield f"{alert.name}: an inhibition mutes it ({rule.reason})"
    for alert in alerts:
        yield from _mutual_faults(configuration, alert, alerts)


def _is_untouchable(alert: Alert) -> bool:
    return alert.name == WATCHDOG.name


def _mutual_faults(
    configuration: Configuration, alert: Alert, alerts: tuple[Alert, ...]
) -> Iterator[str]:
    """Find two alerts that mute each other: nobody would be told of either."""
    one = labels_of(alert, MAINNET)
    for other in alerts:
        two = labels_of(other, MAINNET)
        ways = [
            any(rule.mutes(*pair) for rule in configuration.inhibitions)
            for pair in ((one, two), (two, one))
        ]
        if all(ways) and alert.name < other.name:
            yield f"{alert.name} and {other.name}: they mute each other"
