"""Examples of what happens to loans and proposals, and the rows that they make."""

from collections.abc import Mapping
from typing import Final

from gx.domain.amounts import Amount, Delta
from gx.domain.events import AccountChange, Event
from gx.domain.governance_events import (
    ProposalExecuted,
    ProposalRejected,
    ProposalSubmitted,
    VoteCast,
)
from gx.domain.identifiers import LOAN_POOL, AccountId, EpochSeconds, UserId
from gx.domain.loan_events import LoanApplied, LoanApproved, LoanRejected, LoanRepaid
from gx.domain.owned_ids import LoanId, ProposalId
from gx.domain.voting import Ballot, RejectionReason, Tally
from gx.projection.changes import Key, Value

AT: Final = EpochSeconds(1_700_000_000)
ALICE: Final = UserId("alice")
LOAN: Final = LoanId("alice~c1")
PROPOSAL: Final = ProposalId("feeLowerBps~c2")

LOAN_EXAMPLES: Final[tuple[Event, ...]] = (
    LoanApplied(
        timestamp=AT,
        loan_id=LOAN,
        borrower_id=ALICE,
        amount=Amount(500),
        collateral_hash="ab" * 32,
        trust_score=80,
    ),
    LoanApproved(
        timestamp=AT,
        loan_id=LOAN,
        borrower_id=ALICE,
        amount=Amount(500),
        changes=(
            AccountChange(account_id=LOAN_POOL, delta=Delta(-500)),
            AccountChange(account_id=AccountId("alice"), delta=Delta(500)),
        ),
    ),
    LoanRejected(timestamp=AT, loan_id=LOAN, borrower_id=ALICE, reason="No deed"),
    LoanRepaid(
        timestamp=AT,
        loan_id=LOAN,
        borrower_id=ALICE,
        amount=Amount(500),
        outstanding=Amount(0),
        changes=(
            AccountChange(account_id=AccountId("alice"), delta=Delta(-500)),
            AccountChange(account_id=LOAN_POOL, delta=Delta(500)),
        ),
    ),
    ProposalSubmitted(
        timestamp=AT,
        proposal_id=PROPOSAL,
        proposer_id=ALICE,
        target_param="feeLowerBps",
        new_value="4",
        title="Cheaper",
        ends_at=EpochSeconds(AT + 60),
    ),
    VoteCast(timestamp=AT, proposal_id=PROPOSAL, voter_id=ALICE, ballot=Ballot.AGAINST),
    ProposalExecuted(
        timestamp=AT,
        proposal_id=PROPOSAL,
        target_param="feeLowerBps",
        new_value="4",
        tally=Tally(votes_for=1),
    ),
    ProposalRejected(
        timestamp=AT,
        proposal_id=PROPOSAL,
        target_param="feeLowerBps",
        reason=RejectionReason.NO_QUORUM,
        tally=Tally(),
    ),
)

LOAN_ROWS: Final[Mapping[str, Mapping[str, Mapping[Key, Mapping[str, Value]]]]] = {
    "LoanApplied": {
        "loans": {
            (LOAN,): {
                "borrower_id": "alice",
                "amount": 500,
                "status": "Pending",
                "collateral_hash": "ab" * 32,
                "trust_score": 80,
                "applied_at": AT,
            }
        }
    },
    "LoanApproved": {
        "loans": {(LOAN,): {"status": "Active", "outstanding": 500, "decided_at": AT}},
        "accounts": {(LOAN_POOL,): {"balance": -500}, ("alice",): {"balance": 500}},
        "account_entries": {
            (LOAN_POOL, 7, 3, 0): {"kind": "loan", "delta": -500, "counterparty": "alice"},
            ("alice", 7, 3, 1): {"kind": "loan", "delta": 500, "counterparty": LOAN_POOL},
        },
    },
    "LoanRejected": {
        "loans": {(LOAN,): {"status": "Rejected", "reject_reason": "No deed", "decided_at": AT}}
    },
    "LoanRepaid": {
        "loans": {(LOAN,): {"status": "Repaid", "outstanding": 0, "repaid": 500, "repaid_at": AT}},
        "accounts": {("alice",): {"balance": -500}, (LOAN_POOL,): {"balance": 500}},
        "account_entries": {
            ("alice", 7, 3, 0): {"kind": "repayment", "delta": -500, "counterparty": LOAN_POOL},
            (LOAN_POOL, 7, 3, 1): {"kind": "repayment", "delta": 500, "counterparty": "alice"},
        },
    },
    "ProposalSubmitted": {
        "proposals": {
            (PROPOSAL,): {
                "target_param": "feeLowerBps",
                "new_value": "4",
                "title": "Cheaper",
                "proposer_id": "alice",
                "status": "Open",
                "submitted_at": AT,
                "ends_at": AT + 60,
            }
        }
    },
    "VoteCast": {"proposals": {(PROPOSAL,): {"votes_against": 1}}},
    "ProposalExecuted": {"proposals": {(PROPOSAL,): {"status": "Executed", "decided_at": AT}}},
    "ProposalRejected": {
        "proposals": {
            (PROPOSAL,): {
                "status": "Rejected",
                "reject_reason": "NO_QUORUM",
                "decided_at": AT,
            }
        }
    },
}
