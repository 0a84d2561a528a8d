"""The monitoring of the local stack: configuration files for programs on this machine.

Written for what Debian 12 packages (Prometheus 2.42, Alertmanager 0.25, blackbox exporter 0.23);
current versions accept the same files.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from gx.monitoring.alertmanager.render import TEMPLATE_FILE, render_configuration
from gx.monitoring.alertmanager.routing import Destinations, build_configuration
from gx.monitoring.alertmanager.wording import render_templates
from gx.monitoring.external import PG_REPLICATION_LAG
from gx.monitoring.jobs import (
    ALERTMANAGER_JOB,
    FABRIC_ORDERER_JOB,
    FABRIC_PEER_JOB,
    NODE_JOB,
    POSTGRES_JOB,
    PROBE_JOB,
    PROBE_MODULE,
    PROCESS_JOBS,
    PROMETHEUS_JOB,
    READY_PATH,
    REDIS_JOB,
    SCRAPE_TIMEOUT_MAX_S,
    build_probe_job,
)
from gx.monitoring.model import Links
from gx.monitoring.rules import all_groups, groups_to_yaml
from gx.monitoring.scrape import (
    LEDGER_NAMESPACE,
    ScrapeJob,
    TargetGroup,
    TargetLabels,
    discovered_labels,
)
from gx.telemetry.metric import Process

HEADER: Final = "# Written by gx.monitoring.local at every start; changes here are lost.\n"
LOOPBACK: Final = "127.0.0.1"
RULES_FILE: Final = "rules.yml"
MONITORING_NAMESPACE: Final = "monitoring"
DEADMAN_JOB: Final = "deadman"
# A replica of an idle primary has nothing to replay and is not behind, however old its last
# transaction is.
REPLICATION_LAG_QUERY: Final = (
    "SELECT CASE WHEN NOT pg_is_in_recovery() "
    "OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE GREATEST(0, "
    "EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp())) END AS {column}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """Where everything listens on this machine. Several workers of a kind have several ports.

    What has no port is not there, and nobody asks for it. The ledger is the embedded one
    (`ledger_port`), or a Fabric network: the operations ports of its nodes and the metrics ports
    of its chaincode's processes. Those move with each upgrade: the file `chaincode_targets`, as
    `render_targets` writes it, says where they are by now. Receivers of alerts that
    `destinations` does not connect only keep them.
    """

    api_port: int = 8000
    api_metrics_port: int = 9095
    submitter_ports: tuple[int, ...] = (9090,)
    projector_ports: tuple[int, ...] = (9091,)
    ledger_port: int | None = 9094
    orderer_ports: tuple[int, ...] = ()
    peer_ports: tuple[int, ...] = ()
    chaincode_ports: tuple[int, ...] = ()
    chaincode_targets: Path | None = None
    prometheus_port: int = 30_090
    alertmanager_port: int = 30_093
    blackbox_port: int = 30_115
    postgres_exporter_port: int | None = None
    redis_exporter_port: int | None = None
    node_exporter_port: int | None = None
    deadman_port: int | None = None
    destinations: Destinations = field(default_factory=Destinations)
    links: Links = field(default_factory=Links)
    environment: str = "devnet"
    scrape_interval_s: int = 15

    @property
    def namespace(self) -> str:
        """Return the namespace label, which stands for the Kubernetes namespace elsewhere."""
        return f"backend-{self.environment}"


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The files that the programs start with."""

    prometheus: Path
    alertmanager: Path
    blackbox: Path
    postgres_queries: Path


def write_local(stack: LocalStack, folder: Path) -> LocalFiles:
    """Write the configuration of the local stack's monitoring into a folder, made if absent."""
    folder.mkdir(parents=True, exist_ok=True)
    files = LocalFiles(
        prometheus=folder / "prometheus.yml",
        alertmanager=folder / "alertmanager.yml",
        blackbox=folder / "blackbox.yml",
        postgres_queries=folder / "postgres-queries.yml",
    )
    files.prometheus.write_text(render_prometheus(stack))
    files.alertmanager.write_text(render_alertmanager(stack))
    (folder / TEMPLATE_FILE).write_text(render_templates())
    files.blackbox.write_text(render_blackbox())
    files.postgres_queries.write_text(render_postgres_queries())
    (folder / RULES_FILE).write_text(render_rules(stack))
    return files


def render_prometheus(stack: LocalStack) -> str:
    """Render Prometheus' configuration; its rules are in `rules.yml` beside it."""
    interval_s = stack.scrape_interval_s
    return _render(
        {
            "global": {
                "scrape_interval": f"{interval_s}s",
                "evaluation_interval": f"{interval_s}s",
                "scrape_timeout": f"{min(interval_s, SCRAPE_TIMEOUT_MAX_S)}s",
            },
            "rule_files": [RULES_FILE],
            "alerting": {
                "alertmanagers": [
                    {"static_configs": [{"targets": [_address(stack.alertmanager_port)]}]}
                ]
            },
            "scrape_configs": _jobs(stack),
        }
    )


def render_rules(stack: LocalStack) -> str:
    """Render the rules: which targets there should be, and everything recorded and alerted."""
    return _render(groups_to_yaml(all_groups(expected_targets(stack)), stack.links))


def render_alertmanager(stack: LocalStack) -> str:
    """Render Alertmanager's configuration: production's, with what is connected here."""
    return HEADER + render_configuration(build_configuration(stack.destinations))


def render_blackbox() -> str:
    """Render the blackbox exporter's configuration: ready means 200, not a redirect to it."""
    http = {"valid_status_codes": [200], "preferred_ip_protocol": "ip4", "follow_redirects": False}
    return _render({"modules": {PROBE_MODULE: {"prober": "http", "timeout": "5s", "http": http}}})


