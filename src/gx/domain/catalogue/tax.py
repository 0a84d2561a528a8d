"""Fees and the velocity tax."""

from typing import Final

from gx.domain.arguments import Argument, PositiveAmount
from gx.domain.catalogue.vocabulary import ACCOUNT, ACCOUNT_ID
from gx.domain.coherence import require_two_accounts
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import VelocityTaxApplied
from gx.domain.refusals import RefusalCode
from gx.domain.roles import ADMINS
from gx.domain.scopes import tax_scopes

APPLY_VELOCITY_TAX: Final = CommandSpec(
    wire_name="APPLY_VELOCITY_TAX",
    area=Area.TAX,
    function="TaxAndFeeContract:ApplyVelocityTax",
    path="/velocity-tax/apply",
    access=Access.ADMIN,
    roles=ADMINS,
    arguments=(
        Argument(name="accountId", kind=ACCOUNT_ID, description="Who is taxed.", example="alice"),
    ),
    scopes=tax_scopes,
    events=(VelocityTaxApplied,),
    read_models=("accounts", "account_entries"),
    refusals=(
        RefusalCode.ACCOUNT_ID_EMPTY,
        RefusalCode.ACCOUNT_NOT_FOUND,
        RefusalCode.TAX_NOT_DUE,
    ),
    summary="Tax a balance that was held for too long, and let its timer start anew.",
)

_TRANSFER: Final = (
    Argument(name="fromId", kind=ACCOUNT_ID, description="Who would pay.", example="alice"),
    Argument(name="toId", kind=ACCOUNT_ID, description="Who would receive.", example="bob"),
    Argument(name="amount", kind=PositiveAmount(), description="Base units.", example="150000000"),
)

COMMANDS: Final = (APPLY_VELOCITY_TAX,)

FUNCTIONS: Final = (
    FunctionSpec(
        function="TaxAndFeeContract:CalculateTransactionFee",
        arguments=_TRANSFER,
        summary="What a transfer would cost its sender.",
    ),
    FunctionSpec(
        function="TaxAndFeeContract:CheckVelocityTaxEligibility",
        arguments=(ACCOUNT,),
        summary="Whether an account's velocity tax is due, and when it will be.",
    ),
    FunctionSpec(
        function="TaxAndFeeContract:CalculateVelocityTax",
        arguments=(ACCOUNT,),
        summary="The velocity tax on what an account holds now, due or not.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="transaction_fee", area=Area.TAX, path="/fees/calculate", access=Access.PUBLIC,
        method="POST", arguments=_TRANSFER, require_coherent=require_two_accounts,
        refusals=(
            RefusalCode.ACCOUNT_ID_EMPTY,
            RefusalCode.AMOUNT_NOT_POSITIVE,
            RefusalCode.AMOUNT_OVERFLOW,
            RefusalCode.SELF_TRANSFER,
        ),
        read_models=("accounts", "system_parameters"),
        summary="What a transfer would cost its sender.", absent=RefusalCode.ACCOUNT_NOT_FOUND,
    ),
    QuerySpec(
        name="velocity_tax", area=Area.TAX, path="/velocity-tax/eligibility/{accountId}",
        access=Access.USER, read_models=("accounts", "system_parameters"),
        owner_parameter="accountId", absent=RefusalCode.ACCOUNT_NOT_FOUND,
        summary="Whether an account's velocity tax is due, and how much it would be.",
    ),
)  # fmt: skip
