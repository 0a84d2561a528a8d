"""The scaled monitoring of a drill's stack: production's declarations, this machine's addresses."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from gx.monitoring.alertmanager.model import Configuration
from gx.monitoring.alertmanager.render import TEMPLATE_FILE, duration, render_configuration
from gx.monitoring.alertmanager.routing import Destinations, Pace, build_configuration
from gx.monitoring.alertmanager.wording import render_templates
from gx.monitoring.deadman.edge import HEARTBEAT_PATH
from gx.monitoring.jobs import POSTGRES_JOB
from gx.monitoring.local import (
    RULES_FILE,
    LocalStack,
    expected_targets,
    render_blackbox,
    render_postgres_queries,
    render_prometheus,
)
from gx.monitoring.model import SCRAPE_INTERVAL_S, Links
from gx.monitoring.rules import all_groups
from gx.monitoring.scaling import LOOKBACK_S, Scale, scale_groups, scale_pace, scale_scraping
from gx.monitoring.scrape import TargetLabels
from gx.monitoring.yaml_text import dump
from gx.proof.drills.places import MONITORED_AS, Places
from gx.proof.drills.stand_in import STAND_IN_JOB
from gx.proof.drills.voices import BACKEND, ORDERER, PEER, REDIS, SECOND
from gx.proof.sink import Sink
from gx.runtime.local_stack import HOST
from gx.runtime.prometheus import (
    alertmanager_command,
    blackbox_command,
    postgres_exporter_command,
    prometheus_command,
)
from gx.runtime.tools import Program, Toolbox

NAMESPACE: Final = f"backend-{MONITORED_AS}"
CHANNEL_PREFIX: Final = "#gx-"
PAGERDUTY_KEY: Final = "a-routing-key-of-drills"
DEADMAN: Final = "deadman"
DEADMAN_FILE: Final = "deadman-slack"
QUERIES_FILE: Final = "postgres-queries.yml"
SCRAPES_FILE: Final = "prometheus.yml"
ROUTES_FILE: Final = "alertmanager.yml"

_EXPORTER_MIN_S: Final = 2
"""How often PostgreSQL's exporter may be asked: it looks for a second before it says "down"."""

_STAND_INS: Final = {"stand_in": "stand-in", BACKEND: "stand-in-numbers", SECOND: "stand-in-worker"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What has been written for a drill's stack, and the command that starts each program."""

    configuration: Configuration
    commands: dict[str, tuple[str, ...]]
    working_folders: dict[str, Path | None]
    folder: Path


def write_monitoring(places: Places, toolbox: Toolbox, sink: Sink) -> Monitoring:
    """Write rules, scrapes, routes and receivers, all in the places' scaled time."""
    folder = places.folder / "monitoring"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = build_configuration(_destinations(folder, places, sink))
    for receiver in configuration.receivers:
        channel = receiver.name.removeprefix("slack-")
        (folder / f"slack-{channel}").write_text(sink.slack_url(channel))
    (folder / "pagerduty").write_text(PAGERDUTY_KEY)
    (folder / DEADMAN_FILE).write_text(sink.slack_url(DEADMAN))
    (folder / QUERIES_FILE).write_text(render_postgres_queries())
    stack = local_stack(places)
    (folder / SCRAPES_FILE).write_text(_scraping(places, stack))
    (folder / RULES_FILE).write_text(_rules(stack, places.scale))
    (folder / ROUTES_FILE).write_text(render_configuration(configuration))
    (folder / TEMPLATE_FILE).write_text(render_templates())
    (folder / "blackbox.yml").write_text(render_blackbox())
    tools = toolbox.tools
    return Monitoring(
        configuration=configuration,
        commands=_commands(places, toolbox, folder),
        working_folders={
            "prometheus": tools[Program.PROMETHEUS].working_folder,
            "alertmanager": tools[Program.ALERTMANAGER].working_folder,
            "blackbox": tools[Program.BLACKBOX].working_folder,
        },
        folder=folder,
    )


def local_stack(places: Places) -> LocalStack:
    """Say where everything listens, as the renderers of the local stack ask."""
    ports = places.ports
    return LocalStack(
        api_port=ports["api"],
        api_metrics_port=ports["api_metrics"],
        submitter_ports=(ports["submitter"],),
        projector_ports=(ports["projector"],),
        ledger_port=ports["ledger"],
        prometheus_port=ports["prometheus"],
        alertmanager_port=ports["alertmanager"],
        blackbox_port=ports["blackbox"],
        postgres_exporter_port=ports["postgres_exporter"],
        redis_exporter_port=ports[REDIS],
        peer_ports=(ports[PEER],),
        orderer_ports=(ports[ORDERER],),
        environment=MONITORED_AS,
    )


def _destinations(folder: Path, places: Places, sink: Sink) -> Destinations:
    return Destinations(
        slack_url_file=str(folder / "slack"),
        url_per_channel=True,
        channel_prefix=CHANNEL_PREFIX,
        pagerduty_key_file=str(folder / "pagerduty"),
        pagerduty_url=sink.pagerduty_url,
        deadman_url=places.url(DEADMAN) + HEARTBEAT_PATH,
        pace=scale_pace(Pace(), places.scale),
    )


def _scraping(places: Places, stack: LocalStack) -> str:
    configuration: dict[str, object] = yaml.safe_load(render_prometheus(stack))
    jobs = configuration["scrape_configs"]
    targets = [
        {
            "targets": [f"{HOST}:{places.ports[port]}"],
            "labels": TargetLabels.of(MONITORED_AS, service).to_yaml(),
        }
        for port, service in _STAND_INS.items()
    ]
    stand_in = {"job_name": STAND_IN_JOB, "static_configs": targets}
    configuration["scrape_configs"] = [*(jobs if isinstance(jobs, list) else ()), stand_in]
    paced = scale_scraping(configuration, places.scale)
    for job in (*(jobs if isinstance(jobs, list) else ()),):
        if job["job_name"] == POSTGRES_JOB.name:
            interval = duration(max(_EXPORTER_MIN_S, places.scale.seconds(SCRAPE_INTERVAL_S)))
            job |= {"scrape_interval": interval, "scrape_timeout": interval}
    return dump(paced)


def _rules(stack: LocalStack, scale: Scale) -> str:
    return dump(scale_groups(all_groups(expected_targets(stack)), scale, Links()))


def _commands(places: Places, toolbox: Toolbox, folder: Path) -> dict[str, tuple[str, ...]]:
    tools, ports = toolbox.tools, places.ports
    prometheus = prometheus_command(
        tools[Program.PROMETHEUS],
        configuration=folder / SCRAPES_FILE,
        storage=places.folder / "prometheus",
        port=ports["prometheus"],
        retention_days=1,
    )
    return {
        "prometheus": (
            *prometheus,
            f"--query.lookback-delta={places.scale.text(LOOKBACK_S)}",
        ),
        "alertmanager": alertmanager_command(
            tools[Program.ALERTMANAGER],
            configuration=folder / ROUTES_FILE,
            storage=places.folder / "alertmanager",
            port=ports["alertmanager"],
        ),
        "blackbox": blackbox_command(
            tools[Program.BLACKBOX],
            configuration=folder / "blackbox.yml",
            port=ports["blackbox"],
        ),
        "postgres_exporter": postgres_exporter_command(
            tools[Program.POSTGRES_EXPORTER],
            queries=folder / QUERIES_FILE,
            port=ports["postgres_exporter"],
        ),
        DEADMAN: (sys.executable, "-m", "gx.cli.main", "deadman"),
    }
