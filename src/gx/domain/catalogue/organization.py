"""Organisations: proposal, endorsement, rules, and payments that several must approve."""

from collections.abc import Mapping
from typing import Final

from gx.domain.arguments import Argument, PositiveAmount, Source, Text
from gx.domain.catalogue.vocabulary import ACCOUNT_ID, NEW_USER_ID, REMARK, USER_ID
from gx.domain.choices import Choice
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.organization_arguments import (
    MultiSigTxReference,
    Rule,
    Rules,
    Stakeholders,
    require_other_account,
    require_rules_of_stakeholders,
)
from gx.domain.organization_events import (
    AuthRuleDefined,
    MembershipEndorsed,
    MultiSigTxApproved,
    MultiSigTxExecuted,
    MultiSigTxFailed,
    MultiSigTxInitiated,
    OrganizationActivated,
    OrganizationProposed,
)
from gx.domain.organization_scopes import (
    activation_scopes,
    approval_scopes,
    initiation_scopes,
    membership_scopes,
    proposal_scopes,
)
from gx.domain.organizations import OrganizationType
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, PARTNERS, LedgerRole

_EXAMPLE_TX: Final = "acme~bob~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6"
_ORGANIZATION: Final = Argument(
    name="orgId", kind=USER_ID, description="The organisation.", example="acme"
)
_ORGANIZATION_IN_PATH: Final = Argument(
    name="orgId",
    kind=USER_ID,
    description="The organisation.",
    example="acme",
    source=Source.PATH,
)


def _proposing_roles(arguments: Mapping[str, str]) -> frozenset[LedgerRole]:
    """Let administrators alone propose a government."""
    is_government = arguments["type"] == OrganizationType.GOVERNMENT
    return ADMINS if is_government else PARTNERS | ADMINS


PROPOSE_ORGANIZATION: Final = CommandSpec(
    wire_name="PROPOSE_ORGANIZATION",
    area=Area.ORGANIZATION,
    function="OrganizationContract:ProposeOrganization",
    path="/organizations",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    roles_by_arguments=_proposing_roles,
    arguments=(
        Argument(
            name="orgId",
            kind=NEW_USER_ID,
            description="The new id; the organisation's account bears it too.",
            example="acme",
        ),
        Argument(name="name", kind=Text(maximum=200), description="Its name.", example="Acme Ltd"),
        Argument(
            name="type",
            kind=Choice(words=tuple(OrganizationType)),
            description="What it is for; a GOVERNMENT needs an administrator.",
            example="BUSINESS",
        ),
        Argument(
            name="stakeholders",
            kind=Stakeholders(),
            description="Who must endorse it: 2 to 20 users.",
            example=["alice", "bob", "carol"],
        ),
        Argument(
            name="rules",
            kind=Rules(),
            description="Who must approve payments, endorsed together with the organisation.",
            example=[
                {
                    "amountThreshold": "0",
                    "requiredApprovers": 2,
                    "approverGroup": ["alice", "bob", "carol"],
                }
            ],
        ),
    ),
    scopes=proposal_scopes,
    events=(OrganizationProposed,),
    read_models=("organizations", "organization_members", "organization_rules", "accounts"),
    refusals=(
        RefusalCode.ROLE_REQUIRED,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.RULE_INVALID,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.ORGANIZATION_EXISTS,
        RefusalCode.USER_NOT_FOUND,
    ),
    summary="Propose an organisation with its stakeholders and rules; open its account.",
    require_coherent=require_rules_of_stakeholders,
)

ENDORSE_MEMBERSHIP: Final = CommandSpec(
    wire_name="ENDORSE_MEMBERSHIP",
    area=Area.ORGANIZATION,
    function="OrganizationContract:EndorseMembership",
    path="/organizations/{orgId}/endorse",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(_ORGANIZATION_IN_PATH,),
    scopes=membership_scopes,
    events=(MembershipEndorsed,),
    read_models=("organization_members",),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.ORGANIZATION_NOT_FOUND,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.ORGANIZATION_STATE,
        RefusalCode.ALREADY_ENDORSED,
    ),
    summary="Agree, as a stakeholder, to a proposed organisation and its rules.",
)

ACTIVATE_ORGANIZATION: Final = CommandSpec(
    wire_name="ACTIVATE_ORGANIZATION",
    area=Area.ORGANIZATION,
    function="OrganizationContract:ActivateOrganization",
    path="/organizations/{orgId}/activate",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(_ORGANIZATION_IN_PATH,),
    scopes=activation_scopes,
    events=(OrganizationActivated,),
    read_models=("organizations", "accounts"),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.ORGANIZATION_NOT_FOUND,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.ORGANIZATION_STATE,
    ),
    summary="Let an organisation that every stakeholder has endorsed begin.",
)

