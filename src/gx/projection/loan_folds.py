"""What facts about loans change in the read models."""

from gx.domain.identifiers import LOAN_POOL, AccountId
from gx.domain.lending import LoanStatus
from gx.domain.loan_events import LoanApplied, LoanApproved, LoanRejected, LoanRepaid
from gx.projection.changes import Add, Change, Put, Row
from gx.projection.folding import Place, folds, post
from gx.projection.loan_models import LOANS
from gx.projection.read_models import EntryKind


def _put_loan(loan_id: str, values: Row) -> Put:
    return Put(model=LOANS.name, key=(loan_id,), values=values)


@folds(LoanApplied)
def fold_loan_applied(event: LoanApplied, place: Place) -> list[Change]:
    """List the loan as pending."""
    applied: Row = {
        "borrower_id": event.borrower_id,
        "amount": event.amount,
        "status": LoanStatus.PENDING.value,
        "collateral_hash": event.collateral_hash,
        "trust_score": event.trust_score,
        "applied_at": event.timestamp,
    }
    return [*post(event, place), _put_loan(event.loan_id, applied)]


@folds(LoanApproved)
def fold_loan_approved(event: LoanApproved, place: Place) -> list[Change]:
    """Move the coins to the borrower; all of the loan is outstanding."""
    parties = (LOAN_POOL, AccountId(event.borrower_id))
    paid: Row = {
        "status": LoanStatus.ACTIVE.value,
        "outstanding": event.amount,
        "decided_at": event.timestamp,
    }
    return [
        *post(event, place, EntryKind.LOAN, parties=parties),
        _put_loan(event.loan_id, paid),
    ]


@folds(LoanRejected)
def fold_loan_rejected(event: LoanRejected, place: Place) -> list[Change]:
    """Say that the loan was turned down, and why."""
    rejected: Row = {
        "status": LoanStatus.REJECTED.value,
        "reject_reason": event.reason,
        "decided_at": event.timestamp,
    }
    return [*post(event, place), _put_loan(event.loan_id, rejected)]


@folds(LoanRepaid)
def fold_loan_repaid(event: LoanRepaid, place: Place) -> list[Change]:
    """Move the coins back to the pool; with the last of them the loan is over."""
    parties = (AccountId(event.borrower_id), LOAN_POOL)
    repaid: Row = {"outstanding": event.outstanding}
    if event.outstanding == 0:
        repaid = {
            **repaid, "status": LoanStatus.REPAID.value, "repaid_at": event.timestamp,
        }  # fmt: skip
    return [
        *post(event, place, EntryKind.REPAYMENT, parties=parties),
        _put_loan(event.loan_id, repaid),
        Add(model=LOANS.name, key=(event.loan_id,), deltas={"repaid": event.amount}),
    ]
