"""The API about itself: its OpenAPI document, and what each problem's code means."""

from collections.abc import Callable

import msgspec

from gx.api.exchange import Exchange
from gx.api.problems import PROBLEM_TYPES, TYPE_PREFIX
from gx.api.route_table import SHOW_OPENAPI, SHOW_PROBLEM
from gx.api.routes import Handler
from gx.domain.refusals import RefusalCode, RefusedError


class ReferenceDesk:
    """Answers with what never changes while the process runs."""

    def __init__(self, render_document: Callable[[], str]) -> None:
        self._render_document = render_document
        self._document: bytes | None = None

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each of its routes, by the route's name."""
        return {SHOW_OPENAPI.name: self.show_openapi, SHOW_PROBLEM.name: self.show_problem}

    async def show_openapi(self, exchange: Exchange) -> None:
        """Answer with the OpenAPI document."""
        if self._document is None:
            self._document = self._render_document().encode()
        await exchange.reply(200, self._document)

    async def show_problem(self, exchange: Exchange) -> None:
        """Answer with a code's title and status; NOT_FOUND for what is none."""
        name = exchange.path_values["code"]
        if name not in RefusalCode.__members__:
            raise RefusedError(RefusalCode.NOT_FOUND, f"there is no problem code {name[:80]!r}")
        code = RefusalCode(name)
        kind = PROBLEM_TYPES[code]
        body = {
            "type": TYPE_PREFIX + code,
            "code": code.value,
            "title": kind.title,
            "status": kind.status.value,
        }
        await exchange.reply(200, msgspec.json.encode(body))
