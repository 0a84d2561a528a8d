"""Accounts: the one module that writes them, and so the one that moves coins.

Every change of a balance keeps the velocity-tax timer in step with it: running from the moment
the balance reaches the threshold, cleared when it falls below.
"""

from dataclasses import dataclass, replace
from typing import Final

from gx.chaincode.context import Context
from gx.contracts import keys, system
from gx.domain.amounts import Amount, Delta
from gx.domain.charges import TAXED_KINDS
from gx.domain.events import AccountChange, AccountStatus, TaxTimer
from gx.domain.identifiers import (
    OPERATIONS_FUND,
    AccountId,
    CountryCode,
    EpochSeconds,
    is_reserved,
)
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountKind, AccountRecord, FeeRecord

FEE_KEYS_MAX: Final = 5_000
"""How many fee keys one command gathers: a bound on a transaction's size, and on its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredFees:
    """What one command moved from fee keys into the fund's record, and whether keys are left."""

    amount: Amount
    keys: int
    has_more: bool


def find(context: Context, account_id: AccountId) -> AccountRecord | None:
    """Return the account, None without one."""
    return context.state.find(keys.account(account_id), AccountRecord)


def require(context: Context, account_id: AccountId) -> AccountRecord:
    """Return the account.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    account = find(context, account_id)
    if account is None:
        raise RefusedError(RefusalCode.ACCOUNT_NOT_FOUND, f"there is no account {account_id}")
    return account


def balance_of(context: Context, account_id: AccountId) -> Amount:
    """Return the balance; for the operations fund with the fees that stand in keys of their own.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    balance = require(context, account_id).balance
    if account_id != OPERATIONS_FUND:
        return balance
    fees = (fee.amount for _, fee in context.state.scan(keys.FEES, FeeRecord))
    return Amount(balance + sum(fees))


def open_account(
    context: Context,
    account_id: AccountId,
    kind: AccountKind,
    *,
    country: CountryCode | None = None,
    status: AccountStatus = AccountStatus.ACTIVE,
) -> AccountChange:
    """Open an account at 0; the caller has made sure that there is none."""
    account = AccountRecord(balance=Amount(0), kind=kind, country=country, status=status)
    context.state.put(keys.account(account_id), account)
    return AccountChange(account_id=account_id, delta=Delta(0))


def open_for_user(context: Context, account_id: AccountId, country: CountryCode) -> AccountChange:
    """Open a user's wallet, or hand over the one that a mint opened, with its coins.

    Raises:
        RefusedError: USER_EXISTS, the id's account belongs to something else.
    """
    wallet = find(context, account_id)
    if wallet is None:
        return open_account(context, account_id, AccountKind.USER, country=country)
    if wallet.kind is not AccountKind.WALLET:
        raise RefusedError(
            RefusalCode.USER_EXISTS, f"{account_id} is the account of a {wallet.kind}"
        )
    adopted = AccountRecord(
        balance=wallet.balance,
        kind=AccountKind.USER,
        frozen=wallet.frozen,
        country=country,
        tax_timer_started_at=wallet.tax_timer_started_at,
    )
    context.state.put(keys.account(account_id), adopted)
    return AccountChange(account_id=account_id, delta=Delta(0))


def open_wallet_if_absent(context: Context, account_id: AccountId) -> None:
    """Make sure that the account exists, as a wallet without a holder if it is new.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND for an id of the system's own: bootstrap and the opening
            of a country make those, nobody else.
    """
    if find(context, account_id) is not None:
        return
    if is_reserved(account_id):
        raise RefusedError(RefusalCode.ACCOUNT_NOT_FOUND, f"the system has no account {account_id}")
    open_account(context, account_id, AccountKind.WALLET)


