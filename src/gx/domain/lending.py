"""The terms of loans from the loan pool, as data and pure functions. Interest is 0."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gx.domain.amounts import Amount, coins, parse_amount, render_coins
from gx.domain.refusals import RefusalCode, RefusedError

LOAN_AMOUNT_MIN: Final = coins(100)
LOAN_AMOUNT_MAX: Final = coins(1_000_000)
OPEN_LOANS_MAX: Final = 5
"""How many loans of one borrower may be open: pending, or not repaid whole."""

OPEN_AMOUNT_MAX: Final = coins(2_500_000)
"""What one borrower may have asked for and owe, all together."""

BORROWER_TRUST_MIN: Final = 75


class LoanStatus(StrEnum):
    """How far a loan has come. Pending and active ones are open."""

    PENDING = "Pending"
    ACTIVE = "Active"
    REPAID = "Repaid"
    REJECTED = "Rejected"


def require_loan_amount(amount: Amount) -> None:
    """Refuse a loan that is too small or too large.

    Raises:
        RefusedError: LOAN_LIMIT.
    """
    if not LOAN_AMOUNT_MIN <= amount <= LOAN_AMOUNT_MAX:
        raise RefusedError(
            RefusalCode.LOAN_LIMIT,
            f"a loan is {render_coins(LOAN_AMOUNT_MIN)} to {render_coins(LOAN_AMOUNT_MAX)} coins, "
            f"not {render_coins(amount)}",
        )


def require_loan_of_size(arguments: Mapping[str, str]) -> None:
    """Refuse an application for a loan that nobody may have, whatever the ledger's state is.

    Raises:
        RefusedError: LOAN_LIMIT.
    """
    require_loan_amount(parse_amount(arguments["amount"]))


def require_room(open_loans: int, open_amount: int, amount: Amount) -> None:
    """Refuse one more loan of `amount` to a borrower who has so many open.

    Raises:
        RefusedError: LOAN_LIMIT.
    """
    if open_loans >= OPEN_LOANS_MAX:
        raise RefusedError(
            RefusalCode.LOAN_LIMIT, f"{open_loans} loans are open, and no more may be"
        )
    if open_amount + amount > OPEN_AMOUNT_MAX:
        raise RefusedError(
            RefusalCode.LOAN_LIMIT,
            f"{render_coins(open_amount)} coins are open; with {render_coins(amount)} more it "
            f"would be above {render_coins(OPEN_AMOUNT_MAX)}",
        )


def require_owed(outstanding: Amount, amount: Amount) -> None:
    """Refuse to take back more than is owed.

    Raises:
        RefusedError: LOAN_LIMIT.
    """
    if amount > outstanding:
        raise RefusedError(
            RefusalCode.LOAN_LIMIT,
            f"{render_coins(outstanding)} coins are owed, {render_coins(amount)} are too much",
        )


def require_creditworthy(borrower: str, trust_score: int) -> None:
    """Refuse a loan to somebody whom too few people vouch for.

    Raises:
        RefusedError: TRUST_TOO_LOW.
    """
    if trust_score < BORROWER_TRUST_MIN:
        raise RefusedError(
            RefusalCode.TRUST_TOO_LOW,
            f"{borrower} has a trust score of {trust_score}; a loan needs {BORROWER_TRUST_MIN}",
        )
