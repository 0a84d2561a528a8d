"""A real Prometheus scrapes real telemetry ports: what it has, and what the check says of it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from typing_extensions import override

from gx.monitoring.alerts import ALERTS
from gx.monitoring.live import (
    LiveMetric,
    PrometheusError,
    Verdict,
    check_live,
    check_used,
    missing,
)
from gx.monitoring.local import LocalStack, write_local
from gx.runtime.prometheus import alertmanager_command, blackbox_command, prometheus_command
from gx.runtime.tools import Program, Tool
from gx.telemetry.catalogue.edge import REDIS_COMMANDS
from gx.telemetry.catalogue.every_process import CERTIFICATE_EXPIRY, LEDGER_UP
from gx.telemetry.cells import Gauge
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from gx.telemetry.instruments import (
    ApiMetrics,
    LedgerMetrics,
    ProjectorMetrics,
    SubmitterMetrics,
    build_api_metrics,
    build_ledger_metrics,
    build_projector_metrics,
    build_submitter_metrics,
)
from gx.telemetry.metric import Condition, Process
from tests.ports import free_port
from tests.telemetry.processes import (
    COMMAND_TYPES,
    EVENT_TYPES,
    FUNCTIONS,
    REFUSAL_CODES,
    ROUTES,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches the programs

WITHIN_S = 90.0
"""How long a loaded machine may take to start three programs and scrape twice."""


@dataclass
class Backend:
    """The telemetry of the four processes of the local stack."""

    submitter: SubmitterMetrics
    projector: ProjectorMetrics
    api: ApiMetrics
    ledger: LedgerMetrics
    stack: LocalStack


@asynccontextmanager
async def running_backend() -> AsyncIterator[Backend]:
    """Serve each process's metrics on a free port; no number is set beyond the start."""
    registries = {process: MetricsRegistry() for process in Process}
    async with AsyncExitStack() as servers:
        ports = {
            process: (
                await servers.enter_async_context(
                    TelemetryServer(registry=registry, probes=Probes(), port=0)
                )
            ).port
            for process, registry in registries.items()
        }
        yield Backend(
            submitter=build_submitter_metrics(
                registries[Process.SUBMITTER],
                command_types=COMMAND_TYPES,
                refusal_codes=REFUSAL_CODES,
            ),
            projector=build_projector_metrics(
                registries[Process.PROJECTOR], event_types=EVENT_TYPES, channel="gxchannel-devnet"
            ),
            api=build_api_metrics(
                registries[Process.API], routes=ROUTES, redis_commands=("EVALSHA",)
            ),
            ledger=build_ledger_metrics(registries[Process.LEDGER], functions=FUNCTIONS),
            stack=LocalStack(
                api_port=ports[Process.API],
                api_metrics_port=ports[Process.API],
                submitter_ports=(ports[Process.SUBMITTER],),
                projector_ports=(ports[Process.PROJECTOR],),
                ledger_port=ports[Process.LEDGER],
                prometheus_port=free_port(),
                alertmanager_port=free_port(),
                blackbox_port=free_port(),
                scrape_interval_s=1,
            ),
        )


@contextmanager
def running_monitoring(
    stack: LocalStack, tools: dict[Program, Tool], folder: Path
) -> Iterator[None]:
    """Run Prometheus, Alertmanager and the blackbox exporter with the rendered files."""
    files = write_local(stack, folder / "configuration")
    commands = {
        Program.PROMETHEUS: prometheus_command(
            tools[Program.PROMETHEUS],
            configuration=files.prometheus,
            storage=folder / "prometheus",
            port=stack.prometheus_port,
            retention_days=1,
        ),
        Program.ALERTMANAGER: alertmanager_command(
            tools[Program.ALERTMANAGER],
            configuration=files.alertmanager,
            storage=folder / "alertmanager",
            port=stack.alertmanager_port,
        ),
        Program.BLACKBOX: blackbox_command(
            tools[Program.BLACKBOX], configuration=files.blackbox, port=stack.blackbox_port
        ),
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for program, command in commands.items():
            log = (folder / f"{program}.log").open("wb")
            started.append(
                subprocess.Popen(command, cwd=tools[program].working_folder, stdout=log, stderr=log)
            )
            log.close()
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=20)


def set_every_gauge(backend: Backend) -> None:
    """Give each number that only a running system knows a value."""
    for metrics in (backend.submitter, backend.projector, backend.api, backend.ledger):
        for each in fields(metrics):
            if isinstance(gauge := getattr(metrics, each.name), Gauge):
                gauge.set(1)
    backend.projector.blockchain_height("gxchannel-devnet").set(1)
    for kind in ("balances", "minted"):
        backend.projector.reconciliation_difference(kind).set(0)
    backend.submitter.outbox_differences("ledger").set(0)


async def ask(backend: Backend, *conditions: Condition) -> dict[str, LiveMetric]:
    """Run the check against the backend's Prometheus."""
    rows = await asyncio.to_thread(
        check_live,
        f"http://127.0.0.1:{backend.stack.prometheus_port}",
        namespace="backend-devnet",
        conditions=conditions,
    )
    return {row.metric.name: row for row in rows}


