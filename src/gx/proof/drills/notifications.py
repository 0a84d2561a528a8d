"""What receivers were told of an alert, judged word by word against the alert's declaration."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from gx.monitoring.alertmanager.model import Labels
from gx.monitoring.alertmanager.routing import DEADMAN, PAGERDUTY
from gx.monitoring.model import Alert, Links, Severity
from gx.proof.drills.monitoring import CHANNEL_PREFIX, PAGERDUTY_KEY, Monitoring
from gx.proof.sink import (
    PAGERDUTY_PATH,
    SLACK_PATH,
    PagerDutyEvent,
    Received,
    SlackAttachment,
    SlackMessage,
)

_TAKEN: Final = 300
_COLORS: Final = {Severity.CRITICAL: "danger", Severity.WARNING: "warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notification of one alert, as a receiver took it; `dedup_key` is PagerDuty's."""

    at_s: float
    receiver: str
    is_firing: bool
    dedup_key: str = ""
    faults: tuple[str, ...] = ()


def notices_of(alert: Alert, labels: Labels, received: Iterable[Received]) -> Iterator[Notice]:
    """Read what was said of an alert, in order, and what is wrong with it."""
    for each in received:
        if each.status >= _TAKEN:
            continue
        if each.path.startswith(SLACK_PATH):
            message = msgspec.json.decode(each.body, type=SlackMessage)
            if alert.name in message.title.split():
                yield _slack_notice(alert, labels, message, each)
        elif each.path.startswith(PAGERDUTY_PATH):
            event = msgspec.json.decode(each.body, type=PagerDutyEvent)
            if event.payload.summary.startswith((f"{alert.name} ", f"{alert.name}:")):
                yield _page_notice(alert, labels, event, each)


def silence_notices(received: Iterable[Received]) -> Iterator[Notice]:
    """Read what the dead-man's receiver said: that heartbeats stopped, and that they are back."""
    for each in received:
        if each.path == f"{SLACK_PATH}/{DEADMAN}" and each.status < _TAKEN:
            message = msgspec.json.decode(each.body, type=SlackMessage)
            is_firing = message.title.startswith("[FIRING")
            yield Notice(at_s=each.at_s, receiver=DEADMAN, is_firing=is_firing)


def expected_receivers(monitoring: Monitoring, labels: Labels) -> frozenset[str]:
    """Name who has to be told: receivers that somebody reads, whatever the hour."""
    routes = monitoring.configuration.root.taking(labels)
    return frozenset(
        route.receiver
        for route in routes
        if not route.active and not route.muted and route.receiver != DEADMAN
    )


def _slack_notice(alert: Alert, labels: Labels, message: SlackMessage, raw: Received) -> Notice:
    attachment = message.attachments[0]
    is_firing = attachment.title.startswith("[FIRING")
    channel = raw.path.removeprefix(f"{SLACK_PATH}/")
    wrong = _slack_faults(alert, labels, attachment, is_firing=is_firing)
    if message.channel != CHANNEL_PREFIX + channel:
        wrong = (*wrong, f"it names the channel {message.channel}")
    return Notice(
        at_s=raw.at_s, receiver=f"slack-{channel}", is_firing=is_firing, faults=tuple(wrong)
    )


def _slack_faults(
    alert: Alert, labels: Labels, said: SlackAttachment, *, is_firing: bool
) -> tuple[str, ...]:
    where = f" in {labels['namespace']}" if "namespace" in labels else ""
    links = Links().annotate(alert)
    color = _COLORS.get(alert.severity, "warning") if is_firing else "good"
    needed = {
        "the title": (f"{alert.name}{where}", said.title),
        "the summary": (alert.summary, said.text),
        "the runbook": (links["runbook_url"], said.text),
        "the dashboard": (links["dashboard"], said.text),
        "the severity": (alert.severity.value, said.text),
        "the link": (links["runbook_url"], said.title_link),
    }
    missing = [
        f"{what} is missing from {text!r}" for what, (s, text) in needed.items() if s not in text
    ]
    return (*missing, *([f"the color is {said.color}"] if said.color != color else []))


def _page_notice(alert: Alert, labels: Labels, event: PagerDutyEvent, raw: Received) -> Notice:
    said = event.payload
    links = Links().annotate(alert)
    needed = (
        ("routing key", event.routing_key, PAGERDUTY_KEY),
        ("severity", said.severity, "critical"),
        ("component", said.component, alert.component.value),
        ("class", said.event_class, alert.family),
        ("group", said.group, labels.get("namespace", "")),
        ("runbook", event.links[0].href if event.links else "", links["runbook_url"]),
    )
    faults = [
        f"{what} is {found!r}, not {wanted!r}" for what, found, wanted in needed if found != wanted
    ]
    if alert.summary not in said.summary:
        faults.append(f"the summary is missing from {said.summary!r}")
    return Notice(
        at_s=raw.at_s,
        receiver=PAGERDUTY,
        is_firing=event.event_action == "trigger",
        dedup_key=event.dedup_key,
        faults=tuple(faults),
    )
