"""The same cases on a live Alertmanager, and what its receivers get from it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from gx.monitoring.alertmanager.routing import Destinations
from gx.monitoring.model import Links
from gx.proof.sink import PAGERDUTY_PATH, SLACK_PATH, PagerDutyEvent, Sink, SlackMessage
from gx.runtime.tools import Program as ToolName
from gx.runtime.tools import Tool
from tests.monitoring.alertmanager.cases import (
    DEVNET,
    INHIBITION_CASES,
    MAINNET,
    ROUTE_CASES,
    TESTNET,
    alert_named,
    labels_of,
)
from tests.monitoring.alertmanager.programs import (
    FAST,
    WITHIN_S,
    Alertmanager,
    Labels,
    an_alertmanager,
    running,
    until,
)
from tests.monitoring.conftest import RunTool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches the programs

ROUTING_KEY: Final = "a-routing-key-of-the-test"
TOKEN: Final = "a-token-of-the-test"
LINKS: Final = Links()
CANARY: Final = {"family": "canary", "component": "monitoring"}


@dataclass(slots=True)
class Connected:
    """A live Alertmanager whose receivers are at a sink."""

    alertmanager: Alertmanager
    sink: Sink
    slack_url_file: Path


@contextmanager
def connected(tools: dict[ToolName, Tool], folder: Path) -> Iterator[Connected]:
    """Run Alertmanager with every receiver connected to a sink."""
    with Sink() as sink:
        files = {
            "slack-url": sink.slack_url(),
            "pagerduty-key": ROUTING_KEY,
            "token": TOKEN,
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        destinations = Destinations(
            slack_url_file=str(folder / "slack-url"),
            pagerduty_key_file=str(folder / "pagerduty-key"),
            pagerduty_url=sink.pagerduty_url,
            deadman_url=sink.webhook_url("deadman"),
            deadman_token_file=str(folder / "token"),
            pace=FAST,
        )
        alertmanager = an_alertmanager(tools[ToolName.ALERTMANAGER], destinations, folder)
        with running(alertmanager.program):
            yield Connected(alertmanager, sink, folder / "slack-url")


def annotations_of(name: str) -> dict[str, str]:
    """Return what Prometheus would say beside an alert, with a value in it."""
    notes = LINKS.annotate(alert_named(name))
    return {**notes, "description": "612 commands wait (value 612)."}


def test_a_live_alertmanager_routes_and_mutes_each_case_as_the_table_says(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """Alertmanager 0.25 itself: receivers and inhibitions of each case, one after the other.

    Each case is resolved before the next one, whose alerts it could mute otherwise.
    """
    alertmanager = an_alertmanager(tools[ToolName.ALERTMANAGER], Destinations(), tmp_path)
    with running(alertmanager.program):
        for case in ROUTE_CASES:
            alertmanager.post(case.labels)
            state = alertmanager.state_of(case.labels)
            assert state is not None, case.name
            assert state[0] == case.expect, case.name
            alertmanager.post(case.labels, is_over=True)
        for pair in INHIBITION_CASES:
            alertmanager.post(pair.labels, pair.firing)
            _wait_for_inhibitor(alertmanager, pair.name)
            found = alertmanager.state_of(pair.labels)
            assert found is not None, pair.name
            assert found[1] is pair.inhibited, pair.name
            alertmanager.post(pair.labels, pair.firing, is_over=True)


def _wait_for_inhibitor(alertmanager: Alertmanager, name: str) -> None:
    """Return once an alert that was sent last mutes another: all before it have been seen.

    Each call has a canary of its own: one that a former cat still mutes would prove nothing.
    """
    target = {"alertname": "Canary", "severity": "warning", "namespace": name, **CANARY}
    source = {"alertname": "Cat", "severity": "critical", "namespace": name, **CANARY}
    alertmanager.post(target, source)

    def is_muted() -> bool:
        state = alertmanager.state_of(target)
        return state is not None and state[1]

    until(is_muted, "the canary is not muted")
    alertmanager.post(target, source, is_over=True)


def test_slack_and_pagerduty_get_a_failure_and_its_end(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """A critical alert of mainnet: a page and a message, then both are taken back.

    The page's end has the key of its beginning, and the muted warning is never sent.
    """
    labels = labels_of(alert_named("OutboxQueueCritical"), MAINNET)
    muted = labels_of(alert_named("OutboxQueueBuildup"), MAINNET)
    notes = annotations_of("OutboxQueueCritical")
    with connected(tools, tmp_path) as system:
        system.alertmanager.post(labels, annotations=notes)
        system.sink.wait_for(
            lambda: bool(system.sink.slack and system.sink.pagerduty),
            timeout_s=WITHIN_S,
            what="the page and the message",
        )
        _fire_while_muted(system.alertmanager, muted, notes)
        system.alertmanager.post(labels, is_over=True, annotations=notes)
        system.sink.wait_for(
            lambda: len(system.sink.slack) > 1 and len(system.sink.pagerduty) > 1,
            timeout_s=WITHIN_S,
            what="their end",
        )
        assert system.sink.faults == ()
        _check_slack(system.sink.slack, notes)
        _check_pages(system.sink.pagerduty, system.alertmanager.url, notes)
        assert b"OutboxQueueBuildup" not in b"".join(r.body for r in system.sink.received)


def _fire_while_muted(alertmanager: Alertmanager, labels: Labels, notes: Labels) -> None:
    """Let a muted alert fire for longer than its group waits, and end before what mutes it."""
    alertmanager.post(labels, annotations=notes)

    def is_muted() -> bool:
        state = alertmanager.state_of(labels)
        return state is not None and state[1]

    until(is_muted, "the warning is not muted")
    time.sleep(2 * FAST.interval_s)
    alertmanager.post(labels, is_over=True, annotations=notes)
    until(lambda: alertmanager.state_of(labels) is None, "the warning does not end")
    time.sleep(2 * FAST.interval_s)


def _check_slack(messages: tuple[SlackMessage, ...], notes: dict[str, str]) -> None:
    firing, resolved = messages
    (first,), (last,) = firing.attachments, resolved.attachments

    assert (firing.channel, firing.username) == ("#gx-critical", "GX monitoring")
    assert first.title == "[FIRING:1] OutboxQueueCritical in backend-mainnet"
    assert first.title_link == notes["runbook_url"]
    assert notes["summary"] in first.text
    assert "(value 612)" in first.text
    assert f"<{notes['runbook_url']}|Runbook>" in first.text
    assert f"<{notes['dashboard']}|Dashboard>" in first.text
    assert notes["summary"] in first.fallback
    assert first.color == "danger"
    assert "text" in first.mrkdwn_in
    assert last.title == "[RESOLVED] OutboxQueueCritical in backend-mainnet"
    assert last.color == "good"


def _check_pages(events: tuple[PagerDutyEvent, ...], url: str, notes: dict[str, str]) -> None:
    trigger, resolve = events
    said = trigger.payload

    assert [trigger.event_action, resolve.event_action] == ["trigger", "resolve"]
    assert trigger.dedup_key == resolve.dedup_key
    assert len(trigger.dedup_key) == 64
    assert trigger.routing_key == resolve.routing_key == ROUTING_KEY
    assert said.summary.startswith("OutboxQueueCritical in backend-mainnet: ")
    assert "(value 612)" in said.summary
    assert (said.severity, said.event_class) == ("critical", "outbox_queue")
    assert (said.component, said.group) == ("outbox", MAINNET)
    assert said.source == "Alertmanager"
    assert trigger.client == "Alertmanager"
    assert trigger.client_url.startswith(url)
    assert said.custom_details["num_firing"] == "1"
    assert said.custom_details["num_resolved"] == "0"
    assert {"firing", "resolved"} <= said.custom_details.keys()
    assert said.custom_details["runbook"] == notes["runbook_url"]
    assert {link.text: link.href for link in trigger.links} == {
        "Runbook": notes["runbook_url"],
        "Dashboard": notes["dashboard"],
    }


def test_an_alert_that_is_none_of_ours_has_links_all_the_same(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """Without a runbook the links lead to Alertmanager; PagerDuty would refuse an empty one."""
    with connected(tools, tmp_path) as system:
        system.alertmanager.post({"alertname": "Stranger", "severity": "critical"})
        system.sink.wait_for(
            lambda: bool(system.sink.pagerduty and system.sink.slack),
            timeout_s=WITHIN_S,
            what="the page",
        )
        url = system.alertmanager.url
        assert all(link.href.startswith(url) for link in system.sink.pagerduty[0].links)
        assert system.sink.slack[0].attachments[0].title_link.startswith(url)


def test_testnet_and_devnet_wake_nobody(tools: dict[ToolName, Tool], tmp_path: Path) -> None:
    """The same critical alert in testnet reaches Slack alone; in devnet its own channel at most."""
    alert = alert_named("OutboxQueueCritical")
    notes = annotations_of(alert.name)
    with connected(tools, tmp_path) as system:
        system.alertmanager.post(
            labels_of(alert, TESTNET), labels_of(alert, DEVNET), annotations=notes
        )
        system.sink.wait_for(
            lambda: any("testnet" in each.title for each in system.sink.slack),
            timeout_s=WITHIN_S,
            what="testnet's message",
        )
        assert system.sink.pagerduty == ()
        channels = {each.channel for each in system.sink.slack}
        # Outside of office hours devnet is silent; the test may run at any time.
        assert channels <= {"#gx-critical", "#gx-devnet"}


def test_a_silence_hides_an_alert_and_expires(
    tools: dict[ToolName, Tool], tmp_path: Path, run_tool: RunTool
) -> None:
    """`amtool silence add` keeps a page from being sent; when it expires the page is sent."""
    labels = labels_of(alert_named("PostgresDown"), MAINNET, instance="db-0")
    other = labels_of(alert_named("DiskFull"), MAINNET, instance="db-0")
    with connected(tools, tmp_path) as system:
        where = f"--alertmanager.url={system.alertmanager.url}"
        added = run_tool(
            ToolName.AMTOOL,
            *(where, "silence", "add", "--author=test", "--comment=maintenance"),
            *("--duration=1h", "alertname=PostgresDown", f"namespace={MAINNET}"),
        )
        assert added.returncode == 0, added.stdout
        system.alertmanager.post(labels, other, annotations=annotations_of("PostgresDown"))
        _wait_until_silenced(system.alertmanager, labels)
        system.sink.wait_for(
            lambda: any("DiskFull" in page.payload.summary for page in system.sink.pagerduty),
            timeout_s=WITHIN_S,
            what="the page about something else",
        )
        time.sleep(2 * FAST.interval_s)
        assert not any("PostgresDown" in page.payload.summary for page in system.sink.pagerduty)

        expired = run_tool(ToolName.AMTOOL, where, "silence", "expire", added.stdout.strip())
        assert expired.returncode == 0, expired.stdout
        system.sink.wait_for(
            lambda: any("PostgresDown" in page.payload.summary for page in system.sink.pagerduty),
            timeout_s=WITHIN_S,
            what="the page after the silence",
        )


def _wait_until_silenced(alertmanager: Alertmanager, labels: dict[str, str]) -> None:
    def is_silenced() -> bool:
        state = alertmanager.state_of(labels)
        return state is not None and state[2]

    until(is_silenced, "the alert is not silenced")


@pytest.mark.parametrize(
    ("path", "integration"), [(SLACK_PATH, "slack"), (PAGERDUTY_PATH, "pagerduty")]
)
def test_a_broken_receiver_is_counted_and_the_other_one_is_told(
    path: str, integration: str, tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """`alertmanager_notifications_failed_total` rises, which NotificationsFailing watches."""
    labels = labels_of(alert_named("PostgresDown"), MAINNET, instance="db-0")
    with connected(tools, tmp_path) as system:
        system.sink.refuse(path, 404)
        system.alertmanager.post(labels, annotations=annotations_of("PostgresDown"))
        until(
            lambda: (
                system.alertmanager.counter(
                    "alertmanager_notifications_failed_total", integration=integration
                )
                > 0
            ),
            f"no failed notification of {integration} is counted",
        )
        working = "pagerduty" if integration == "slack" else "slack"
        system.sink.wait_for(
            lambda: bool(system.sink.pagerduty if working == "pagerduty" else system.sink.slack),
            timeout_s=WITHIN_S,
            what=f"the notification by {working}",
        )


def test_a_missing_address_is_counted_too(tools: dict[ToolName, Tool], tmp_path: Path) -> None:
    """A Secret that lost a key stops nothing else, and is noticed by the same number."""
    with connected(tools, tmp_path) as system:
        system.slack_url_file.unlink()
        system.alertmanager.post(
            labels_of(alert_named("PostgresDown"), TESTNET),
            annotations=annotations_of("PostgresDown"),
        )
        until(
            lambda: (
                system.alertmanager.counter(
                    "alertmanager_notifications_failed_total", integration="slack"
                )
                > 0
            ),
            "the missing file is not counted",
        )


def test_heartbeats_come_with_the_token_and_end_without_a_word(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """The Watchdog is posted again and again with the bearer token; its end is not sent."""
    labels = labels_of(alert_named("Watchdog"), None)
    with connected(tools, tmp_path) as system:
        system.alertmanager.post(labels, annotations=annotations_of("Watchdog"))
        system.sink.wait_for(
            lambda: len(system.sink.webhooks) >= 3, timeout_s=WITHIN_S, what="three heartbeats"
        )
        assert {each.authorization for each in system.sink.received} == {f"Bearer {TOKEN}"}
        beat = system.sink.webhooks[-1]
        assert (beat.version, beat.status, beat.receiver) == ("4", "firing", "deadman")
        assert beat.alerts[0].labels["alertname"] == "Watchdog"

        system.alertmanager.post(labels, is_over=True, annotations=annotations_of("Watchdog"))
        until(lambda: system.alertmanager.state_of(labels) is None, "the alert is still active")
        time.sleep(2 * FAST.beat_s)
        assert all(each.status == "firing" for each in system.sink.webhooks)


def test_pagerduty_never_gets_a_severity_that_it_refuses(
    tools: dict[ToolName, Tool], tmp_path: Path, run_tool: RunTool
) -> None:
    """The template names one of PagerDuty's four, whatever an alert's label says."""
    template = tmp_path / "gx.tmpl"
    with connected(tools, tmp_path) as system:
        assert httpx.get(f"{system.alertmanager.url}/-/healthy", trust_env=False).is_success
        template = tmp_path / "configuration" / "gx.tmpl"
    for label, wanted in (("critical", "critical"), ("warning", "warning"), ("page", "error")):
        data = tmp_path / f"{label}.json"
        data.write_text(
            f'{{"receiver":"r","status":"firing","alerts":[],"groupLabels":{{}},'
            f'"commonLabels":{{"severity":"{label}"}},"commonAnnotations":{{}},'
            f'"externalURL":"http://a"}}'
        )
        answer = run_tool(
            ToolName.AMTOOL,
            *("template", "render", f"--template.glob={template}", f"--template.data={data}"),
            '--template.text={{ template "gx.pagerduty.severity" . }}',
        )
        assert answer.stdout.strip() == wanted
