"""Puts the edge together. Nothing here chooses an adapter: all collaborators come in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from gx import __version__
from gx.api.command_routes import command_handlers
from gx.api.command_status import CommandDesk
from gx.api.completeness import assert_complete
from gx.api.dead_letters import DeadLetterDesk
from gx.api.edge import Edge, method_refused
from gx.api.event_stream import StatusStreams
from gx.api.guard import Guard
from gx.api.openapi import TITLE, build_document, render_openapi
from gx.api.ports import (
    CommandGate,
    Queries,
    RateLimiter,
    TokenVerifier,
)
from gx.api.problems import RequestRefusedError
from gx.api.query_routes import query_handlers
from gx.api.reference import ReferenceDesk
from gx.api.route_spec import RouteSpec
from gx.api.route_table import ROUTES
from gx.api.routes import EdgeRoute, Handler
from gx.api.settings import EdgeSettings
from gx.api.watcher import CommandWatcher
from gx.domain.codec import JsonObject
from gx.domain.errors import GxError
from gx.domain.refusals import RefusalCode
from gx.outbox.ports import CommandReader, DeadLetters
from gx.telemetry.health import Probes
from gx.telemetry.instruments import ApiMetrics


class UnboundRouteError(GxError):
    """A declared route has no handler, or a handler no route: the edge would be incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """Everything that the edge works with.

    `metrics` must be built with `gx.api.route_table.metric_routes(routes)`.
    """

    gate: CommandGate
    reader: CommandReader
    letters: DeadLetters
    queries: Queries
    tokens: TokenVerifier
    limiter: RateLimiter
    probes: Probes
    metrics: ApiMetrics
    settings: EdgeSettings = field(default_factory=EdgeSettings)
    routes: Sequence[RouteSpec] = ROUTES
    """Those that this process serves: all, or its areas' (`gx.api.areas.routes_of`)."""


class EdgeApp(FastAPI):
    """The API. Its document comes from the declarations, and it can be asked to let go."""

    def __init__(self, watcher: CommandWatcher, routes: Sequence[RouteSpec]) -> None:
        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield
            await watcher.close()

        super().__init__(
            title=TITLE,
            version=__version__,
            lifespan=lifespan,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            # This project's own telemetry says all of it, and tells nobody else.
            telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        )
        self._watcher = watcher
        self._documented = routes

    def drain(self) -> None:
        """Let waiting clients and event streams go; call it when the process is to stop."""
        self._watcher.drain()

    @override
    def openapi(self) -> JsonObject:
        """Return the OpenAPI document."""
        return build_document(self._documented)


def create_app(parts: Collaborators) -> EdgeApp:
    """Build the edge's ASGI application.

    Raises:
        UnboundRouteError: the table of routes and the handlers do not match.
        IncompleteEdgeError: a command or query lacks a route, a rule, a schema or an identity.
    """
    assert_complete()
    watcher = CommandWatcher(parts.reader)
    app = EdgeApp(watcher, parts.routes)
    guard = Guard(tokens=parts.tokens, limiter=parts.limiter, settings=parts.settings)
    routes = bind_routes(build_handlers(parts, watcher), guard, parts.routes)
    app.router.routes.extend(routes)
    app.add_exception_handler(HTTPException, _refusal_by(routes))
    app.add_middleware(
        Edge,
        routes=routes,
        probes=parts.probes,
        metrics=parts.metrics,
        settings=parts.settings,
    )
    return app


def build_handlers(parts: Collaborators, watcher: CommandWatcher) -> dict[str, Handler]:
    """Make every handler, by the name of its route."""
    settings = parts.settings
    streams = StatusStreams(watcher, metrics=parts.metrics, settings=settings)
    commands = CommandDesk(parts.reader, watcher=watcher, streams=streams, settings=settings)
    return {
        **command_handlers(parts.gate, parts.reader, settings),
        **query_handlers(parts.queries, settings),
        **commands.handlers(),
        **DeadLetterDesk(parts.letters, settings=settings).handlers(),
        **ReferenceDesk(lambda: render_openapi(parts.routes)).handlers(),
    }


def bind_routes(
    handlers: dict[str, Handler], guard: Guard, served: Sequence[RouteSpec] = ROUTES
) -> list[EdgeRoute]:
    """Join each served route to its handler; all that are declared must have one.

    Raises:
        UnboundRouteError: one has no partner.
    """
    unbound = {route.name for route in ROUTES} ^ handlers.keys()
    if unbound:
        raise UnboundRouteError(f"declared without handler or the reverse: {sorted(unbound)}")
    return [EdgeRoute(route, handler=handlers[route.name], guard=guard) for route in served]


def _refusal_by(
    routes: Sequence[EdgeRoute],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Say in the edge's own words what Starlette found: no such path, or not with this method."""

    async def refuse(request: Request, error: Exception) -> Response:
        path = request.url.path
        # Starlette names the methods of the first route alone that has this path.
        if methods := [route.spec.method for route in routes if route.path_regex.match(path)]:
            raise method_refused(methods) from error
        raise RequestRefusedError(
            RefusalCode.NOT_FOUND, "no route has this path; /openapi.json lists them all"
        ) from error

    return refuse
