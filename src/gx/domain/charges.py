"""What accounts are charged: the fee of a transfer, and the velocity tax on what lies still.

Pure functions of accounts and parameters. The contracts charge by them; the edge foretells by
them from the read models, and so says the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.economics import BASIS_POINTS, fee_rate_bps, share_of
from gx.domain.identifiers import AccountId, EpochSeconds
from gx.domain.world_state import AccountKind, AccountRecord

FREE_KINDS: Final = frozenset({AccountKind.SYSTEM, AccountKind.TREASURY})
"""With one of these on either side a transfer is free."""

TAXED_KINDS: Final = frozenset({AccountKind.WALLET, AccountKind.USER})
"""System accounts, treasuries and organisations are exempt from the velocity tax."""

_TIERS: Final = (1, 2, 3)
_SECONDS_PER_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee(Record):
    """The fee of one transfer, paid by the sender on top of the amount."""

    fee: Amount
    fee_rate_bps: int
    is_cross_border: bool


def fee_of(
    parameters: Mapping[str, int], sender: AccountRecord, recipient: AccountRecord, amount: Amount
) -> Fee:
    """Compute the fee of a transfer; whether the sender can pay it is not asked."""
    if sender.kind in FREE_KINDS or recipient.kind in FREE_KINDS:
        return Fee(fee=Amount(0), fee_rate_bps=0, is_cross_border=False)
    are_users = sender.kind is AccountKind.USER and recipient.kind is AccountKind.USER
    is_cross_border = are_users and sender.country != recipient.country
    rate_bps = fee_rate_bps(parameters, amount, is_cross_border=is_cross_border)
    fee = share_of(amount, rate_bps)
    return Fee(fee=fee, fee_rate_bps=rate_bps, is_cross_border=is_cross_border)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxEligibility(Record):
    """Whether an account's velocity tax is due at `as_of`.

    `timer_start` and `due_at` are there while the account's timer runs.
    """

    account_id: AccountId
    balance: Amount
    threshold: Amount
    is_exempt: bool
    is_eligible: bool
    as_of: EpochSeconds
    timer_start: EpochSeconds | None = None
    due_at: EpochSeconds | None = None


def tax_eligibility(
    parameters: Mapping[str, int], account_id: AccountId, account: AccountRecord, now: EpochSeconds
) -> TaxEligibility:
    """Tell whether the account has held the threshold for long enough.

    The timer alone does not decide: a threshold that was raised meanwhile counts at once.
    """
    threshold = Amount(parameters["velocityTaxThreshold"])
    timer_start, due_at = account.tax_timer_started_at, None
    if timer_start is not None:
        due_at = EpochSeconds(timer_start + parameters["velocityTaxDays"] * _SECONDS_PER_DAY)
    is_exempt = account.kind not in TAXED_KINDS
    is_held = account.balance >= threshold and due_at is not None and due_at <= now
    return TaxEligibility(
        account_id=account_id,
        balance=account.balance,
        threshold=threshold,
        is_exempt=is_exempt,
        is_eligible=is_held and not is_exempt,
        as_of=now,
        timer_start=timer_start,
        due_at=due_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityTax(Record):
    """A tax on one balance and who receives it: both shares sum to `tax_amount`."""

    tax_amount: Amount
    tax_rate_bps: int
    treasury_share: Amount
    charity_share: Amount


def velocity_tax_of(parameters: Mapping[str, int], account: AccountRecord) -> VelocityTax:
    """Compute the tax on what the account holds, due or not; nothing where none can fall due.

    The whole balance is taxed at its tier's one rate. The treasury's share is rounded down. A
    wallet that nobody has registered for has no country: the charitable pool receives all.
    """
    rate_bps = _tax_rate_bps(parameters, account)
    amount = share_of(account.balance, rate_bps)
    has_treasury = account.country is not None
    treasury = amount * parameters["velocityTaxTreasuryBps"] // BASIS_POINTS if has_treasury else 0
    return VelocityTax(
        tax_amount=amount,
        tax_rate_bps=rate_bps,
        treasury_share=Amount(treasury),
        charity_share=Amount(amount - treasury),
    )


def _tax_rate_bps(parameters: Mapping[str, int], account: AccountRecord) -> int:
    is_below = account.balance < parameters["velocityTaxThreshold"]
    if is_below or account.kind not in TAXED_KINDS:
        return 0
    for tier in _TIERS:
        if account.balance <= parameters[f"velocityTaxTier{tier}Limit"]:
            return parameters[f"velocityTaxTier{tier}Bps"]
    return parameters["velocityTaxTier4Bps"]
