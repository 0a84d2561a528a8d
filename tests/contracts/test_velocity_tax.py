"""The velocity tax: due after 360 days, 70 % of it to the treasury, not a base unit lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.catalogue import (
    APPLY_VELOCITY_TAX,
    FREEZE_WALLET,
    LOCK_USER,
    MINT_COINS,
    TRANSFER_TOKENS,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.events import TaxTimer, VelocityTaxApplied
from gx.domain.identifiers import CHARITABLE_POOL, EpochSeconds
from gx.domain.refusals import RefusalCode
from tests.chaincode.dict_stub import START_S
from tests.contracts.contract_ledger import COIN, ContractLedger, a_ledger, coins, give

DUE_S = EpochSeconds(START_S + 360 * 86_400)


def a_year_later(balance: int, *, account: str = "alice") -> ContractLedger:
    """Return a ledger on which the account has held this many base units for 360 days."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, account, str(balance))
    ledger.ledger.now_s = DUE_S
    return ledger


def apply_tax(ledger: ContractLedger, account: str = "alice") -> VelocityTaxApplied:
    """Tax the account; return the event."""
    (event,) = ledger.do(APPLY_VELOCITY_TAX, account)
    assert isinstance(event, VelocityTaxApplied)
    return event


def test_the_tax_goes_to_the_treasury_and_to_charity() -> None:
    """3 % of 500 coins are 15: 10.5 for the country, 4.5 for the charitable pool."""
    ledger = a_year_later(500 * COIN)
    charity = ledger.balance(CHARITABLE_POOL)

    event = apply_tax(ledger)

    assert (event.tax_amount, event.tax_rate_bps) == (15 * COIN, 300)
    assert (event.treasury_share, event.charity_share) == (1_050_000_000, 450_000_000)
    assert ledger.balance("alice") == 485 * COIN
    assert ledger.balance("treasury_US") == 1_050_000_000
    assert ledger.balance(CHARITABLE_POOL) == charity + 450_000_000


@pytest.mark.parametrize(
    ("balance", "rate_bps"),
    [
        (100 * COIN, 300),
        (1_000 * COIN, 300),
        (1_000 * COIN + 1, 400),
        (10_000 * COIN, 400),
        (10_000 * COIN + 1, 500),
        (100_000 * COIN, 500),
        (100_000 * COIN + 1, 600),
    ],
)
def test_the_rate_follows_from_the_balance(balance: int, rate_bps: int) -> None:
    """A tier's limit still belongs to it; the one rate is taken of the whole balance."""
    event = apply_tax(a_year_later(balance))

    assert event.tax_rate_bps == rate_bps
    assert event.tax_amount == (balance * rate_bps + 5_000) // 10_000


def test_a_second_too_early_nothing_is_due() -> None:
    """360 days are 360 times 86,400 seconds, and not one less."""
    ledger = a_year_later(500 * COIN)
    ledger.ledger.now_s = EpochSeconds(DUE_S - 1)
    assert ledger.refusal(APPLY_VELOCITY_TAX, "alice") is RefusalCode.TAX_NOT_DUE

    ledger.ledger.now_s = DUE_S
    assert apply_tax(ledger).tax_amount == 15 * COIN


def test_applying_starts_the_timer_anew() -> None:
    """Nobody is taxed twice for the same days, nor spared the next ones."""
    ledger = a_year_later(500 * COIN)

    event = apply_tax(ledger)

    assert event.timer_start == ledger.account("alice").tax_timer_started_at == DUE_S
    assert event.changes[0].tax_timer is TaxTimer.STARTED
    assert ledger.refusal(APPLY_VELOCITY_TAX, "alice") is RefusalCode.TAX_NOT_DUE
    ledger.ledger.now_s = EpochSeconds(DUE_S + 360 * 86_400)
    assert apply_tax(ledger).tax_amount == 1_455_000_000


