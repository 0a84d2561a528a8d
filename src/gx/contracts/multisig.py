"""Payments that several must approve: counted, paid once, and final either way."""

from gx.chaincode.context import Context, Effect
from gx.contracts import organizations, payments
from gx.contracts.organizations import MultiSigRecord
from gx.domain.codec import JsonObject
from gx.domain.event_form import Event
from gx.domain.identifiers import AccountId, UserId
from gx.domain.organization_events import (
    GivenRule,
    MultiSigTxApproved,
    MultiSigTxExecuted,
    MultiSigTxFailed,
    MultiSigTxInitiated,
)
from gx.domain.organizations import AuthRule, MultiSigTxId, parse_multisig_tx_id
from gx.domain.refusals import RefusedError


def given(rule: AuthRule) -> GivenRule:
    """Tell a rule as events do."""
    return GivenRule(
        rule_id=rule.rule_id,
        amount_threshold=rule.amount_threshold,
        required_approvers=rule.required_approvers,
        approver_group=rule.approver_group,
    )


def initiate(context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord) -> Effect:
    """Write a new payment; pay it if it needs nobody else's approval."""
    organizations.write_payment(context, tx_id, payment)
    parts = parse_multisig_tx_id(tx_id)
    event = MultiSigTxInitiated(
        timestamp=context.timestamp_s,
        tx_id=tx_id,
        org_id=parts.org_id,
        to_id=parts.to_id,
        amount=payment.amount,
        remark=payment.remark,
        initiated_by=payment.initiated_by,
        rule=given(payment.rule),
        approvals=len(payment.approved_by),
    )
    return _pay_if_approved(context, tx_id, payment, event)


def approve(
    context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord, user_id: UserId
) -> Effect:
    """Add an approval; pay if it is the last one needed.

    Raises:
        RefusedError: MULTISIG_NOT_PENDING or ALREADY_APPROVED.
    """
    approved = organizations.approve(context, tx_id, payment, user_id)
    event = MultiSigTxApproved(
        timestamp=context.timestamp_s,
        tx_id=tx_id,
        org_id=parse_multisig_tx_id(tx_id).org_id,
        approver_id=user_id,
        approvals=len(approved.approved_by),
        required_approvers=approved.rule.required_approvers,
    )
    return _pay_if_approved(context, tx_id, approved, event)


def _pay_if_approved(
    context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord, event: Event
) -> Effect:
    if len(payment.approved_by) < payment.rule.required_approvers:
        return Effect(events=(event,), result=_result(tx_id, payment))
    settled, outcome = _pay(context, tx_id, payment)
    return Effect(events=(event, outcome), result=_result(tx_id, settled))


def _pay(
    context: Context, tx_id: MultiSigTxId, payment: MultiSigRecord
) -> tuple[MultiSigRecord, Event]:
    """Move the coins, or keep the reason why they did not move; nothing of a failure remains."""
    parts = parse_multisig_tx_id(tx_id)
    try:
        with context.state.nested():
            paid = payments.pay(context, AccountId(parts.org_id), parts.to_id, payment.amount)
    except RefusedError as refusal:
        failed = MultiSigTxFailed(
            timestamp=context.timestamp_s,
            tx_id=tx_id,
            org_id=parts.org_id,
            code=refusal.code.value,
            detail=refusal.detail,
        )
        return organizations.settle(context, tx_id, payment, refusal.code), failed
    executed = MultiSigTxExecuted(
        timestamp=context.timestamp_s,
        changes=paid.changes,
        tx_id=tx_id,
        org_id=parts.org_id,
        to_id=parts.to_id,
        amount=payment.amount,
        fee=paid.charged.fee,
        fee_rate_bps=paid.charged.fee_rate_bps,
        remark=payment.remark,
    )
    return organizations.settle(context, tx_id, payment, None), executed


def _result(tx_id: MultiSigTxId, payment: MultiSigRecord) -> JsonObject:
    return {
        "txId": tx_id,
        "status": payment.status.value,
        "approvals": len(payment.approved_by),
        "requiredApprovers": payment.rule.required_approvers,
    }
