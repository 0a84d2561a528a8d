"""OrganizationContract: what several people own, and pay only together."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import accounts, actors, holders, keys, multisig, organizations, users
from gx.contracts.organizations import MultiSigRecord, OrganizationRecord
from gx.domain.amounts import SUPPLY_CAP
from gx.domain.arguments import Arguments
from gx.domain.catalogue import (
    ACTIVATE_ORGANIZATION,
    APPROVE_MULTISIG_TX,
    DEFINE_AUTH_RULE,
    ENDORSE_MEMBERSHIP,
    INITIATE_MULTISIG_TX,
    PROPOSE_ORGANIZATION,
)
from gx.domain.codec import JsonObject
from gx.domain.events import AccountStatus
from gx.domain.identifiers import AccountId, UserId
from gx.domain.organization_arguments import (
    Rule,
    Rules,
    Stakeholders,
    require_other_account,
    require_rule_of_members,
    require_rules_of_stakeholders,
)
from gx.domain.organization_events import (
    AuthRuleDefined,
    MembershipEndorsed,
    OrganizationActivated,
    OrganizationProposed,
)
from gx.domain.organizations import (
    MultiSigParts,
    MultiSigStatus,
    MultiSigTxId,
    OrganizationId,
    OrganizationStatus,
    OrganizationType,
    multisig_tx_id,
    parse_multisig_tx_id,
    strictest_rule,
)
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountKind


def _keys_of_proposal(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    org_id = arguments["orgId"]
    stakeholders = Stakeholders().parse("stakeholders", arguments["stakeholders"])
    return (
        keys.organization(OrganizationId(org_id)),
        keys.account(AccountId(org_id)),
        *map(keys.user, stakeholders),
    )


def _keys_of_organization(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return (keys.organization(OrganizationId(arguments["orgId"])),)


def _keys_of_initiation(arguments: Mapping[str, str], actor: str) -> tuple[str, ...]:
    return (
        keys.organization(OrganizationId(arguments["orgId"])),
        keys.user(UserId(actor)),
        keys.account(AccountId(arguments["toId"])),
    )


def _keys_of_approval(arguments: Mapping[str, str], actor: str) -> tuple[str, ...]:
    parts = parse_multisig_tx_id(arguments["txId"])
    return (
        keys.multisig(MultiSigTxId(arguments["txId"])),
        keys.user(UserId(actor)),
        keys.account(AccountId(parts.org_id)),
        keys.account(parts.to_id),
    )


@submit(PROPOSE_ORGANIZATION, keys=_keys_of_proposal)
def propose_organization(context: Context, arguments: Arguments) -> Effect:
    """Write an organisation that its stakeholders have yet to endorse; open its account locked.

    One of them proposes it; a government an administrator.

    Raises:
        RefusedError: RULE_INVALID for a rule that asks a stranger, ACTOR_MISMATCH,
            NOT_A_STAKEHOLDER, ORGANIZATION_EXISTS (the id is anything's) or USER_NOT_FOUND.
    """
    org_id = OrganizationId(arguments.text("orgId"))
    require_rules_of_stakeholders(arguments.as_mapping())
    organization = OrganizationRecord(
        name=arguments.text("name"),
        type=OrganizationType(arguments.text("type")),
        status=OrganizationStatus.PROPOSED,
        stakeholders=Stakeholders().parse("stakeholders", arguments.text("stakeholders")),
        endorsed_by=(),
        rules=Rules().parse("rules", arguments.text("rules")),
        proposed_by=context.actor,
        proposed_at=context.timestamp_s,
    )
    if organization.type is not OrganizationType.GOVERNMENT:
        organizations.require_stake(org_id, organization, actors.acting_user(context))
    organizations.require_free(context, org_id)
    for stakeholder in organization.stakeholders:
        users.require(context, stakeholder)

    opened = accounts.open_account(
        context, AccountId(org_id), AccountKind.ORGANIZATION, status=AccountStatus.LOCKED
    )
    organizations.write(context, org_id, organization)
    event = OrganizationProposed(
        timestamp=context.timestamp_s,
        changes=(opened,),
        org_id=org_id,
        name=organization.name,
        type=organization.type,
        stakeholders=organization.stakeholders,
        rules=tuple(map(multisig.given, organization.rules)),
        proposed_by=context.actor,
    )
    return Effect(events=(event,), result={"orgId": org_id})


@submit(ENDORSE_MEMBERSHIP, keys=_keys_of_organization)
def endorse_membership(context: Context, arguments: Arguments) -> Effect:
    """Write that the acting stakeholder agrees to the organisation and its rules.

    Raises:
        RefusedError: ACTOR_MISMATCH, ORGANIZATION_NOT_FOUND, NOT_A_STAKEHOLDER,
            ORGANIZATION_STATE after activation, or ALREADY_ENDORSED.
    """
    org_id, user_id, held = _held_by_actor(context, arguments)
    organizations.require_status(org_id, held, OrganizationStatus.PROPOSED)
    endorsements = organizations.endorse(context, org_id, held, user_id)
    event = MembershipEndorsed(
        timestamp=context.timestamp_s,
        org_id=org_id,
        stakeholder_id=user_id,
        endorsements=endorsements,
        required_endorsements=len(held.stakeholders),
    )
    return Effect(events=(event,))


@submit(ACTIVATE_ORGANIZATION, keys=_keys_of_organization)
def activate_organization(context: Context, arguments: Arguments) -> Effect:
    """Let an organisation begin that all stakeholders have endorsed: its account may send.

    Raises:
        RefusedError: ACTOR_MISMATCH, ORGANIZATION_NOT_FOUND, NOT_A_STAKEHOLDER for who neither
            proposed it nor holds a stake, or ORGANIZATION_STATE.
    """
    user_id = actors.acting_user(context)
    org_id = OrganizationId(arguments.text("orgId"))
    held = organizations.require(context, org_id)
    if user_id != held.proposed_by:
        organizations.require_stake(org_id, held, user_id)
    organizations.require_status(org_id, held, OrganizationStatus.PROPOSED)
    organizations.activate(context, org_id, held)
    accounts.set_status(context, AccountId(org_id), AccountStatus.ACTIVE)
    event = OrganizationActivated(
        timestamp=context.timestamp_s,
        org_id=org_id,
        endorsements=len(held.endorsed_by),
        rule_ids=tuple(rule.rule_id for rule in held.rules),
    )
    return Effect(events=(event,))


@submit(DEFINE_AUTH_RULE, keys=_keys_of_organization)
def define_auth_rule(context: Context, arguments: Arguments) -> Effect:
    """Write that the acting stakeholder wants a rule; it counts once all of them want it.

    Raises:
        RefusedError: ACTOR_MISMATCH, ORGANIZATION_NOT_FOUND, NOT_A_STAKEHOLDER,
            ORGANIZATION_STATE before activation, RULE_INVALID or ALREADY_ENDORSED.
    """
    org_id, user_id, held = _held_by_actor(context, arguments)
    organizations.require_status(org_id, held, OrganizationStatus.ACTIVE)
    rule = Rule().parse("rule", arguments.text("rule"))
    require_rule_of_members("rule", rule, held.stakeholders)
    endorsements = organizations.endorse_rule(context, org_id, rule, user_id)
    is_effective = endorsements == len(held.stakeholders)
    event = AuthRuleDefined(
        timestamp=context.timestamp_s,
        org_id=org_id,
        rule=multisig.given(rule),
        endorsed_by=user_id,
        endorsements=endorsements,
        required_endorsements=len(held.stakeholders),
        is_effective=is_effective,
    )
    return Effect(events=(event,), result={"ruleId": rule.rule_id, "isEffective": is_effective})


@submit(INITIATE_MULTISIG_TX, keys=_keys_of_initiation)
def initiate_multisig_tx(context: Context, arguments: Arguments) -> Effect:
    """Write a payment that waits for its approvers; pay at once if the initiator's is enough.

    Whether the organisation can afford it is asked when it is paid.

    Raises:
        RefusedError: ACTOR_MISMATCH, ORGANIZATION_NOT_FOUND, NOT_A_STAKEHOLDER,
            USER_NOT_ACTIVE, ORGANIZATION_STATE, SELF_TRANSFER, ACCOUNT_NOT_FOUND,
            AMOUNT_OVERFLOW beyond all coins that may exist, or NO_MATCHING_RULE.
    """
    org_id, user_id, held = _held_by_actor(context, arguments)
    holders.require_active(context, user_id)
    organizations.require_status(org_id, held, OrganizationStatus.ACTIVE)
    require_other_account(arguments.as_mapping())
    to_id, amount = AccountId(arguments.text("toId")), arguments.amount("amount")
    if amount > SUPPLY_CAP:
        raise RefusedError(RefusalCode.AMOUNT_OVERFLOW, "so many coins can never exist")
    accounts.require(context, to_id)
    rule = strictest_rule(held.rules, amount)
    if rule is None:
        raise RefusedError(
            RefusalCode.NO_MATCHING_RULE, f"no rule of {org_id} covers {amount} base units"
        )
    tx_id = multisig_tx_id(MultiSigParts(org_id, to_id, context.command_id))
    payment = MultiSigRecord(
        amount=amount,
        remark=arguments.text("remark"),
        status=MultiSigStatus.PENDING,
        initiated_by=user_id,
        initiated_at=context.timestamp_s,
        rule=rule,
        approved_by=(user_id,) if user_id in rule.approver_group else (),
    )
    return multisig.initiate(context, tx_id, payment)


@submit(APPROVE_MULTISIG_TX, keys=_keys_of_approval)
def approve_multisig_tx(context: Context, arguments: Arguments) -> Effect:
    """Add the acting approver; pay once at the required count, or keep why that failed.

    Raises:
        RefusedError: ACTOR_MISMATCH, MULTISIG_NOT_FOUND, NOT_A_STAKEHOLDER, USER_NOT_ACTIVE,
            MULTISIG_NOT_PENDING or ALREADY_APPROVED.
    """
    user_id = actors.acting_user(context)
    tx_id = MultiSigTxId(arguments.text("txId"))
    payment = organizations.require_payment(context, tx_id)
    organizations.require_approver(tx_id, payment, user_id)
    # Who may not send may not let others send either.
    holders.require_active(context, user_id)
    return multisig.approve(context, tx_id, payment, user_id)


def _held_by_actor(
    context: Context, arguments: Arguments
) -> tuple[OrganizationId, UserId, OrganizationRecord]:
    """Return the organisation that the call names and in which the actor holds a stake."""
    user_id = actors.acting_user(context)
    org_id = OrganizationId(arguments.text("orgId"))
    held = organizations.require(context, org_id)
    organizations.require_stake(org_id, held, user_id)
    return org_id, user_id, held


@evaluate("OrganizationContract:GetOrganization")
def get_organization(context: Context, arguments: Arguments) -> JsonObject:
    """Return the organisation with its stakeholders, endorsements and rules that count.

    Raises:
        RefusedError: ORGANIZATION_NOT_FOUND.
    """
    org_id = OrganizationId(arguments.text("orgId"))
    return {"orgId": org_id, **organizations.require(context, org_id).to_wire()}


@evaluate("OrganizationContract:GetMultiSigTx")
def get_multisig_tx(context: Context, arguments: Arguments) -> JsonObject:
    """Return a payment with its rule and approvals.

    Raises:
        RefusedError: MULTISIG_NOT_FOUND.
    """
    tx_id = MultiSigTxId(arguments.text("txId"))
    parts = parse_multisig_tx_id(tx_id)
    payment = organizations.require_payment(context, tx_id).to_wire()
    return {"txId": tx_id, "orgId": parts.org_id, "toId": parts.to_id, **payment}
