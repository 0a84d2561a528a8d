"""What the edge counts, and what it must not."""

from http import HTTPStatus
from pathlib import Path

import pytest

from gx.api.problems import PROBLEM_TYPES
from gx.api.route_table import ROUTES, metric_routes
from gx.telemetry.catalogue.dimensions import HTTP_STATUS
from gx.telemetry.health import Probes, ReadinessCheck
from tests.api.parts import TRANSFER, Backend, build_backend

TRANSFERS = "/api/v1/transfers"


def requests(backend: Backend, endpoint: str, method: str, status: str) -> float:
    """Read http_requests_total of one route."""
    return backend.parts.metrics.requests("api", endpoint, method, status).read()


def total(backend: Backend) -> float:
    """Read http_requests_total of everything."""
    return sum(cell.read() for _, cell in backend.parts.metrics.requests.children())


def durations(backend: Backend, endpoint: str, method: str) -> int:
    """Read how many durations of a route were observed."""
    histogram = backend.parts.metrics.request_duration_ms("api", endpoint, method)
    return histogram.read().cumulative[-1]


async def test_a_request_is_counted_under_its_template(backend: Backend) -> None:
    """The route's template, not the path: users are no labels."""
    async with backend.client() as client:
        await client.post(TRANSFERS, json=TRANSFER)
        await client.get("/api/v1/users/alice")
        await client.get("/api/v1/users/bob")

    template = "/api/v1/users/{userId}"
    assert requests(backend, TRANSFERS, "POST", "202") == 1
    assert requests(backend, template, "GET", "404") == 1
    assert requests(backend, template, "GET", "403") == 1
    assert durations(backend, template, "GET") == 2
    assert total(backend) == 3


async def test_refusals_before_the_handler_are_counted_too(backend: Backend) -> None:
    """A request without a token belongs to its route."""
    async with backend.anonymous() as client:
        await client.post(TRANSFERS)

    assert requests(backend, TRANSFERS, "POST", "401") == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", "404"),
        ("GET", TRANSFERS, "405"),
        ("BREW", TRANSFERS, "405"),
        ("BREW", "/nowhere", "404"),
    ],
)
async def test_what_no_route_takes_is_unmatched(
    backend: Backend, method: str, path: str, status: str
) -> None:
    """Invented paths and methods make no new series."""
    children = len(backend.parts.metrics.requests.children())
    async with backend.anonymous() as client:
        await client.request(method, path)

    assert requests(backend, "unmatched", "GET" if method == "GET" else "other", status) == 1
    assert len(backend.parts.metrics.requests.children()) == children


async def test_sizes_are_those_of_bodies(backend: Backend) -> None:
    """Request and response, in bytes."""
    async with backend.client() as client:
        response = await client.post(TRANSFERS, json=TRANSFER)

    metrics = backend.parts.metrics
    sent = len(response.request.content)
    assert metrics.request_size_bytes("api", TRANSFERS).read().total == sent
    assert metrics.response_size_bytes("api", TRANSFERS).read().total == len(response.content)


async def test_waiting_is_not_latency(backend: Backend) -> None:
    """A long poll is observed as a wait, and counted as a request."""
    template = "/api/v1/commands/{commandId}"
    async with backend.client() as client:
        url = (await client.post(TRANSFERS, json=TRANSFER)).json()["statusUrl"]
        await client.get(f"{url}?wait=COMMITTED&timeout=0.01")
        waited = durations(backend, template, "GET")
        await client.get(url)

    assert waited == 0
    assert durations(backend, template, "GET") == 1
    assert backend.parts.metrics.wait_duration_ms.read().cumulative[-1] == 1
    assert requests(backend, template, "GET", "200") == 2


async def test_streams_are_not_latency(backend: Backend) -> None:
    """An event stream is counted when it ends, and its length is no duration."""
    template = "/api/v1/commands/{commandId}/events"
    async with backend.client() as client:
        answer = (await client.post(TRANSFERS, json=TRANSFER)).json()
        await backend.settle(answer["commandId"])
        backend.project()
        await client.get(f"{answer['statusUrl']}/events")

    assert durations(backend, template, "GET") == 0
    assert requests(backend, template, "GET", "200") == 1
    assert backend.parts.metrics.streams_open.read() == 0


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes_are_never_counted(backend: Backend, path: str) -> None:
    """Probes neither hide a slow API nor spend anybody's allowance."""
    async with backend.anonymous() as client:
        response = await client.get(path)

    assert response.status_code == 200
    assert total(backend) == 0


async def test_readiness_says_what_is_missing(tmp_path: Path) -> None:
    """503 with the failed check's reason; liveness is another question."""
    check = ReadinessCheck("database")
    check.failed("no connection")
    backend = build_backend(tmp_path, probes=Probes(ready=[check]))
    async with backend.anonymous() as client:
        ready, live = await client.get("/readyz"), await client.get("/livez")
        check.passed()
        again = await client.get("/readyz")

    assert (ready.status_code, live.status_code, again.status_code) == (503, 200, 200)
    assert ready.json()["checks"]["database"]["reason"] == "no connection"


async def test_metrics_are_not_on_the_public_port(backend: Backend) -> None:
    """`/metrics` has a port of its own."""
    async with backend.anonymous() as client:
        response = await client.get("/metrics")

    assert response.status_code == 404


def test_every_route_is_measured() -> None:
    """The metrics' routes are the routes."""
    assert list(metric_routes()) == [(route.path, route.method) for route in ROUTES]


def test_every_status_that_the_edge_answers_is_declared() -> None:
    """What counts as `other` is somebody else's; our own answers are told apart."""
    answered = {kind.status for kind in PROBLEM_TYPES.values()}
    answered |= {HTTPStatus(route.success_status) for route in ROUTES}

    assert {str(status.value) for status in answered} <= set(HTTP_STATUS.values)
