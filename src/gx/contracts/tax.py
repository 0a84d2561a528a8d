"""TaxAndFeeContract: what a transfer costs, and the tax on coins that lie still."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import accounts, keys, system
from gx.domain.amounts import render_coins
from gx.domain.arguments import Arguments
from gx.domain.catalogue import APPLY_VELOCITY_TAX
from gx.domain.charges import (
    TaxEligibility,
    VelocityTax,
    fee_of,
    tax_eligibility,
    velocity_tax_of,
)
from gx.domain.codec import JsonObject
from gx.domain.coherence import require_two_accounts
from gx.domain.events import AccountChange, VelocityTaxApplied
from gx.domain.identifiers import CHARITABLE_POOL, AccountId, treasury_of
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountRecord


def _keys_of_tax(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return keys.account(AccountId(arguments["accountId"])), keys.account(CHARITABLE_POOL)


@submit(APPLY_VELOCITY_TAX, keys=_keys_of_tax)
def apply_velocity_tax(context: Context, arguments: Arguments) -> Effect:
    """Take the tax that is due, and let the account's timer start anew.

    What the account loses its country's treasury and the charitable pool receive, to the base
    unit. Frozen wallets and locked users are taxed too: the tax is no transfer of theirs.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND; TAX_NOT_DUE for an exempt account, a balance below
            the threshold, or one that has not been held for long enough.
    """
    account_id = AccountId(arguments.text("accountId"))
    account = accounts.require(context, account_id)
    parameters = system.parameters(context)
    _require_due(tax_eligibility(parameters, account_id, account, context.timestamp_s))
    tax = velocity_tax_of(parameters, account)

    changes = _collect(context, account_id, account, tax)
    event = VelocityTaxApplied(
        timestamp=context.timestamp_s,
        changes=changes,
        account_id=account_id,
        tax_amount=tax.tax_amount,
        tax_rate_bps=tax.tax_rate_bps,
        treasury_share=tax.treasury_share,
        charity_share=tax.charity_share,
        timer_start=accounts.require(context, account_id).tax_timer_started_at,
    )
    return Effect(events=(event,), result=tax.to_wire())


def _require_due(eligibility: TaxEligibility) -> None:
    if not eligibility.is_eligible:
        raise RefusedError(
            RefusalCode.TAX_NOT_DUE, f"{eligibility.account_id} {_why_not(eligibility)}"
        )


def _why_not(eligibility: TaxEligibility) -> str:
    if eligibility.is_exempt:
        return "is exempt from the velocity tax"
    if eligibility.balance < eligibility.threshold:
        held, threshold = render_coins(eligibility.balance), render_coins(eligibility.threshold)
        return f"holds {held} coins, and who holds less than {threshold} owes no velocity tax"
    if eligibility.due_at is None:
        return "was below the threshold of its day: its next change of balance starts its timer"
    return f"owes no velocity tax before {eligibility.due_at}; it is {eligibility.as_of}"


def _collect(
    context: Context, account_id: AccountId, account: AccountRecord, tax: VelocityTax
) -> tuple[AccountChange, ...]:
    debited = accounts.debit(context, account_id, tax.tax_amount)
    changes = [accounts.restart_tax_timer(context, debited)]
    if account.country is not None:
        treasury_id = treasury_of(account.country)
        changes.append(accounts.credit(context, treasury_id, tax.treasury_share))
    changes.append(accounts.credit(context, CHARITABLE_POOL, tax.charity_share))
    return tuple(changes)


@evaluate("TaxAndFeeContract:CalculateTransactionFee")
def calculate_transaction_fee(context: Context, arguments: Arguments) -> JsonObject:
    """Return the fee of a transfer and what the sender would pay in all.

    Raises:
        RefusedError: SELF_TRANSFER, ACCOUNT_NOT_FOUND or NOT_BOOTSTRAPPED.
    """
    require_two_accounts(arguments.as_mapping())
    sender = accounts.require(context, AccountId(arguments.text("fromId")))
    recipient = accounts.require(context, AccountId(arguments.text("toId")))
    amount = arguments.amount("amount")
    fee = fee_of(system.parameters(context), sender, recipient, amount)
    return {**arguments.as_mapping(), **fee.to_wire(), "total": str(amount + fee.fee)}


@evaluate("TaxAndFeeContract:CheckVelocityTaxEligibility")
def check_velocity_tax_eligibility(context: Context, arguments: Arguments) -> JsonObject:
    """Return whether the account's tax is due at the transaction's time.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND or NOT_BOOTSTRAPPED.
    """
    account_id = AccountId(arguments.text("accountId"))
    account = accounts.require(context, account_id)
    parameters = system.parameters(context)
    return tax_eligibility(parameters, account_id, account, context.timestamp_s).to_wire()


@evaluate("TaxAndFeeContract:CalculateVelocityTax")
def calculate_velocity_tax(context: Context, arguments: Arguments) -> JsonObject:
    """Return the tax on what the account holds now, due or not; 0 where none can fall due.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND or NOT_BOOTSTRAPPED.
    """
    account_id = AccountId(arguments.text("accountId"))
    account = accounts.require(context, account_id)
    tax = velocity_tax_of(system.parameters(context), account)
    return {"accountId": account_id, "balance": str(account.balance), **tax.to_wire()}
