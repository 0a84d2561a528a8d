"""Silent alerts: an Alertmanager that is not reached, and routes that end with nobody."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import httpx
import msgspec
import yaml

from gx.domain.errors import GxError
from gx.monitoring.alertmanager.model import Matcher, Operator
from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import ENVIRONMENTS, Severity
from gx.monitoring.thresholds import BACKEND_NAMESPACE
from gx.proof.causes import Cause, Finding
from gx.proof.prometheus import Prometheus

_TIMEOUT_S: Final = 5.0
_NAMES_SHOWN: Final = 4


class AlertmanagerError(GxError):
    """An Alertmanager does not answer, or with something else; the text says which."""


class RouteNode(msgspec.Struct, frozen=True, rename={"continues": "continue"}):
    """A node of the routing tree as Alertmanager prints it."""

    receiver: str = ""
    matchers: list[str] = []
    match: dict[str, str] = {}
    match_re: dict[str, str] = {}
    continues: bool = False
    routes: list["RouteNode"] = []


class _Loaded(msgspec.Struct):
    route: RouteNode
    receivers: list[dict[str, object]]


class _Original(msgspec.Struct):
    original: str


class _Status(msgspec.Struct):
    config: _Original


def examine_delivery(prometheus: Prometheus) -> Iterator[Finding]:
    """Yield why Prometheus does not get rid of its alerts."""
    known = prometheus.alertmanagers().active_alertmanagers
    if not known:
        yield Finding(
            cause=Cause.NO_ALERTMANAGER,
            where=prometheus.url,
            what="Prometheus knows no Alertmanager: alerts fire, and nobody is told",
            evidence=("/api/v1/alertmanagers has no active one",),
            fix="name one under `alerting.alertmanagers`; `gx monitoring render` does",
        )
    for sample in prometheus.ask("increase(prometheus_notifications_errors_total[5m]) > 0"):
        address = sample.labels.get("alertmanager", "?")
        yield Finding(
            cause=Cause.ALERTMANAGER_UNREACHABLE,
            where=f"{prometheus.url} -> {address}",
            what="alerts that are sent there do not arrive",
            evidence=(f"about {sample.value:.0f} errors in five minutes",),
            fix="start it, correct its address, or open 9093 for Prometheus (`gx reachability`)",
        )


def examine_routes(url: str, environments: Sequence[str] = ENVIRONMENTS) -> Iterator[Finding]:
    """Yield an Alertmanager that does not answer, and alerts whose routes end with nobody."""
    try:
        loaded = _load(url)
    except AlertmanagerError as error:
        yield Finding(
            cause=Cause.ALERTMANAGER_UNREACHABLE,
            where=url,
            what="Alertmanager does not answer",
            evidence=(str(error),),
            fix="start it, or correct the address",
        )
        return
    deaf = {str(each.get("name")) for each in loaded.receivers if not _has_integration(each)}
    lost: dict[str, list[str]] = {}
    for title, labels in _labelled(environments):
        receivers = receivers_of(loaded.route, labels)
        if not receivers or set(receivers) <= deaf:
            lost.setdefault(", ".join(receivers) or "no receiver", []).append(title)
    yield from (_nowhere(url, receiver, titles) for receiver, titles in lost.items())
    yield from _failing(url)


def receivers_of(node: RouteNode, labels: Mapping[str, str]) -> list[str]:
    """Return who is told of an alert with these labels, in the order of the tree."""
    found: list[str] = []
    for child in node.routes:
        if not _accepts(child, labels):
            continue
        inherited = msgspec.structs.replace(child, receiver=child.receiver or node.receiver)
        found += receivers_of(inherited, labels)
        if not child.continues:
            break
    return found or [node.receiver]


def _accepts(node: RouteNode, labels: Mapping[str, str]) -> bool:
    wanted = [
        *(_matcher(text) for text in node.matchers),
        *(Matcher(name, Operator.IS, value) for name, value in node.match.items()),
        *(Matcher(name, Operator.MATCHES, value) for name, value in node.match_re.items()),
    ]
    return all(each.accepts(labels) for each in wanted)


def _matcher(text: str) -> Matcher:
    for operator in sorted(Operator, key=lambda each: -len(each.value)):
        name, found, value = text.partition(operator.value)
        if found and name.strip().replace("_", "").isalnum():
            return Matcher(name.strip(), operator, value.strip().strip('"'))
    raise AlertmanagerError(f"the matcher {text} is not understood")


def _labelled(environments: Sequence[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for alert in ALERTS:
        if alert.severity is Severity.NONE:
            continue
        for name in environments:
            place = {"environment": name, "namespace": f"{BACKEND_NAMESPACE}{name}"}
            yield f"{alert.name} ({name})", {"alertname": alert.name, **alert.labels, **place}


def _nowhere(url: str, receiver: str, titles: Sequence[str]) -> Finding:
    more = len(titles) - _NAMES_SHOWN
    names = ", ".join(titles[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return Finding(
        cause=Cause.ROUTE_TO_NOWHERE,
        where=f"{url}: {receiver}",
        what=f"{len(titles)} alerts end at a receiver that tells nobody",
        evidence=(names,),
        fix="give the receiver an integration: docs/how-to/route-alerts.md",
    )


def _has_integration(receiver: Mapping[str, object]) -> bool:
    return any(name.endswith("_configs") and value for name, value in receiver.items())


def _failing(url: str) -> Iterator[Finding]:
    """Yield the integrations whose notifications fail, by Alertmanager's own counters."""
    for line in _get(url, "/metrics").text.splitlines():
        name, _, value = line.rpartition(" ")
        if not name.startswith("alertmanager_notifications_failed_total") or float(value) == 0:
            continue
        yield Finding(
            cause=Cause.NOTIFICATIONS_FAIL,
            where=f"{url}: {name.partition('{')[2].rstrip('}')}",
            what="notifications have failed since it was started",
            evidence=(line,),
            fix="read Alertmanager's log; the receiver's address or key is usually what is wrong",
        )


def _load(url: str) -> _Loaded:
    response = _get(url, "/api/v2/status")
    try:
        original = msgspec.json.decode(response.content, type=_Status).config.original
        document: object = yaml.load(original, Loader=yaml.CSafeLoader)
        return msgspec.convert(document, _Loaded)
    except (msgspec.MsgspecError, yaml.YAMLError) as error:
        raise AlertmanagerError(f"{url} does not answer as Alertmanager does: {error}") from error


def _get(url: str, path: str) -> httpx.Response:
    try:
        response = httpx.get(f"{url.rstrip('/')}{path}", timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AlertmanagerError(f"{url}: {error}") from error
    return response
