"""GovernanceContract: proposals, votes, and what they change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.contracts.proposals import ProposalRecord
from gx.domain.catalogue import (
    CREATE_USER,
    EXECUTE_PROPOSAL,
    LOCK_USER,
    SUBMIT_PROPOSAL,
    TRANSFER_TOKENS,
    UPDATE_SYSTEM_PARAMETER,
    VOTE_ON_PROPOSAL,
)
from gx.domain.codec import JsonObject
from gx.domain.events import CoinsTransferred, SystemParameterUpdated
from gx.domain.governance_events import (
    ProposalExecuted,
    ProposalRejected,
    ProposalSubmitted,
    VoteCast,
)
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.voting import Ballot, RejectionReason, Tally, rejection_of, with_one_more
from tests.contracts.contract_ledger import ContractLedger, a_hash, coins, give
from tests.contracts.trusted_people import FAMILY, a_trusting_ledger

R = RefusalCode
FORTNIGHT_S = 14 * 86_400
VOTERS = ("alice", "bob", *FAMILY)


def a_voting_ledger(quorum: int = 3) -> ContractLedger:
    """Return a ledger with five users, alice trusted, on which so many votes count."""
    ledger = a_trusting_ledger()
    ledger.do(UPDATE_SYSTEM_PARAMETER, "minProposalQuorum", str(quorum))
    return ledger


def submit(ledger: ContractLedger, parameter: str = "feeLowerBps", value: str = "4") -> str:
    """Have alice propose a value; return the proposal's id."""
    (event,) = ledger.do(SUBMIT_PROPOSAL, parameter, value, "Cheaper", actor="alice")
    assert isinstance(event, ProposalSubmitted)
    return event.proposal_id


def vote(ledger: ContractLedger, proposal_id: str, **ballots: str) -> None:
    """Have users vote."""
    for voter_id, ballot in ballots.items():
        ledger.do(VOTE_ON_PROPOSAL, proposal_id, ballot, actor=voter_id)


def later(ledger: ContractLedger, seconds: int = FORTNIGHT_S) -> None:
    """Let time pass on the ledger."""
    ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + seconds)


def found(ledger: ContractLedger, proposal_id: str) -> JsonObject:
    """Ask for a proposal."""
    return ledger.query("GovernanceContract:GetProposal", proposal_id)


def parameter(ledger: ContractLedger, name: str = "feeLowerBps") -> object:
    """Ask for a parameter's value."""
    return ledger.query("AdminContract:GetSystemParameter", name)["value"]


def test_a_proposal_is_open_for_fourteen_days() -> None:
    """It is listed under an id of parameter and command, without votes; nothing changes yet."""
    ledger = a_voting_ledger()
    now = ledger.ledger.now_s

    outcome = ledger.send(SUBMIT_PROPOSAL, "feeLowerBps", "4", "Cheaper", actor="alice")

    proposal_id = f"feeLowerBps~{outcome.command_id}"
    assert outcome.result == {"proposalId": proposal_id, "endsAt": now + FORTNIGHT_S}
    assert found(ledger, proposal_id) == {
        "proposalId": proposal_id,
        "targetParam": "feeLowerBps",
        "newValue": "4",
        "title": "Cheaper",
        "proposerId": "alice",
        "status": "Open",
        "submittedAt": now,
        "endsAt": now + FORTNIGHT_S,
        "tally": {"votesFor": 0, "votesAgainst": 0, "votesAbstain": 0},
    }
    assert parameter(ledger) == "5"


def test_a_carried_proposal_changes_the_parameter() -> None:
    """The event of the change follows that of the proposal, and fees follow the new value."""
    ledger = a_voting_ledger()
    give(ledger, "alice", coins(100))
    proposal_id = submit(ledger)
    vote(ledger, proposal_id, alice="FOR", bob="FOR", mum="AGAINST")
    later(ledger)

    executed, updated = ledger.do(EXECUTE_PROPOSAL, proposal_id)

    assert isinstance(executed, ProposalExecuted)
    assert executed.tally == Tally(votes_for=2, votes_against=1)
    assert isinstance(updated, SystemParameterUpdated)
    assert (updated.id, updated.old_value, updated.new_value) == ("feeLowerBps", "5", "4")
    assert (found(ledger, proposal_id)["status"], parameter(ledger)) == ("Executed", "4")
    (transfer,) = ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(10), "x")
    assert isinstance(transfer, CoinsTransferred)
    assert transfer.fee_rate_bps == 4