def render_postgres_queries() -> str:
    """Render what the exporter of PostgreSQL asks beside its own questions.

    Its version in Debian 12 has no replication lag; this one has the name that later versions
    give it. A primary is never behind.
    """
    prefix, _, column = PG_REPLICATION_LAG.name.rpartition("_lag_")
    column = f"lag_{column}"
    return _render(
        {
            prefix: {
                "query": REPLICATION_LAG_QUERY.format(column=column),
                "metrics": [
                    {column: {"usage": "GAUGE", "description": PG_REPLICATION_LAG.help}},
                ],
            }
        }
    )


def _jobs(stack: LocalStack) -> list[object]:
    return [
        *(_process_job(stack, process, ports) for process, ports in _ports(stack).items()),
        build_probe_job(
            _address(stack.blackbox_port),
            [_group(stack, process, urls) for process, urls in _ready_urls(stack).items()],
        ),
        *(
            _job(job, stack.namespace, (port,))
            for job, port in _exporters(stack)
            if port is not None
        ),
        *(_job(job, LEDGER_NAMESPACE, ports) for job, ports in _fabric_nodes(stack) if ports),
        _job(ALERTMANAGER_JOB, MONITORING_NAMESPACE, (stack.alertmanager_port,)),
        PROMETHEUS_JOB.to_yaml(
            {"static_configs": [{"targets": [_address(stack.prometheus_port)]}]}
        ),
        *_deadman_jobs(stack),
    ]


def _deadman_jobs(stack: LocalStack) -> list[object]:
    """Scrape the dead-man's receiver where it runs here too; elsewhere it is not ours to ask."""
    if stack.deadman_port is None:
        return []
    targets = [_address(stack.deadman_port)]
    return [{"job_name": DEADMAN_JOB, "static_configs": [{"targets": targets}]}]


def render_targets(process: Process, environment: str, ports: Sequence[int]) -> str:
    """Render the file that tells Prometheus where a process's copies are; it sees every change."""
    namespace = LocalStack(environment=environment).namespace
    return json.dumps(_targets(PROCESS_JOBS[process], namespace, ports), indent=2) + "\n"


def _process_job(stack: LocalStack, process: Process, ports: Sequence[int]) -> dict[str, object]:
    job = PROCESS_JOBS[process]
    if process is Process.CHAINCODE and stack.chaincode_targets is not None:
        return job.to_yaml({"file_sd_configs": [{"files": [str(stack.chaincode_targets)]}]})
    return _job(job, stack.namespace, ports)


def _job(job: ScrapeJob, namespace: str, ports: Sequence[int]) -> dict[str, object]:
    return job.to_yaml({"static_configs": _targets(job, namespace, ports)})


def _targets(job: ScrapeJob, namespace: str, ports: Sequence[int]) -> list[dict[str, object]]:
    """List targets that say of themselves what Kubernetes' discovery would say of them.

    So the rules that choose and name targets in production are those that run here.
    """
    return [
        {
            "targets": [_address(port)],
            "labels": discovered_labels(job, namespace, port),
        }
        for port in ports
    ]


def _exporters(stack: LocalStack) -> tuple[tuple[ScrapeJob, int | None], ...]:
    return (
        (POSTGRES_JOB, stack.postgres_exporter_port),
        (REDIS_JOB, stack.redis_exporter_port),
        (NODE_JOB, stack.node_exporter_port),
    )


def _fabric_nodes(stack: LocalStack) -> tuple[tuple[ScrapeJob, tuple[int, ...]], ...]:
    return (
        (FABRIC_ORDERER_JOB, stack.orderer_ports),
        (FABRIC_PEER_JOB, stack.peer_ports),
    )


def _ports(stack: LocalStack) -> dict[Process, tuple[int, ...]]:
    ports = {
        Process.SUBMITTER: stack.submitter_ports,
        Process.PROJECTOR: stack.projector_ports,
        Process.API: (stack.api_metrics_port,),
        Process.LEDGER: () if stack.ledger_port is None else (stack.ledger_port,),
        Process.CHAINCODE: stack.chaincode_ports,
    }
    return {process: each for process, each in ports.items() if each}


def _ready_urls(stack: LocalStack) -> dict[Process, list[str]]:
    ports = {
        # The port that users reach: a listening metrics port would not say that theirs answers.
        Process.API: (stack.api_port,),
        Process.SUBMITTER: stack.submitter_ports,
        Process.PROJECTOR: stack.projector_ports,
    }
    return {
        process: [f"http://{_address(port)}{READY_PATH}" for port in each]
        for process, each in ports.items()
    }


def expected_targets(stack: LocalStack) -> list[tuple[str, TargetLabels]]:
    """List what should be scraped and probed: a job, and the labels of its target."""
    scraped = [(PROCESS_JOBS[each].name, _labels(stack, each)) for each in _ports(stack)]
    probed = [(PROBE_JOB, _labels(stack, process)) for process in _ready_urls(stack)]
    return [*scraped, *probed]


def _group(stack: LocalStack, process: Process, targets: Sequence[str]) -> TargetGroup:
    return TargetGroup(targets=tuple(targets), labels=_labels(stack, process))


def _labels(stack: LocalStack, process: Process) -> TargetLabels:
    return TargetLabels.of(stack.environment, process.value)


def _address(port: int) -> str:
    return f"{LOOPBACK}:{port}"


def _render(document: Mapping[str, object]) -> str:
    # A long filter stays one line: folded, it would be hard to copy into a query.
    return HEADER + yaml.safe_dump(dict(document), sort_keys=False, width=10_000)
