"""Alertmanager's files from its declaration: for one machine, and as a ConfigMap."""

from collections.abc import Callable, Mapping, Sequence
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
    Timing,
)
from gx.monitoring.yaml_text import dump

CONFIG_FILE: Final = "alertmanager.yml"
TEMPLATE_FILE: Final = "gx.tmpl"
RESOLVE_TIMEOUT: Final = "5m"
"""For senders that set no end; Prometheus always does."""

Words = Callable[[str], str]
Yaml = dict[str, object]

_WAIVER: Final = "# amlint: disable=repeat-before-group (a beat every group_interval needs it)"
_SECOND_MS: Final = 1_000


def render_configuration(configuration: Configuration) -> str:
    """Render `alertmanager.yml`; `gx.tmpl` has to be beside it."""
    return annotate(dump(to_yaml(configuration)), configuration)


def annotate(text: str, configuration: Configuration) -> str:
    """Say in place why heartbeats are repeated sooner than their group is due."""
    sooner = {
        f"- receiver: {route.receiver}"
        for route in configuration.root.walk()
        if _is_sooner(route.timing)
    }
    return "".join(
        f"{line}  {_WAIVER}\n" if line.strip() in sooner else f"{line}\n"
        for line in text.splitlines()
    )


def _is_sooner(timing: Timing) -> bool:
    repeat_s, interval_s = timing.repeat_interval_s, timing.group_interval_s
    return repeat_s is not None and interval_s is not None and repeat_s < interval_s


def duration(seconds: float | None) -> str:
    """Write seconds as Alertmanager does, exact to the millisecond."""
    left_ms = round((seconds or 0) * _SECOND_MS)
    parts = []
    for unit, size_ms in (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, left_ms = divmod(left_ms, size_ms)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def to_yaml(configuration: Configuration) -> Yaml:
    """Return the configuration as Alertmanager's file spells it."""
    return {
        "global": {
            "resolve_timeout": RESOLVE_TIMEOUT,
            "pagerduty_url": configuration.pagerduty_url,
        },
        "templates": [TEMPLATE_FILE],
        "time_intervals": [_interval(each) for each in configuration.intervals],
        "route": _route(configuration.root),
        "inhibit_rules": [_inhibition(each) for each in configuration.inhibitions],
        "receivers": [_receiver(each) for each in configuration.receivers],
    }


def _route(route: Route) -> Yaml:
    timing = route.timing
    spelt: Mapping[str, object] = {
        "receiver": route.receiver,
        "matchers": _matchers(route.matchers),
        "group_by": list(route.group_by),
        "group_wait": _optional(timing.group_wait_s),
        "group_interval": _optional(timing.group_interval_s),
        "repeat_interval": _optional(timing.repeat_interval_s),
        "active_time_intervals": list(route.active),
        "mute_time_intervals": list(route.muted),
        "continue": route.goes_on,
        "routes": [_route(child) for child in route.routes],
    }
    return {key: value for key, value in spelt.items() if value}


def _optional(seconds: float | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _matchers(matchers: Sequence[Matcher]) -> list[str]:
    return [matcher.text for matcher in matchers]


def _inhibition(rule: Inhibition) -> Yaml:
    return {
        "source_matchers": _matchers(rule.source),
        "target_matchers": _matchers(rule.target),
        "equal": list(rule.equal),
    }


def _interval(interval: TimeInterval) -> Yaml:
    return {
        "name": interval.name,
        "time_intervals": [_span(span, interval.time_zone) for span in interval.spans],
    }


def _span(span: Span, time_zone: str) -> Yaml:
    return {
        "weekdays": [day.value for day in span.days],
        "times": [{"start_time": clock(span.start_minute), "end_time": clock(span.end_minute)}],
        "location": time_zone,
    }


def clock(minute: int) -> str:
    """Write a minute of the day as hours and minutes; its end is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _receiver(receiver: Receiver) -> Yaml:
    named: Yaml = {"name": receiver.name}
    if receiver.integration is None:
        return named
    key, integration = _integration(receiver.integration)
    return {**named, key: [integration]}


def _integration(integration: Integration) -> tuple[str, Yaml]:
    match integration:
        case SlackChannel():
            address = {"api_url_file": integration.url_file, "channel": integration.channel}
            return "slack_configs", {**address, **slack_words(wording.use)}
        case PagerDutyService():
            key = {"routing_key_file": integration.routing_key_file}
            return "pagerduty_configs", {**key, **_pagerduty(wording.use)}
        case Heartbeat():
            return "webhook_configs", _heartbeat(integration)


def slack_words(words: Words) -> Yaml:
    """Return what a Slack message says."""
    return {
        "send_resolved": True,
        "username": "GX monitoring",
        "title": words(wording.TITLE),
        "title_link": words(wording.RUNBOOK),
        "text": words(wording.TEXT),
        "fallback": words(wording.FALLBACK),
        "color": words(wording.COLOR),
    }


def pagerduty_words(words: Words) -> dict[str, str]:
    """Return what a page says; the keys are those of Alertmanager's file."""
    return {
        "description": words(wording.SUMMARY),
        "severity": words(wording.SEVERITY),
        "class": "{{ .CommonLabels.family }}",
        "component": "{{ .CommonLabels.component }}",
        "group": "{{ .CommonLabels.namespace }}",
    }


def pagerduty_details(words: Words) -> dict[str, str]:
    """Return what a page says besides, in addition to Alertmanager's own lists of alerts."""
    return {"runbook": words(wording.RUNBOOK), "dashboard": words(wording.DASHBOARD)}


def pagerduty_links(words: Words) -> list[dict[str, str]]:
    """Return the links that a page carries."""
    return [
        {"href": words(wording.RUNBOOK), "text": "Runbook"},
        {"href": words(wording.DASHBOARD), "text": "Dashboard"},
    ]


def _pagerduty(words: Words) -> Yaml:
    return {
        "send_resolved": True,
        **pagerduty_words(words),
        "details": pagerduty_details(words),
        "links": pagerduty_links(words),
    }


def _heartbeat(heartbeat: Heartbeat) -> Yaml:
    # Silence is the message: that the alert has ended must not look like a beat.
    spelt: Yaml = {"url": heartbeat.url, "send_resolved": False, "max_alerts": 1}
    if heartbeat.token_file is not None:
        authorization = {"type": "Bearer", "credentials_file": heartbeat.token_file}
        spelt["http_config"] = {"authorization": authorization}
    return spelt
