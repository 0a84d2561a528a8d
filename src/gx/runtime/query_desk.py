"""Joins each query that the catalogue declares to the method that answers it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from gx.api.ports import QueryAnswer, QueryRequest
from gx.domain.catalogue import QUERIES
from gx.domain.errors import GxError
from gx.domain.identifiers import AccountId, CountryCode, UserId
from gx.projection.ports import Answer
from gx.projection.postgres.queries import PostgresQueries

_Answering = Callable[[QueryRequest], Awaitable[Answer]]


class UnansweredQueryError(GxError):
    """A declared query has no method that answers it, or the reverse."""


class ReadModelDesk:
    """Answers the edge's reads from the read models."""

    def __init__(self, queries: PostgresQueries) -> None:
        """Bind every query.

        Raises:
            UnansweredQueryError: the catalogue and the methods do not match.
        """
        self._answering: Final[Mapping[str, _Answering]] = _bind(queries)
        unbound = self._answering.keys() ^ QUERIES.keys()
        if unbound:
            raise UnansweredQueryError(f"queries without an answer, or the reverse: {unbound}")

    async def answer(self, request: QueryRequest) -> QueryAnswer:
        """Answer one read, consistent as of one block."""
        found = await self._answering[request.name](request)
        return QueryAnswer(block_number=found.block_number, body=found.body)


def _bind(q: PostgresQueries) -> dict[str, _Answering]:
    return {
        "system_status": lambda _: q.system_status(),
        "system_parameter": lambda r: q.system_parameter(r.values["id"]),
        "countries": lambda r: q.countries(limit=r.limit, cursor=r.cursor),
        "country_stats": lambda r: q.country_stats(CountryCode(r.values["countryCode"])),
        "global_counters": lambda _: q.global_counters(),
        "user": lambda r: q.user(UserId(r.values["userId"])),
        "trust": lambda r: q.trust(UserId(r.values["userId"])),
        "balance": lambda r: q.balance(AccountId(r.values["accountId"])),
        "account_entries": lambda r: q.account_entries(
            AccountId(r.values["accountId"]), limit=r.limit, cursor=r.cursor
        ),
        "treasury_balance": lambda r: q.treasury_balance(CountryCode(r.values["countryCode"])),
        "supply": lambda _: q.supply(),
        "pools": lambda _: q.pools(),
    }
