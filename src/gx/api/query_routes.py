"""The read routes: one for each query of the catalogue, generated from its declaration."""

from typing import Final

import msgspec

from gx.api.exchange import Exchange
from gx.api.paging import PageRequest, read_page
from gx.api.ports import QueryDesk, QueryRequest
from gx.api.route_table import query_route
from gx.api.routes import Handler, require_caller
from gx.api.settings import EdgeSettings
from gx.domain.catalogue import QUERIES
from gx.domain.commands import Access, QuerySpec
from gx.domain.identifiers import is_identifier
from gx.domain.refusals import RefusedError

BLOCK: Final = "X-GX-Block"
"""The last block whose effects an answer contains; -1 before the first."""


class QueryHandler:
    """Answers one read route from the read models."""

    def __init__(self, spec: QuerySpec, *, desk: QueryDesk, settings: EdgeSettings) -> None:
        self._spec = spec
        self._desk = desk
        self._settings = settings

    async def __call__(self, exchange: Exchange) -> None:
        """Answer with what the read models say.

        Raises:
            RefusedError: the query's code for what is absent, FORBIDDEN for what belongs to
                somebody else, ARGUMENT_INVALID for an impossible page.
        """
        spec = self._spec
        values = dict(exchange.path_values)
        # Whatever the path names, in the end it is an id: nothing else reaches the database.
        if not all(is_identifier(value) for value in values.values()):
            raise self._absent(exchange)
        if spec.access is Access.USER and spec.owner_parameter is not None:
            require_caller(exchange).require_owner(values[spec.owner_parameter])
        page = self._read_page(exchange)
        answer = await self._desk.answer(
            QueryRequest(name=spec.name, values=values, limit=page.limit, cursor=page.cursor)
        )
        if answer.body is None:
            raise self._absent(exchange)
        block = (BLOCK.lower().encode(), b"%d" % answer.block_number)
        await exchange.reply(200, msgspec.json.encode(answer.body), (block,))

    def _read_page(self, exchange: Exchange) -> PageRequest:
        return read_page(exchange.query_values(self._spec.parameters), self._settings)

    def _absent(self, exchange: Exchange) -> RefusedError:
        named = ", ".join(f"{value[:80]!r}" for value in exchange.path_values.values())
        return RefusedError(
            self._spec.absent, f"the read models know no {self._spec.name} of {named}"
        )


def query_handlers(desk: QueryDesk, settings: EdgeSettings) -> dict[str, Handler]:
    """Return the handler of each query's route, by the route's name."""
    return {
        query_route(spec).name: QueryHandler(spec, desk=desk, settings=settings)
        for spec in QUERIES.values()
    }
