"""The edge over a real PostgreSQL: what memory cannot prove."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gx.api.app import Collaborators
from gx.api.ports import Queries
from gx.api.route_table import query_route
from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings
from gx.domain.catalogue import QUERIES
from gx.domain.roles import TokenRole
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.memory.rows import MemoryOutbox
from gx.outbox.postgres.dead_letters import PostgresDeadLetters
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.outbox.postgres.reader import PostgresCommandReader
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from gx.runtime.clock import SystemClock
from tests.api.parts import TRANSFER, Backend, build_backend
from tests.api.test_openapi import require_documented
from tests.api.test_query_routes import ask
from tests.projection.chain import Chain
from tests.projection.projected import a_lease, project
from tests.projection.test_loan_queries import a_lending_chain, do

CHANNEL = "gxchannel"
KEY = {"Idempotency-Key": "order-1"}
BOTH_APPROVE = '[{"amountThreshold":"0","requiredApprovers":2,"approverGroup":["alice","bob"]}]'
ACME = ("acme", "Acme", "NGO", '["alice","bob"]', BOTH_APPROVE)


@pytest.fixture
def pool_settings(database_dsn: str) -> PoolSettings:
    """How to connect to this test's database."""
    return PoolSettings(dsn=database_dsn, application_name="test", connections_max=6)


@pytest.fixture
async def pool(pool_settings: PoolSettings) -> AsyncIterator[Pool]:
    """Connections to this test's database."""
    pool = await Pool.open(pool_settings)
    yield pool
    await pool.close()


def a_replica(folder: Path, pool: Pool) -> Backend:
    """Build an edge over the database; several are replicas of one API."""

    def over_postgres(parts: Collaborators, _outbox: MemoryOutbox) -> Collaborators:
        queries: Queries = PostgresQueries(pool, channel=CHANNEL)
        inbox = PostgresCommandInbox(pool, new_id=CommandIds(SystemClock(), os.urandom))
        return replace(
            parts,
            gate=GroupCommitter(inbox, on_stored=lambda: None),
            reader=PostgresCommandReader(pool, channel=CHANNEL),
            letters=PostgresDeadLetters(pool),
            queries=queries,
        )

    return build_backend(folder, change=over_postgres)


@pytest.fixture
def replica(tmp_path: Path, pool: Pool) -> Backend:
    """One replica of the API."""
    return a_replica(tmp_path, pool)


async def send(replica: Backend) -> httpx.Response:
    """Send the same keyed transfer."""
    async with replica.client() as client:
        return await client.post("/api/v1/transfers", json=TRANSFER, headers=KEY)


async def test_replicas_agree_on_a_key(tmp_path: Path, pool: Pool) -> None:
    """However many replicas get a request at once, it is one command."""
    replicas = [a_replica(tmp_path, pool) for _ in range(3)]

    answers = await asyncio.gather(*(send(replicas[number % 3]) for number in range(30)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["commandId"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 29


async def test_a_stored_command_is_shown_listed_and_found(replica: Backend) -> None:
    """The status resource stands as soon as the write was answered."""
    command_id = (await send(replica)).json()["commandId"]
    async with replica.client() as alice, replica.client("ops", TokenRole.ADMIN) as ops:
        shown = await alice.get(f"/api/v1/commands/{command_id}")
        listed = await ops.get("/api/v1/commands?status=PENDING&limit=1")
        found = await ops.post("/api/v1/commands/query", json={"commandIds": [command_id]})
        letters = await ops.get("/api/v1/dead-letters")

    assert shown.json()["arguments"] == TRANSFER
    assert listed.json()["items"] == found.json()["items"] == [shown.json()]
    assert letters.json()["items"] == []
    require_documented("getCommand", shown)
    require_documented("listCommands", listed)


def found_acme(chain: Chain) -> str:
    """Let alice and bob found an organisation that wants to pay bob; return the payment's id."""
    contract = "OrganizationContract"
    do(chain, f"{contract}:ProposeOrganization", *ACME, actor="alice")
    for person in ("alice", "bob"):
        do(chain, f"{contract}:EndorseMembership", "acme", actor=person)
    do(chain, f"{contract}:ActivateOrganization", "acme", actor="bob")
    terms = ("acme", "bob", "5", "Rent")
    return f"acme~bob~{do(chain, f'{contract}:InitiateMultiSigTx', *terms, actor='alice')}"


async def test_every_query_answers_as_documented(
    replica: Backend, pool: Pool, pool_settings: PoolSettings
) -> None:
    """After a small history each read is found, and has the shape that the document promises."""
    chain, loans, proposal = a_lending_chain()
    chain.users("bob")
    chain.transfers([("alice", "bob", 400_000_000)])
    chain.run(chain.command("TokenomicsContract:DistributeGenesis", "alice"))
    named = {"loanId": loans[0], "proposalId": proposal, "txId": found_acme(chain)}
    leases = PostgresLeases(pool_settings)
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)
    await leases.close()

    async with replica.client() as alice:
        for spec in QUERIES.values():
            response = await ask(alice, spec, **named)
            assert response.status_code == 200, spec.name
            assert response.headers["x-gx-block"] == str(chain.committed[-1].number)
            require_documented(query_route(spec).name, response)


async def test_every_query_answers_before_the_first_block_too(replica: Backend) -> None:
    """An empty system is no failure: each read is found empty, or absent."""
    async with replica.client() as alice:
        for spec in QUERIES.values():
            response = await ask(alice, spec)
            assert response.status_code in (200, 404), spec.name
            require_documented(query_route(spec).name, response)


async def test_without_its_database_the_edge_is_unavailable(replica: Backend, pool: Pool) -> None:
    """Writes, reads and status alike: 503 UNAVAILABLE; the probes of life go on."""
    await pool.close()
    async with replica.client() as alice:
        answers = [
            await alice.post("/api/v1/transfers", json=TRANSFER),
            await alice.get("/api/v1/supply"),
            await alice.get("/api/v1/commands/01900000-0000-7000-8000-000000000001"),
        ]
        alive = await alice.get("/livez")

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert alive.status_code == 200