def test_a_tax_that_brings_the_balance_below_the_threshold_ends_the_timer() -> None:
    """97 coins are left of 100: nothing counts until there are 100 again."""
    ledger = a_year_later(100 * COIN)

    event = apply_tax(ledger)

    assert event.timer_start is None
    assert event.changes[0].tax_timer is TaxTimer.CLEARED
    assert ledger.account("alice").tax_timer_started_at is None


def test_spending_below_the_threshold_escapes_the_tax() -> None:
    """Coins that move are not what is taxed: back at 100 coins, the days count from 0."""
    ledger = a_year_later(150 * COIN)
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(100), "x")
    ledger.do(MINT_COINS, "alice", coins(100), "x")

    assert ledger.refusal(APPLY_VELOCITY_TAX, "alice") is RefusalCode.TAX_NOT_DUE


@pytest.mark.parametrize("account", [CHARITABLE_POOL, "SYSTEM_LOAN_POOL", "treasury_US"])
def test_the_system_and_treasuries_are_exempt(account: str) -> None:
    """They hold coins for others."""
    ledger = a_year_later(500 * COIN)
    give(ledger, account, coins(500))

    assert ledger.refusal(APPLY_VELOCITY_TAX, account) is RefusalCode.TAX_NOT_DUE
    answer = ledger.query("TaxAndFeeContract:CheckVelocityTaxEligibility", account)
    assert (answer["isExempt"], answer["isEligible"]) == (True, False)


def test_a_wallet_without_a_holder_pays_to_charity_alone() -> None:
    """Nobody has registered for it, so there is no country whose treasury could share."""
    ledger = a_year_later(500 * COIN, account="wallet")
    before = ledger.balance(CHARITABLE_POOL)

    event = apply_tax(ledger, "wallet")

    assert (event.treasury_share, event.charity_share) == (0, 15 * COIN)
    assert [change.account_id for change in event.changes] == ["wallet", CHARITABLE_POOL]
    assert ledger.balance(CHARITABLE_POOL) == before + 15 * COIN


def test_neither_freezing_nor_locking_shields_from_the_tax() -> None:
    """It is no transfer of the holder's."""
    ledger = a_year_later(500 * COIN)
    ledger.do(FREEZE_WALLET, "alice", "x")
    ledger.do(LOCK_USER, "alice", "x")

    assert apply_tax(ledger).tax_amount == 15 * COIN


def test_a_raised_threshold_counts_at_once() -> None:
    """The timer still runs until the next change of balance, but nothing is due below it."""
    ledger = a_year_later(500 * COIN)
    ledger.do(UPDATE_SYSTEM_PARAMETER, "velocityTaxThreshold", coins(501))

    assert ledger.refusal(APPLY_VELOCITY_TAX, "alice") is RefusalCode.TAX_NOT_DUE


def test_the_tax_table_is_the_ledger_s() -> None:
    """Tiers, rates, days and shares are system parameters."""
    ledger = a_year_later(500 * COIN)
    for name, value in {
        "velocityTaxDays": "361",
        "velocityTaxTier1Limit": coins(400),
        "velocityTaxTier2Bps": "1000",
        "velocityTaxTreasuryBps": "5000",
    }.items():
        ledger.do(UPDATE_SYSTEM_PARAMETER, name, value)
    assert ledger.refusal(APPLY_VELOCITY_TAX, "alice") is RefusalCode.TAX_NOT_DUE
    ledger.ledger.now_s = EpochSeconds(DUE_S + 86_400)

    event = apply_tax(ledger)

    assert (event.tax_amount, event.treasury_share) == (50 * COIN, 25 * COIN)


def test_nobody_is_taxed_who_is_not_there() -> None:
    """An unknown account is named as such."""
    ledger = a_year_later(500 * COIN)

    assert ledger.refusal(APPLY_VELOCITY_TAX, "nobody") is RefusalCode.ACCOUNT_NOT_FOUND


