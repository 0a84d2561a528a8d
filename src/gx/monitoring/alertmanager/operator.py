"""The same routing for the Prometheus Operator: an AlertmanagerConfig.

Such an object has no template file, so texts stand in place; secrets are references to a Secret.
By default the Operator adds its own namespace to every matcher and mutes everything else's alerts:
the Alertmanager object needs `alertmanagerConfigMatcherStrategy: {type: None}`.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from gx.monitoring.alertmanager import wording
from gx.monitoring.alertmanager.model import (
    Configuration,
    Heartbeat,
    Inhibition,
    Integration,
    Matcher,
    PagerDutyService,
    Receiver,
    Route,
    SlackChannel,
    Span,
    TimeInterval,
)
from gx.monitoring.alertmanager.render import (
    clock,
    duration,
    pagerduty_details,
    pagerduty_links,
    pagerduty_words,
    slack_words,
)

SECRET: Final = "alertmanager-receivers"  # noqa: S105 (the name of a Secret)
Yaml = dict[str, object]


def to_object(configuration: Configuration, *, name: str, labels: dict[str, str]) -> Yaml:
    """Return the configuration as an AlertmanagerConfig.

    Raises:
        ValueError: Its time zone is not UTC, in which the Operator reads every time.
    """
    zones = {interval.time_zone for interval in configuration.intervals} - {"UTC"}
    if zones:
        raise ValueError(f"an AlertmanagerConfig has no time zones; it was given {zones}")
    return {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "route": _route(configuration.root),
            "inhibitRules": [_inhibition(rule) for rule in configuration.inhibitions],
            "receivers": [_receiver(each, configuration) for each in configuration.receivers],
            "muteTimeIntervals": [_interval(each) for each in configuration.intervals],
        },
    }


def _route(route: Route) -> Yaml:
    timing = route.timing
    spelt: Yaml = {
        "receiver": route.receiver,
        "matchers": _matchers(route.matchers),
        "groupBy": list(route.group_by),
        "groupWait": _optional(timing.group_wait_s),
        "groupInterval": _optional(timing.group_interval_s),
        "repeatInterval": _optional(timing.repeat_interval_s),
        "activeTimeIntervals": list(route.active),
        "muteTimeIntervals": list(route.muted),
        "continue": route.goes_on,
        "routes": [_route(child) for child in route.routes],
    }
    return {key: value for key, value in spelt.items() if value}


def _optional(seconds: float | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _matchers(matchers: Sequence[Matcher]) -> list[Yaml]:
    return [
        {"name": each.label, "matchType": each.operator.value, "value": each.value}
        for each in matchers
    ]


def _inhibition(rule: Inhibition) -> Yaml:
    return {
        "sourceMatch": _matchers(rule.source),
        "targetMatch": _matchers(rule.target),
        "equal": list(rule.equal),
    }


def _interval(interval: TimeInterval) -> Yaml:
    return {"name": interval.name, "timeIntervals": [_span(span) for span in interval.spans]}


def _span(span: Span) -> Yaml:
    times = {"startTime": clock(span.start_minute), "endTime": clock(span.end_minute)}
    return {"weekdays": [day.value for day in span.days], "times": [times]}


def _receiver(receiver: Receiver, configuration: Configuration) -> Yaml:
    if receiver.integration is None:
        return {"name": receiver.name}
    key, spelt = _integration(receiver.integration, configuration)
    return {"name": receiver.name, key: [spelt]}


def _integration(integration: Integration, configuration: Configuration) -> tuple[str, Yaml]:
    match integration:
        case SlackChannel():
            words = _camel(slack_words(wording.spell_out))
            address = {"apiURL": _secret(integration.url_file), "channel": integration.channel}
            return "slackConfigs", {**address, **words}
        case PagerDutyService():
            return "pagerdutyConfigs", _pagerduty(integration, configuration)
        case Heartbeat():
            return "webhookConfigs", _heartbeat(integration)


def _pagerduty(service: PagerDutyService, configuration: Configuration) -> Yaml:
    details = pagerduty_details(wording.spell_out)
    return {
        "routingKey": _secret(service.routing_key_file),
        "url": configuration.pagerduty_url,
        "sendResolved": True,
        **pagerduty_words(wording.spell_out),
        "details": [{"key": key, "value": value} for key, value in details.items()],
        "pagerDutyLinkConfigs": [
            {"href": link["href"], "alt": link["text"]}
            for link in pagerduty_links(wording.spell_out)
        ],
    }


def _heartbeat(heartbeat: Heartbeat) -> Yaml:
    spelt: Yaml = {"url": heartbeat.url, "sendResolved": False, "maxAlerts": 1}
    if heartbeat.token_file is not None:
        credentials = {"type": "Bearer", "credentials": _secret(heartbeat.token_file)}
        spelt["httpConfig"] = {"authorization": credentials}
    return spelt


def _secret(path: str) -> Yaml:
    """Refer to the key of the Secret that is mounted as this file."""
    return {"name": SECRET, "key": PurePosixPath(path).name}


def _camel(spelt: Yaml) -> Yaml:
    """Spell Alertmanager's keys as Kubernetes does."""
    return {
        head + "".join(part.title() for part in rest): value
        for (head, *rest), value in ((key.split("_"), value) for key, value in spelt.items())
    }
