"""Every route of the edge, declared: those of the catalogue, and the edge's own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from gx.api.route_spec import RouteSpec
from gx.api.settings import API_PREFIX
from gx.domain.catalogue import COMMANDS, QUERIES
from gx.domain.codec import wire_name_of
from gx.domain.commands import Access, Area, CommandSpec, QuerySpec

REFERENCE: Final = "reference"
"""The tag of the routes that describe the API itself."""

OPENAPI_PATH: Final = "/openapi.json"

_COMMAND: Final = f"{API_PREFIX}/commands/{{commandId}}"
_LETTER: Final = f"{API_PREFIX}/dead-letters/{{commandId}}"


def command_route(spec: CommandSpec) -> RouteSpec:
    """Declare the write route of a command."""
    return RouteSpec(
        method=spec.method,
        path=API_PREFIX + spec.path,
        tag=spec.area.value,
        access=spec.access,
        name=wire_name_of(spec.wire_name.lower()),
        summary=spec.summary,
        success_status=202,
        declared=spec,
    )


def query_route(spec: QuerySpec) -> RouteSpec:
    """Declare the read route of a query."""
    return RouteSpec(
        method=spec.method,
        path=API_PREFIX + spec.path,
        tag=spec.area.value,
        access=spec.access,
        name=wire_name_of(f"get_{spec.name}"),
        summary=spec.summary,
        declared=spec,
    )


def _own(method: str, path: str, access: Access, *, name: str, summary: str) -> RouteSpec:
    return RouteSpec(
        method=method,
        path=path,
        tag=Area.COMMANDS.value if path.startswith(API_PREFIX) else REFERENCE,
        access=access,
        name=name,
        summary=summary,
    )


SHOW_COMMAND: Final = _own(
    "GET", _COMMAND, Access.USER, name="getCommand",
    summary="Where a command stands; with wait=, once it has got there.",
)  # fmt: skip
FOLLOW_COMMAND: Final = _own(
    "GET", f"{_COMMAND}/events", Access.USER, name="followCommand",
    summary="A command's statuses as server-sent events, until a final one.",
)  # fmt: skip
LIST_COMMANDS: Final = _own(
    "GET", f"{API_PREFIX}/commands", Access.ADMIN, name="listCommands",
    summary="Commands, newest first.",
)  # fmt: skip
QUERY_COMMANDS: Final = _own(
    "POST", f"{API_PREFIX}/commands/query", Access.ADMIN, name="queryCommands",
    summary="Many commands in one question.",
)  # fmt: skip
LIST_LETTERS: Final = _own(
    "GET", f"{API_PREFIX}/dead-letters", Access.ADMIN, name="listDeadLetters",
    summary="Commands that were given up and nobody has handled, newest first.",
)  # fmt: skip
SHOW_LETTER: Final = _own(
    "GET", _LETTER, Access.ADMIN, name="getDeadLetter",
    summary="One dead letter, handled or not, with everything that was tried.",
)  # fmt: skip
REPLAY_LETTER: Final = replace(
    _own(
        "POST", f"{_LETTER}/replay", Access.ADMIN, name="replayDeadLetter",
        summary="Put the command back into the queue under its id.",
    ),
    success_status=202,
)  # fmt: skip
DISCARD_LETTER: Final = _own(
    "POST", f"{_LETTER}/discard", Access.ADMIN, name="discardDeadLetter",
    summary="Give the command up for good.",
)  # fmt: skip
SHOW_OPENAPI: Final = _own(
    "GET", OPENAPI_PATH, Access.PUBLIC, name="getOpenapi", summary="This API's OpenAPI document."
)
SHOW_PROBLEM: Final = _own(
    "GET", "/problems/{code}", Access.PUBLIC, name="getProblemType",
    summary="What a problem's code means: the target of its type.",
)  # fmt: skip

ROUTES: Final = (
    *map(command_route, COMMANDS.values()),
    *map(query_route, QUERIES.values()),
    SHOW_COMMAND,
    FOLLOW_COMMAND,
    LIST_COMMANDS,
    QUERY_COMMANDS,
    LIST_LETTERS,
    SHOW_LETTER,
    REPLAY_LETTER,
    DISCARD_LETTER,
    SHOW_OPENAPI,
    SHOW_PROBLEM,
)
"""All of them. `/livez` and `/readyz` are no routes: they are answered before any."""


def metric_routes(routes: Iterable[RouteSpec] = ROUTES) -> Iterator[tuple[str, str]]:
    """List template and method of these routes, as the metrics label them."""
    for route in routes:
        yield route.path, route.method
