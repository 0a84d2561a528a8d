"""How FastAPI gets to know a declared route, and how a request gets to its handler.

`EdgeRoute` lets nobody through to a handler before the route's access rule is met. There is no
other way to add a route: one of another class fails a test.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from gx.api.exchange import Exchange, Message, Receive, Send, exchange_of
from gx.api.guard import Guard
from gx.api.principal import Caller
from gx.api.route_spec import RouteSpec
from gx.domain.refusals import RefusalCode, RefusedError

Handler = Callable[[Exchange], Awaitable[None]]
"""Answers one admitted request through the exchange; a failure is raised, never swallowed."""


class DocumentedRoute(APIRoute):
    """A declared route as FastAPI sees it."""

    def __init__(self, spec: RouteSpec) -> None:
        super().__init__(
            spec.path,
            _documented,
            methods=[spec.method],
            name=spec.name,
            operation_id=spec.name,
            summary=spec.summary,
            tags=[spec.tag],
            response_model=None,
            response_class=Response,
            status_code=spec.success_status,
        )
        self.spec: Final = spec


class EdgeRoute(DocumentedRoute):
    """A route that answers, by its handler.

    FastAPI's own parameter and response machinery is passed by: it costs more than all the rest
    of a write, and what it would do is done by the argument kinds of the domain.
    """

    def __init__(self, spec: RouteSpec, *, handler: Handler, guard: Guard) -> None:
        super().__init__(spec)
        self._handler = handler
        self._guard = guard
        self.app = self._answer

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive, send  # the exchange has them
        exchange = exchange_of(scope)
        exchange.route = self.spec
        await self._guard.admit(exchange, self.spec.access)
        await self._handler(exchange)


def require_caller(exchange: Exchange) -> Caller:
    """Return who asks.

    Raises:
        RefusedError: TOKEN_INVALID; the route was declared public by mistake.
    """
    if exchange.caller is None:
        raise RefusedError(RefusalCode.TOKEN_INVALID, "this needs a bearer token")
    return exchange.caller


async def _documented(_request: Request) -> Response:
    """Answer for a route that is documented and has no handler bound to it: 501."""
    return Response(status_code=HTTPStatus.NOT_IMPLEMENTED)
