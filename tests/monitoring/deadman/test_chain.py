"""The whole chain on real programs: Prometheus, Alertmanager, and the receiver beside them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from gx.monitoring.alertmanager.routing import Destinations
from gx.proof.sink import SLACK_PATH, PagerDutyEvent, Sink
from gx.runtime.settings import environment
from gx.runtime.tools import Program as ToolName
from gx.runtime.tools import Tool
from tests.monitoring.alertmanager.programs import (
    FAST,
    WITHIN_S,
    Alertmanager,
    Deadman,
    Program,
    a_deadman,
    a_prometheus,
    an_alertmanager,
    running,
    until,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches the programs

PERIOD_S: Final = 1.0
PERIODS_MAX: Final = 5
"""More than the three of production: a machine under load may hold up a beat for seconds."""


@dataclass(slots=True)
class Chain:
    """Everything that a heartbeat passes through, and whom the end of it tells."""

    prometheus: Program
    alertmanager: Alertmanager
    deadman: Deadman
    sink: Sink

    def state(self) -> object:
        """Return what the dead-man's receiver says."""
        return self.deadman.status()["state"]

    def wait_for_state(self, state: str) -> None:
        """Return once the dead-man's receiver says so."""
        until(lambda: self.state() == state, f"the receiver never said {state}")

    def pages(self) -> list[tuple[str, str]]:
        """Return action and key of each page so far."""
        return [(each.event_action, each.dedup_key) for each in self.sink.pagerduty]

    def wait_for(self, is_there: Callable[[], bool], what: str) -> None:
        """Return once the sink has it."""
        self.sink.wait_for(is_there, timeout_s=WITHIN_S, what=what)


def deadman_settings(sink: Sink, folder: Path) -> dict[str, str]:
    """Write the receiver's secrets and name them in its settings."""
    secrets = {"slack": sink.slack_url("deadman"), "key": "key", "token": "a-token"}
    for name, text in secrets.items():
        (folder / name).write_text(text)
    return {
        **environment(),
        "GX_DEADMAN_PERIOD_S": str(PERIOD_S),
        "GX_DEADMAN_PERIODS_MAX": str(PERIODS_MAX),
        "GX_DEADMAN_TOKEN_FILE": str(folder / "token"),
        "GX_DEADMAN_SLACK_URL_FILE": str(folder / "slack"),
        "GX_DEADMAN_PAGERDUTY_KEY_FILE": str(folder / "key"),
        "GX_DEADMAN_PAGERDUTY_URL": sink.pagerduty_url,
    }


@contextmanager
def running_chain(tools: dict[ToolName, Tool], folder: Path) -> Iterator[Chain]:
    """Run all of it until heartbeats arrive."""
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        deadman = a_deadman(folder / "deadman", deadman_settings(sink, folder))
        destinations = Destinations(
            slack_url_file=str(folder / "slack"),
            deadman_url=f"{deadman.url}/heartbeat",
            deadman_token_file=str(folder / "token"),
            pace=FAST,
        )
        alertmanager = an_alertmanager(
            tools[ToolName.ALERTMANAGER], destinations, folder / "alertmanager"
        )
        prometheus = a_prometheus(
            tools[ToolName.PROMETHEUS], alertmanager.url, folder / "prometheus"
        )
        for program in (alertmanager.program, prometheus, deadman.program):
            stack.enter_context(running(program))
        chain = Chain(prometheus, alertmanager, deadman, sink)
        chain.wait_for_state("beating")
        sink.clear()
        yield chain


def test_whatever_breaks_the_chain_the_receiver_speaks_and_says_when_it_is_mended(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """Prometheus killed, then Alertmanager killed: a page and a message each, and their end.

    Between the two the receiver itself is killed while it is silent: it forgets nothing.
    """
    with running_chain(tools, tmp_path) as chain:
        chain.prometheus.kill()
        chain.wait_for(lambda: bool(chain.pages()), "the page about Prometheus")
        chain.wait_for(lambda: bool(chain.sink.slack), "the message about Prometheus")
        first = chain.pages()[0][1]
        assert chain.state() == "silent"
        # The sink has a message before the receiver has noted that it was taken.
        told = {"slack": first, "pagerduty": first}
        until(lambda: chain.deadman.status()["told"] == told, "not both messages were noted")

        chain.deadman.program.kill()
        chain.deadman.program.start()
        assert chain.deadman.status()["incident"] == first
        chain.prometheus.start()
        chain.wait_for(lambda: ("resolve", first) in chain.pages(), "the end of the first page")
        chain.wait_for(
            lambda: any("[RESOLVED]" in message.title for message in chain.sink.slack),
            "the end of the first message",
        )
        assert [action for action, key in chain.pages() if key == first] == ["trigger", "resolve"]

        chain.alertmanager.program.kill()
        chain.wait_for(lambda: _triggers(chain.sink.pagerduty) > 1, "the page about Alertmanager")
        chain.alertmanager.program.start()
        chain.wait_for_state("beating")
        assert chain.sink.faults == ()


def _triggers(events: tuple[PagerDutyEvent, ...]) -> int:
    return sum(event.event_action == "trigger" for event in events)


def test_a_wrong_slack_address_is_a_number_and_no_silence(
    tools: dict[ToolName, Tool], tmp_path: Path
) -> None:
    """Alertmanager still beats, so the receiver is content; the failed notification is counted."""
    with running_chain(tools, tmp_path) as chain:
        chain.sink.refuse(SLACK_PATH, 404)
        chain.alertmanager.post({"alertname": "Any", "severity": "critical", "namespace": "x"})
        until(
            lambda: (
                chain.alertmanager.counter(
                    "alertmanager_notifications_failed_total", integration="slack"
                )
                > 0
            ),
            "the failed notification is not counted",
        )
        chain.wait_for_state("beating")  # a machine under load may have held up a beat


def run_test_option(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `gx deadman --test`."""
    return subprocess.run(
        [sys.executable, "-m", "gx.cli.main", "deadman", "--test"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_test_option_tells_each_receiver_and_says_which_did_not_take_it(
    tmp_path: Path,
) -> None:
    """Exit 0 when all took it, 1 with the reason when one did not, 2 when there is nobody."""
    with Sink() as sink:
        settings = deadman_settings(sink, tmp_path)
        good = run_test_option(settings)
        assert good.returncode == 0, good.stderr
        assert good.stdout.split() == ["slack", "told", "pagerduty", "told"]
        assert [each.event_action for each in sink.pagerduty] == ["trigger", "resolve"]

        sink.refuse(SLACK_PATH, 404)
        bad = run_test_option(settings)
        assert bad.returncode == 1
        assert "slack answered 404" in bad.stdout
        assert "not told: slack" in bad.stderr

        nobody = {k: v for k, v in settings.items() if not k.endswith(("_URL_FILE", "_KEY_FILE"))}
        none = run_test_option(nobody)
        assert none.returncode == 2
        assert "GX_DEADMAN_SLACK_URL_FILE" in none.stderr


def test_a_token_file_that_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    """Rather no receiver than one that anybody can keep quiet."""
    settings = {
        **environment(),
        "GX_DEADMAN_PORT": "0",
        "GX_DEADMAN_STATE_FILE": str(tmp_path / "state.json"),
        "GX_DEADMAN_TOKEN_FILE": str(tmp_path / "none"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "gx.cli.main", "deadman"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert "GX_DEADMAN_TOKEN_FILE" in done.stderr
