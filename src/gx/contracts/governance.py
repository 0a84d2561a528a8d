"""GovernanceContract: users propose other values for system parameters, and vote."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import actors, holders, keys, parameters, proposals, system
from gx.contracts.proposals import ProposalRecord
from gx.domain.arguments import Arguments
from gx.domain.catalogue import EXECUTE_PROPOSAL, SUBMIT_PROPOSAL, VOTE_ON_PROPOSAL
from gx.domain.codec import JsonObject
from gx.domain.economics import parse_parameter
from gx.domain.governance_events import (
    ProposalExecuted,
    ProposalRejected,
    ProposalSubmitted,
    VoteCast,
)
from gx.domain.identifiers import UserId
from gx.domain.owned_ids import ProposalId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.voting import (
    Ballot,
    ProposalStatus,
    RejectionReason,
    rejection_of,
    require_trusted_proposer,
    require_voting_open,
    require_voting_over,
)


def _keys_of_proposer(arguments: Mapping[str, str], actor: str) -> tuple[str, ...]:
    motion = keys.motion(arguments["targetParam"], arguments["newValue"])
    return keys.user(UserId(actor)), motion


def _keys_of_vote(arguments: Mapping[str, str], actor: str) -> tuple[str, ...]:
    proposal_id, voter_id = ProposalId(arguments["proposalId"]), UserId(actor)
    return keys.user(voter_id), keys.proposal(proposal_id), keys.vote(proposal_id, voter_id)


@submit(SUBMIT_PROPOSAL, keys=_keys_of_proposer)
def submit_proposal(context: Context, arguments: Arguments) -> Effect:
    """Propose another value for a parameter; votes count for 14 days from now.

    Raises:
        RefusedError: PARAMETER_UNKNOWN, PARAMETER_VALUE_INVALID, ACTOR_MISMATCH, USER_NOT_FOUND,
            USER_NOT_ACTIVE, TRUST_TOO_LOW or PROPOSAL_EXISTS.
    """
    parameter_id, new_value = arguments.text("targetParam"), arguments.text("newValue")
    parse_parameter(parameter_id, new_value)
    proposer_id = actors.acting_user(context)
    proposer = holders.require_active(context, proposer_id)
    require_trusted_proposer(proposer_id, proposer.trust_score)
    title = arguments.text("title")
    proposal_id, proposal = proposals.submit(
        context, parameter_id, new_value, title=title, proposer_id=proposer_id
    )
    event = ProposalSubmitted(
        timestamp=context.timestamp_s,
        proposal_id=proposal_id,
        proposer_id=proposer_id,
        target_param=parameter_id,
        new_value=new_value,
        title=title,
        ends_at=proposal.ends_at,
    )
    return Effect(events=(event,), result={"proposalId": proposal_id, "endsAt": proposal.ends_at})


@submit(VOTE_ON_PROPOSAL, keys=_keys_of_vote)
def vote_on_proposal(context: Context, arguments: Arguments) -> Effect:
    """Count the actor's vote: one for each active user, before the end.

    Raises:
        RefusedError: ACTOR_MISMATCH, USER_NOT_FOUND, USER_NOT_ACTIVE, PROPOSAL_NOT_FOUND,
            VOTING_CLOSED or ALREADY_VOTED.
    """
    proposal_id = ProposalId(arguments.text("proposalId"))
    voter_id, ballot = actors.acting_user(context), Ballot(arguments.text("ballot"))
    holders.require_active(context, voter_id)
    proposal = proposals.require(context, proposal_id)
    require_voting_open(context.timestamp_s, proposal.ends_at)
    proposals.vote(context, proposal_id, proposal, voter_id=voter_id, ballot=ballot)
    event = VoteCast(
        timestamp=context.timestamp_s, proposal_id=proposal_id, voter_id=voter_id, ballot=ballot
    )
    return Effect(events=(event,))


@submit(EXECUTE_PROPOSAL)
def execute_proposal(context: Context, arguments: Arguments) -> Effect:
    """Decide a proposal after its end: carried, it changes the parameter; else it is rejected.

    Raises:
        RefusedError: PROPOSAL_NOT_FOUND, PROPOSAL_STATE or VOTING_OPEN.
    """
    proposal_id = ProposalId(arguments.text("proposalId"))
    proposal = proposals.require(context, proposal_id)
    if proposal.status is not ProposalStatus.OPEN:
        raise RefusedError(
            RefusalCode.PROPOSAL_STATE, f"proposal {proposal_id} is {proposal.status} already"
        )
    require_voting_over(context.timestamp_s, proposal.ends_at)
    reason = _reason_to_reject(context, proposal_id, proposal)
    if reason is None:
        return _carry_out(context, proposal_id, proposal)
    return _reject(context, proposal_id, proposal, reason)


def _reason_to_reject(
    context: Context, proposal_id: ProposalId, proposal: ProposalRecord
) -> RejectionReason | None:
    """Ask the votes first; then whether the parameter may still have the value."""
    quorum = system.parameters(context)["minProposalQuorum"]
    if (reason := rejection_of(proposal.tally, quorum=quorum)) is not None:
        return reason
    try:
        parse_parameter(proposals.parameter_of(proposal_id), proposal.new_value)
    except RefusedError:
        return RejectionReason.VALUE_INVALID
    return None


def _carry_out(context: Context, proposal_id: ProposalId, proposal: ProposalRecord) -> Effect:
    parameter_id = proposals.parameter_of(proposal_id)
    updated = parameters.change(context, parameter_id, proposal.new_value)
    proposals.decide(context, proposal_id, proposal, ProposalStatus.EXECUTED)
    event = ProposalExecuted(
        timestamp=context.timestamp_s,
        proposal_id=proposal_id,
        target_param=parameter_id,
        new_value=proposal.new_value,
        tally=proposal.tally,
    )
    return Effect(events=(event, updated), result={"status": ProposalStatus.EXECUTED.value})


def _reject(
    context: Context,
    proposal_id: ProposalId,
    proposal: ProposalRecord,
    reason: RejectionReason,
) -> Effect:
    proposals.decide(context, proposal_id, proposal, ProposalStatus.REJECTED)
    event = ProposalRejected(
        timestamp=context.timestamp_s,
        proposal_id=proposal_id,
        target_param=proposals.parameter_of(proposal_id),
        reason=reason,
        tally=proposal.tally,
    )
    return Effect(
        events=(event,),
        result={"status": ProposalStatus.REJECTED.value, "reason": reason.value},
    )


@evaluate("GovernanceContract:GetProposal")
def get_proposal(context: Context, arguments: Arguments) -> JsonObject:
    """Return the proposal with its votes so far.

    Raises:
        RefusedError: PROPOSAL_NOT_FOUND.
    """
    proposal_id = ProposalId(arguments.text("proposalId"))
    proposal = proposals.require(context, proposal_id).to_wire()
    target = proposals.parameter_of(proposal_id)
    return {"proposalId": proposal_id, "targetParam": target, **proposal}


@evaluate("GovernanceContract:GetVote")
def get_vote(context: Context, arguments: Arguments) -> JsonObject:
    """Tell whether somebody has voted on a proposal, and how.

    Raises:
        RefusedError: PROPOSAL_NOT_FOUND.
    """
    proposal_id = ProposalId(arguments.text("proposalId"))
    voter_id = UserId(arguments.text("voterId"))
    proposals.require(context, proposal_id)
    vote = proposals.find_vote(context, proposal_id, voter_id)
    said: JsonObject = {} if vote is None else vote.to_wire()
    return {"proposalId": proposal_id, "voterId": voter_id, "voted": vote is not None, **said}
