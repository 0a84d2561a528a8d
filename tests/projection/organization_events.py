"""One example of every event about organisations, and the rows that each makes."""

from collections.abc import Mapping
from typing import Final

from gx.domain.amounts import Amount, Delta
from gx.domain.event_form import AccountChange, Event
from gx.domain.identifiers import AccountId, EpochSeconds, UserId
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
from gx.domain.organizations import MultiSigTxId, OrganizationId, OrganizationType
from gx.projection.changes import Key, Value

AT: Final = EpochSeconds(1_700_000_000)
ACME, ALICE, BOB = OrganizationId("acme"), UserId("alice"), UserId("bob")
TX: Final = MultiSigTxId("acme~dave~c1")
DAVE: Final = AccountId("dave")
RULE: Final = GivenRule(
    rule_id="5f0c",
    amount_threshold=Amount(10),
    required_approvers=2,
    approver_group=(ALICE, BOB),
)
GROUP: Final = '["alice","bob"]'

ORGANIZATION_EXAMPLES: Final[tuple[Event, ...]] = (
    OrganizationProposed(
        timestamp=AT,
        changes=(AccountChange(account_id=AccountId("acme"), delta=Delta(0)),),
        org_id=ACME,
        name="Acme Ltd",
        type=OrganizationType.NGO,
        stakeholders=(ALICE, BOB),
        rules=(RULE,),
        proposed_by="alice",
    ),
    MembershipEndorsed(
        timestamp=AT,
        org_id=ACME,
        stakeholder_id=BOB,
        endorsements=1,
        required_endorsements=2,
    ),
    OrganizationActivated(timestamp=AT, org_id=ACME, endorsements=2, rule_ids=("5f0c",)),
    AuthRuleDefined(
        timestamp=AT,
        org_id=ACME,
        rule=RULE,
        endorsed_by=BOB,
        endorsements=2,
        required_endorsements=2,
        is_effective=True,
    ),
    MultiSigTxInitiated(
        timestamp=AT,
        tx_id=TX,
        org_id=ACME,
        to_id=DAVE,
        amount=Amount(100),
        remark="Rent",
        initiated_by=ALICE,
        rule=RULE,
        approvals=1,
    ),
    MultiSigTxApproved(
        timestamp=AT,
        tx_id=TX,
        org_id=ACME,
        approver_id=BOB,
        approvals=2,
        required_approvers=2,
    ),
    MultiSigTxExecuted(
        timestamp=AT,
        changes=(
            AccountChange(account_id=AccountId("acme"), delta=Delta(-105)),
            AccountChange(account_id=DAVE, delta=Delta(105)),
        ),
        tx_id=TX,
        org_id=ACME,
        to_id=DAVE,
        amount=Amount(105),
        fee=Amount(0),
        fee_rate_bps=0,
        remark="Rent",
    ),
    MultiSigTxFailed(
        timestamp=AT,
        tx_id=TX,
        org_id=ACME,
        code="INSUFFICIENT_FUNDS",
        detail="acme holds nothing",
    ),
)

ORGANIZATION_ROWS: Final[Mapping[str, Mapping[str, Mapping[Key, Mapping[str, Value]]]]] = {
    "OrganizationProposed": {
        "organizations": {
            ("acme",): {
                "name": "Acme Ltd",
                "type": "NGO",
                "status": "Proposed",
                "proposed_by": "alice",
                "proposed_at": AT,
            }
        },
        "organization_members": {
            ("acme", "alice"): {"endorsed_at": None},
            ("acme", "bob"): {"endorsed_at": None},
        },
        "organization_rules": {
            ("acme", "5f0c"): {
                "amount_threshold": 10,
                "required_approvers": 2,
                "approver_group": GROUP,
                "effective_at": None,
            }
        },
        "accounts": {("acme",): {"kind": "organization", "status": "Locked", "balance": 0}},
    },
    "MembershipEndorsed": {"organization_members": {("acme", "bob"): {"endorsed_at": AT}}},
    "OrganizationActivated": {
        "organizations": {("acme",): {"status": "Active", "activated_at": AT}},
        "organization_rules": {("acme", "5f0c"): {"endorsements": 2, "effective_at": AT}},
        "accounts": {("acme",): {"status": "Active"}},
    },
    "AuthRuleDefined": {
        "organization_rules": {
            ("acme", "5f0c"): {
                "amount_threshold": 10,
                "required_approvers": 2,
                "approver_group": GROUP,
                "endorsements": 2,
                "effective_at": AT,
            }
        }
    },
    "MultiSigTxInitiated": {
        "multisig_transactions": {
            (TX,): {
                "org_id": "acme",
                "to_id": "dave",
                "amount": 100,
                "remark": "Rent",
                "status": "Pending",
                "required_approvers": 2,
                "approver_group": GROUP,
                "approvals": 1,
                "initiated_by": "alice",
                "initiated_at": AT,
            }
        },
        "multisig_approvals": {(TX, "alice"): {"approved_at": AT}},
    },
    "MultiSigTxApproved": {
        "multisig_transactions": {(TX,): {"approvals": 2}},
        "multisig_approvals": {(TX, "bob"): {"approved_at": AT}},
    },
    "MultiSigTxExecuted": {
        "multisig_transactions": {(TX,): {"status": "Executed", "fee": 0, "settled_at": AT}},
        "accounts": {("acme",): {"balance": -105}, ("dave",): {"balance": 105}},
        "account_entries": {
            ("acme", 7, 3, 0): {"kind": "multisig", "counterparty": "dave", "remark": "Rent"},
            ("dave", 7, 3, 1): {"kind": "multisig", "counterparty": "acme", "delta": 105},
        },
    },
    "MultiSigTxFailed": {
        "multisig_transactions": {
            (TX,): {
                "status": "ExecutionFailed",
                "failure_code": "INSUFFICIENT_FUNDS",
                "failure_detail": "acme holds nothing",
                "settled_at": AT,
            }
        }
    },
}
"""By the event's wire name, as on empty tables."""
