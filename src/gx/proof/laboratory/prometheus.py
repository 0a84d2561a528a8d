"""A real Prometheus on a laboratory's network, which scrapes what a cluster's would scrape."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
import yaml
from typing_extensions import override

from gx.proof.laboratory.cluster import Laboratory
from gx.proof.reachability.catalogue import Kind
from gx.proof.reachability.findings import Finding
from gx.runtime.prometheus import prometheus_command
from gx.runtime.tools import Tool

INTERVAL_S: Final = 1
_PORT: Final = 9090  # in a namespace of its own, where nobody else is
_ASK_TIMEOUT_S: Final = 10
_UP: Final = "# TYPE laboratory_up gauge\nlaboratory_up 1\n"


@dataclass(frozen=True, slots=True)
class Target:
    """How Prometheus sees one of its targets."""

    job: str
    service: str
    health: str
    error: str


class LaboratoryPrometheus:
    """Prometheus, by an address on loopback."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_ready(self) -> bool:
        """Say whether it answers."""
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=_ASK_TIMEOUT_S).is_success
        except httpx.HTTPError:
            return False

    def targets(self) -> tuple[Target, ...]:
        """Return its active targets, in order of their jobs."""
        answer = httpx.get(f"{self.url}/api/v1/targets?state=active", timeout=_ASK_TIMEOUT_S)
        found = answer.raise_for_status().json()["data"]["activeTargets"]
        return tuple(
            sorted(
                (
                    Target(
                        job=each["labels"]["job"],
                        service=each["labels"]["service"],
                        health=each["health"],
                        error=each["lastError"],
                    )
                    for each in found
                ),
                key=lambda each: (each.job, each.service),
            )
        )

    def value(self, expression: str) -> dict[str, float]:
        """Return an expression's current values, by job."""
        answer = httpx.get(
            f"{self.url}/api/v1/query", params={"query": expression}, timeout=_ASK_TIMEOUT_S
        )
        found = answer.raise_for_status().json()["data"]["result"]
        return {each["metric"].get("job", ""): float(each["value"][1]) for each in found}


def scrape_configuration(findings: Iterable[Finding], address: Callable[[str], str]) -> str:
    """Write what Prometheus is to scrape: the targets that the findings are about."""
    configs = [
        {
            "job_name": each.wish.name,
            "static_configs": [
                {
                    "targets": [f"{address(each.target)}:{each.connection.port}"],
                    "labels": {
                        "namespace": each.target.partition("/")[0],
                        "service": each.target.partition("/")[2],
                        "environment": each.wish.environment,
                    },
                }
            ],
        }
        for each in findings
        if each.wish.kind is Kind.SCRAPE and each.connection is not None
    ]
    interval = f"{INTERVAL_S}s"
    times = {"scrape_interval": interval, "scrape_timeout": interval}
    return yaml.safe_dump({"global": times, "scrape_configs": configs}, sort_keys=False)


def start_prometheus(
    laboratory: Laboratory, tool: Tool, *, member: str, configuration: str, folder: Path
) -> LaboratoryPrometheus:
    """Start it where a member is, with its files in a folder; wait with `is_ready`."""
    file = folder / "prometheus.yml"
    file.write_text(configuration, encoding="utf-8")
    command = prometheus_command(
        tool, configuration=file, storage=folder / "storage", port=_PORT, retention_days=1
    )
    log = (folder / "prometheus.log").open("w", encoding="utf-8")
    with log:
        laboratory.start(member, command, folder=tool.working_folder, log=log)
    return LaboratoryPrometheus(f"http://127.0.0.1:{laboratory.forward(member, _PORT)}")


def serve_metrics(laboratory: Laboratory, member: str, port: int, text: str = _UP) -> None:
    """Have a member answer /metrics with an exposition for as long as the laboratory is there."""

    class Exposition(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: Prometheus says how it went."""

    server = laboratory.inside(
        member,
        # Everywhere in a namespace of its own: its address, and loopback.
        lambda: _Server(("", port), Exposition),
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    laboratory.when_done(server.stop)


class _Server(ThreadingHTTPServer):
    """Serves each request in a thread of its own, none of which outlives the program."""

    daemon_threads = True

    def stop(self) -> None:
        """Take no more requests."""
        self.shutdown()
        self.server_close()
