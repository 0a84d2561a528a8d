"""A test alert through a real Alertmanager with production's routes, to a sink."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from gx.cli.main import app
from gx.monitoring.alertmanager.render import TEMPLATE_FILE, render_configuration
from gx.monitoring.alertmanager.routing import Destinations, Pace, build_configuration
from gx.monitoring.alertmanager.wording import render_templates
from gx.monitoring.model import Severity
from gx.monitoring.scaling import Scale, scale_pace
from gx.proof.alert_test import (
    AlertTestError,
    Told,
    labels_of_test,
    read_integrations,
    send_test_alert,
)
from gx.proof.drills.places import free_ports
from gx.proof.sink import SLACK_PATH, Sink
from gx.runtime.clock import SystemClock
from gx.runtime.prometheus import alertmanager_command
from gx.runtime.tools import Program, find_tools

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 60.0


@contextmanager
def running_alertmanager(folder: Path, sink: Sink) -> Iterator[str]:
    """Run a real Alertmanager with production's routes at sixty times their pace."""
    tool = find_tools(ROOT / ".cache").tools[Program.ALERTMANAGER]
    (folder / "slack").write_text(sink.slack_url("all"))
    (folder / "pagerduty").write_text("key")
    destinations = Destinations(
        slack_url_file=str(folder / "slack"),
        pagerduty_key_file=str(folder / "pagerduty"),
        pagerduty_url=sink.pagerduty_url,
        deadman_url=sink.webhook_url(),
        pace=scale_pace(Pace(), Scale(60)),
    )
    (folder / "am.yml").write_text(render_configuration(build_configuration(destinations)))
    (folder / TEMPLATE_FILE).write_text(render_templates())
    port = free_ports({"alertmanager": ""})["alertmanager"]
    command = alertmanager_command(
        tool, configuration=folder / "am.yml", storage=folder / "data", port=port
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tool.working_folder, stdout=log, stderr=log)
    try:
        yield _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.kill()
        process.wait()


def _ready(url: str, process: "subprocess.Popen[bytes]") -> str:
    deadline_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            if httpx.get(f"{url}/-/ready", trust_env=False).is_success:
                return url
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("Alertmanager does not start")


def send(url: str, severity: Severity, *, timeout_s: float = 60) -> dict[str, Told]:
    """Send a test alert as if mainnet were concerned."""
    labels = labels_of_test(environment="mainnet", severity=severity, run="one")
    told = asyncio.run(send_test_alert(url, labels, clock=SystemClock(), timeout_s=timeout_s))
    return {each.receiver: each for each in told}


def test_a_critical_one_pages_and_its_end_is_told(tmp_path: Path) -> None:
    """Through the route of mainnet: PagerDuty and Slack, both words to both."""
    with Sink() as sink, running_alertmanager(tmp_path, sink) as url:
        told = send(url, Severity.CRITICAL)

        assert {name: each.is_good for name, each in told.items()} == {
            "pagerduty": True,
            "slack-critical": True,
        }
        assert [event.event_action for event in sink.pagerduty] == ["trigger", "resolve"]
        assert len({event.dedup_key for event in sink.pagerduty}) == 1
        assert sink.faults == ()


def test_a_receiver_that_refuses_is_named(tmp_path: Path) -> None:
    """Slack answers 500: its notifications never count as told; PagerDuty's do."""
    with Sink() as sink, running_alertmanager(tmp_path, sink) as url:
        sink.refuse(SLACK_PATH, 404)
        told = send(url, Severity.CRITICAL, timeout_s=15)

        assert told["pagerduty"].is_good
        assert not told["slack-critical"].is_told
        assert told["slack-critical"].failed > 0


def test_a_receiver_without_integrations_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps the alert to itself: that is no success, and the table says so."""
    nobody = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    monkeypatch.setattr(
        "tests.proof.test_alert_test.render_configuration", lambda _: yaml.safe_dump(nobody)
    )
    with Sink() as sink, running_alertmanager(tmp_path, sink) as url:
        typed = ["alert", "test", "--alertmanager", url, "--timeout", "30"]
        done = CliRunner().invoke(app, typed)

    assert done.exit_code == 1, done.output
    assert done.stdout.splitlines()[-1].split()[-3:] == ["nobody", "nobody", "0"]


def test_an_address_without_an_alertmanager_is_said_so() -> None:
    """The text has the address."""
    port = free_ports({"nobody": ""})["nobody"]
    with pytest.raises(AlertTestError, match=str(port)):
        send(f"http://127.0.0.1:{port}", Severity.WARNING)


def test_integrations_are_read_from_alertmanager_s_own_words() -> None:
    """A receiver may have several, or none."""
    text = "receivers:\n- name: a\n  slack_configs: [{}]\n  webhook_configs: [{}]\n- name: b\n"
    assert read_integrations(text) == {"a": ("slack", "webhook"), "b": ()}
