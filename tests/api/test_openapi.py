"""The OpenAPI document: valid, complete, fresh, and true of what the edge answers."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi import FastAPI
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from gx.api.openapi import build_document, render_openapi
from gx.api.query_schemas import QUERY_EXAMPLES, QUERY_SCHEMAS
from gx.api.route_contents import CONTENTS
from gx.api.route_spec import RouteSpec
from gx.api.route_table import ROUTES
from gx.api.routes import DocumentedRoute
from gx.domain.arguments import Source
from gx.domain.batches import OutcomeKind
from gx.domain.catalogue import COMMANDS, QUERIES
from gx.domain.commands import Access, CommandSpec
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import TokenRole
from tests.api.parts import TRANSFER, Backend

COMMITTED: Final = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
DOCUMENT: Final[dict[str, object]] = json.loads(render_openapi())

Json = Mapping[str, object]


def member(value: object, *path: str) -> dict[str, object]:
    """Walk down an object, following one reference at the end."""
    for name in path:
        assert isinstance(value, dict), path
        value = value[name]
    assert isinstance(value, dict)
    reference = value.get("$ref")
    return value if reference is None else member(DOCUMENT, *str(reference)[2:].split("/"))


def operation_of(route: RouteSpec) -> dict[str, object]:
    """Return what the document says of a route."""
    return member(DOCUMENT, "paths", route.path, route.method.lower())


def require_fitting(schema: object, value: object) -> None:
    """Check a value against a schema of the document."""
    assert isinstance(schema, dict)
    OAS31Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def contents_of(route: RouteSpec) -> Iterator[tuple[str, str, dict[str, object]]]:
    """List what a route takes and answers: where, media type, content."""
    operation = operation_of(route)
    if "requestBody" in operation:
        for media_type, content in member(operation, "requestBody", "content").items():
            yield "request", media_type, member(content)
    for status, response in member(operation, "responses").items():
        for media_type, content in member(member(response).get("content", {})).items():
            yield status, media_type, member(content)


def examples_of(content: Json) -> Iterator[object]:
    """List a content's examples."""
    if "example" in content:
        yield content["example"]
    for example in member(content.get("examples", {})).values():
        yield member(example)["value"]


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.1."""
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_the_committed_document_is_fresh() -> None:
    """`make generate` writes it; what is committed is what the declarations say now."""
    assert COMMITTED.read_text(encoding="utf-8") == render_openapi()


def test_every_route_is_documented_and_nothing_else() -> None:
    """One operation a route, under its own id."""
    documented = {
        (method.upper(), path)
        for path, operations in member(DOCUMENT, "paths").items()
        for method in member(operations)
    }

    assert documented == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        assert operation_of(route)["operationId"] == route.name


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_example_fits_its_schema(route: RouteSpec) -> None:
    """Each request body, each answer and each problem has an example, and it is a true one."""
    for where, _, content in contents_of(route):
        examples = list(examples_of(content))
        assert examples, where
        for example in examples:
            require_fitting(content["schema"], example)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_says_who_may_call_it(route: RouteSpec) -> None:
    """Protected operations name the scheme, and 401 and 403 among their answers."""
    operation = operation_of(route)
    responses = member(operation, "responses")

    is_protected = route.access is not Access.PUBLIC
    assert ("security" in operation) is is_protected
    assert ({"401", "403"} <= responses.keys()) is is_protected
    assert operation["x-access"] == route.access
    assert {"400", "429", "500", "503"} <= responses.keys()


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=COMMANDS)
def test_a_commands_body_is_exactly_its_arguments(spec: CommandSpec) -> None:
    """No field more or less than the declaration has; the path has the others."""
    route = next(route for route in ROUTES if route.declared is spec)
    operation = operation_of(route)
    schema = member(operation, "requestBody", "content", "application/json", "schema")
    parameters = operation["parameters"]
    assert isinstance(parameters, list)

    names = [argument.name for argument in spec.arguments if argument.source is Source.BODY]
    in_path = [argument.name for argument in spec.arguments if argument.source is Source.PATH]
    assert list(member(schema, "properties")) == names
    assert schema["required"] == names
    assert schema["additionalProperties"] is False
    found = [member(parameter) for parameter in parameters]
    assert [item["name"] for item in found if item["in"] == "path"] == in_path
    assert "Idempotency-Key" in {item["name"] for item in found if item["in"] == "header"}
    accepted = member(operation, "responses", "202", "headers")
    assert {"Location", "Idempotent-Replayed", "X-Request-Id"} <= accepted.keys()


@pytest.mark.parametrize(
    ("changes", "is_fitting"),
    [
        ({}, True),
        ({"amount": "0123"}, False),
        ({"amount": 1}, False),
        ({"remark": ""}, False),
        ({"toId": "a b"}, False),
        ({"memo": "x"}, False),
    ],
    ids=str,
)
def test_schemas_refuse_what_the_edge_refuses(
    changes: dict[str, object], *, is_fitting: bool
) -> None:
    """A client that checks against the document finds its own mistakes."""
    content = member(
        DOCUMENT, "paths", "/api/v1/transfers", "post", "requestBody", "content", "application/json"
    )
    schema = member(content, "schema")
    validator = OAS31Validator({**schema, "components": DOCUMENT["components"]})

    assert validator.is_valid({**TRANSFER, **changes}) is is_fitting


def test_every_query_and_own_route_has_its_schema() -> None:
    """What is declared is described; nothing is described that is not declared."""
    own = {route.name for route in ROUTES if route.declared is None}

    assert QUERY_SCHEMAS.keys() == QUERY_EXAMPLES.keys() == QUERIES.keys()
    assert CONTENTS.keys() == own


def test_every_code_has_its_example() -> None:
    """The components hold a problem of each code."""
    assert member(DOCUMENT, "components", "examples").keys() == set(RefusalCode)


def test_building_twice_gives_the_same() -> None:
    """The document does not depend on what was built before."""
    assert build_document() == build_document()


# ---------------------------------------------------------------- real answers


def require_documented(route_name: str, response: httpx.Response) -> None:
    """Check that an answer's status, type, body and headers are what the document says."""
    route = next(route for route in ROUTES if route.name == route_name)
    answer = member(operation_of(route), "responses", str(response.status_code))
    media_type = response.headers["content-type"].partition(";")[0]
    content = member(answer, "content", media_type)
    if media_type != "text/event-stream":
        require_fitting(content["schema"], response.json())
    for name in ("location", "retry-after", "www-authenticate", "x-gx-block"):
        documented = {header.lower() for header in member(answer, "headers")}
        assert (name in response.headers) <= (name in documented), name