DEFINE_AUTH_RULE: Final = CommandSpec(
    wire_name="DEFINE_AUTH_RULE",
    area=Area.ORGANIZATION,
    function="OrganizationContract:DefineAuthRule",
    path="/organizations/{orgId}/rules",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        _ORGANIZATION_IN_PATH,
        Argument(
            name="rule",
            kind=Rule(),
            description="The rule; it counts once every stakeholder has defined the same one.",
            example={
                "amountThreshold": "100000000000",
                "requiredApprovers": 3,
                "approverGroup": ["alice", "bob", "carol"],
            },
        ),
    ),
    scopes=membership_scopes,
    events=(AuthRuleDefined,),
    read_models=("organization_rules",),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.ORGANIZATION_NOT_FOUND,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.ORGANIZATION_STATE,
        RefusalCode.RULE_INVALID,
        RefusalCode.ALREADY_ENDORSED,
    ),
    summary="Want a further rule, or endorse the same one; the last stakeholder makes it count.",
)

INITIATE_MULTISIG_TX: Final = CommandSpec(
    wire_name="INITIATE_MULTISIG_TX",
    area=Area.ORGANIZATION,
    function="OrganizationContract:InitiateMultiSigTx",
    path="/organizations/{orgId}/transactions",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        _ORGANIZATION_IN_PATH,
        Argument(name="toId", kind=ACCOUNT_ID, description="Who receives.", example="bob"),
        Argument(
            name="amount", kind=PositiveAmount(), description="Base units.", example="150000000"
        ),
        Argument(name="remark", kind=REMARK, description="What for.", example="Rent"),
    ),
    scopes=initiation_scopes,
    events=(MultiSigTxInitiated, MultiSigTxExecuted, MultiSigTxFailed),
    read_models=("multisig_transactions", "multisig_approvals", "accounts", "account_entries"),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.REMARK_EMPTY,
        RefusalCode.SELF_TRANSFER,
        RefusalCode.ORGANIZATION_NOT_FOUND,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.ORGANIZATION_STATE,
        RefusalCode.ACCOUNT_NOT_FOUND,
        RefusalCode.NO_MATCHING_RULE,
    ),
    summary="Want an organisation to pay; its strictest matching rule says who must approve.",
    require_coherent=require_other_account,
)

APPROVE_MULTISIG_TX: Final = CommandSpec(
    wire_name="APPROVE_MULTISIG_TX",
    area=Area.ORGANIZATION,
    function="OrganizationContract:ApproveMultiSigTx",
    path="/transactions/{txId}/approve",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(
            name="txId",
            kind=MultiSigTxReference(),
            description="The payment.",
            example=_EXAMPLE_TX,
            source=Source.PATH,
        ),
    ),
    scopes=approval_scopes,
    events=(MultiSigTxApproved, MultiSigTxExecuted, MultiSigTxFailed),
    read_models=("multisig_transactions", "multisig_approvals", "accounts", "account_entries"),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.MULTISIG_NOT_FOUND,
        RefusalCode.NOT_A_STAKEHOLDER,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.MULTISIG_NOT_PENDING,
        RefusalCode.ALREADY_APPROVED,
    ),
    summary="Approve an organisation's payment; the last approval needed pays, once.",
)

COMMANDS: Final = (
    PROPOSE_ORGANIZATION,
    ENDORSE_MEMBERSHIP,
    ACTIVATE_ORGANIZATION,
    DEFINE_AUTH_RULE,
    INITIATE_MULTISIG_TX,
    APPROVE_MULTISIG_TX,
)

FUNCTIONS: Final = (
    FunctionSpec(
        function="OrganizationContract:GetOrganization",
        arguments=(_ORGANIZATION,),
        summary="One organisation with its stakeholders, endorsements and rules.",
    ),
    FunctionSpec(
        function="OrganizationContract:GetMultiSigTx",
        arguments=(
            Argument(
                name="txId",
                kind=MultiSigTxReference(),
                description="The payment.",
                example=_EXAMPLE_TX,
            ),
        ),
        summary="One payment of an organisation with its approvals.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="organization", area=Area.ORGANIZATION, path="/organizations/{orgId}",
        access=Access.USER,
        read_models=("organizations", "organization_members", "organization_rules"),
        summary="One organisation with its stakeholders and rules, for its stakeholders.",
        organization_parameter="orgId", absent=RefusalCode.ORGANIZATION_NOT_FOUND,
    ),
    QuerySpec(
        name="pending_transactions", area=Area.ORGANIZATION,
        path="/organizations/{orgId}/transactions/pending", access=Access.USER,
        read_models=("multisig_transactions", "multisig_approvals"),
        summary="An organisation's payments that wait for approvals, for its stakeholders.",
        organization_parameter="orgId", parameters=("limit", "cursor"),
        absent=RefusalCode.ORGANIZATION_NOT_FOUND,
    ),
    QuerySpec(
        name="multisig_transaction", area=Area.ORGANIZATION, path="/transactions/{txId}",
        access=Access.USER, read_models=("multisig_transactions", "multisig_approvals"),
        summary="One payment of an organisation, for its stakeholders.",
        organization_parameter="txId", absent=RefusalCode.MULTISIG_NOT_FOUND,
    ),
)  # fmt: skip
