"""What facts about organisations change in the read models."""

from gx.domain.codec import JsonValue, encode
from gx.domain.event_form import AccountStatus
from gx.domain.identifiers import AccountId, EpochSeconds
from gx.domain.organization_events import (
    AuthRuleDefined,
    GivenRule,
    MembershipEndorsed,
    MultiSigTxApproved,
    MultiSigTxExecuted,
    MultiSigTxFailed,
    MultiSigTxInitiated,
    OrganizationActivated,
    OrganizationProposed,
)
from gx.domain.organizations import MultiSigStatus, OrganizationId, OrganizationStatus
from gx.domain.world_state import AccountKind
from gx.projection.changes import Change, Put, Row, Value
from gx.projection.folding import Place, folds, post, put_account
from gx.projection.organization_models import (
    MULTISIG_APPROVALS,
    MULTISIG_TRANSACTIONS,
    ORGANIZATION_MEMBERS,
    ORGANIZATION_RULES,
    ORGANIZATIONS,
)
from gx.projection.read_models import EntryKind


@folds(OrganizationProposed)
def fold_organization_proposed(event: OrganizationProposed, place: Place) -> list[Change]:
    """List the organisation with its stakeholders and rules; open its account locked."""
    values: Row = {
        "name": event.name,
        "type": event.type.value,
        "status": OrganizationStatus.PROPOSED.value,
        "proposed_by": event.proposed_by,
        "proposed_at": event.timestamp,
    }
    locked = put_account(
        event.org_id, kind=AccountKind.ORGANIZATION.value, status=AccountStatus.LOCKED.value
    )
    return [
        *post(event, place),
        locked,
        Put(model=ORGANIZATIONS.name, key=(event.org_id,), values=values),
        *(_put_member(event.org_id, member, None) for member in event.stakeholders),
        *(_put_rule(event.org_id, rule, 0, None) for rule in event.rules),
    ]


@folds(MembershipEndorsed)
def fold_membership_endorsed(event: MembershipEndorsed, place: Place) -> list[Change]:
    """Say since when the stakeholder agrees."""
    endorsed = _put_member(event.org_id, event.stakeholder_id, event.timestamp)
    return [*post(event, place), endorsed]


@folds(OrganizationActivated)
def fold_organization_activated(event: OrganizationActivated, place: Place) -> list[Change]:
    """Let the organisation and its account work; every rule of the proposal counts now."""
    values: Row = {
        "status": OrganizationStatus.ACTIVE.value,
        "activated_at": event.timestamp,
    }
    return [
        *post(event, place),
        Put(model=ORGANIZATIONS.name, key=(event.org_id,), values=values),
        put_account(event.org_id, status=AccountStatus.ACTIVE.value),
        *(_put_effective(event, rule_id) for rule_id in event.rule_ids),
    ]


def _put_effective(event: OrganizationActivated, rule_id: str) -> Put:
    values: Row = {"endorsements": event.endorsements, "effective_at": event.timestamp}
    return Put(model=ORGANIZATION_RULES.name, key=(event.org_id, rule_id), values=values)


@folds(AuthRuleDefined)
def fold_auth_rule_defined(event: AuthRuleDefined, place: Place) -> list[Change]:
    """List the rule with those who want it; it counts once all do."""
    effective_at = event.timestamp if event.is_effective else None
    rule = _put_rule(event.org_id, event.rule, event.endorsements, effective_at)
    return [*post(event, place), rule]


@folds(MultiSigTxInitiated)
def fold_multisig_tx_initiated(event: MultiSigTxInitiated, place: Place) -> list[Change]:
    """List the payment, and the initiator's approval if it counts."""
    values: Row = {
        "org_id": event.org_id,
        "to_id": event.to_id,
        "amount": event.amount,
        "remark": event.remark,
        "status": MultiSigStatus.PENDING.value,
        "required_approvers": event.rule.required_approvers,
        "approver_group": _group(event.rule),
        "approvals": event.approvals,
        "initiated_by": event.initiated_by,
        "initiated_at": event.timestamp,
    }
    changes = [*post(event, place), _put_payment(event.tx_id, **values)]
    if event.approvals:
        changes.append(_put_approval(event.tx_id, event.initiated_by, event.timestamp))
    return changes


@folds(MultiSigTxApproved)
def fold_multisig_tx_approved(event: MultiSigTxApproved, place: Place) -> list[Change]:
    """Count the approval."""
    return [
        *post(event, place),
        _put_payment(event.tx_id, approvals=event.approvals),
        _put_approval(event.tx_id, event.approver_id, event.timestamp),
    ]


@folds(MultiSigTxExecuted)
def fold_multisig_tx_executed(event: MultiSigTxExecuted, place: Place) -> list[Change]:
    """Move the coins, and say that it is final."""
    parties = (AccountId(event.org_id), event.to_id)
    return [
        *post(event, place, EntryKind.MULTISIG, parties=parties, remark=event.remark),
        _put_payment(
            event.tx_id,
            status=MultiSigStatus.EXECUTED.value,
            fee=event.fee,
            settled_at=event.timestamp,
        ),
    ]


@folds(MultiSigTxFailed)
def fold_multisig_tx_failed(event: MultiSigTxFailed, place: Place) -> list[Change]:
    """Say why no coin moved, and that it is final."""
    failed = _put_payment(
        event.tx_id,
        status=MultiSigStatus.EXECUTION_FAILED.value,
        failure_code=event.code,
        failure_detail=event.detail,
        settled_at=event.timestamp,
    )
    return [*post(event, place), failed]


def _group(rule: GivenRule) -> str:
    return encode(list[JsonValue](rule.approver_group))


def _put_member(org_id: OrganizationId, user_id: str, endorsed_at: EpochSeconds | None) -> Put:
    values: Row = {"endorsed_at": endorsed_at}
    return Put(model=ORGANIZATION_MEMBERS.name, key=(org_id, user_id), values=values)


def _put_rule(
    org_id: OrganizationId, rule: GivenRule, endorsements: int, effective_at: EpochSeconds | None
) -> Put:
    values: Row = {
        "amount_threshold": rule.amount_threshold,
        "required_approvers": rule.required_approvers,
        "approver_group": _group(rule),
        "endorsements": endorsements,
        "effective_at": effective_at,
    }
    return Put(model=ORGANIZATION_RULES.name, key=(org_id, rule.rule_id), values=values)


def _put_payment(tx_id: str, **values: Value) -> Put:
    return Put(model=MULTISIG_TRANSACTIONS.name, key=(tx_id,), values=values)


def _put_approval(tx_id: str, user_id: str, approved_at: EpochSeconds) -> Put:
    values: Row = {"approved_at": approved_at}
    return Put(model=MULTISIG_APPROVALS.name, key=(tx_id, user_id), values=values)
