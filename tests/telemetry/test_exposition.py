"""The telemetry port, over real HTTP."""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from gx.telemetry.exposition import METRICS_CONTENT_TYPE, PortTakenError, TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat, Probes, ReadinessCheck
from gx.telemetry.instruments import build_projector_metrics
from tests.telemetry.clocks import StoppedClock
from tests.telemetry.processes import a_submitter, samples_of


class Process:
    """A worker's telemetry port with what decides its answers."""

    def __init__(self) -> None:
        self.clock = StoppedClock()
        self.heartbeat = Heartbeat("loop", deadline_s=10, monotonic_s=self.clock.monotonic_s)
        self.database = ReadinessCheck("database")
        self.registry = MetricsRegistry()
        self.server = TelemetryServer(
            registry=self.registry,
            probes=Probes(live=[self.heartbeat], ready=[self.database]),
            port=0,
        )

    async def get(self, path: str, method: str = "GET") -> httpx.Response:
        """Ask the port."""
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.request(method, url)


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    """A worker that serves its telemetry on a free port."""
    process = Process()
    async with process.server:
        yield process


async def test_metrics_are_served(process: Process) -> None:
    """A scrape gets the exposition text, with Prometheus' content type."""
    a_submitter(process.registry)
    response = await process.get("/metrics")

    assert response.status_code == 200
    assert response.headers["content-type"] == METRICS_CONTENT_TYPE
    assert samples_of(response.content)["circuit_breaker_state", ()] == 0


async def test_probes_answer_with_reasons(process: Process) -> None:
    """200 and 503 as the checks say, with the reason in the body."""
    assert (await process.get("/livez")).status_code == 200
    unready = await process.get("/readyz")
    assert unready.status_code == 503
    assert unready.json()["checks"]["database"]["reason"] == "not checked yet"

    process.database.passed()
    process.clock.advance(seconds=60)
    assert (await process.get("/readyz")).json() == {
        "ok": True,
        "checks": {"database": {"ok": True}},
    }
    dead = await process.get("/livez")
    assert dead.status_code == 503
    assert "has not turned for 60.0 s" in dead.json()["checks"]["loop"]["reason"]


async def test_nothing_else_is_there(process: Process) -> None:
    """Other paths are 404, other methods 405, and HEAD has no body."""
    assert (await process.get("/")).status_code == 404
    assert (await process.get("/metrics/")).status_code == 404
    assert (await process.get("/metrics", "POST")).status_code == 405
    head = await process.get("/livez", "HEAD")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_slow_scrape_does_not_hold_up_the_loop(process: Process) -> None:
    """While a reading takes its time in the scrape's thread, probes are answered."""
    metrics = build_projector_metrics(process.registry, event_types=(), channel="gxchannel")
    asked = asyncio.Event()
    probed = threading.Event()
    loop = asyncio.get_running_loop()

    def slow() -> float:
        loop.call_soon_threadsafe(asked.set)
        return float(probed.wait(60))

    metrics.lag_blocks.read_with(slow)
    scrape = asyncio.create_task(process.get("/metrics"))
    await asked.wait()
    assert (await process.get("/livez")).status_code == 200
    assert not scrape.done()
    probed.set()
    assert samples_of((await scrape).content)["projector_lag_blocks", ()] == 1


async def test_a_taken_port_is_named() -> None:
    """The error says which address is taken and what to do; nothing keeps running."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = TelemetryServer(registry=MetricsRegistry(), probes=Probes(), port=port)
        with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{port}.*in use.*settings"):
            await server.__aenter__()


async def test_only_loopback_is_bound_unless_told(process: Process) -> None:
    """Without a host in the settings nobody outside this machine can ask."""
    listeners = process.server._server.servers[0].sockets  # type: ignore[union-attr]  # it runs
    assert [each.getsockname()[0] for each in listeners] == ["127.0.0.1"]


async def test_signals_stay_with_the_process() -> None:
    """Serving metrics does not take SIGTERM and SIGINT from the worker that drains on them."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    process = Process()
    async with process.server:
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_the_port_is_free_again_afterwards() -> None:
    """Leaving the block stops serving within the grace period, with connections open."""
    process = Process()
    async with process.server:
        idle = await asyncio.open_connection("127.0.0.1", process.server.port)
        port = process.server.port
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", port)
    idle[1].close()
