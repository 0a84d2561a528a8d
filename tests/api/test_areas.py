"""Areas as services of their own: each answers its routes alone, and no client is lost."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gx.api.areas import ALL_AREAS, UnknownAreaError, parse_areas, routes_of, service_name
from gx.api.openapi import build_document, render_openapi
from gx.api.route_table import ROUTES, metric_routes
from gx.domain.codec import JsonObject
from gx.domain.commands import Area
from gx.domain.roles import TokenRole
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_api_metrics
from tests.api.parts import TRANSFER, Backend, build_backend

DOCUMENTS = Path(__file__).parents[2] / "docs" / "reference" / "openapi"
SERVICES = [area for area in Area if area is not Area.COMMANDS]


def a_service(folder: Path, *areas: Area) -> Backend:
    """Build an edge that serves these areas alone."""
    routes = routes_of(areas)
    return build_backend(folder, change=lambda parts, _: replace(parts, routes=routes))


def paths_of(document: JsonObject) -> set[str]:
    """List the paths of an OpenAPI document."""
    paths = document["paths"]
    assert isinstance(paths, dict)
    return set(paths)


def test_the_areas_together_are_the_whole_api() -> None:
    """Whoever runs each area as a service has every route, and the default has them in one."""
    split = {route.name for area in Area for route in routes_of({area})}

    assert split == {route.name for route in ROUTES}
    assert routes_of(ALL_AREAS) == ROUTES


@pytest.mark.parametrize("area", SERVICES, ids=str)
def test_a_service_has_its_area_s_routes_and_what_each_needs(area: Area) -> None:
    """Beside its own: where a command stands, and the API about itself; no operator's lists."""
    others = {route.name for route in routes_of({area}) if route.tag != area.value}

    assert others == {"getCommand", "followCommand", "getOpenapi", "getProblemType"}


async def test_another_area_s_route_is_not_there(tmp_path: Path) -> None:
    """A transfer sent to the tax service is told that there is no such path."""
    backend = a_service(tmp_path, Area.TAX)
    async with backend.client() as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)
        letters = await client.get("/api/v1/dead-letters")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert letters.status_code == 404


async def test_a_client_of_a_service_can_follow_its_command(tmp_path: Path) -> None:
    """The status URL of an answer leads somewhere on the service that gave it."""
    backend = a_service(tmp_path, Area.TAX)
    async with backend.client("root", TokenRole.ADMIN) as client:
        accepted = await client.post("/api/v1/velocity-tax/apply", json={"accountId": "alice"})
        status = await client.get(accepted.json()["statusUrl"])

    assert accepted.status_code == 202
    assert (status.status_code, status.json()["commandType"]) == (200, "APPLY_VELOCITY_TAX")


async def test_a_service_describes_what_it_serves(tmp_path: Path) -> None:
    """Its own OpenAPI document lists its routes and no others."""
    backend = a_service(tmp_path, Area.TAX, Area.TOKENOMICS)
    async with backend.anonymous() as client:
        response = await client.get("/openapi.json")

    assert paths_of(response.json()) == {
        route.path for route in routes_of({Area.TAX, Area.TOKENOMICS})
    }
    assert paths_of(build_document()) == {route.path for route in ROUTES}


@pytest.mark.parametrize("area", Area, ids=str)
def test_the_committed_document_of_each_area_is_fresh(area: Area) -> None:
    """`make generate` writes them; a client of one service needs no other's document."""
    committed = (DOCUMENTS / f"{area}.json").read_text(encoding="utf-8")

    assert committed == render_openapi(routes_of({area}))


def test_areas_are_named_by_commas() -> None:
    """Spaces and a comma too many do no harm; nothing means everything."""
    assert parse_areas("tax, loans,") == {Area.TAX, Area.LOANS}
    assert parse_areas("") == ALL_AREAS


def test_an_unknown_area_is_named_with_those_that_there_are() -> None:
    """A typing error must not start a service without routes."""
    with pytest.raises(UnknownAreaError, match=r"no area 'taxes'; there are admin, .*tax"):
        parse_areas("loans,taxes")


def test_a_service_is_called_by_its_areas() -> None:
    """One name for one choice, in whatever order it was typed; the whole is called api."""
    assert service_name(ALL_AREAS) == "api"
    assert service_name({Area.TAX}) == "tax"
    assert service_name({Area.TAX, Area.TOKENOMICS}) == "tokenomics-tax"


def test_a_service_s_metrics_carry_its_name_and_its_routes() -> None:
    """Dashboards by service tell the services apart; foreign routes take up no series."""
    registry = MetricsRegistry()
    routes = tuple(metric_routes(routes_of({Area.TAX})))
    build_api_metrics(registry, routes=routes, service=service_name({Area.TAX}))

    lines = registry.render().decode().splitlines()

    samples = [line for line in lines if line.startswith("http_requests_total{")]
    assert samples
    assert all('service="tax"' in line for line in samples)
    assert any('endpoint="/api/v1/velocity-tax/apply"' in line for line in samples)
    assert not any("/transfers" in line for line in samples)


async def test_a_service_counts_under_its_own_name(tmp_path: Path) -> None:
    """What it answers is counted with the label that it was built with."""
    backend = a_service(tmp_path, Area.TAX)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(backend.app), base_url="http://edge"
    ) as client:
        await client.get("/openapi.json")

    answered = backend.parts.metrics.route("/openapi.json", "GET").answered(200)
    assert answered.read() == 1
