"""The rules of votes on system parameters, as data and pure functions."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gx.domain.codec import Record
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode, RefusedError

VOTING_S: Final = 14 * 86_400
"""How long a vote is open, by the ledger's time."""

MAJORITY_PERCENT: Final = 60
"""How many of the votes for and against must be for it; who abstains counts for the quorum."""

PROPOSER_TRUST_MIN: Final = 50


class Ballot(StrEnum):
    """What a voter says."""

    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"


class ProposalStatus(StrEnum):
    """How far a proposal has come. An open one waits for votes, and then for its decision."""

    OPEN = "Open"
    EXECUTED = "Executed"
    REJECTED = "Rejected"


class RejectionReason(StrEnum):
    """Why a proposal failed."""

    NO_QUORUM = "NO_QUORUM"
    NO_MAJORITY = "NO_MAJORITY"
    VALUE_INVALID = "VALUE_INVALID"
    """The parameter's bounds have become narrower since it was proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Record):
    """How many voted how."""

    votes_for: int = 0
    votes_against: int = 0
    votes_abstain: int = 0

    @property
    def votes(self) -> int:
        """How many voted at all."""
        return self.votes_for + self.votes_against + self.votes_abstain


def with_one_more(tally: Tally, ballot: Ballot) -> Tally:
    """Count one vote."""
    match ballot:
        case Ballot.FOR:
            return replace(tally, votes_for=tally.votes_for + 1)
        case Ballot.AGAINST:
            return replace(tally, votes_against=tally.votes_against + 1)
        case Ballot.ABSTAIN:
            return replace(tally, votes_abstain=tally.votes_abstain + 1)


def rejection_of(tally: Tally, *, quorum: int) -> RejectionReason | None:
    """Tell why these votes do not carry a proposal; None if they do."""
    if tally.votes < quorum:
        return RejectionReason.NO_QUORUM
    decisive = tally.votes_for + tally.votes_against
    if decisive == 0 or tally.votes_for * 100 < decisive * MAJORITY_PERCENT:
        return RejectionReason.NO_MAJORITY
    return None


def require_trusted_proposer(proposer: str, trust_score: int) -> None:
    """Refuse a proposal of somebody whom too few people vouch for.

    Raises:
        RefusedError: TRUST_TOO_LOW.
    """
    if trust_score < PROPOSER_TRUST_MIN:
        raise RefusedError(
            RefusalCode.TRUST_TOO_LOW,
            f"{proposer} has a trust score of {trust_score}; a proposal needs {PROPOSER_TRUST_MIN}",
        )


def require_voting_open(now: EpochSeconds, ends_at: EpochSeconds) -> None:
    """Refuse a vote that comes at the end or after it.

    Raises:
        RefusedError: VOTING_CLOSED.
    """
    if now >= ends_at:
        raise RefusedError(
            RefusalCode.VOTING_CLOSED, f"voting ended at {ends_at}, {now - ends_at} s ago"
        )


def require_voting_over(now: EpochSeconds, ends_at: EpochSeconds) -> None:
    """Refuse a decision that comes before the end.

    Raises:
        RefusedError: VOTING_OPEN.
    """
    if now < ends_at:
        raise RefusedError(
            RefusalCode.VOTING_OPEN, f"voting ends at {ends_at}, in {ends_at - now} s"
        )
