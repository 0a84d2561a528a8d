"""A route of the edge: what may be asked and who may ask it; and how FastAPI gets to know it.

Every route is declared as a `RouteSpec` with its access rule; `EdgeRoute` lets nobody through to
a handler before that rule is met. There is no other way to add a route: one of another class
fails a test.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from gx.api.exchange import Exchange, Message, Receive, Send, exchange_of
from gx.api.gate import Gate
from gx.api.principal import Caller
from gx.domain.commands import Access, CommandSpec, QuerySpec
from gx.domain.refusals import RefusalCode, RefusedError

Handler = Callable[[Exchange], Awaitable[None]]
"""Answers one admitted request through the exchange; a failure is raised, never swallowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """One route: `path` is the whole template, `name` its operation id, `tag` its area.

    `declared` is the command or the query of the catalogue from which it was generated.
    """

    method: str
    path: str
    tag: str
    access: Access
    name: str
    summary: str
    success_status: int = 200
    declared: CommandSpec | QuerySpec | None = None

    @property
    def has_placeholders(self) -> bool:
        """Tell whether the path must be matched, not just looked up."""
        return "{" in self.path


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

    def __init__(self, spec: RouteSpec, *, handler: Handler, gate: Gate) -> None:
        super().__init__(spec)
        self._handler = handler
        self._gate = gate
        self.app = self._answer

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        del receive, send  # the exchange has them
        exchange = exchange_of(scope)
        exchange.route = self.spec
        await self._gate.admit(exchange, self.spec.access)
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
    """Stand in for the handler where FastAPI reads a signature."""
    raise NotImplementedError("EdgeRoute answers by itself")
