"""What facts about votes change in the read models."""

from typing import Final

from gx.domain.governance_events import (
    ProposalExecuted,
    ProposalRejected,
    ProposalSubmitted,
    VoteCast,
)
from gx.domain.voting import Ballot, ProposalStatus
from gx.projection.changes import Add, Change, Put, Row
from gx.projection.folding import Place, folds, post
from gx.projection.loan_models import PROPOSALS

_COLUMNS: Final = {
    Ballot.FOR: "votes_for",
    Ballot.AGAINST: "votes_against",
    Ballot.ABSTAIN: "votes_abstain",
}


def _put_proposal(proposal_id: str, values: Row) -> Put:
    return Put(model=PROPOSALS.name, key=(proposal_id,), values=values)


@folds(ProposalSubmitted)
def fold_proposal_submitted(event: ProposalSubmitted, place: Place) -> list[Change]:
    """List the proposal as open."""
    submitted: Row = {
        "target_param": event.target_param,
        "new_value": event.new_value,
        "title": event.title,
        "proposer_id": event.proposer_id,
        "status": ProposalStatus.OPEN.value,
        "submitted_at": event.timestamp,
        "ends_at": event.ends_at,
    }
    return [*post(event, place), _put_proposal(event.proposal_id, submitted)]


@folds(VoteCast)
def fold_vote_cast(event: VoteCast, place: Place) -> list[Change]:
    """Count the vote; who voted how is for the ledger to tell."""
    counted = Add(
        model=PROPOSALS.name, key=(event.proposal_id,), deltas={_COLUMNS[event.ballot]: 1}
    )
    return [*post(event, place), counted]


@folds(ProposalExecuted)
def fold_proposal_executed(event: ProposalExecuted, place: Place) -> list[Change]:
    """Close the proposal; the parameter's new value comes with SystemParameterUpdated."""
    executed: Row = {
        "status": ProposalStatus.EXECUTED.value,
        "decided_at": event.timestamp,
    }
    return [*post(event, place), _put_proposal(event.proposal_id, executed)]


@folds(ProposalRejected)
def fold_proposal_rejected(event: ProposalRejected, place: Place) -> list[Change]:
    """Close the proposal, and say why it failed."""
    rejected: Row = {
        "status": ProposalStatus.REJECTED.value,
        "reject_reason": event.reason.value,
        "decided_at": event.timestamp,
    }
    return [*post(event, place), _put_proposal(event.proposal_id, rejected)]
