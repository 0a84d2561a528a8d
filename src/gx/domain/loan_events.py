"""Facts about loans from the loan pool."""

from dataclasses import dataclass
from typing import ClassVar, Final

from gx.domain.amounts import Amount
from gx.domain.event_form import Event
from gx.domain.identifiers import UserId
from gx.domain.owned_ids import LoanId


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanApplied(Event):
    """A user asked for a loan."""

    WIRE_NAME: ClassVar[str] = "LoanApplied"

    loan_id: LoanId
    borrower_id: UserId
    amount: Amount
    collateral_hash: str
    trust_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanApproved(Event):
    """The loan pool paid a loan out."""

    WIRE_NAME: ClassVar[str] = "LoanApproved"

    loan_id: LoanId
    borrower_id: UserId
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRejected(Event):
    """A loan will not be paid out."""

    WIRE_NAME: ClassVar[str] = "LoanRejected"

    loan_id: LoanId
    borrower_id: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRepaid(Event):
    """A borrower paid some of a loan back, or the last of it: then nothing is outstanding."""

    WIRE_NAME: ClassVar[str] = "LoanRepaid"

    loan_id: LoanId
    borrower_id: UserId
    amount: Amount
    outstanding: Amount


LOAN_EVENTS: Final = (LoanApplied, LoanApproved, LoanRejected, LoanRepaid)