async def test_answers_about_commands_are_as_documented(backend: Backend) -> None:
    """Accepted, pending, rejected, dead, projected; lists and look-ups of them."""
    async with backend.client() as alice, backend.client("ops", TokenRole.ADMIN) as ops:
        accepted = [await alice.post("/api/v1/transfers", json=TRANSFER) for _ in range(4)]
        ids = [CommandId(answer.json()["commandId"]) for answer in accepted]
        await backend.settle(ids[0])
        await backend.settle(ids[1], outcome=OutcomeKind.REJECTED, code=RefusalCode.SYSTEM_PAUSED)
        await backend.bury(ids[2])
        backend.project()
        require_documented("transferTokens", accepted[0])
        for command_id in ids:
            require_documented("getCommand", await alice.get(f"/api/v1/commands/{command_id}"))
        require_documented("followCommand", await alice.get(f"/api/v1/commands/{ids[0]}/events"))
        require_documented("listCommands", await ops.get("/api/v1/commands?limit=2"))
        body = {"commandIds": ids}
        require_documented("queryCommands", await ops.post("/api/v1/commands/query", json=body))


async def test_answers_about_dead_letters_are_as_documented(backend: Backend) -> None:
    """The letters, and what was done with them."""
    reason = {"reason": "The ledger was repaired"}
    async with backend.client() as alice, backend.client("ops", TokenRole.ADMIN) as ops:
        for act, name in (("replay", "replayDeadLetter"), ("discard", "discardDeadLetter")):
            accepted = (await alice.post("/api/v1/transfers", json=TRANSFER)).json()
            url = f"/api/v1/dead-letters/{accepted['commandId']}"
            await backend.bury(accepted["commandId"])
            require_documented("listDeadLetters", await ops.get("/api/v1/dead-letters"))
            require_documented("getDeadLetter", await ops.get(url))
            require_documented(name, await ops.post(f"{url}/{act}", json=reason))
            require_documented(name, await ops.post(f"{url}/{act}", json=reason))


async def test_refusals_are_as_documented(backend: Backend) -> None:
    """Each status that a write can be answered with is in its operation."""
    async with backend.client() as alice, backend.anonymous() as nobody:
        answers = [
            await nobody.post("/api/v1/transfers", json=TRANSFER),
            await alice.post("/api/v1/transfers", json={}),
            await alice.post("/api/v1/transfers", json={**TRANSFER, "amount": "0"}),
            await alice.post("/api/v1/transfers", json={**TRANSFER, "fromId": "carol"}),
            await alice.post("/api/v1/transfers", content=b" " * 70_000),
        ]

    assert [answer.status_code for answer in answers] == [401, 400, 422, 403, 413]
    for answer in answers:
        require_documented("transferTokens", answer)


async def test_a_route_that_is_only_documented_says_501() -> None:
    """It has a place in the document and no handler; whoever serves it by mistake is told."""
    app = FastAPI(routes=[DocumentedRoute(ROUTES[0])])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        response = await client.request(ROUTES[0].method, ROUTES[0].path)

    assert response.status_code == 501


async def test_the_api_serves_its_document(backend: Backend) -> None:
    """What is served is what is committed, and needs no token."""
    async with backend.anonymous() as client:
        response = await client.get("/openapi.json")

    assert response.json() == DOCUMENT == backend.app.openapi()
    require_documented("getOpenapi", response)
