"""An edge with everything behind it in memory, and clients with tokens of any kind."""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from typing_extensions import override

from gx.api.app import Collaborators, EdgeApp, create_app
from gx.api.issuer import Claims, LocalIssuer, jwks_path
from gx.api.ports import Queries
from gx.api.rate_limits import LocalRateLimiter
from gx.api.route_table import metric_routes
from gx.api.settings import EdgeSettings
from gx.api.signing_keys import SigningKeys, load_from_file
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.database.leases import MemoryLeases
from gx.domain.amounts import Amount
from gx.domain.batches import OutcomeKind
from gx.domain.codec import JsonObject
from gx.domain.identifiers import (
    AccountId,
    BlockNumber,
    CommandId,
    CountryCode,
    TransactionId,
    UserId,
)
from gx.domain.organizations import MultiSigTxId, OrganizationId
from gx.domain.owned_ids import LoanId, ProposalId
from gx.domain.roles import TokenRole
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.memory.dead_letters import MemoryDeadLetters
from gx.outbox.memory.inbox import MemoryCommandInbox
from gx.outbox.memory.reader import MemoryCommandReader
from gx.outbox.memory.rows import MemoryOutbox
from gx.outbox.memory.store import MemoryOutboxStore
from gx.outbox.ports import Settlement
from gx.projection.ports import Answer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from gx.telemetry.instruments import build_api_metrics

ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "gx-api"
NOW_MS: Final = 1_900_000_000_000
BASE_URL: Final = "http://api.test"

TRANSFER: Final = {"fromId": "alice", "toId": "bob", "amount": "150000000", "remark": "Lunch"}


class StoppedClock:
    """A clock that somebody else moves."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.ms

    def advance_s(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += round(seconds * 1_000)


class CountedBytes:
    """Bytes that differ from call to call."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)

    def __call__(self, size: int) -> bytes:
        """Return the next ones."""
        return next(self._counter).to_bytes(size, "big")


@dataclass
class DictQueries(Queries):
    """Answers each query with what a test puts under its name; pages note what was asked."""

    block_number: int = 7
    bodies: dict[str, JsonObject] = field(default_factory=dict)
    asked: list[tuple[str, int, str | None]] = field(default_factory=list)
    stakeholders: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def _answer(self, name: str) -> Answer:
        return Answer(block_number=BlockNumber(self.block_number), body=self.bodies.get(name))

    @override
    async def system_status(self) -> Answer:
        return self._answer("system_status")

    @override
    async def system_parameter(self, id: str) -> Answer:
        return self._answer(f"system_parameter/{id}")

    @override
    async def countries(self, *, limit: int, cursor: str | None) -> Answer:
        self.asked.append(("countries", limit, cursor))
        return self._answer("countries")

    @override
    async def country_stats(self, country_code: CountryCode) -> Answer:
        return self._answer(f"country_stats/{country_code}")

    @override
    async def global_counters(self) -> Answer:
        return self._answer("global_counters")

    @override
    async def user(self, user_id: UserId) -> Answer:
        return self._answer(f"user/{user_id}")

    @override
    async def trust(self, user_id: UserId) -> Answer:
        return self._answer(f"trust/{user_id}")

    @override
    async def relationships(self, subject_id: UserId, *, limit: int, cursor: str | None) -> Answer:
        self.asked.append(("relationships", limit, cursor))
        return self._answer(f"relationships/{subject_id}")

    @override
    async def organization(self, org_id: OrganizationId) -> Answer:
        return self._answer(f"organization/{org_id}")

    @override
    async def pending_transactions(
        self, org_id: OrganizationId, *, limit: int, cursor: str | None
    ) -> Answer:
        self.asked.append(("pending_transactions", limit, cursor))
        return self._answer(f"pending_transactions/{org_id}")

    @override
    async def multisig_transaction(self, tx_id: MultiSigTxId) -> Answer:
        return self._answer(f"multisig_transaction/{tx_id}")

    @override
    async def stakeholders_of(self, org_id: OrganizationId) -> frozenset[str]:
        return frozenset(self.stakeholders.get(org_id, ()))

    @override
    async def balance(self, account_id: AccountId) -> Answer:
        return self._answer(f"balance/{account_id}")

    @override
    async def account_entries(
        self, account_id: AccountId, *, limit: int, cursor: str | None
    ) -> Answer:
        self.asked.append(("account_entries", limit, cursor))
        return self._answer(f"account_entries/{account_id}")

    @override
    async def treasury_balance(self, country_code: CountryCode) -> Answer:
        return self._answer(f"treasury_balance/{country_code}")

    @override
    async def loan(self, loan_id: LoanId) -> Answer:
        return self._answer(f"loan/{loan_id}")

    @override
    async def user_loans(self, user_id: UserId, *, limit: int, cursor: str | None) -> Answer:
        self.asked.append(("user_loans", limit, cursor))
        return self._answer(f"user_loans/{user_id}")

    @override
    async def proposal(self, proposal_id: ProposalId) -> Answer:
        return self._answer(f"proposal/{proposal_id}")

    @override
    async def proposals(self, *, limit: int, cursor: str | None) -> Answer:
        self.asked.append(("proposals", limit, cursor))
        return self._answer("proposals")

    @override
    async def supply(self) -> Answer:
        return self._answer("supply")

    @override
    async def pools(self) -> Answer:
        return self._answer("pools")

    @override
    async def transaction_fee(self, from_id: AccountId, to_id: AccountId, amount: Amount) -> Answer:
        return self._answer(f"transaction_fee/{from_id}/{to_id}/{amount}")

    @override
    async def velocity_tax(self, account_id: AccountId) -> Answer:
        return self._answer(f"velocity_tax/{account_id}")


