"""Proposals and votes: the one module that writes their records."""

from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.codec import Record
from gx.domain.identifiers import EpochSeconds, UserId
from gx.domain.owned_ids import ProposalId, owned_id, owner_of
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.voting import VOTING_S, Ballot, ProposalStatus, Tally, with_one_more


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord(Record):
    """A proposal to give a parameter, which its id names, another value."""

    new_value: str
    title: str
    proposer_id: UserId
    status: ProposalStatus
    submitted_at: EpochSeconds
    ends_at: EpochSeconds
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRecord(Record):
    """What one user said about one proposal."""

    ballot: Ballot
    voted_at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionRecord(Record):
    """Which proposal about a parameter and value is open."""

    proposal_id: ProposalId


def parameter_of(proposal_id: ProposalId) -> str:
    """Name the parameter that the proposal is about."""
    return owner_of(proposal_id)


def require(context: Context, proposal_id: ProposalId) -> ProposalRecord:
    """Return the proposal.

    Raises:
        RefusedError: PROPOSAL_NOT_FOUND.
    """
    proposal = context.state.find(keys.proposal(proposal_id), ProposalRecord)
    if proposal is None:
        raise RefusedError(RefusalCode.PROPOSAL_NOT_FOUND, f"there is no proposal {proposal_id}")
    return proposal


def find_vote(context: Context, proposal_id: ProposalId, voter_id: UserId) -> VoteRecord | None:
    """Return what the user said, None if the user has not voted."""
    return context.state.find(keys.vote(proposal_id, voter_id), VoteRecord)


def submit(
    context: Context, parameter_id: str, new_value: str, *, title: str, proposer_id: UserId
) -> tuple[ProposalId, ProposalRecord]:
    """Open a proposal; its id follows from the parameter and the command.

    Raises:
        RefusedError: PROPOSAL_EXISTS, the same is proposed already and not yet decided.
    """
    motion = keys.motion(parameter_id, new_value)
    same = context.state.find(motion, MotionRecord)
    if same is not None:
        raise RefusedError(
            RefusalCode.PROPOSAL_EXISTS, f"{same.proposal_id} proposes the same and is open"
        )
    proposal = ProposalRecord(
        new_value=new_value,
        title=title,
        proposer_id=proposer_id,
        status=ProposalStatus.OPEN,
        submitted_at=context.timestamp_s,
        ends_at=EpochSeconds(context.timestamp_s + VOTING_S),
        tally=Tally(),
    )
    proposal_id = ProposalId(owned_id(parameter_id, context.command_id))
    context.state.put(keys.proposal(proposal_id), proposal)
    context.state.put(motion, MotionRecord(proposal_id=proposal_id))
    return proposal_id, proposal


def vote(
    context: Context,
    proposal_id: ProposalId,
    proposal: ProposalRecord,
    *,
    voter_id: UserId,
    ballot: Ballot,
) -> None:
    """Record and count a user's vote.

    Raises:
        RefusedError: ALREADY_VOTED.
    """
    if find_vote(context, proposal_id, voter_id) is not None:
        raise RefusedError(
            RefusalCode.ALREADY_VOTED, f"{voter_id} has voted on {proposal_id} already"
        )
    cast = VoteRecord(ballot=ballot, voted_at=context.timestamp_s)
    context.state.put(keys.vote(proposal_id, voter_id), cast)
    counted = replace(proposal, tally=with_one_more(proposal.tally, ballot))
    context.state.put(keys.proposal(proposal_id), counted)


def decide(
    context: Context, proposal_id: ProposalId, proposal: ProposalRecord, status: ProposalStatus
) -> None:
    """Close an open proposal; the same may be proposed again."""
    context.state.put(keys.proposal(proposal_id), replace(proposal, status=status))
    context.state.delete(keys.motion(parameter_of(proposal_id), proposal.new_value))
