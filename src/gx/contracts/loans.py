"""Loans: the one module that writes their records, and counts what each borrower has open."""

from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.identifiers import EpochSeconds, UserId
from gx.domain.lending import LoanStatus, require_room
from gx.domain.owned_ids import LoanId, owned_id, owner_of
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRecord(Record):
    """A loan. `outstanding` is 0 until it is paid out, and again once it is repaid whole."""

    amount: Amount
    outstanding: Amount
    status: LoanStatus
    collateral_hash: str
    applied_at: EpochSeconds
    decided_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowerRecord(Record):
    """What a user has open: loans asked for or not repaid, and how much of them."""

    open_loans: int = 0
    open_amount: Amount


def borrower_of(loan_id: LoanId) -> UserId:
    """Name the loan's borrower."""
    return UserId(owner_of(loan_id))


def require(context: Context, loan_id: LoanId) -> LoanRecord:
    """Return the loan.

    Raises:
        RefusedError: LOAN_NOT_FOUND.
    """
    loan = context.state.find(keys.loan(loan_id), LoanRecord)
    if loan is None:
        raise RefusedError(RefusalCode.LOAN_NOT_FOUND, f"there is no loan {loan_id}")
    return loan


def require_in(context: Context, loan_id: LoanId, status: LoanStatus) -> LoanRecord:
    """Return the loan if it is `status`.

    Raises:
        RefusedError: LOAN_NOT_FOUND or LOAN_STATE.
    """
    loan = require(context, loan_id)
    if loan.status is not status:
        raise RefusedError(RefusalCode.LOAN_STATE, f"loan {loan_id} is {loan.status}, not {status}")
    return loan


def opened_by(context: Context, borrower_id: UserId) -> BorrowerRecord:
    """Return what the user has open; nothing, for whoever never borrowed."""
    record = context.state.find(keys.borrower(borrower_id), BorrowerRecord)
    return BorrowerRecord(open_amount=Amount(0)) if record is None else record


def open_loan(
    context: Context, borrower_id: UserId, amount: Amount, collateral_hash: str
) -> LoanId:
    """Write a pending loan and count it; its id follows from the borrower and the command.

    Raises:
        RefusedError: LOAN_LIMIT, the borrower has too much open.
    """
    opened = opened_by(context, borrower_id)
    require_room(opened.open_loans, opened.open_amount, amount)
    loan = LoanRecord(
        amount=amount,
        outstanding=Amount(0),
        status=LoanStatus.PENDING,
        collateral_hash=collateral_hash,
        applied_at=context.timestamp_s,
    )
    loan_id = LoanId(owned_id(borrower_id, context.command_id))
    context.state.put(keys.loan(loan_id), loan)
    _count(context, borrower_id, loans=1, amount=amount)
    return loan_id


def pay_out(context: Context, loan_id: LoanId, loan: LoanRecord) -> None:
    """Mark a pending loan paid out: all of it is outstanding."""
    paid = replace(
        loan,
        outstanding=loan.amount,
        status=LoanStatus.ACTIVE,
        decided_at=context.timestamp_s,
    )
    context.state.put(keys.loan(loan_id), paid)


def reject(context: Context, loan_id: LoanId, loan: LoanRecord) -> None:
    """Mark a pending loan turned down: it is no longer open."""
    rejected = replace(loan, status=LoanStatus.REJECTED, decided_at=context.timestamp_s)
    context.state.put(keys.loan(loan_id), rejected)
    _count(context, borrower_of(loan_id), loans=-1, amount=-loan.amount)


def take_back(context: Context, loan_id: LoanId, loan: LoanRecord, amount: Amount) -> Amount:
    """Take `amount`, at most what is outstanding, off an active loan; return what is left."""
    left = Amount(loan.outstanding - amount)
    status = LoanStatus.ACTIVE if left else LoanStatus.REPAID
    context.state.put(keys.loan(loan_id), replace(loan, outstanding=left, status=status))
    _count(context, borrower_of(loan_id), loans=0 if left else -1, amount=-amount)
    return left


def _count(context: Context, borrower_id: UserId, *, loans: int, amount: int) -> None:
    opened = opened_by(context, borrower_id)
    counted = BorrowerRecord(
        open_loans=opened.open_loans + loans, open_amount=Amount(opened.open_amount + amount)
    )
    context.state.put(keys.borrower(borrower_id), counted)
