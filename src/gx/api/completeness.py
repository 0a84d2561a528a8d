"""What a declaration needs at the edge, asserted when it starts: nothing is served by half.

Handlers are matched with routes in `gx.api.app`, contract functions by the chaincode's registry,
folds by the projection; each process asserts its own part.
"""

from collections.abc import Iterable, Iterator, Mapping

from gx.api.query_routes import ASK
from gx.api.query_schemas import QUERY_EXAMPLES, QUERY_SCHEMAS
from gx.api.route_spec import RouteSpec
from gx.api.route_table import ROUTES
from gx.api.schemas import body_schema
from gx.domain.arguments import Source
from gx.domain.catalogue import COMMANDS, QUERIES
from gx.domain.commands import Access, CommandSpec, QuerySpec
from gx.domain.errors import GxError
from gx.domain.events import EVENTS
from gx.domain.roles import TokenRole, signing_role


class IncompleteEdgeError(GxError):
    """Something declared lacks a route, a rule, a schema or an identity; the text names each."""


def assert_complete(
    commands: Mapping[str, CommandSpec] = COMMANDS,
    queries: Mapping[str, QuerySpec] = QUERIES,
    routes: Iterable[RouteSpec] = ROUTES,
) -> None:
    """Check that every command and query can be asked for, by somebody, in a described way.

    Raises:
        IncompleteEdgeError: naming everything that is missing.
    """
    listed = tuple(routes)
    faults = [
        *_route_faults(listed),
        *(fault for spec in commands.values() for fault in _command_faults(spec, listed)),
        *(fault for spec in queries.values() for fault in _query_faults(spec, listed)),
    ]
    if faults:
        raise IncompleteEdgeError("; ".join(faults))


def _route_faults(routes: tuple[RouteSpec, ...]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for route in routes:
        place = (route.method, route.path)
        rule: object = route.access
        if not isinstance(rule, Access):
            yield f"route {route.name} has no access rule"
        if place in seen:
            yield f"{route.method} {route.path} is declared twice"
        seen.add(place)


def _command_faults(spec: CommandSpec, routes: tuple[RouteSpec, ...]) -> Iterator[str]:
    name = spec.wire_name
    if not any(route.declared is spec for route in routes):
        yield f"command {name} has no route"
    if spec.access is Access.PUBLIC:
        yield f"command {name} is public"
    in_body = [item.name for item in spec.arguments if item.source is Source.BODY]
    described = body_schema(spec)["properties"]
    if not isinstance(described, dict) or sorted(described) != sorted(in_body):
        yield f"command {name} has no schema of its arguments"
    for role in TokenRole:
        if spec.access.admits(role) and signing_role(role) not in spec.roles:
            yield f"command {name} admits {role}, whose identity its function refuses"
    for event in spec.events:
        if EVENTS.get(event.WIRE_NAME) is not event:
            yield f"command {name} raises {event.__name__}, which no reader knows"


def _query_faults(spec: QuerySpec, routes: tuple[RouteSpec, ...]) -> Iterator[str]:
    if not any(route.declared is spec for route in routes):
        yield f"query {spec.name} has no route"
    if spec.name not in ASK:
        yield f"nobody knows how to ask query {spec.name}"
    if spec.name not in QUERY_SCHEMAS or spec.name not in QUERY_EXAMPLES:
        yield f"query {spec.name} has no schema or example"
