"""The read routes: what is asked, what is answered, and as of which block."""

import httpx
import pytest

from gx.api.query_schemas import QUERY_EXAMPLES
from gx.api.route_table import query_route
from gx.api.schemas import body_example
from gx.domain.catalogue import QUERIES
from gx.domain.commands import QuerySpec
from gx.domain.roles import TokenRole
from tests.api.parts import Backend

VALUES = {
    "userId": "alice",
    "subjectId": "alice",
    "orgId": "acme",
    "txId": "acme~bob~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6",
    "accountId": "alice",
    "countryCode": "US",
    "id": "feeLowerBps",
    "loanId": "alice~1",
    "proposalId": "feeLowerBps~1",
}


def path_of(spec: QuerySpec, **named: str) -> str:
    """Fill the query's placeholders, with what is `named` or else with examples."""
    return query_route(spec).path.format(**{**VALUES, **named})


async def ask(client: httpx.AsyncClient, spec: QuerySpec, **named: str) -> httpx.Response:
    """Ask the query, with the examples of its arguments if it takes any."""
    body = body_example(spec) if spec.arguments else None
    return await client.request(spec.method, path_of(spec, **named), json=body)


def key_of(spec: QuerySpec) -> str:
    """Say under which name the test's read models keep the answer."""
    named = [VALUES[part[1:-1]] for part in spec.path.split("/") if part.startswith("{")]
    given = [str(argument.example) for argument in spec.arguments]
    return "/".join([spec.name, *named, *given])


@pytest.mark.parametrize("spec", QUERIES.values(), ids=QUERIES)
async def test_every_query_answers_as_of_a_block(backend: Backend, spec: QuerySpec) -> None:
    """The read models' answer as it is, with the block up to which they stand."""
    body = QUERY_EXAMPLES[spec.name]
    backend.queries.bodies[key_of(spec)] = body
    backend.queries.stakeholders["acme"] = ("alice", "bob")
    backend.queries.block_number = 42
    async with backend.client() as client:
        response = await ask(client, spec)

    assert (response.status_code, response.json()) == (200, body)
    assert response.headers["x-gx-block"] == "42"


@pytest.mark.parametrize("spec", QUERIES.values(), ids=QUERIES)
async def test_what_is_absent_is_called_as_declared(backend: Backend, spec: QuerySpec) -> None:
    """404 with the query's own code."""
    async with backend.client() as client:
        response = await ask(client, spec)

    assert (response.status_code, response.json()["code"]) == (404, spec.absent)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/users/al%00ice", "USER_NOT_FOUND"),
        ("/users/al%20ice/trust", "USER_NOT_FOUND"),
        (f"/wallets/{'x' * 65}/balance", "ACCOUNT_NOT_FOUND"),
        ("/treasury/%C3%A9/balance", "ACCOUNT_NOT_FOUND"),
        ("/admin/countries/%0A/stats", "NOT_FOUND"),
        ("/admin/parameters/'%20OR%20'", "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_an_id_is_not_asked_for(
    backend: Backend, path: str, code: str
) -> None:
    """Nothing but ids reaches the read models."""
    async with backend.client("root", TokenRole.SUPER_ADMIN, ("*",)) as client:
        response = await client.get(f"/api/v1{path}")

    assert (response.status_code, response.json()["code"]) == (404, code)


async def test_lists_take_a_limit_and_a_cursor(backend: Backend) -> None:
    """Both go to the read models; without a limit the default counts."""
    backend.queries.bodies["countries"] = {"items": [], "nextCursor": None}
    async with backend.anonymous() as client:
        await client.get("/api/v1/admin/countries")
        await client.get("/api/v1/admin/countries?limit=7&cursor=abc")

    assert backend.queries.asked == [("countries", 50, None), ("countries", 7, "abc")]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=", "page=2", "limit=1&limit=2"])
async def test_an_impossible_page_is_refused(backend: Backend, query: str) -> None:
    """400 ARGUMENT_INVALID, and nothing is asked."""
    async with backend.anonymous() as client:
        response = await client.get(f"/api/v1/admin/countries?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")
    assert not backend.queries.asked


async def test_a_query_without_parameters_takes_none(backend: Backend) -> None:
    """A misspelt or foreign parameter is told, not ignored."""
    async with backend.anonymous() as client:
        response = await client.get("/api/v1/supply?limit=1")

    assert response.status_code == 400
