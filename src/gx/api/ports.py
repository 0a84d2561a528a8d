"""What the edge needs from others, in its own words; `gx.runtime` wires the real ones."""

from typing import Protocol

from gx.api.principal import Principal
from gx.api.settings import Allowance
from gx.domain.amounts import Amount
from gx.domain.errors import GxError
from gx.domain.identifiers import AccountId, CountryCode, UserId
from gx.domain.organizations import MultiSigTxId, OrganizationId
from gx.domain.owned_ids import LoanId, ProposalId
from gx.outbox.ports import Acceptance, NewCommand
from gx.projection.ports import Answer


class KeysUnavailableError(GxError):
    """The issuer's keys could not be had and none are known: no token can be judged."""


class CommandGate(Protocol):
    """Takes one command in; many callers at once share one commit."""

    async def accept(self, command: NewCommand) -> Acceptance:
        """Store the command. It is durable when this returns.

        Raises:
            BacklogFullError: what waits is too old to take more; nothing was stored.
        """
        ...


class TokenVerifier(Protocol):
    """Tells who a bearer token stands for."""

    def recall(self, token: str) -> Principal | None:
        """Return what is known of a token that was verified before and still is valid."""
        ...

    async def verify(self, token: str) -> Principal:
        """Verify the token.

        Raises:
            RefusedError: TOKEN_INVALID, saying what is wrong with it.
            KeysUnavailableError: nobody can tell now.
        """
        ...


class RateLimiter(Protocol):
    """Token buckets by name."""

    async def take(self, name: str, allowance: Allowance) -> float:
        """Take one from the bucket; 0 if there was one, else the seconds until there is."""
        ...


class Queries(Protocol):
    """Answers the reads of the catalogue, each in the method of its name, as of one block.

    Lists raise RefusedError (ARGUMENT_INVALID) for a cursor that was none of theirs.
    """

    async def system_status(self) -> Answer:
        """Tell whether the system is bootstrapped and paused."""
        ...

    async def system_parameter(self, id: str) -> Answer:  # noqa: A002 (the path calls it so)
        """Return one system parameter."""
        ...

    async def countries(self, *, limit: int, cursor: str | None) -> Answer:
        """Return a page of open countries."""
        ...

    async def country_stats(self, country_code: CountryCode) -> Answer:
        """Return one country."""
        ...

    async def global_counters(self) -> Answer:
        """Return how many users, countries and distributions there are, and the supply."""
        ...

    async def user(self, user_id: UserId) -> Answer:
        """Return one user."""
        ...

    async def trust(self, user_id: UserId) -> Answer:
        """Return a user's trust score."""
        ...

    async def relationships(self, subject_id: UserId, *, limit: int, cursor: str | None) -> Answer:
        """Return a page of a user's relationships, as either side."""
        ...

    async def organization(self, org_id: OrganizationId) -> Answer:
        """Return one organisation with its stakeholders and rules."""
        ...

    async def pending_transactions(
        self, org_id: OrganizationId, *, limit: int, cursor: str | None
    ) -> Answer:
        """Return a page of an organisation's payments that wait for approvals."""
        ...

    async def multisig_transaction(self, tx_id: MultiSigTxId) -> Answer:
        """Return one payment of an organisation."""
        ...

    async def stakeholders_of(self, org_id: OrganizationId) -> frozenset[str]:
        """Return who holds an organisation: who may read what belongs to it."""
        ...

    async def balance(self, account_id: AccountId) -> Answer:
        """Return one account."""
        ...

    async def account_entries(
        self, account_id: AccountId, *, limit: int, cursor: str | None
    ) -> Answer:
        """Return a page of an account's entries, newest first."""
        ...

    async def treasury_balance(self, country_code: CountryCode) -> Answer:
        """Return a country's treasury."""
        ...

    async def loan(self, loan_id: LoanId) -> Answer:
        """Return one loan."""
        ...

    async def user_loans(self, user_id: UserId, *, limit: int, cursor: str | None) -> Answer:
        """Return a page of a user's loans."""
        ...

    async def proposal(self, proposal_id: ProposalId) -> Answer:
        """Return one proposal."""
        ...

    async def proposals(self, *, limit: int, cursor: str | None) -> Answer:
        """Return a page of proposals."""
        ...

    async def supply(self) -> Answer:
        """Return the supply, its cap, and the sum of all balances."""
        ...

    async def pools(self) -> Answer:
        """Return the system's accounts."""
        ...

    async def transaction_fee(self, from_id: AccountId, to_id: AccountId, amount: Amount) -> Answer:
        """Return what a transfer would cost its sender."""
        ...

    async def velocity_tax(self, account_id: AccountId) -> Answer:
        """Tell whether an account's velocity tax is due, and how much it would be."""
        ...