async def until_missing(backend: Backend, names: set[str]) -> dict[str, LiveMetric]:
    """Ask until exactly these metrics are missing."""
    seen: set[str] | None = None
    for _ in range(round(WITHIN_S / 0.5)):
        try:
            rows = await ask(backend, Condition.REDIS)
        except PrometheusError:
            rows = {}
        seen = {row.metric.name for row in missing(rows.values())}
        if rows and seen == names:
            return rows
        await asyncio.sleep(0.5)
    pytest.fail(f"missing are {sorted(seen or ())}, not {sorted(names)}")


async def test_the_check_sees_what_a_real_prometheus_has(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """A gauge that one process never sets is named with it; once set, every metric is live."""
    async with running_backend() as backend:
        set_every_gauge(backend)
        backend.api.ledger_up.clear()
        backend.submitter.transaction_duration_ms.observe(300)
        backend.api.route(*ROUTES[0]).answered(202).inc(3)
        with running_monitoring(backend.stack, tools, tmp_path):
            rows = await until_missing(backend, {LEDGER_UP.name})
            assert rows[LEDGER_UP.name].missing_from == {Process.API}

            backend.api.ledger_up.set(1)
            rows = await until_missing(backend, set())

            certificates = rows[CERTIFICATE_EXPIRY.name]
            assert certificates.verdict is Verdict.EXCUSED
            assert certificates.excuse is Condition.CERTIFICATES
            assert rows[REDIS_COMMANDS.name].verdict is Verdict.LIVE
            requests = rows["http_requests_total"]
            assert requests.series > 20
            assert (requests.sample, requests.missing_from) == (3, frozenset())
            assert rows["fabric_transaction_duration_ms"].sample == 1
            await assert_only_what_was_used_moved(backend)
            await assert_targets_are_up(backend.stack)
            await assert_the_watchdog_barks(backend.stack)
            await assert_rules_are_healthy(backend.stack)


async def assert_only_what_was_used_moved(backend: Backend) -> None:
    """A counter that exists at 0 is live and yet unmoved; one that was counted is moved."""
    url = f"http://127.0.0.1:{backend.stack.prometheus_port}"
    unmoved = await asyncio.to_thread(check_used, url, namespace="backend-devnet")
    still = {moved.metric.name for moved in unmoved}

    assert {"chaincode_requests_total", "projector_events_processed_total"} <= still
    assert not {"http_requests_total", "fabric_transaction_duration_ms"} & still
    assert REDIS_COMMANDS.name not in still, "excused: nobody said that there is a Redis"


async def assert_targets_are_up(stack: LocalStack) -> None:
    """Every target answers and every probe succeeds."""
    expected = dict.fromkeys(("api", "outbox-submitter", "projector"), "1")
    targets, probes = {}, {}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{stack.prometheus_port}", trust_env=False, timeout=30
    ) as client:
        for _ in range(round(WITHIN_S / 0.5)):
            answer = (await client.get("/api/v1/targets")).json()["data"]["activeTargets"]
            targets = {target["scrapeUrl"]: target["health"] for target in answer}
            query = {"query": "sum by (service) (probe_success)"}
            samples = (await client.get("/api/v1/query", params=query)).json()["data"]["result"]
            probes = {sample["metric"]["service"]: sample["value"][1] for sample in samples}
            if set(targets.values()) == {"up"} and probes == expected:
                return
            await asyncio.sleep(0.5)
    pytest.fail(f"targets {targets}, probes {probes}")


async def assert_the_watchdog_barks(stack: LocalStack) -> None:
    """The alert that always fires arrives in Alertmanager."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for _ in range(round(WITHIN_S / 0.5)):
            answer = await client.get(f"http://127.0.0.1:{stack.alertmanager_port}/api/v2/alerts")
            if "Watchdog" in {alert["labels"]["alertname"] for alert in answer.json()}:
                return
            await asyncio.sleep(0.5)
    pytest.fail("no Watchdog in Alertmanager")


async def assert_rules_are_healthy(stack: LocalStack) -> None:
    """Every rule of every group is loaded, and none that was evaluated had an error."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"http://127.0.0.1:{stack.prometheus_port}/api/v1/rules")
    groups = answer.json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert {rule["name"] for rule in rules} >= {alert.name for alert in ALERTS}
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert [rule["lastError"] for rule in rules if rule.get("lastError")] == []


def test_no_prometheus_is_an_error_with_its_address() -> None:
    """Nothing listening is not "nothing missing"."""
    with pytest.raises(PrometheusError, match=r"no answer from Prometheus at http://127\.0\.0\.1"):
        check_live(f"http://127.0.0.1:{free_port()}", namespace="backend-devnet")


def test_a_refused_query_is_an_error() -> None:
    """Whatever else answers on that port, its reason is shown."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(400, "no")

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(PrometheusError, match="refused the query with 400"):
            check_live(f"http://127.0.0.1:{server.server_port}", namespace="backend-devnet")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
