"""What the API answers about organisations and their payments."""

from dataclasses import dataclass

from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.identifiers import AccountId, EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakeholder(Record):
    """One of those who hold an organisation."""

    user_id: str
    endorsed_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRule(Record):
    """Who must approve payments from a threshold on; it counts since `effective_at`."""

    rule_id: str
    amount_threshold: Amount
    required_approvers: int
    approver_group: tuple[str, ...]
    endorsements: int
    effective_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization(Record):
    """What several people own."""

    org_id: str
    name: str
    type: str
    status: str
    proposed_by: str
    stakeholders: tuple[Stakeholder, ...]
    rules: tuple[OrganizationRule, ...]
    proposed_at: EpochSeconds | None = None
    activated_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTransaction(Record):
    """A payment of an organisation; `failure_code` says why no coin moved, if none did."""

    tx_id: str
    org_id: str
    to_id: AccountId
    amount: Amount
    fee: Amount
    remark: str
    status: str
    required_approvers: int
    approver_group: tuple[str, ...]
    approvals: int
    approved_by: tuple[str, ...]
    initiated_by: str
    initiated_at: EpochSeconds | None = None
    settled_at: EpochSeconds | None = None
    failure_code: str | None = None
    failure_detail: str | None = None
