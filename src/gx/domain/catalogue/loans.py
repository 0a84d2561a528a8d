"""Loans from the loan pool: asked for, paid out, paid back."""

from typing import Final

from gx.domain.arguments import Argument, Hash, PositiveAmount, Source, Text
from gx.domain.catalogue.vocabulary import EXAMPLE_HASH, USER_ID
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.lending import require_loan_of_size
from gx.domain.loan_events import LoanApplied, LoanApproved, LoanRejected, LoanRepaid
from gx.domain.owned_ids import OwnedIdentifier, owner_of
from gx.domain.owned_scopes import application_scopes, loan_payment_scopes, loan_scopes
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS, PARTNERS

EXAMPLE_LOAN: Final = "alice~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6"

_LOAN: Final = Argument(
    name="loanId",
    kind=OwnedIdentifier(whose="borrower"),
    description="The loan.",
    example=EXAMPLE_LOAN,
)
_LOAN_IN_PATH: Final = Argument(
    name="loanId",
    kind=OwnedIdentifier(whose="borrower"),
    description="The loan.",
    example=EXAMPLE_LOAN,
    source=Source.PATH,
)
_BORROWER: Final = Argument(
    name="borrowerId", kind=USER_ID, description="Who borrows.", example="alice"
)

APPLY_FOR_LOAN: Final = CommandSpec(
    wire_name="APPLY_FOR_LOAN",
    area=Area.LOANS,
    function="LoanPoolContract:ApplyForLoan",
    path="/loans",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        _BORROWER,
        Argument(
            name="amount",
            kind=PositiveAmount(),
            description="Base units; a loan is 100 to 1,000,000 coins.",
            example="50000000000",
        ),
        Argument(
            name="collateralHash",
            kind=Hash(),
            description="Hash of the document that describes the collateral.",
            example=EXAMPLE_HASH,
        ),
    ),
    scopes=application_scopes,
    events=(LoanApplied,),
    read_models=("loans",),
    refusals=(
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.LOAN_LIMIT,
        RefusalCode.TRUST_TOO_LOW,
    ),
    summary="Ask for a loan from the loan pool; an administrator decides.",
    actor_argument="borrowerId",
    require_coherent=require_loan_of_size,
)

APPROVE_LOAN: Final = CommandSpec(
    wire_name="APPROVE_LOAN",
    area=Area.LOANS,
    function="LoanPoolContract:ApproveLoan",
    path="/loans/{loanId}/approve",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(_LOAN_IN_PATH,),
    scopes=loan_payment_scopes,
    events=(LoanApproved,),
    read_models=("loans", "accounts", "account_entries"),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.LOAN_NOT_FOUND,
        RefusalCode.LOAN_STATE,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.TRUST_TOO_LOW,
        RefusalCode.ACCOUNT_FROZEN,
        RefusalCode.INSUFFICIENT_FUNDS,
    ),
    summary="Pay a pending loan out of the loan pool.",
)

REJECT_LOAN: Final = CommandSpec(
    wire_name="REJECT_LOAN",
    area=Area.LOANS,
    function="LoanPoolContract:RejectLoan",
    path="/loans/{loanId}/reject",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(
        _LOAN_IN_PATH,
        Argument(
            name="reason",
            kind=Text(),
            description="Why, for the borrower.",
            example="Collateral missing",
        ),
    ),
    scopes=loan_scopes,
    events=(LoanRejected,),
    read_models=("loans",),
    refusals=(RefusalCode.LOAN_NOT_FOUND, RefusalCode.LOAN_STATE),
    summary="Turn a pending loan down.",
)

REPAY_LOAN: Final = CommandSpec(
    wire_name="REPAY_LOAN",
    area=Area.LOANS,
    function="LoanPoolContract:RepayLoan",
    path="/loans/{loanId}/repay",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        _LOAN_IN_PATH,
        Argument(
            name="amount",
            kind=PositiveAmount(),
            description="Base units, at most what is outstanding.",
            example="20000000000",
        ),
    ),
    scopes=loan_payment_scopes,
    events=(LoanRepaid,),
    read_models=("loans", "accounts", "account_entries"),
    refusals=(
        RefusalCode.AMOUNT_NOT_POSITIVE,
        RefusalCode.AMOUNT_OVERFLOW,
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.LOAN_NOT_FOUND,
        RefusalCode.LOAN_STATE,
        RefusalCode.LOAN_LIMIT,
        RefusalCode.USER_NOT_ACTIVE,
        RefusalCode.ACCOUNT_FROZEN,
        RefusalCode.INSUFFICIENT_FUNDS,
    ),
    summary="Pay some of a loan back to the loan pool, or all of it; free of fees.",
)

COMMANDS: Final = (APPLY_FOR_LOAN, APPROVE_LOAN, REJECT_LOAN, REPAY_LOAN)

FUNCTIONS: Final = (
    FunctionSpec(
        function="LoanPoolContract:GetLoan", arguments=(_LOAN,), summary="One loan's record."
    ),
    FunctionSpec(
        function="LoanPoolContract:GetBorrower",
        arguments=(_BORROWER,),
        summary="How many loans a user has open, and for how much.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="loan", area=Area.LOANS, path="/loans/{loanId}", access=Access.USER,
        read_models=("loans",), summary="One loan.", owner_parameter="loanId",
        owner_of=owner_of, absent=RefusalCode.LOAN_NOT_FOUND,
    ),
    QuerySpec(
        name="user_loans", area=Area.LOANS, path="/users/{userId}/loans", access=Access.USER,
        read_models=("loans",), summary="A user's loans, newest first.",
        owner_parameter="userId", parameters=("limit", "cursor"),
        absent=RefusalCode.USER_NOT_FOUND,
    ),
)  # fmt: skip
