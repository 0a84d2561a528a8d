"""Votes on system parameters."""

from typing import Final

from gx.domain.arguments import Argument, ParameterName, Source, Text
from gx.domain.catalogue.vocabulary import USER_ID
from gx.domain.choices import Choice
from gx.domain.coherence import require_proposed_value
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import SystemParameterUpdated
from gx.domain.governance_events import (
    ProposalExecuted,
    ProposalRejected,
    ProposalSubmitted,
    VoteCast,
)
from gx.domain.owned_ids import OwnedIdentifier
from gx.domain.owned_scopes import proposing_scopes, voting_scopes
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, PARTNERS
from gx.domain.scopes import exclusive
from gx.domain.voting import Ballot

EXAMPLE_PROPOSAL: Final = "feeLowerBps~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6"

_PROPOSAL: Final = Argument(
    name="proposalId",
    kind=OwnedIdentifier(whose="parameter"),
    description="The proposal.",
    example=EXAMPLE_PROPOSAL,
)
_PROPOSAL_IN_PATH: Final = Argument(
    name="proposalId",
    kind=OwnedIdentifier(whose="parameter"),
    description="The proposal.",
    example=EXAMPLE_PROPOSAL,
    source=Source.PATH,
)

SUBMIT_PROPOSAL: Final = CommandSpec(
    wire_name="SUBMIT_PROPOSAL",
    area=Area.GOVERNANCE,
    function="GovernanceContract:SubmitProposal",
    path="/proposals",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(
            name="targetParam",
            kind=ParameterName(),
            description="The parameter to change.",
            example="feeLowerBps",
        ),
        Argument(
            name="newValue",
            kind=Text(
                maximum=40,
                invalid=RefusalCode.PARAMETER_VALUE_INVALID,
                empty=RefusalCode.PARAMETER_VALUE_INVALID,
            ),
            description="Its new value, a decimal string.",
            example="4",
        ),
        Argument(
            name="title",
            kind=Text(maximum=200),
            description="What it is about, for the voters.",
            example="Cheaper small transfers",
        ),
    ),
    scopes=proposing_scopes,
    events=(ProposalSubmitted,),
    read_models=("proposals",),
    refusals=(
        RefusalCode.PARAMETER_UNKNOWN,
        RefusalCode.PARAMETER_VALUE_INVALID,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.TRUST_TOO_LOW,
        RefusalCode.PROPOSAL_EXISTS,
    ),
    summary="Propose another value for a system parameter; votes are open for 14 days.",
    require_coherent=require_proposed_value,
)

VOTE_ON_PROPOSAL: Final = CommandSpec(
    wire_name="VOTE_ON_PROPOSAL",
    area=Area.GOVERNANCE,
    function="GovernanceContract:VoteOnProposal",
    path="/proposals/{proposalId}/vote",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        _PROPOSAL_IN_PATH,
        Argument(
            name="ballot",
            kind=Choice(words=tuple(Ballot)),
            description="For it, against it, or present without an opinion.",
            example="FOR",
        ),
    ),
    scopes=voting_scopes,
    events=(VoteCast,),
    read_models=("proposals",),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.PROPOSAL_NOT_FOUND,
        RefusalCode.VOTING_CLOSED,
        RefusalCode.ALREADY_VOTED,
    ),
    summary="Vote on a proposal: once, as a registered user, before its end.",
)

EXECUTE_PROPOSAL: Final = CommandSpec(
    wire_name="EXECUTE_PROPOSAL",
    area=Area.GOVERNANCE,
    function="GovernanceContract:ExecuteProposal",
    path="/proposals/{proposalId}/execute",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(_PROPOSAL_IN_PATH,),
    scopes=exclusive,
    events=(ProposalExecuted, SystemParameterUpdated, ProposalRejected),
    read_models=("proposals", "system_parameters"),
    refusals=(
        RefusalCode.PROPOSAL_NOT_FOUND,
        RefusalCode.PROPOSAL_STATE,
        RefusalCode.VOTING_OPEN,
    ),
    summary="Count the votes after the end: change the parameter, or reject the proposal.",
)

COMMANDS: Final = (SUBMIT_PROPOSAL, VOTE_ON_PROPOSAL, EXECUTE_PROPOSAL)

FUNCTIONS: Final = (
    FunctionSpec(
        function="GovernanceContract:GetProposal",
        arguments=(_PROPOSAL,),
        summary="One proposal's record with its votes so far.",
    ),
    FunctionSpec(
        function="GovernanceContract:GetVote",
        arguments=(
            _PROPOSAL,
            Argument(name="voterId", kind=USER_ID, description="Who voted.", example="alice"),
        ),
        summary="Whether somebody has voted on a proposal, and how.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="proposals", area=Area.GOVERNANCE, path="/proposals", access=Access.PUBLIC,
        read_models=("proposals",), summary="Every proposal, newest first.",
        parameters=("limit", "cursor"),
    ),
    QuerySpec(
        name="proposal", area=Area.GOVERNANCE, path="/proposals/{proposalId}",
        access=Access.PUBLIC, read_models=("proposals",),
        summary="One proposal with its votes so far.", absent=RefusalCode.PROPOSAL_NOT_FOUND,
    ),
)  # fmt: skip
