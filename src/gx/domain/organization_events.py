"""Facts about organisations and their payments."""

from dataclasses import dataclass
from typing import ClassVar

from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.event_form import Event
from gx.domain.identifiers import AccountId, UserId
from gx.domain.organizations import MultiSigTxId, OrganizationId, OrganizationType


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRule(Record):
    """An authorisation rule as an event tells it."""

    rule_id: str
    amount_threshold: Amount
    required_approvers: int
    approver_group: tuple[UserId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationProposed(Event):
    """Somebody proposed an organisation; its account is open and may not send yet."""

    WIRE_NAME: ClassVar[str] = "OrganizationProposed"

    org_id: OrganizationId
    name: str
    type: OrganizationType
    stakeholders: tuple[UserId, ...]
    rules: tuple[GivenRule, ...]
    proposed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipEndorsed(Event):
    """A stakeholder agreed to the organisation and the rules of its proposal."""

    WIRE_NAME: ClassVar[str] = "MembershipEndorsed"

    org_id: OrganizationId
    stakeholder_id: UserId
    endorsements: int
    required_endorsements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationActivated(Event):
    """The organisation exists, its rules count, and it may pay."""

    WIRE_NAME: ClassVar[str] = "OrganizationActivated"

    org_id: OrganizationId
    endorsements: int
    rule_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRuleDefined(Event):
    """A stakeholder wants this rule; it is effective once every stakeholder has said so."""

    WIRE_NAME: ClassVar[str] = "AuthRuleDefined"

    org_id: OrganizationId
    rule: GivenRule
    endorsed_by: UserId
    endorsements: int
    required_endorsements: int
    is_effective: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTxInitiated(Event):
    """A stakeholder wants the organisation to pay; `approvals` is 1 if the initiator's counts."""

    WIRE_NAME: ClassVar[str] = "MultiSigTxInitiated"

    tx_id: MultiSigTxId
    org_id: OrganizationId
    to_id: AccountId
    amount: Amount
    remark: str
    initiated_by: UserId
    rule: GivenRule
    approvals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTxApproved(Event):
    """One more of the group agreed."""

    WIRE_NAME: ClassVar[str] = "MultiSigTxApproved"

    tx_id: MultiSigTxId
    org_id: OrganizationId
    approver_id: UserId
    approvals: int
    required_approvers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTxExecuted(Event):
    """Enough agreed and the coins moved. It is final."""

    WIRE_NAME: ClassVar[str] = "MultiSigTxExecuted"

    tx_id: MultiSigTxId
    org_id: OrganizationId
    to_id: AccountId
    amount: Amount
    fee: Amount
    fee_rate_bps: int
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTxFailed(Event):
    """Enough agreed, and the payment was refused with this code. It is final; no coin moved."""

    WIRE_NAME: ClassVar[str] = "MultiSigTxFailed"

    tx_id: MultiSigTxId
    org_id: OrganizationId
    code: str
    detail: str


ORGANIZATION_EVENTS: tuple[type[Event], ...] = (
    OrganizationProposed,
    MembershipEndorsed,
    OrganizationActivated,
    AuthRuleDefined,
    MultiSigTxInitiated,
    MultiSigTxApproved,
    MultiSigTxExecuted,
    MultiSigTxFailed,
)
"""All of them, for the list of every event."""