@pytest.mark.parametrize(
    ("ballots", "reason"),
    [
        ({"alice": "FOR", "bob": "FOR"}, RejectionReason.NO_QUORUM),
        ({}, RejectionReason.NO_QUORUM),
        ({"alice": "FOR", "bob": "AGAINST", "mum": "ABSTAIN"}, RejectionReason.NO_MAJORITY),
        (dict.fromkeys(VOTERS, "ABSTAIN"), RejectionReason.NO_MAJORITY),
        (dict.fromkeys(VOTERS, "AGAINST"), RejectionReason.NO_MAJORITY),
    ],
)
def test_what_is_not_carried_is_rejected(ballots: dict[str, str], reason: RejectionReason) -> None:
    """The decision is an effect, not a refusal: it says why, and the parameter stays."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    vote(ledger, proposal_id, **ballots)
    later(ledger)

    outcome = ledger.send(EXECUTE_PROPOSAL, proposal_id)

    assert outcome.result == {"status": "Rejected", "reason": reason}
    assert (found(ledger, proposal_id)["status"], parameter(ledger)) == ("Rejected", "5")


def test_who_abstains_counts_for_the_quorum_alone() -> None:
    """Two for it and one absent of opinion reach a quorum of three, and all decisive votes."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    vote(ledger, proposal_id, alice="FOR", bob="FOR", mum="ABSTAIN")
    later(ledger)

    assert isinstance(ledger.do(EXECUTE_PROPOSAL, proposal_id)[0], ProposalExecuted)


def test_sixty_per_cent_carry_and_less_do_not() -> None:
    """Three of five are enough; two of four are not."""
    ledger = a_voting_ledger()
    carried, missed = submit(ledger, value="4"), submit(ledger, value="3")
    vote(ledger, carried, alice="FOR", bob="FOR", mum="FOR", erin="AGAINST", fred="AGAINST")
    vote(ledger, missed, alice="FOR", bob="FOR", mum="AGAINST", erin="AGAINST")
    later(ledger)

    assert isinstance(ledger.do(EXECUTE_PROPOSAL, carried)[0], ProposalExecuted)
    assert isinstance(ledger.do(EXECUTE_PROPOSAL, missed)[0], ProposalRejected)


@given(
    votes_for=st.integers(0, 10**9),
    votes_against=st.integers(0, 10**9),
    votes_abstain=st.integers(0, 10**9),
    quorum=st.integers(1, 10**9),
)
def test_the_count_is_exact(
    votes_for: int, votes_against: int, votes_abstain: int, quorum: int
) -> None:
    """Carried if and only if the quorum is there, and 3/5 of the decisive votes are for it."""
    tally = Tally(votes_for=votes_for, votes_against=votes_against, votes_abstain=votes_abstain)
    is_carried = (
        votes_for + votes_against + votes_abstain >= quorum
        and votes_for > 0
        and 5 * votes_for >= 3 * (votes_for + votes_against)
    )

    assert (rejection_of(tally, quorum=quorum) is None) == is_carried


@given(st.lists(st.sampled_from(Ballot)))
def test_every_vote_is_counted_once(ballots: list[Ballot]) -> None:
    """The tally has as many votes of each kind as were cast."""
    tally = Tally()
    for ballot in ballots:
        tally = with_one_more(tally, ballot)

    assert tally.votes == len(ballots)
    assert tally.votes_for == ballots.count(Ballot.FOR)
    assert tally.votes_against == ballots.count(Ballot.AGAINST)


def test_an_actor_votes_once() -> None:
    """Neither the same nor another ballot is taken a second time; other voters are no hindrance."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)

    (event,) = ledger.do(VOTE_ON_PROPOSAL, proposal_id, "FOR", actor="alice")

    assert isinstance(event, VoteCast)
    for ballot in Ballot:
        again = ledger.refusal(VOTE_ON_PROPOSAL, proposal_id, ballot, actor="alice")
        assert again is R.ALREADY_VOTED
    vote(ledger, proposal_id, bob="AGAINST")
    tally = found(ledger, proposal_id)["tally"]
    assert tally == {"votesFor": 1, "votesAgainst": 1, "votesAbstain": 0}


def test_a_vote_can_be_asked_for() -> None:
    """Who voted, how and when; and who did not."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    vote(ledger, proposal_id, bob="AGAINST")
    known = {"proposalId": proposal_id}

    assert ledger.query("GovernanceContract:GetVote", proposal_id, "bob") == {
        **known, "voterId": "bob", "voted": True, "ballot": "AGAINST",
        "votedAt": ledger.ledger.now_s,
    }  # fmt: skip
    assert ledger.query("GovernanceContract:GetVote", proposal_id, "alice") == {
        **known, "voterId": "alice", "voted": False,
    }  # fmt: skip


def test_the_end_is_the_end_to_the_second() -> None:
    """One second before it votes are taken and nothing is decided; from it on the reverse."""
    ledger = a_voting_ledger(quorum=1)
    proposal_id = submit(ledger)
    later(ledger, FORTNIGHT_S - 1)

    assert ledger.refusal(EXECUTE_PROPOSAL, proposal_id) is R.VOTING_OPEN
    vote(ledger, proposal_id, alice="FOR")
    later(ledger, 1)
    assert ledger.refusal(VOTE_ON_PROPOSAL, proposal_id, "FOR", actor="bob") is R.VOTING_CLOSED
    ledger.do(EXECUTE_PROPOSAL, proposal_id)


