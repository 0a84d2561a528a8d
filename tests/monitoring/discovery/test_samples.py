"""What a discovered pod says is kept, and nothing else of it; a broken filter shows."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, TypeAlias

import pytest
from typing_extensions import override

from gx.runtime.tools import Program, Tool
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.metric import Process
from tests.monitoring.discovery.api_double import ApiDouble
from tests.monitoring.discovery.example import Builder, build_cluster
from tests.monitoring.discovery.programs import WITHIN_S, get, prometheus
from tests.monitoring.discovery.test_kubernetes import GRANTED, committed, for_prometheus
from tests.telemetry.processes import BUILDERS, samples_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches the programs

STRANGE: Final = b'debug_things_total{user="u1"} 7\n'
Job: TypeAlias = dict[str, object]
JOBS: Final = {
    "gx-outbox-submitter": Process.SUBMITTER,
    "gx-projector": Process.PROJECTOR,
    "gx-backend-services": Process.API,
}


def exposition(process: Process) -> bytes:
    """Return what a process exports, and one number that nobody declared."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)
    return registry.render() + STRANGE


@contextmanager
def serving(text: bytes) -> Iterator[int]:
    """Serve an exposition on a free port of loopback; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text)

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def scraped(
    tool: Tool, folder: Path, change: Callable[[list[Job]], None] = lambda _: None
) -> Iterator[Callable[[str], Mapping[str, float]]]:
    """Let Prometheus scrape a cluster whose pods answer; yields what asks it a query.

    Every pod of a job answers at one address, so its replicas are one target here. `change` is
    applied to the jobs.
    """
    with ExitStack() as servers:
        ports = {
            job: servers.enter_context(serving(exposition(process)))
            for job, process in JOBS.items()
        }
        api = servers.enter_context(ApiDouble(build_cluster(_at(ports)), GRANTED).running())
        configuration = for_prometheus(committed(), api.url)
        jobs = configuration["scrape_configs"]
        assert isinstance(jobs, list)
        chosen: list[Job] = [job for job in jobs if job["job_name"] in JOBS]
        change(chosen)
        configuration["scrape_configs"] = chosen
        url = servers.enter_context(prometheus(tool, configuration, folder))
        yield lambda query: _ask(url, query)


def _at(ports: Mapping[str, int]) -> Builder:
    """Build pods whose metrics port is where their kind answers."""
    names = {
        "outbox-submitter": ports["gx-outbox-submitter"],
        "projector": ports["gx-projector"],
        "api": ports["gx-backend-services"],
    }

    class AtRealPorts(Builder):
        @override
        def place(self, app: str, port: str, number: int) -> tuple[str, int]:
            return "127.0.0.1", names.get(app, 1) if port == "metrics" else 2

    return AtRealPorts()


def _ask(url: str, query: str) -> Mapping[str, float]:
    """Return the value by job, in devnet."""
    return {
        each["metric"]["job"]: float(each["value"][1])
        for each in get(f"{url}/api/v1/query", query=query).get("result", [])
        if each["metric"].get("environment") == "devnet"
    }


def until_equal(ask: Callable[[], Mapping[str, float]], expected: Mapping[str, float]) -> None:
    """Ask until the answer is the expected one."""
    found: Mapping[str, float] = {}
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = ask()
        if found == expected:
            return
        time.sleep(0.3)
    pytest.fail(f"{dict(found)} is not {dict(expected)}")


def test_everything_declared_is_kept_and_nothing_else(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """Of each process's samples only the undeclared one is dropped; the labels are the target's."""
    declared = {
        job: float(len(samples_of(exposition(process))) - 1) for job, process in JOBS.items()
    }
    with scraped(tools[Program.PROMETHEUS], tmp_path) as ask:
        until_equal(
            lambda: ask("max by (job, environment) (scrape_samples_post_metric_relabeling)"),
            declared,
        )
        dropped = ask(
            "max by (job, environment) "
            "(scrape_samples_scraped - scrape_samples_post_metric_relabeling)"
        )
        labels = ask('count by (job, environment) (http_requests_total{service="api"})')
        pushed_aside = ask('count by (job, environment) ({exported_service=~".+"})')

    assert dropped == dict.fromkeys(JOBS, 1.0)
    assert set(labels) == {"gx-backend-services"}
    assert pushed_aside == {}


def test_a_filter_that_keeps_nothing_is_up_and_empty(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """What `ScrapeEmpty` is about: the target answers, and all of its metrics were renamed."""

    def keep_old_names(jobs: list[Job]) -> None:
        projector = next(job for job in jobs if job["job_name"] == "gx-projector")
        projector["metric_relabel_configs"] = [
            {"source_labels": ["__name__"], "regex": "old_.+", "action": "keep"}
        ]

    with scraped(tools[Program.PROMETHEUS], tmp_path, keep_old_names) as ask:
        until_equal(lambda: ask("max by (job, environment) (up)"), dict.fromkeys(JOBS, 1.0))
        kept = ask("max by (job, environment) (scrape_samples_post_metric_relabeling)")

    assert kept["gx-projector"] == 0
    assert min(kept["gx-outbox-submitter"], kept["gx-backend-services"]) > 0
