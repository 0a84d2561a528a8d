"""Facts about votes on system parameters."""

from dataclasses import dataclass
from typing import ClassVar, Final

from gx.domain.event_form import Event
from gx.domain.identifiers import EpochSeconds, UserId
from gx.domain.owned_ids import ProposalId
from gx.domain.voting import Ballot, RejectionReason, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSubmitted(Event):
    """A user proposed another value for a system parameter; votes count until `ends_at`."""

    WIRE_NAME: ClassVar[str] = "ProposalSubmitted"

    proposal_id: ProposalId
    proposer_id: UserId
    target_param: str
    new_value: str
    title: str
    ends_at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCast(Event):
    """A user voted, once and for all."""

    WIRE_NAME: ClassVar[str] = "VoteCast"

    proposal_id: ProposalId
    voter_id: UserId
    ballot: Ballot


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalExecuted(Event):
    """A proposal was carried, and the parameter has its new value."""

    WIRE_NAME: ClassVar[str] = "ProposalExecuted"

    proposal_id: ProposalId
    target_param: str
    new_value: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRejected(Event):
    """A proposal was not carried; the parameter stays what it is."""

    WIRE_NAME: ClassVar[str] = "ProposalRejected"

    proposal_id: ProposalId
    target_param: str
    reason: RejectionReason
    tally: Tally


GOVERNANCE_EVENTS: Final = (ProposalSubmitted, VoteCast, ProposalExecuted, ProposalRejected)
