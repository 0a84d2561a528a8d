"""Alerts that nobody gets: each reason made on a real Prometheus and a real Alertmanager."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml

from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import Severity
from gx.proof.causes import Cause, Finding
from gx.proof.doctor.alerting import examine_routes
from gx.proof.doctor.delivery import examine_delivery
from gx.proof.doctor.examine import Sources, examine
from gx.proof.prometheus import Prometheus
from gx.proof.sink import SLACK_PATH, Sink
from gx.runtime.tools import Program, Tool
from tests.ports import free_port
from tests.proof.doctor.misbehaving import HOST, running_alertmanager, running_prometheus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WITHIN_S: Final = 60.0
PAUSE_S: Final = 0.5
ALWAYS: Final = {"alert": "AlwaysThere", "expr": "vector(1)", "labels": {"severity": "critical"}}
CRITICAL: Final = [each.name for each in ALERTS if each.severity is Severity.CRITICAL]
RULES: Final = {"groups": [{"name": "lab", "interval": "1s", "rules": [ALWAYS]}]}


@dataclass(frozen=True)
class Lab:
    """A Prometheus with one alert, an Alertmanager, who is told, and where both are configured."""

    prometheus_url: str
    alertmanager_url: str
    sink: Sink
    folder: Path

    def send_to(self, *addresses: str) -> None:
        """Have Prometheus send its alert to these Alertmanagers alone."""
        groups = [{"static_configs": [{"targets": list(addresses)}]}] if addresses else []
        document = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": groups},
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(document))
        reload(self.prometheus_url).raise_for_status()

    def route(self, receiver: str) -> httpx.Response:
        """Have Alertmanager send critical alerts to a receiver, and say what it made of that."""
        path = self.folder / "alertmanager.yml"
        path.write_text(routes(receiver, self.sink))
        return reload(self.alertmanager_url)


def reload(url: str) -> httpx.Response:
    """Have a program read its configuration again."""
    return httpx.post(f"{url}/-/reload", timeout=30, trust_env=False)


def routes(receiver: str, sink: Sink) -> str:
    """Write Alertmanager's configuration: there is a Slack, and a receiver that tells nobody."""
    slack = {"name": "slack", "slack_configs": [{"api_url": sink.slack_url(), "channel": "#all"}]}
    return yaml.safe_dump(
        {
            "route": {
                "receiver": "slack",
                "group_wait": "1s",
                "group_interval": "1s",
                "routes": [{"matchers": ['severity="critical"'], "receiver": receiver}],
            },
            "receivers": [slack, {"name": "nobody"}],
        }
    )


@pytest.fixture(scope="module")
def lab(tools: dict[Program, Tool], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run both programs once for all tests of this module."""
    folder = tmp_path_factory.mktemp("alerting")
    (folder / "rules.yml").write_text(yaml.safe_dump(RULES))
    (folder / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    with Sink() as sink:
        (folder / "alertmanager.yml").write_text(routes("slack", sink))
        alertmanager = tools[Program.ALERTMANAGER]
        prometheus = tools[Program.PROMETHEUS]
        with (
            running_alertmanager(alertmanager, folder / "alertmanager.yml", folder) as routed,
            running_prometheus(prometheus, folder / "prometheus.yml", folder) as asked,
        ):
            yield Lab(asked, routed, sink, folder)


def until(look: Callable[[], list[Finding]], cause: Cause) -> Finding:
    """Look again until a cause is found; return the finding."""
    pause, found = threading.Event(), look()
    for _ in range(round(WITHIN_S / PAUSE_S)):
        for each in found:
            if each.cause is cause:
                return each
        pause.wait(PAUSE_S)
        found = look()
    pytest.fail(f"{cause} is not found: {found}")


def until_nothing(look: Callable[[], list[Finding]]) -> None:
    """Look again until nothing is wrong: discovery takes some seconds."""
    pause = threading.Event()
    for _ in range(round(WITHIN_S / PAUSE_S)):
        if not look():
            return
        pause.wait(PAUSE_S)
    pytest.fail(f"still: {look()}")


def delivery(lab: Lab) -> list[Finding]:
    """What the doctor says of the way from Prometheus to its Alertmanagers."""
    with Prometheus(lab.prometheus_url) as prometheus:
        return list(examine_delivery(prometheus))


def routing(lab: Lab) -> list[Finding]:
    """What the doctor says of the way from Alertmanager to people."""
    return list(examine_routes(lab.alertmanager_url, ("mainnet",)))


def test_a_prometheus_without_an_alertmanager_is_named(lab: Lab) -> None:
    """Its alerts fire, and nobody is told."""
    lab.send_to()

    assert until(lambda: delivery(lab), Cause.NO_ALERTMANAGER).where == lab.prometheus_url


def test_an_alertmanager_that_prometheus_does_not_reach_is_named(lab: Lab) -> None:
    """By Prometheus' own counters, even where nobody scrapes them."""
    nobody = f"{HOST}:{free_port()}"
    lab.send_to(nobody)

    found = until(lambda: delivery(lab), Cause.ALERTMANAGER_UNREACHABLE)
    assert nobody in found.where
    assert re.match(r"\d+ errors? since Prometheus was started", found.evidence[0])

    lab.send_to(lab.alertmanager_url.removeprefix("http://"))
    until_nothing(lambda: delivery(lab))


def test_a_route_that_ends_with_nobody_is_named(lab: Lab) -> None:
    """Every alert that would take it is lost; the others are not accused."""
    assert lab.route("nobody").is_success
    found = until(lambda: routing(lab), Cause.ROUTE_TO_NOWHERE)

    assert found.where == f"{lab.alertmanager_url}: nobody"
    assert found.what.startswith(f"{len(CRITICAL)} alerts ")
    assert f"{CRITICAL[0]} (mainnet)" in found.evidence[0]
    assert lab.route("slack").is_success
    assert Cause.ROUTE_TO_NOWHERE not in {each.cause for each in routing(lab)}


def test_a_configuration_that_alertmanager_refused_is_named(lab: Lab) -> None:
    """A route to a receiver that is not declared: it goes on with what it had before."""
    assert lab.route("colleagues").is_error
    found = until(lambda: routing(lab), Cause.OLD_CONFIGURATION)

    assert found.where == lab.alertmanager_url
    assert "amtool check-config" in found.fix
    assert lab.route("slack").is_success
    assert Cause.OLD_CONFIGURATION not in {each.cause for each in routing(lab)}


@pytest.mark.parametrize("status", [404, 500])
def test_a_receiver_that_refuses_notifications_is_named(lab: Lab, status: int) -> None:
    """Slack's address is wrong, or Slack fails: the whole examination names the integration."""
    lab.send_to(lab.alertmanager_url.removeprefix("http://"))
    before = failures(lab)
    lab.sink.refuse(SLACK_PATH, status)
    pause = threading.Event()
    for _ in range(round(WITHIN_S / PAUSE_S)):
        if failures(lab) > before:
            return
        pause.wait(PAUSE_S)
    pytest.fail(f"no failure is counted: {examine(Sources(alertmanager_url=lab.alertmanager_url))}")


def failures(lab: Lab) -> int:
    """How many failures of Slack's notifications the whole examination reports."""
    faults = examine(Sources(alertmanager_url=lab.alertmanager_url)).faults
    for each in faults:
        if each.cause is Cause.NOTIFICATIONS_FAIL:
            assert "integration=slack" in each.where
            return int(each.evidence[0].partition(" ")[0])
    return 0
