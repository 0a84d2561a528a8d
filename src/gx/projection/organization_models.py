"""Read models about organisations and their payments."""

from typing import Final

from gx.domain.organizations import MultiSigStatus, OrganizationStatus
from gx.projection.read_model import (
    ReadModel,
    amount_column,
    key_column,
    small_column,
    text_column,
    time_column,
)

ORGANIZATIONS: Final = ReadModel(
    name="organizations",
    key=(key_column("org_id"),),
    columns=(
        text_column("name"),
        text_column("type"),
        text_column("status", OrganizationStatus.PROPOSED.value),
        text_column("proposed_by"),
        time_column("proposed_at"),
        time_column("activated_at"),
    ),
    fillfactor=80,
)
ORGANIZATION_MEMBERS: Final = ReadModel(
    name="organization_members",
    key=(key_column("org_id"), key_column("user_id")),
    columns=(time_column("endorsed_at"),),
    fillfactor=80,
)
ORGANIZATION_RULES: Final = ReadModel(
    name="organization_rules",
    key=(key_column("org_id"), key_column("rule_id")),
    columns=(
        amount_column("amount_threshold"),
        small_column("required_approvers"),
        text_column("approver_group", "[]"),
        small_column("endorsements"),
        time_column("effective_at"),
    ),
    fillfactor=80,
)
"""`approver_group` is a JSON list. A proposal's rules are endorsed with the organisation."""

MULTISIG_TRANSACTIONS: Final = ReadModel(
    name="multisig_transactions",
    key=(key_column("tx_id"),),
    columns=(
        text_column("org_id"),
        text_column("to_id"),
        amount_column("amount"),
        amount_column("fee"),
        text_column("remark"),
        text_column("status", MultiSigStatus.PENDING.value),
        small_column("required_approvers"),
        text_column("approver_group", "[]"),
        small_column("approvals"),
        text_column("initiated_by"),
        time_column("initiated_at"),
        time_column("settled_at"),
        text_column("failure_code", None),
        text_column("failure_detail", None),
    ),
    fillfactor=80,
    indexes=(("org_id", "status", "tx_id"),),
)
MULTISIG_APPROVALS: Final = ReadModel(
    name="multisig_approvals",
    key=(key_column("tx_id"), key_column("user_id")),
    columns=(time_column("approved_at"),),
)

ORGANIZATION_MODELS: Final = (
    ORGANIZATIONS,
    ORGANIZATION_MEMBERS,
    ORGANIZATION_RULES,
    MULTISIG_TRANSACTIONS,
    MULTISIG_APPROVALS,
)
"""All of them, for the list of every read model."""