def test_a_proposal_is_decided_once() -> None:
    """Executed or rejected, it stays so."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    later(ledger)
    ledger.do(EXECUTE_PROPOSAL, proposal_id)

    assert ledger.refusal(EXECUTE_PROPOSAL, proposal_id) is R.PROPOSAL_STATE
    assert ledger.refusal(VOTE_ON_PROPOSAL, proposal_id, "FOR", actor="bob") is R.VOTING_CLOSED


def test_the_same_is_proposed_once_at_a_time() -> None:
    """Until it is decided; another value of the parameter is another proposal."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    submit(ledger, value="3")

    again = ("feeLowerBps", "4", "Again")
    assert ledger.refusal(SUBMIT_PROPOSAL, *again, actor="alice") is R.PROPOSAL_EXISTS
    later(ledger)
    ledger.do(EXECUTE_PROPOSAL, proposal_id)
    assert submit(ledger) != proposal_id


def test_proposing_needs_trust_of_50_and_voting_none() -> None:
    """Bob, whom nobody vouches for, may vote on what he may not propose."""
    ledger = a_voting_ledger()

    refused = ledger.refusal(SUBMIT_PROPOSAL, "feeLowerBps", "4", "Mine", actor="bob")
    assert refused is R.TRUST_TOO_LOW
    vote(ledger, submit(ledger), bob="FOR")


def test_only_active_users_take_part() -> None:
    """Neither services without a user record nor locked users propose or vote."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    ledger.do(LOCK_USER, "alice", "x")
    proposing = (SUBMIT_PROPOSAL, "feeLowerBps", "3", "x")
    voting = (VOTE_ON_PROPOSAL, proposal_id, "FOR")

    for spec, *args in (proposing, voting):
        assert ledger.refusal(spec, *args, actor="alice") is R.USER_NOT_ACTIVE
        assert ledger.refusal(spec, *args, actor="a-service") is R.USER_NOT_FOUND
        root = ledger.refusal(spec, *args, actor="bob", role=LedgerRole.SUPER_ADMIN)
        assert root is R.ACTOR_MISMATCH


def test_who_registers_during_the_vote_may_vote() -> None:
    """There is no register of voters beside that of users."""
    ledger = a_voting_ledger()
    proposal_id = submit(ledger)
    ledger.do(CREATE_USER, "newcomer", a_hash(500), "US", "30")

    vote(ledger, proposal_id, newcomer="FOR")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("maxFee", "1", R.PARAMETER_UNKNOWN),
        ("feeLowerBps", "1001", R.PARAMETER_VALUE_INVALID),
        ("feeLowerBps", "-1", R.PARAMETER_VALUE_INVALID),
        ("feeLowerBps", "04", R.PARAMETER_VALUE_INVALID),
        ("feeLowerBps", "", R.PARAMETER_VALUE_INVALID),
    ],
)
def test_only_values_that_a_parameter_can_have_are_proposed(
    name: str, value: str, code: RefusalCode
) -> None:
    """The rule is that of UpdateSystemParameter."""
    ledger = a_voting_ledger()

    assert ledger.refusal(SUBMIT_PROPOSAL, name, value, "x", actor="alice") is code


def test_a_value_that_bounds_have_left_behind_is_rejected() -> None:
    """A carried proposal whose value newer code no longer allows is closed, not stuck."""
    ledger = a_voting_ledger(quorum=1)
    proposal_id = submit(ledger)
    vote(ledger, proposal_id, alice="FOR")
    key = f"proposal_{proposal_id}"
    version = ledger.ledger.state[key]
    assert ProposalRecord.from_text(version.value).new_value == "4"
    wider = version.value.replace('"newValue":"4"', '"newValue":"5000"')
    ledger.ledger.state[key] = type(version)(wider, version.written_by)
    later(ledger)

    outcome = ledger.send(EXECUTE_PROPOSAL, proposal_id)

    assert outcome.result == {"status": "Rejected", "reason": "VALUE_INVALID"}
    assert parameter(ledger) == "5"


def test_a_quorum_counts_as_it_is_at_the_decision() -> None:
    """A proposal about the quorum itself is judged by the old one."""
    ledger = a_voting_ledger(quorum=2)
    proposal_id = submit(ledger, "minProposalQuorum", "5")
    vote(ledger, proposal_id, alice="FOR", bob="FOR")
    later(ledger)

    ledger.do(EXECUTE_PROPOSAL, proposal_id)

    assert parameter(ledger, "minProposalQuorum") == "5"


def test_reads_of_what_is_absent_are_refused() -> None:
    """An unknown proposal has neither record nor votes."""
    ledger = a_voting_ledger()

    for function, *args in (("GetProposal", "feeLowerBps~x"), ("GetVote", "feeLowerBps~x", "bob")):
        refusal = ledger.query_refusal(f"GovernanceContract:{function}", *args)
        assert refusal is R.PROPOSAL_NOT_FOUND
