"""LoanPoolContract: loans from the loan pool, without interest."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import accounts, actors, holders, keys, loans, users
from gx.contracts.users import UserRecord
from gx.domain.amounts import Amount
from gx.domain.arguments import Arguments
from gx.domain.catalogue import APPLY_FOR_LOAN, APPROVE_LOAN, REJECT_LOAN, REPAY_LOAN
from gx.domain.codec import JsonObject
from gx.domain.events import AccountChange
from gx.domain.identifiers import LOAN_POOL, AccountId, UserId
from gx.domain.lending import (
    LoanStatus,
    require_creditworthy,
    require_loan_of_size,
    require_owed,
)
from gx.domain.loan_events import LoanApplied, LoanApproved, LoanRejected, LoanRepaid
from gx.domain.owned_ids import LoanId
from gx.domain.refusals import RefusalCode, RefusedError


def _keys_of_application(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    borrower_id = UserId(arguments["borrowerId"])
    return keys.user(borrower_id), keys.borrower(borrower_id)


def _keys_of_loan(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    loan_id = LoanId(arguments["loanId"])
    return keys.loan(loan_id), keys.borrower(loans.borrower_of(loan_id))


def _keys_of_approval(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    loan_id = LoanId(arguments["loanId"])
    borrower_id = loans.borrower_of(loan_id)
    return keys.loan(loan_id), keys.user(borrower_id), *_keys_of_payment(borrower_id)


def _keys_of_repayment(arguments: Mapping[str, str], actor: str) -> tuple[str, ...]:
    borrower_id = loans.borrower_of(LoanId(arguments["loanId"]))
    return *_keys_of_loan(arguments, actor), *_keys_of_payment(borrower_id)


def _keys_of_payment(borrower_id: UserId) -> tuple[str, ...]:
    return keys.account(AccountId(borrower_id)), keys.account(LOAN_POOL)


@submit(APPLY_FOR_LOAN, keys=_keys_of_application)
def apply_for_loan(context: Context, arguments: Arguments) -> Effect:
    """Ask for a loan; it counts as open from now on, and waits for an administrator.

    Raises:
        RefusedError: USER_NOT_FOUND, USER_NOT_ACTIVE, TRUST_TOO_LOW or LOAN_LIMIT.
    """
    borrower_id, amount = UserId(arguments.text("borrowerId")), arguments.amount("amount")
    collateral_hash = arguments.text("collateralHash")
    require_loan_of_size(arguments.as_mapping())
    borrower = _require_borrower(context, borrower_id)
    loan_id = loans.open_loan(context, borrower_id, amount, collateral_hash)
    event = LoanApplied(
        timestamp=context.timestamp_s,
        loan_id=loan_id,
        borrower_id=borrower_id,
        amount=amount,
        collateral_hash=collateral_hash,
        trust_score=borrower.trust_score,
    )
    return Effect(events=(event,), result={"loanId": loan_id})


@submit(APPROVE_LOAN, keys=_keys_of_approval)
def approve_loan(context: Context, arguments: Arguments) -> Effect:
    """Pay a pending loan out, if its borrower may still have it; nobody approves their own.

    Raises:
        RefusedError: ACTOR_MISMATCH, LOAN_NOT_FOUND, LOAN_STATE, USER_NOT_ACTIVE, TRUST_TOO_LOW,
            ACCOUNT_FROZEN, or INSUFFICIENT_FUNDS in the pool.
    """
    loan_id = LoanId(arguments.text("loanId"))
    borrower_id = loans.borrower_of(loan_id)
    if context.actor == borrower_id:
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH, f"{borrower_id} may not approve their own loan"
        )
    loan = loans.require_in(context, loan_id, LoanStatus.PENDING)
    _require_borrower(context, borrower_id)
    account_id = AccountId(borrower_id)
    holders.require_recipient(context, account_id)

    changes = _pay(context, LOAN_POOL, account_id, loan.amount)
    loans.pay_out(context, loan_id, loan)
    event = LoanApproved(
        timestamp=context.timestamp_s,
        changes=changes,
        loan_id=loan_id,
        borrower_id=borrower_id,
        amount=loan.amount,
    )
    return Effect(events=(event,))


@submit(REJECT_LOAN, keys=_keys_of_loan)
def reject_loan(context: Context, arguments: Arguments) -> Effect:
    """Turn a pending loan down; it is no longer open.

    Raises:
        RefusedError: LOAN_NOT_FOUND or LOAN_STATE.
    """
    loan_id = LoanId(arguments.text("loanId"))
    loan = loans.require_in(context, loan_id, LoanStatus.PENDING)
    loans.reject(context, loan_id, loan)
    event = LoanRejected(
        timestamp=context.timestamp_s,
        loan_id=loan_id,
        borrower_id=loans.borrower_of(loan_id),
        reason=arguments.text("reason"),
    )
    return Effect(events=(event,))


@submit(REPAY_LOAN, keys=_keys_of_repayment)
def repay_loan(context: Context, arguments: Arguments) -> Effect:
    """Pay some of a loan back to the pool, without a fee; the last payment ends the loan.

    Raises:
        RefusedError: ACTOR_MISMATCH for everybody but the borrower, LOAN_NOT_FOUND, LOAN_STATE,
            LOAN_LIMIT beyond what is owed; ACCOUNT_FROZEN, USER_NOT_ACTIVE or
            INSUFFICIENT_FUNDS.
    """
    loan_id, amount = LoanId(arguments.text("loanId")), arguments.amount("amount")
    borrower_id = loans.borrower_of(loan_id)
    actors.require_acting(context, borrower_id, f"repay {loan_id}")
    loan = loans.require_in(context, loan_id, LoanStatus.ACTIVE)
    require_owed(loan.outstanding, amount)
    account_id = AccountId(borrower_id)
    holders.require_sender(context, account_id)

    changes = _pay(context, account_id, LOAN_POOL, amount)
    left = loans.take_back(context, loan_id, loan, amount)
    event = LoanRepaid(
        timestamp=context.timestamp_s,
        changes=changes,
        loan_id=loan_id,
        borrower_id=borrower_id,
        amount=amount,
        outstanding=left,
    )
    return Effect(events=(event,), result={"outstanding": str(left)})


def _require_borrower(context: Context, borrower_id: UserId) -> UserRecord:
    borrower = holders.require_active(context, borrower_id)
    require_creditworthy(borrower_id, borrower.trust_score)
    return borrower


def _pay(
    context: Context, payer_id: AccountId, payee_id: AccountId, amount: Amount
) -> tuple[AccountChange, ...]:
    return (
        accounts.debit(context, payer_id, amount),
        accounts.credit(context, payee_id, amount),
    )


@evaluate("LoanPoolContract:GetLoan")
def get_loan(context: Context, arguments: Arguments) -> JsonObject:
    """Return the loan.

    Raises:
        RefusedError: LOAN_NOT_FOUND.
    """
    loan_id = LoanId(arguments.text("loanId"))
    loan = loans.require(context, loan_id).to_wire()
    return {"loanId": loan_id, "borrowerId": loans.borrower_of(loan_id), **loan}


@evaluate("LoanPoolContract:GetBorrower")
def get_borrower(context: Context, arguments: Arguments) -> JsonObject:
    """Return what a user has open.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    borrower_id = UserId(arguments.text("borrowerId"))
    users.require(context, borrower_id)
    return {"borrowerId": borrower_id, **loans.opened_by(context, borrower_id).to_wire()}