def credit(context: Context, account_id: AccountId, amount: int) -> AccountChange:
    """Add `amount` base units.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    return _change(context, account_id, require(context, account_id), amount)


def debit(context: Context, account_id: AccountId, amount: int) -> AccountChange:
    """Take `amount` base units; from the operations fund its fee income too.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND or INSUFFICIENT_FUNDS. The fund can also have more fee
            keys than one payment gathers; the detail then says what to do.
    """
    has_more = account_id == OPERATIONS_FUND and gather_fees(context, enough=amount).has_more
    account = require(context, account_id)
    if account.balance < amount:
        hint = "; more fees wait under further keys: collect them first" if has_more else ""
        raise RefusedError(
            RefusalCode.INSUFFICIENT_FUNDS,
            f"{account_id} holds {account.balance} base units, {amount} are needed{hint}",
        )
    return _change(context, account_id, account, -amount)


def collect_fee(context: Context, fee: Amount) -> AccountChange:
    """Credit the operations fund with a fee, under this transaction's own key.

    Transactions that collect fees so have no key in common. The key is never read from the
    ledger: nobody else writes it.
    """
    key = keys.fee_income(context.transaction_id)
    collected = context.state.find_own(key, FeeRecord)
    before = 0 if collected is None else collected.amount
    context.state.put(key, FeeRecord(amount=Amount(before + fee)))
    return AccountChange(account_id=OPERATIONS_FUND, delta=Delta(fee))


def gather_fees(context: Context, *, enough: int | None = None) -> GatheredFees:
    """Move fee income into the operations fund's record; the fund's balance stays the same.

    Takes at most FEE_KEYS_MAX keys, in their byte order, and none where the record alone holds
    `enough`.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND before bootstrap.
    """
    fund = require(context, OPERATIONS_FUND)
    total, taken, has_more = 0, 0, False
    for key, fee in context.state.scan(keys.FEES, FeeRecord):
        has_more = taken == FEE_KEYS_MAX or (enough is not None and fund.balance + total >= enough)
        if has_more:
            break
        total += fee.amount
        taken += 1
        context.state.delete(key)
    if taken:
        record = replace(fund, balance=Amount(fund.balance + total))
        context.state.put(keys.account(OPERATIONS_FUND), record)
    return GatheredFees(amount=Amount(total), keys=taken, has_more=has_more)


def restart_tax_timer(context: Context, change: AccountChange) -> AccountChange:
    """Let the velocity-tax timer count from now, if it runs after this change of balance."""
    account = require(context, change.account_id)
    if account.tax_timer_started_at is None:
        return change
    restarted = replace(account, tax_timer_started_at=context.timestamp_s)
    context.state.put(keys.account(change.account_id), restarted)
    return replace(change, tax_timer=TaxTimer.STARTED)


def set_frozen(context: Context, account_id: AccountId, *, is_frozen: bool) -> None:
    """Freeze or unfreeze a wallet; setting what it is already changes nothing.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND, also for accounts that are no person's wallet.
    """
    account = require(context, account_id)
    if account.kind not in TAXED_KINDS:
        raise RefusedError(RefusalCode.ACCOUNT_NOT_FOUND, f"{account_id} is nobody's wallet")
    if account.frozen is not is_frozen:
        context.state.put(keys.account(account_id), replace(account, frozen=is_frozen))


def set_status(context: Context, account_id: AccountId, status: AccountStatus) -> None:
    """Let the account send, or not.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND.
    """
    account = require(context, account_id)
    context.state.put(keys.account(account_id), replace(account, status=status))


def _change(
    context: Context, account_id: AccountId, account: AccountRecord, delta: int
) -> AccountChange:
    balance = Amount(account.balance + delta)
    started_at, effect = _tax_timer(context, account, balance)
    changed = AccountRecord(
        balance=balance,
        kind=account.kind,
        status=account.status,
        frozen=account.frozen,
        country=account.country,
        tax_timer_started_at=started_at,
    )
    context.state.put(keys.account(account_id), changed)
    return AccountChange(account_id=account_id, delta=Delta(delta), tax_timer=effect)


def _tax_timer(
    context: Context, account: AccountRecord, balance: Amount
) -> tuple[EpochSeconds | None, TaxTimer | None]:
    """Return when the timer started, if it runs at the new balance, and what happened to it."""
    started_at = account.tax_timer_started_at
    if account.kind not in TAXED_KINDS:
        return None, None
    is_due_to_run = balance >= system.parameters(context)["velocityTaxThreshold"]
    if is_due_to_run and started_at is None:
        return context.timestamp_s, TaxTimer.STARTED
    if not is_due_to_run and started_at is not None:
        return None, TaxTimer.CLEARED
    return started_at, None
