"""The velocity-tax timer: it runs exactly while the balance stands at the threshold or above."""

import pytest

from gx.domain.catalogue import (
    DISTRIBUTE_GENESIS,
    MINT_COINS,
    TRANSFER_TOKENS,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.events import TaxTimer
from gx.domain.identifiers import CHARITABLE_POOL, EpochSeconds
from tests.chaincode.dict_stub import START_S
from tests.contracts.contract_ledger import COIN, a_ledger, coins, give

LATER_S = EpochSeconds(START_S + 3_600)


def test_the_timer_starts_when_the_balance_reaches_the_threshold() -> None:
    """One base unit below nothing runs; at 100 coins it starts, at the transaction's time."""
    ledger = a_ledger(alice="US")
    (below,) = ledger.do(MINT_COINS, "alice", str(100 * COIN - 1), "x")
    assert below.changes[0].tax_timer is None
    assert ledger.account("alice").tax_timer_started_at is None
    ledger.ledger.now_s = LATER_S

    (reached,) = ledger.do(MINT_COINS, "alice", "1", "x")

    assert reached.changes[0].tax_timer is TaxTimer.STARTED
    assert ledger.account("alice").tax_timer_started_at == LATER_S


def test_the_timer_goes_on_while_the_balance_stays_above() -> None:
    """More coins do not start it anew."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", coins(100))
    ledger.ledger.now_s = LATER_S

    (more,) = ledger.do(MINT_COINS, "alice", coins(100), "x")

    assert more.changes[0].tax_timer is None
    assert ledger.account("alice").tax_timer_started_at == START_S


def test_the_timer_clears_below_and_starts_anew() -> None:
    """Sender and recipient of one transfer: one clears, the other starts."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(150))
    ledger.ledger.now_s = LATER_S

    (event,) = ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(100), "x")

    assert [change.tax_timer for change in event.changes] == [
        TaxTimer.CLEARED,
        TaxTimer.STARTED,
        None,
    ]
    assert ledger.account("alice").tax_timer_started_at is None
    assert ledger.account("bob").tax_timer_started_at == LATER_S


def test_a_wallet_without_a_holder_is_taxed_too() -> None:
    """It belongs to somebody who has not registered yet."""
    ledger = a_ledger()
    give(ledger, "wallet", coins(100))

    assert ledger.account("wallet").tax_timer_started_at == START_S


@pytest.mark.parametrize("account", [CHARITABLE_POOL, "treasury_US"])
def test_the_system_and_treasuries_are_exempt(account: str) -> None:
    """No timer, whatever they hold."""
    ledger = a_ledger()

    (event,) = ledger.do(MINT_COINS, account, coins(1_000), "x")

    assert event.changes[0].tax_timer is None
    assert ledger.account(account).tax_timer_started_at is None


def test_genesis_coins_start_the_timer() -> None:
    """A credit is a credit: 500 coins of phase 1 are above the threshold."""
    ledger = a_ledger(alice="US")

    paid, allocated = ledger.do(DISTRIBUTE_GENESIS, "alice")

    assert [change.tax_timer for change in paid.changes] == [None, TaxTimer.STARTED]
    assert [change.tax_timer for change in allocated.changes] == [None, None]


def test_a_new_threshold_counts_from_the_next_change_of_balance() -> None:
    """Lowered: the next credit starts the timer. Raised: the next one clears it."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", coins(50))
    ledger.do(UPDATE_SYSTEM_PARAMETER, "velocityTaxThreshold", coins(10))
    (event,) = ledger.do(MINT_COINS, "alice", "1", "x")
    assert event.changes[0].tax_timer is TaxTimer.STARTED

    ledger.do(UPDATE_SYSTEM_PARAMETER, "velocityTaxThreshold", coins(1000))
    (event,) = ledger.do(MINT_COINS, "alice", "1", "x")

    assert event.changes[0].tax_timer is TaxTimer.CLEARED
