"""Organisations, their rules and payments: the one module that writes their records."""

from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import accounts, keys
from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.identifiers import AccountId, EpochSeconds, UserId
from gx.domain.organizations import (
    RULES_MAX,
    AuthRule,
    MultiSigStatus,
    MultiSigTxId,
    OrganizationId,
    OrganizationStatus,
    OrganizationType,
)
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord(Record):
    """An organisation. `rules` are those that count; they do so from activation on."""

    name: str
    type: OrganizationType
    status: OrganizationStatus
    stakeholders: tuple[UserId, ...]
    endorsed_by: tuple[UserId, ...]
    rules: tuple[AuthRule, ...]
    proposed_by: str
    proposed_at: EpochSeconds
    activated_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord(Record):
    """A rule that some stakeholders want, and who they are."""

    endorsed_by: tuple[UserId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigRecord(Record):
    """A payment of an organisation. `rule` is the one that was strictest when it was initiated.

    `settled_at` is set once it is final, `failure` if no coin moved.
    """

    amount: Amount
    remark: str
    status: MultiSigStatus
    initiated_by: UserId
    initiated_at: EpochSeconds
    rule: AuthRule
    approved_by: tuple[UserId, ...]
    settled_at: EpochSeconds | None = None
    failure: str | None = None


def find(context: Context, org_id: OrganizationId) -> OrganizationRecord | None:
    """Return the organisation, None without one."""
    return context.state.find(keys.organization(org_id), OrganizationRecord)


def require(context: Context, org_id: OrganizationId) -> OrganizationRecord:
    """Return the organisation.

    Raises:
        RefusedError: ORGANIZATION_NOT_FOUND.
    """
    organization = find(context, org_id)
    if organization is None:
        raise RefusedError(RefusalCode.ORGANIZATION_NOT_FOUND, f"there is no organisation {org_id}")
    return organization


def require_stake(org_id: OrganizationId, held: OrganizationRecord, user_id: UserId) -> None:
    """Refuse somebody who holds no stake.

    Raises:
        RefusedError: NOT_A_STAKEHOLDER.
    """
    if user_id not in held.stakeholders:
        raise RefusedError(
            RefusalCode.NOT_A_STAKEHOLDER, f"{user_id} is no stakeholder of {org_id}"
        )


def require_status(
    org_id: OrganizationId, held: OrganizationRecord, status: OrganizationStatus
) -> None:
    """Refuse an organisation in another state.

    Raises:
        RefusedError: ORGANIZATION_STATE.
    """
    if held.status is not status:
        raise RefusedError(
            RefusalCode.ORGANIZATION_STATE, f"{org_id} is {held.status}, not {status}"
        )


def write(context: Context, org_id: OrganizationId, organization: OrganizationRecord) -> None:
    """Write the organisation."""
    context.state.put(keys.organization(org_id), organization)


def endorse(
    context: Context, org_id: OrganizationId, held: OrganizationRecord, user_id: UserId
) -> int:
    """Add the stakeholder's endorsement; return how many there are.

    Raises:
        RefusedError: ALREADY_ENDORSED.
    """
    if user_id in held.endorsed_by:
        raise RefusedError(RefusalCode.ALREADY_ENDORSED, f"{user_id} has endorsed {org_id} already")
    endorsed_by = (*held.endorsed_by, user_id)
    write(context, org_id, replace(held, endorsed_by=endorsed_by))
    return len(endorsed_by)


def activate(context: Context, org_id: OrganizationId, held: OrganizationRecord) -> None:
    """Let the organisation begin.

    Raises:
        RefusedError: ORGANIZATION_STATE, somebody has not endorsed it.
    """
    missing = sorted(set(held.stakeholders).difference(held.endorsed_by))
    if missing:
        raise RefusedError(
            RefusalCode.ORGANIZATION_STATE,
            f"{org_id} waits for the endorsement of {', '.join(missing)}",
        )
    active = replace(held, status=OrganizationStatus.ACTIVE, activated_at=context.timestamp_s)
    write(context, org_id, active)


def endorse_rule(context: Context, org_id: OrganizationId, rule: AuthRule, user_id: UserId) -> int:
    """Add the stakeholder to those who want the rule; the last of them makes it count.

    Returns how many want it.

    Raises:
        RefusedError: ALREADY_ENDORSED; RULE_INVALID if it counts already, or if the organisation
            has as many rules as it may.
    """
    held = require(context, org_id)
    if rule in held.rules:
        raise RefusedError(RefusalCode.RULE_INVALID, f"{org_id} has this rule already")
    if len(held.rules) >= RULES_MAX:
        raise RefusedError(RefusalCode.RULE_INVALID, f"{org_id} has {RULES_MAX} rules already")
    key = keys.auth_rule(org_id, rule.rule_id)
    wanted = context.state.find(key, RuleRecord) or RuleRecord(endorsed_by=())
    if user_id in wanted.endorsed_by:
        raise RefusedError(
            RefusalCode.ALREADY_ENDORSED, f"{user_id} wants rule {rule.rule_id} already"
        )
    endorsed_by = (*wanted.endorsed_by, user_id)
    context.state.put(key, RuleRecord(endorsed_by=endorsed_by))
    if len(endorsed_by) == len(held.stakeholders):
        write(context, org_id, replace(held, rules=(*held.rules, rule)))
    return len(endorsed_by)


def require_payment(context: Context, tx_id: MultiSigTxId) -> MultiSigRecord:
    """Return the payment.

    Raises:
        RefusedError: MULTISIG_NOT_FOUND.
    """
    payment = context.state.find(keys.multisig(tx_id), MultiSigRecord)
    if payment is None:
        raise RefusedError(RefusalCode.MULTISIG_NOT_FOUND, f"there is no payment {tx_id}")
    return payment


def write_payment(context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord) -> None:
    """Write a payment that waits for approvals."""
    context.state.put(keys.multisig(tx_id), payment)


def require_approver(tx_id: MultiSigTxId, payment: MultiSigRecord, user_id: UserId) -> None:
    """Refuse somebody outside the group of the payment's rule.

    Raises:
        RefusedError: NOT_A_STAKEHOLDER.
    """
    if user_id not in payment.rule.approver_group:
        raise RefusedError(
            RefusalCode.NOT_A_STAKEHOLDER, f"{user_id} is not among the approvers of {tx_id}"
        )


def approve(
    context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord, user_id: UserId
) -> MultiSigRecord:
    """Add an approval and return the payment with it.

    Raises:
        RefusedError: MULTISIG_NOT_PENDING once it is final, or ALREADY_APPROVED.
    """
    if payment.status is not MultiSigStatus.PENDING:
        raise RefusedError(RefusalCode.MULTISIG_NOT_PENDING, f"{tx_id} is {payment.status}")
    if user_id in payment.approved_by:
        raise RefusedError(RefusalCode.ALREADY_APPROVED, f"{user_id} has approved {tx_id} already")
    approved = replace(payment, approved_by=(*payment.approved_by, user_id))
    write_payment(context, tx_id, approved)
    return approved


def settle(
    context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord, failure: RefusalCode | None
) -> MultiSigRecord:
    """Make the payment final: executed, or failed with this code."""
    is_paid = failure is None
    settled = replace(
        payment,
        status=MultiSigStatus.EXECUTED if is_paid else MultiSigStatus.EXECUTION_FAILED,
        settled_at=context.timestamp_s,
        failure=None if failure is None else failure.value,
    )
    write_payment(context, tx_id, settled)
    return settled


def require_free(context: Context, org_id: OrganizationId) -> None:
    """Refuse an id that something has already: organisation, user, or anybody's wallet.

    Raises:
        RefusedError: ORGANIZATION_EXISTS.
    """
    is_taken = find(context, org_id) is not None
    if is_taken or accounts.find(context, AccountId(org_id)) is not None:
        raise RefusedError(RefusalCode.ORGANIZATION_EXISTS, f"the id {org_id} is taken")
