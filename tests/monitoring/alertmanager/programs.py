"""Real Alertmanager, Prometheus and `gx deadman` on free ports, in folders of their own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import yaml

from gx.monitoring.alertmanager.render import CONFIG_FILE, TEMPLATE_FILE, render_configuration
from gx.monitoring.alertmanager.routing import Destinations, Pace, build_configuration
from gx.monitoring.alertmanager.wording import render_templates
from gx.monitoring.alerts.watching import WATCHDOG
from gx.monitoring.model import Links, RuleGroup
from gx.monitoring.rules import groups_to_yaml
from gx.runtime.prometheus import alertmanager_command, prometheus_command
from gx.runtime.tools import Tool
from tests.ports import free_port

WITHIN_S: Final = 60.0
POLL_S: Final = 0.05
FAST: Final = Pace(
    wait_s=0.2,
    critical_wait_s=0.1,
    interval_s=1,
    critical_repeat_s=3_600,
    warning_repeat_s=3_600,
    devnet_repeat_s=3_600,
    beat_s=1,
)
"""Production's tree, but nobody has to wait for it."""

Labels = Mapping[str, str]

# One for all: making a client reads the machine's certificates, which takes longer than asking.
CLIENT: Final = httpx.Client(timeout=10, trust_env=False)


class NotInTimeError(Exception):
    """Something did not become true in time."""


def until(is_true: Callable[[], bool], what: str) -> None:
    """Poll until something is true; a loaded machine may take its time."""
    deadline_s = time.monotonic() + WITHIN_S
    while not is_true():
        if time.monotonic() > deadline_s:
            raise NotInTimeError(what)
        time.sleep(POLL_S)


def answers(url: str) -> bool:
    """Say whether a GET of this address is answered with 2xx."""
    try:
        return CLIENT.get(url).is_success
    except httpx.HTTPError:
        return False


@dataclass(slots=True)
class Program:
    """One program that can be killed and started again with the same files and port."""

    name: str
    command: Sequence[str]
    folder: Path
    ready_url: str
    working_folder: Path | None = None
    environment: Mapping[str, str] | None = None
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                list(self.command),
                cwd=self.working_folder,
                env=None if self.environment is None else dict(self.environment),
                stdout=log,
                stderr=log,
            )
        until(lambda: answers(self.ready_url), f"{self.name} is not ready: {self.log()}")

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """Return the end of what it said."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")[-2_000:]


@contextmanager
def running(program: Program) -> Iterator[Program]:
    """Run a program while the block does."""
    try:
        program.start()
        yield program
    finally:
        program.kill()


def write_configuration(destinations: Destinations, folder: Path) -> Path:
    """Write Alertmanager's files."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG_FILE
    path.write_text(render_configuration(build_configuration(destinations)))
    (folder / TEMPLATE_FILE).write_text(render_templates())
    return path


@dataclass(slots=True)
class Alertmanager:
    """A running Alertmanager and what tests ask of it."""

    program: Program
    url: str

    def post(
        self, *alerts: Labels, is_over: bool = False, annotations: Labels | None = None
    ) -> None:
        """Send alerts as Prometheus does, with an end of their own."""
        now = datetime.now(UTC)  # noqa: TID251 (Alertmanager compares with its own clock)
        end = now - timedelta(milliseconds=1) if is_over else now + timedelta(minutes=30)
        body = [
            {
                "labels": dict(labels),
                "annotations": dict(annotations or {}),
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": end.isoformat(),
                "generatorURL": "http://127.0.0.1/graph",
            }
            for labels in alerts
        ]
        answer = CLIENT.post(f"{self.url}/api/v2/alerts", json=body)
        answer.raise_for_status()

    def state_of(self, labels: Labels) -> tuple[frozenset[str], bool, bool] | None:
        """Return who is told of an alert, and whether it is inhibited or silenced."""
        answer = CLIENT.get(f"{self.url}/api/v2/alerts")
        for alert in answer.json():
            if alert["labels"] == dict(labels):
                status = alert["status"]
                names = frozenset(receiver["name"] for receiver in alert["receivers"])
                return names, bool(status["inhibitedBy"]), bool(status["silencedBy"])
        return None

    def counter(self, name: str, **labels: str) -> float:
        """Return a counter of its own metrics, summed over what is not named."""
        text = CLIENT.get(f"{self.url}/metrics").text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith(f"{name}{{") and all(pair in line for pair in wanted)
        )


def an_alertmanager(tool: Tool, destinations: Destinations, folder: Path) -> Alertmanager:
    """Build an Alertmanager that is not running yet."""
    port = free_port()
    command = alertmanager_command(
        tool,
        configuration=write_configuration(destinations, folder / "configuration"),
        storage=folder / "storage",
        port=port,
    )
    url = f"http://127.0.0.1:{port}"
    program = Program("alertmanager", command, folder, f"{url}/-/ready", tool.working_folder)
    return Alertmanager(program, url)


def a_prometheus(tool: Tool, alertmanager: str, folder: Path) -> Program:
    """Build a Prometheus that only evaluates the Watchdog, every second."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {
            "alertmanagers": [
                {"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}
            ]
        },
    }
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    rules = groups_to_yaml([RuleGroup(name="watchdog", alerts=(WATCHDOG,))], Links())
    (folder / "rules.yml").write_text(yaml.safe_dump(rules))
    command = prometheus_command(
        tool, configuration=path, storage=folder / "storage", port=port, retention_days=1
    )
    ready = f"http://127.0.0.1:{port}/-/ready"
    return Program("prometheus", command, folder, ready, tool.working_folder)


@dataclass(slots=True)
class Deadman:
    """`gx deadman` as a process of its own."""

    program: Program
    url: str

    def status(self) -> dict[str, object]:
        """Return what it says that it knows."""
        answer = CLIENT.get(f"{self.url}/status")
        value: object = json.loads(answer.text)
        assert isinstance(value, dict)
        return value


def a_deadman(folder: Path, environment: Mapping[str, str]) -> Deadman:
    """Build a dead-man's receiver that is not running yet."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {
        "GX_DEADMAN_PORT": str(port),
        "GX_DEADMAN_STATE_FILE": str(folder / "state.json"),
        "GX_DEADMAN_SYSTEM": "test",
    }
    program = Program(
        "deadman",
        (sys.executable, "-m", "gx.cli.main", "deadman"),
        folder,
        f"{url}/readyz",
        environment={**own, **environment},
    )
    return Deadman(program, url)