@given(
    balance=st.integers(100 * COIN, 10**17),
    tier=st.integers(0, 5_000),
    share=st.integers(0, 10_000),
)
def test_the_tax_conserves_every_base_unit(balance: int, tier: int, share: int) -> None:
    """Whatever the table says: what one loses two receive, and the treasury's part is floored."""
    ledger = a_year_later(balance)
    for number in (1, 2, 3, 4):
        ledger.do(UPDATE_SYSTEM_PARAMETER, f"velocityTaxTier{number}Bps", str(tier))
    ledger.do(UPDATE_SYSTEM_PARAMETER, "velocityTaxTreasuryBps", str(share))
    total, minted = ledger.total(), ledger.minted()

    event = apply_tax(ledger)

    assert sum(change.delta for change in event.changes) == 0
    assert event.treasury_share + event.charity_share == event.tax_amount
    assert event.treasury_share == event.tax_amount * share // 10_000
    assert (ledger.total(), ledger.minted()) == (total, minted)
    assert ledger.balance("alice") == balance - event.tax_amount >= 0


def test_readers_learn_when_the_tax_is_due() -> None:
    """The standing at the transaction's time, and the tax as it would be taken."""
    ledger = a_year_later(500 * COIN)
    ledger.ledger.now_s = EpochSeconds(DUE_S - 1)

    assert ledger.query("TaxAndFeeContract:CheckVelocityTaxEligibility", "alice") == {
        "accountId": "alice",
        "balance": coins(500),
        "threshold": coins(100),
        "isExempt": False,
        "isEligible": False,
        "asOf": DUE_S - 1,
        "timerStart": START_S,
        "dueAt": DUE_S,
    }
    assert ledger.query("TaxAndFeeContract:CalculateVelocityTax", "alice") == {
        "accountId": "alice",
        "balance": coins(500),
        "taxAmount": coins(15),
        "taxRateBps": 300,
        "treasuryShare": "1050000000",
        "charityShare": "450000000",
    }


def test_below_the_threshold_there_is_nothing_to_tax() -> None:
    """A calculation for a small balance answers 0."""
    ledger = a_year_later(99 * COIN)

    answer = ledger.query("TaxAndFeeContract:CalculateVelocityTax", "alice")

    assert (answer["taxAmount"], answer["taxRateBps"]) == ("0", 0)


@given(amount=st.integers(1, 10_000 * COIN), recipient=st.sampled_from(["bob", "carol", "w"]))
def test_a_foretold_fee_is_the_fee_that_is_charged(amount: int, recipient: str) -> None:
    """Calculating and paying ask the same rule, within a country, across borders, to wallets."""
    ledger = a_ledger(alice="US", bob="US", carol="CA")
    for account in ("alice", "w"):
        give(ledger, account, coins(11_000))

    foretold = ledger.query(
        "TaxAndFeeContract:CalculateTransactionFee", "alice", recipient, str(amount)
    )
    ledger.do(TRANSFER_TOKENS, "alice", recipient, str(amount), "x")

    assert int(str(foretold["total"])) == 11_000 * COIN - ledger.balance("alice")
    assert int(str(foretold["total"])) == amount + int(str(foretold["fee"]))
    assert foretold["isCrossBorder"] is (recipient == "carol")


@pytest.mark.parametrize(
    ("to_id", "amount", "code"),
    [
        ("alice", "1", RefusalCode.SELF_TRANSFER),
        ("nobody", "1", RefusalCode.ACCOUNT_NOT_FOUND),
        ("bob", "0", RefusalCode.AMOUNT_NOT_POSITIVE),
    ],
)
def test_a_fee_of_no_possible_transfer_is_not_foretold(
    to_id: str, amount: str, code: RefusalCode
) -> None:
    """It is refused with the code that the transfer would have."""
    ledger = a_ledger(alice="US", bob="US")

    function = "TaxAndFeeContract:CalculateTransactionFee"
    assert ledger.query_refusal(function, "alice", to_id, amount) is code
