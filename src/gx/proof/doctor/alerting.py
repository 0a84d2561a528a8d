"""Alerts that Alertmanager keeps to itself: routes that end with nobody, refused notifications."""

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
from gx.proof.doctor.delivery import find_old_configuration
from gx.proof.prometheus import parse_samples

_TIMEOUT_S: Final = 5.0
_NAMES_SHOWN: Final = 4


class AlertmanagerError(GxError):
    """An Alertmanager does not answer, or with something else; `what` says which."""

    what = "Alertmanager does not answer"


class NoAlertmanagerError(AlertmanagerError):
    """What answers is something else."""

    what = "it answers, but is no Alertmanager"


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


def examine_routes(url: str, environments: Sequence[str] = ENVIRONMENTS) -> Iterator[Finding]:
    """Yield an Alertmanager that does not answer, and alerts whose routes end with nobody."""
    try:
        loaded = _load(url)
    except AlertmanagerError as error:
        yield Finding(
            cause=Cause.ALERTMANAGER_UNREACHABLE,
            where=url,
            what=error.what,
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
    samples = parse_samples(_get(url, "/metrics").text)
    tried = {
        each.labels.get("integration", ""): each.value
        for each in samples
        if each.labels["__name__"] == "alertmanager_notifications_total"
    }
    for each in samples:
        if each.labels["__name__"] != "alertmanager_notifications_failed_total" or not each.value:
            continue
        labels = {name: value for name, value in each.labels.items() if name != "__name__"}
        integration = labels.get("integration", "")
        yield Finding(
            cause=Cause.NOTIFICATIONS_FAIL,
            where=f"{url}: {', '.join(f'{name}={value}' for name, value in labels.items())}",
            what="notifications have failed since it was started",
            evidence=(f"{each.value:.0f} failed of {tried.get(integration, 0):.0f} attempts",),
            fix="read Alertmanager's log; the receiver's address or key is usually what is wrong",
        )
    yield from find_old_configuration("alertmanager", url, samples)


def _load(url: str) -> _Loaded:
    response = _get(url, "/api/v2/status")
    try:
        original = msgspec.json.decode(response.content, type=_Status).config.original
        document: object = yaml.load(original, Loader=yaml.CSafeLoader)
        return msgspec.convert(document, _Loaded)
    except (msgspec.MsgspecError, yaml.YAMLError) as error:
        raise NoAlertmanagerError(f"{url} does not answer as Alertmanager does: {error}") from error


def _get(url: str, path: str) -> httpx.Response:
    try:
        response = httpx.get(f"{url.rstrip('/')}{path}", timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise NoAlertmanagerError(f"{url}{path} answers {error.response.status_code}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AlertmanagerError(f"{url}: {error}") from error
    return response
