"""One typed method for each query of the catalogue; a test compares them with it."""

from abc import ABC, abstractmethod

from gx.client.organization_views import MultiSigTransaction, Organization
from gx.client.paging import Page, parse_page
from gx.client.records import RecordT, parse_record
from gx.client.requests import Request, build_post, build_query, fill_path
from gx.client.transport import Answer
from gx.client.views import (
    Account,
    AccountEntry,
    Country,
    GlobalCounters,
    Loan,
    Pools,
    Proposal,
    Relationship,
    Supply,
    SystemParameter,
    SystemStatus,
    TransactionFee,
    Trust,
    User,
    VelocityTaxStanding,
)
from gx.domain.amounts import Amount
from gx.domain.catalogue import QUERIES
from gx.domain.codec import JsonObject


class QueryMethods(ABC):
    """The reading half of the client."""

    @abstractmethod
    async def _read(self, request: Request) -> Answer:
        """Send a read."""

    async def system_status(self) -> SystemStatus:
        """Tell whether the system is bootstrapped and paused."""
        return await self._one(SystemStatus, "system_status")

    async def countries(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Country]:
        """List the open countries."""
        return await self._page(Country, "countries", limit=limit, cursor=cursor)

    async def country_stats(self, *, country_code: str) -> Country:
        """Tell one country's share, users and genesis coins."""
        return await self._one(Country, "country_stats", countryCode=country_code)

    async def system_parameter(
        self,
        *,
        id: str,  # noqa: A002 (the parameter's declared name)
    ) -> SystemParameter:
        """Tell one system parameter."""
        return await self._one(SystemParameter, "system_parameter", id=id)

    async def global_counters(self) -> GlobalCounters:
        """Count users and genesis distributions, and tell the supply."""
        return await self._one(GlobalCounters, "global_counters")

    async def user(self, *, user_id: str) -> User:
        """Tell one user."""
        return await self._one(User, "user", userId=user_id)

    async def trust(self, *, user_id: str) -> Trust:
        """Tell a user's trust score."""
        return await self._one(Trust, "trust", userId=user_id)

    async def relationships(
        self, *, subject_id: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[Relationship]:
        """List a user's relationships, as either side."""
        return await self._page(
            Relationship, "relationships", limit=limit, cursor=cursor, subjectId=subject_id
        )

    async def organization(self, *, org_id: str) -> Organization:
        """Tell one organisation with its stakeholders and rules."""
        return await self._one(Organization, "organization", orgId=org_id)

    async def pending_transactions(
        self, *, org_id: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[MultiSigTransaction]:
        """List an organisation's payments that wait for approvals."""
        return await self._page(
            MultiSigTransaction, "pending_transactions", limit=limit, cursor=cursor, orgId=org_id
        )

    async def multisig_transaction(self, *, tx_id: str) -> MultiSigTransaction:
        """Tell one payment of an organisation, whatever became of it."""
        return await self._one(MultiSigTransaction, "multisig_transaction", txId=tx_id)

    async def balance(self, *, account_id: str) -> Account:
        """Tell an account's balance."""
        return await self._one(Account, "balance", accountId=account_id)

    async def account_entries(
        self, *, account_id: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[AccountEntry]:
        """List an account's entries, newest first."""
        return await self._page(
            AccountEntry, "account_entries", limit=limit, cursor=cursor, accountId=account_id
        )

    async def treasury_balance(self, *, country_code: str) -> Account:
        """Tell a country's treasury."""
        return await self._one(Account, "treasury_balance", countryCode=country_code)

    async def loan(self, *, loan_id: str) -> Loan:
        """Tell one loan."""
        return await self._one(Loan, "loan", loanId=loan_id)

    async def user_loans(
        self, *, user_id: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[Loan]:
        """List a user's loans, newest first."""
        return await self._page(Loan, "user_loans", limit=limit, cursor=cursor, userId=user_id)

    async def proposal(self, *, proposal_id: str) -> Proposal:
        """Tell one proposal, with its votes so far."""
        return await self._one(Proposal, "proposal", proposalId=proposal_id)

    async def proposals(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Proposal]:
        """List proposals, newest first."""
        return await self._page(Proposal, "proposals", limit=limit, cursor=cursor)

    async def supply(self) -> Supply:
        """Tell the supply, its cap, and the sum of all balances."""
        return await self._one(Supply, "supply")

    async def pools(self) -> Pools:
        """Tell the system accounts and the genesis phase."""
        return await self._one(Pools, "pools")

    async def transaction_fee(self, *, from_id: str, to_id: str, amount: Amount) -> TransactionFee:
        """Tell what a transfer would cost its sender."""
        spec = QUERIES["transaction_fee"]
        body: JsonObject = {"fromId": from_id, "toId": to_id, "amount": str(amount)}
        request = build_post(fill_path(spec.path, {}), body)
        return parse_record(TransactionFee, await self._read(request), request)

    async def velocity_tax(self, *, account_id: str) -> VelocityTaxStanding:
        """Tell whether an account's velocity tax is due, and how much it would be."""
        return await self._one(VelocityTaxStanding, "velocity_tax", accountId=account_id)

    async def _one(self, kind: type[RecordT], name: str, **path: str) -> RecordT:
        request = build_query(QUERIES[name].path, path, {})
        return parse_record(kind, await self._read(request), request)

    async def _page(
        self,
        kind: type[RecordT],
        name: str,
        *,
        limit: int | None,
        cursor: str | None,
        **path: str,
    ) -> Page[RecordT]:
        request = build_query(QUERIES[name].path, path, {"limit": limit, "cursor": cursor})
        return parse_page(kind, await self._read(request), request)
