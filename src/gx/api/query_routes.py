"""The read routes: one for each query of the catalogue, generated from its declaration."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from gx.api.bodies import read_object
from gx.api.command_forms import CommandForm
from gx.api.exchange import Exchange
from gx.api.paging import PageRequest, read_page
from gx.api.ports import Queries
from gx.api.route_table import query_route
from gx.api.routes import Handler, require_caller
from gx.api.settings import EdgeSettings
from gx.domain.amounts import Amount
from gx.domain.catalogue import QUERIES
from gx.domain.commands import Access, QuerySpec
from gx.domain.identifiers import AccountId, CountryCode, UserId, is_identifier
from gx.domain.organizations import MultiSigTxId, OrganizationId, organization_of
from gx.domain.owned_ids import LoanId, ProposalId
from gx.domain.refusals import RefusedError
from gx.projection.ports import Answer

BLOCK: Final = "X-GX-Block"
"""The last block whose effects an answer contains; -1 before the first."""


Ask = Callable[[Queries, Mapping[str, str], PageRequest], Awaitable[Answer]]

ASK: Final[Mapping[str, Ask]] = {
    "system_status": lambda queries, _values, _page: queries.system_status(),
    "system_parameter": lambda queries, values, _page: queries.system_parameter(values["id"]),
    "countries": lambda queries, _values, page: queries.countries(
        limit=page.limit, cursor=page.cursor
    ),
    "country_stats": lambda queries, values, _page: queries.country_stats(
        CountryCode(values["countryCode"])
    ),
    "global_counters": lambda queries, _values, _page: queries.global_counters(),
    "user": lambda queries, values, _page: queries.user(UserId(values["userId"])),
    "trust": lambda queries, values, _page: queries.trust(UserId(values["userId"])),
    "relationships": lambda queries, values, page: queries.relationships(
        UserId(values["subjectId"]), limit=page.limit, cursor=page.cursor
    ),
    "organization": lambda queries, values, _page: queries.organization(
        OrganizationId(values["orgId"])
    ),
    "pending_transactions": lambda queries, values, page: queries.pending_transactions(
        OrganizationId(values["orgId"]), limit=page.limit, cursor=page.cursor
    ),
    "multisig_transaction": lambda queries, values, _page: queries.multisig_transaction(
        MultiSigTxId(values["txId"])
    ),
    "balance": lambda queries, values, _page: queries.balance(AccountId(values["accountId"])),
    "account_entries": lambda queries, values, page: queries.account_entries(
        AccountId(values["accountId"]), limit=page.limit, cursor=page.cursor
    ),
    "treasury_balance": lambda queries, values, _page: queries.treasury_balance(
        CountryCode(values["countryCode"])
    ),
    "loan": lambda queries, values, _page: queries.loan(LoanId(values["loanId"])),
    "user_loans": lambda queries, values, page: queries.user_loans(
        UserId(values["userId"]), limit=page.limit, cursor=page.cursor
    ),
    "proposal": lambda queries, values, _page: queries.proposal(ProposalId(values["proposalId"])),
    "proposals": lambda queries, _values, page: queries.proposals(
        limit=page.limit, cursor=page.cursor
    ),
    "supply": lambda queries, _values, _page: queries.supply(),
    "pools": lambda queries, _values, _page: queries.pools(),
    "transaction_fee": lambda queries, values, _page: queries.transaction_fee(
        AccountId(values["fromId"]), AccountId(values["toId"]), Amount(int(values["amount"]))
    ),
    "velocity_tax": lambda queries, values, _page: queries.velocity_tax(
        AccountId(values["accountId"])
    ),
}
"""How each query of the catalogue is asked, by its name."""


class QueryHandler:
    """Answers one read route from the read models."""

    def __init__(self, spec: QuerySpec, *, queries: Queries, settings: EdgeSettings) -> None:
        self._spec = spec
        self._queries = queries
        self._ask = ASK[spec.name]
        self._form = CommandForm(spec)
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
        if not all(_is_id(value) for value in values.values()):
            raise self._absent(values)
        if spec.access is Access.USER and spec.owner_parameter is not None:
            require_caller(exchange).require_owner(spec.owner_of(values[spec.owner_parameter]))
        if spec.organization_parameter is not None:
            await self._require_stake(exchange, values[spec.organization_parameter])
        if spec.arguments:
            body = await read_object(exchange, bytes_max=self._settings.body_bytes_max)
            values |= self._form.read(body, {})
        page = self._read_page(exchange)
        answer = await self._ask(self._queries, values, page)
        if answer.body is None:
            raise self._absent(values)
        block = (BLOCK.lower().encode(), b"%d" % answer.block_number)
        await exchange.reply(200, msgspec.json.encode(answer.body), (block,))

    async def _require_stake(self, exchange: Exchange, named: str) -> None:
        """Let stakeholders through, and whoever may act for one; what is absent has none."""
        stakeholders = await self._queries.stakeholders_of(organization_of(named))
        if not stakeholders:
            raise self._absent(exchange.path_values)
        require_caller(exchange).require_one_of(stakeholders)

    def _read_page(self, exchange: Exchange) -> PageRequest:
        return read_page(exchange.query_values(self._spec.parameters), self._settings)

    def _absent(self, values: Mapping[str, str]) -> RefusedError:
        named = ", ".join(f"{name} {value[:80]!r}" for name, value in values.items())
        return RefusedError(self._spec.absent, f"the read models have no answer for {named}")


def _is_id(value: str) -> bool:
    """Tell whether this is an id, or several joined by tildes."""
    return all(is_identifier(part) for part in value.split("~"))


def query_handlers(queries: Queries, settings: EdgeSettings) -> dict[str, Handler]:
    """Return the handler of each query's route, by the route's name."""
    return {
        query_route(spec).name: QueryHandler(spec, queries=queries, settings=settings)
        for spec in QUERIES.values()
    }
