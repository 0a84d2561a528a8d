"""Organisations and their payments as the read models tell them, and as a rebuild does."""

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.codec import JsonObject
from gx.domain.organizations import MultiSigTxId, OrganizationId
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from tests.projection.chain import PARTNER, Chain
from tests.projection.projected import a_lease, project

CHANNEL, ACME = "gxchannel", OrganizationId("acme")
RULES = '[{"amountThreshold":"0","requiredApprovers":2,"approverGroup":["alice","bob"]}]'


def an_organization() -> tuple[Chain, list[str]]:
    """Make a chain with three payments: one paid, one failed, one that waits."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice", "bob", "carol")

    def act(function: str, *args: str, actor: str) -> str:
        item = chain.command(f"OrganizationContract:{function}", *args, actor=actor)
        chain.run(item, role=PARTNER)
        return item.command_id

    act("ProposeOrganization", "acme", "Acme", "NGO", '["alice","bob"]', RULES, actor="alice")
    for person in ("alice", "bob"):
        act("EndorseMembership", "acme", actor=person)
    act("ActivateOrganization", "acme", actor="bob")
    chain.transfers([("carol", "acme", 1_000)])
    payments = []
    for amount in ("600", "600", "5"):
        command_id = act("InitiateMultiSigTx", "acme", "carol", amount, "Rent", actor="bob")
        payments.append(f"acme~carol~{command_id}")
    for tx_id in payments[:2]:
        act("ApproveMultiSigTx", tx_id, actor="alice")
    return chain, payments


@pytest.fixture
async def queries(pool: Pool, leases: PostgresLeases) -> tuple[PostgresQueries, list[str]]:
    """Queries after that history, and the payments' ids."""
    chain, payments = an_organization()
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)
    return PostgresQueries(pool, channel=CHANNEL), payments


async def test_an_organisation_comes_with_stakeholders_and_rules(
    queries: tuple[PostgresQueries, list[str]],
) -> None:
    """Lists as lists, amounts as text, points in time as numbers."""
    body = (await queries[0].organization(ACME)).body

    assert body is not None
    members, rules = body["stakeholders"], body["rules"]
    assert (body["status"], body["proposedBy"]) == ("Active", "alice")
    assert isinstance(members, list)
    assert isinstance(rules, list)
    assert [isinstance(item, dict) and item["userId"] for item in members] == ["alice", "bob"]
    (rule,) = rules
    assert isinstance(rule, dict)
    assert (rule["amountThreshold"], rule["approverGroup"]) == ("0", ["alice", "bob"])
    assert rule["effectiveAt"] == body["activatedAt"]
    assert (await queries[0].organization(OrganizationId("x"))).body is None
    assert await queries[0].stakeholders_of(ACME) == {"alice", "bob"}
    assert await queries[0].stakeholders_of(OrganizationId("x")) == frozenset()


async def test_what_became_of_a_payment_is_told(
    queries: tuple[PostgresQueries, list[str]],
) -> None:
    """Paid, failed with its code, or waiting; with those who approved it, in their order."""
    told: list[JsonObject] = []
    for tx_id in queries[1]:
        body = (await queries[0].multisig_transaction(MultiSigTxId(tx_id))).body
        assert body is not None
        told.append(body)

    seen = [(one["status"], one["failureCode"], one["approvedBy"]) for one in told]
    assert seen == [
        ("Executed", None, ["bob", "alice"]),
        ("ExecutionFailed", "INSUFFICIENT_FUNDS", ["bob", "alice"]),
        ("Pending", None, ["bob"]),
    ]
    assert (await queries[0].multisig_transaction(MultiSigTxId("a~b~c"))).body is None


async def test_what_waits_is_listed(queries: tuple[PostgresQueries, list[str]]) -> None:
    """Neither what is final nor another organisation's; nothing of what does not exist."""
    page = (await queries[0].pending_transactions(ACME, limit=1)).body

    assert page is not None
    items = page["items"]
    assert isinstance(items, list)
    (item,) = items
    assert isinstance(item, dict)
    assert (item["txId"], item["approvals"]) == (queries[1][2], 1)
    assert page["nextCursor"] is None
    assert (await queries[0].pending_transactions(OrganizationId("x"), limit=1)).body is None
