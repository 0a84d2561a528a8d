"""What the read models answer about loans and votes, and that a rebuild answers the same."""

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.amounts import coins
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.identifiers import UserId
from gx.domain.owned_ids import LoanId, ProposalId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole
from gx.projection.cursors import render_cursor
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from tests.projection.chain import ADMIN, PARTNER, Chain
from tests.projection.projected import a_lease, project, straight
from tests.projection.running import CHANNEL, Bench
from tests.projection.test_rebuild import run

FAMILY = (("mum", "PARENT"), ("erin", "SPOUSE"), ("fred", "SIBLING"))


def do(chain: Chain, function: str, *args: str, actor: str, role: LedgerRole = PARTNER) -> str:
    """Commit one command as a block of its own; return the command's id."""
    item = chain.command(function, *args, actor=actor)
    chain.run(item, role=role)
    return item.command_id


def a_lending_chain() -> tuple[Chain, list[LoanId], ProposalId]:
    """Return a history with three loans, repaid in part, rejected and pending, and two votes."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice", *(name for name, _ in FAMILY))
    for name, kind in FAMILY:
        do(chain, "IdentityContract:RequestRelationship", "alice", name, kind, actor="alice")
        do(chain, "IdentityContract:ConfirmRelationship", f"alice~{kind}~{name}", actor=name)
    loans = []
    for _ in range(3):
        terms = ("alice", str(coins(500)), "ab" * 32)
        command_id = do(chain, "LoanPoolContract:ApplyForLoan", *terms, actor="alice")
        loans.append(LoanId(f"alice~{command_id}"))
    do(chain, "LoanPoolContract:ApproveLoan", loans[0], actor="ops", role=ADMIN)
    do(chain, "LoanPoolContract:RejectLoan", loans[1], "No deed", actor="ops", role=ADMIN)
    do(chain, "LoanPoolContract:RepayLoan", loans[0], str(coins(200)), actor="alice")
    terms = ("feeLowerBps", "4", "Cheaper")
    command_id = do(chain, "GovernanceContract:SubmitProposal", *terms, actor="alice")
    proposal = ProposalId(f"feeLowerBps~{command_id}")
    for name, ballot in (("alice", "FOR"), ("mum", "AGAINST")):
        do(chain, "GovernanceContract:VoteOnProposal", proposal, ballot, actor=name)
    return chain, loans, proposal


def items_of(body: JsonObject | None) -> list[JsonValue]:
    """Return the items of a page."""
    assert body is not None
    items = body["items"]
    assert isinstance(items, list)
    return items


async def test_loans_and_votes_are_answered_and_rebuilt(pool: Pool, leases: PostgresLeases) -> None:
    """Single things, pages newest first, amounts and tallies; the same after a rebuild."""
    chain, loans, proposal = a_lending_chain()
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    queries = PostgresQueries(pool, channel=CHANNEL)
    bench = Bench(source=chain, store=store, leases=leases)
    async with bench.running():
        await bench.reaches(len(chain.committed) - 1)

    for _ in ("projected", "rebuilt"):
        lent = (await queries.loan(loans[0])).body or {}
        assert (lent["status"], lent["outstanding"], lent["repaid"]) == (
            "Active", str(coins(300)), str(coins(200)),
        )  # fmt: skip
        assert lent["trustScore"] == 80
        rejected = (await queries.loan(loans[1])).body or {}
        assert (rejected["status"], rejected["rejectReason"]) == ("Rejected", "No deed")
        open_one = (await queries.proposal(proposal)).body or {}
        votes = (open_one["votesFor"], open_one["votesAgainst"], open_one["votesAbstain"])
        assert (open_one["status"], *votes) == ("Open", 1, 1, 0)
        assert items_of((await queries.proposals(limit=5)).body) == [open_one]

        first = (await queries.user_loans(UserId("alice"), limit=2)).body or {}
        rest = await queries.user_loans(UserId("alice"), limit=2, cursor=str(first["nextCursor"]))
        listed = items_of(first) + items_of(rest.body)
        assert [isinstance(item, dict) and item["loanId"] for item in listed] == loans[::-1]

        await run(chain, pool, leases)
        assert await store.digest() == await straight(chain)


async def test_what_is_absent_is_told_apart_from_what_is_empty(
    pool: Pool, leases: PostgresLeases
) -> None:
    """A user without loans has an empty list; a stranger has none."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice")
    queries = PostgresQueries(pool, channel=CHANNEL)
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)

    empty: JsonObject = {"items": [], "nextCursor": None}
    assert (await queries.user_loans(UserId("alice"), limit=5)).body == empty
    assert (await queries.user_loans(UserId("nobody"), limit=5)).body is None
    assert (await queries.loan(LoanId("alice~1"))).body is None
    assert (await queries.proposal(ProposalId("feeLowerBps~1"))).body is None
    assert (await queries.proposals(limit=5)).body == empty


@pytest.mark.parametrize("cursor", ["x", render_cursor(("a", 1)), render_cursor((1,))])
async def test_a_cursor_of_another_list_is_refused(pool: Pool, cursor: str) -> None:
    """For both lists alike."""
    queries = PostgresQueries(pool, channel=CHANNEL)

    with pytest.raises(RefusedError) as loans:
        await queries.user_loans(UserId("alice"), limit=5, cursor=cursor)
    with pytest.raises(RefusedError) as proposals:
        await queries.proposals(limit=5, cursor=cursor)
    assert {loans.value.code, proposals.value.code} == {RefusalCode.ARGUMENT_INVALID}