@dataclass
class Backend:
    """An edge and what stands behind it."""

    app: EdgeApp
    parts: Collaborators
    outbox: MemoryOutbox
    queries: DictQueries
    clock: StoppedClock
    issuer: LocalIssuer

    def token(
        self,
        subject: str = "alice",
        role: TokenRole = TokenRole.USER,
        act_for: Collection[str] = (),
        ttl_s: int = 3_600,
    ) -> str:
        """Issue a token."""
        return self.issuer.issue(Claims(subject=subject, role=role, act_for=act_for, ttl_s=ttl_s))

    def client(
        self,
        subject: str = "alice",
        role: TokenRole = TokenRole.USER,
        act_for: Collection[str] = (),
    ) -> httpx.AsyncClient:
        """Make a client that bears a token."""
        return self.anonymous({"Authorization": f"Bearer {self.token(subject, role, act_for)}"})

    def super_admin(self) -> httpx.AsyncClient:
        """Make a client of the highest role."""
        return self.client("root", TokenRole.SUPER_ADMIN)

    async def settle(
        self,
        command_id: CommandId,
        *,
        outcome: OutcomeKind = OutcomeKind.COMMITTED,
        code: str | None = None,
        block_number: int = 3,
    ) -> None:
        """Write the ledger's answer to a command."""
        lease = await self.outbox.leases.acquire("submitter", "test", ttl_s=60)
        assert lease is not None
        await MemoryOutboxStore(self.outbox).settle(
            lease,
            None,
            [
                Settlement(
                    command_id=command_id,
                    outcome=outcome,
                    code=code,
                    detail=None if code is None else f"refused with {code}",
                    result=None,
                    transaction_id=TransactionId("ab" * 32),
                    block_number=BlockNumber(block_number),
                )
            ],
        )

    async def bury(self, command_id: CommandId, reason: str = "gave up") -> None:
        """Give a command up."""
        lease = await self.outbox.leases.acquire("submitter", "test", ttl_s=60)
        assert lease is not None
        entry = self.outbox.waiting[command_id].entry
        await MemoryOutboxStore(self.outbox).bury(lease, entry, reason=reason)

    def project(self, block_number: int = 3) -> None:
        """Move the projector's checkpoint."""
        self.outbox.projected_block = block_number

    def anonymous(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """Make a client without a token."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True),
            base_url=BASE_URL,
            headers=headers,
        )


def build_backend(
    folder: Path,
    *,
    settings: EdgeSettings | None = None,
    probes: Probes | None = None,
    change: Callable[[Collaborators, MemoryOutbox], Collaborators] = lambda parts, _: parts,
) -> Backend:
    """Build an edge over memory; `change` may put another collaborator in."""
    clock = StoppedClock()
    outbox = MemoryOutbox(
        clock=clock, leases=MemoryLeases(clock), new_id=CommandIds(clock, CountedBytes())
    )
    issuer = LocalIssuer.open(
        folder, issuer=ISSUER, audience=AUDIENCE, clock=clock, environment="devnet"
    )
    queries = DictQueries()
    parts = change(
        Collaborators(
            gate=GroupCommitter(MemoryCommandInbox(outbox), on_stored=lambda: None),
            reader=MemoryCommandReader(outbox),
            letters=MemoryDeadLetters(outbox),
            queries=queries,
            tokens=JwtVerifier(
                SigningKeys(load_from_file(jwks_path(folder))),
                policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE),
                clock=clock,
            ),
            limiter=LocalRateLimiter(),
            probes=probes or Probes(),
            metrics=build_api_metrics(
                MetricsRegistry(), routes=list(metric_routes()), redis_commands=("evalsha",)
            ),
            settings=settings or EdgeSettings(),
        ),
        outbox,
    )
    return Backend(
        app=create_app(parts),
        parts=parts,
        outbox=outbox,
        queries=queries,
        clock=clock,
        issuer=issuer,
    )


def a_command_id(number: int) -> CommandId:
    """Make an id that nobody was given."""
    return CommandId(f"01900000-0000-7000-8000-{number:012x}")
