"""The client's queries are the catalogue's, and read what the API documents."""

import inspect
import string
from collections.abc import Mapping

import httpx
import pytest

from gx.api.openapi import build_document
from gx.client.blocking import BlockingGxClient
from gx.client.client import GxClient
from gx.client.paging import Page
from gx.domain.catalogue import QUERIES
from gx.domain.codec import JsonObject, JsonValue, Record, wire_name_of
from gx.domain.commands import QuerySpec
from tests.client.scripted import a_client, problem

SPECS = list(QUERIES.values())
DOCUMENT = build_document()


def placeholders(spec: QuerySpec) -> set[str]:
    """The values that stand in a query's path."""
    return {name for _, name, _, _ in string.Formatter().parse(spec.path) if name}


def documented_example(spec: QuerySpec) -> JsonObject:
    """The answer that the API's own document shows."""
    value: JsonValue = DOCUMENT
    for key in ("paths", f"/api/v1{spec.path}", spec.method.lower(), "responses", "200", "content"):
        assert isinstance(value, dict)
        value = value[key]
    assert isinstance(value, dict)
    media = value["application/json"]
    assert isinstance(media, dict)
    example = media["example"]
    assert isinstance(example, dict)
    return example


@pytest.mark.parametrize("kind", [GxClient, BlockingGxClient])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_query_has_a_method(spec: QuerySpec, kind: type) -> None:
    """A new query fails here until both clients can ask it."""
    assert callable(getattr(kind, spec.name, None))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_method_takes_what_the_path_and_query_need(spec: QuerySpec) -> None:
    """The parameters are the path's values and the declared ones, by keyword."""
    parameters = inspect.signature(getattr(GxClient, spec.name)).parameters

    given = {wire_name_of(name) for name in parameters} - {"self"}
    in_body = {argument.name for argument in spec.arguments}
    assert given == placeholders(spec) | set(spec.parameters) | in_body


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
async def test_the_documented_answer_is_read_whole(spec: QuerySpec) -> None:
    """Each field that the API documents by example comes back out of the typed value."""
    example = documented_example(spec)
    client, http, _ = a_client(httpx.Response(200, json=example, headers={"X-GX-Block": "7"}))
    arguments: dict[str, object] = {snake(name): "x" for name in placeholders(spec)}
    arguments |= {snake(argument.name): argument.example for argument in spec.arguments}

    answer: object = await getattr(client, spec.name)(**arguments)

    assert http.requests[0].url.path == "/api/v1" + spec.path.format(
        **dict.fromkeys(placeholders(spec), "x")
    )
    assert without_nulls(rendered(answer)) == without_nulls(example)


def snake(wire_name: str) -> str:
    """The Python name of a wire name."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in wire_name)


def rendered(answer: object) -> JsonObject:
    """A typed answer as JSON again."""
    if isinstance(answer, Page):
        return {
            "items": [item.to_wire() for item in answer.items],
            "nextCursor": answer.next_cursor,
        }
    assert isinstance(answer, Record)
    return answer.to_wire()


def without_nulls(value: JsonValue) -> JsonValue:
    """The value without its null fields, which the client leaves out."""
    if isinstance(value, Mapping):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


async def test_what_is_absent_is_a_problem_with_its_code() -> None:
    """An unknown user is no empty answer."""
    client, _, _ = a_client(problem(404, "USER_NOT_FOUND"))

    with pytest.raises(Exception, match="USER_NOT_FOUND"):
        await client.user(user_id="nobody")


async def test_a_page_is_asked_for_by_limit_and_cursor() -> None:
    """What is not given is left out of the query string."""
    empty: JsonObject = {"items": [], "nextCursor": None}
    client, http, _ = a_client(httpx.Response(200, json=empty), httpx.Response(200, json=empty))

    await client.countries()
    await client.account_entries(account_id="alice", limit=5, cursor="a b")

    assert http.requests[0].url.query == b""
    assert dict(http.requests[1].url.params) == {"limit": "5", "cursor": "a b"}
