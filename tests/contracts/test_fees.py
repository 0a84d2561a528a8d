"""Fees: what a transfer costs, and where the income is kept."""

import pytest

from gx.contracts import accounts
from gx.domain.catalogue import COLLECT_FEES, TRANSFER_TOKENS
from gx.domain.codec import decode_object
from gx.domain.events import FeesCollected
from gx.domain.identifiers import CHARITABLE_POOL, OPERATIONS_FUND
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import (
    COIN,
    ContractLedger,
    a_command,
    a_ledger,
    coins,
    give,
)


@pytest.mark.parametrize(
    ("recipient", "amount", "bps"),
    [
        ("bob", 3 * COIN - 1, 0),
        ("bob", 3 * COIN, 5),
        ("bob", 100 * COIN, 5),
        ("bob", 100 * COIN + 1, 10),
        ("carol", 3 * COIN - 1, 0),
        ("carol", 3 * COIN, 15),
        ("carol", 100 * COIN, 15),
        ("carol", 100 * COIN + 1, 25),
        ("wallet", 100 * COIN + 1, 10),
        ("treasury_CA", 100 * COIN + 1, 0),
        (CHARITABLE_POOL, 100 * COIN + 1, 0),
    ],
)
def test_the_fee_depends_on_amount_and_border(recipient: str, amount: int, bps: int) -> None:
    """Both sides of each tier; a wallet without a holder is abroad to nobody."""
    ledger = a_ledger(alice="US", bob="US", carol="CA")
    give(ledger, "alice", coins(1000))
    give(ledger, "wallet", "1")

    outcome = ledger.send(TRANSFER_TOKENS, "alice", recipient, str(amount), "x")

    fee = (amount * bps + 5_000) // 10_000
    assert outcome.result == {"fee": str(fee)}
    assert outcome.events[0]["feeRateBps"] == bps
    assert ledger.balance("alice") == 1000 * COIN - amount - fee


@pytest.mark.parametrize(("amount", "fee"), [(300_000_999, 150_000), (300_001_000, 150_001)])
def test_a_fee_is_rounded_half_up(amount: int, fee: int) -> None:
    """5 basis points of 300,001,000 are 150,000.5: the half goes to the fund."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))

    outcome = ledger.send(TRANSFER_TOKENS, "alice", "bob", str(amount), "x")

    assert outcome.result == {"fee": str(fee)}


def a_ledger_with_fees() -> tuple[ContractLedger, int]:
    """Return a ledger on which two transactions collected fees, and their sum."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10_000))
    for number in range(2):
        items = [
            a_command(TRANSFER_TOKENS, "alice", "bob", coins(100), "x", name=f"t{number}{i}")
            for i in range(3)
        ]
        ledger.batch(items, LedgerRole.PARTNER_API)
    return ledger, 6 * 100 * COIN * 5 // 10_000


def test_each_transaction_keeps_its_fees_under_a_key_of_its_own() -> None:
    """Batches share no key for fees: one delta key a transaction, never read."""
    ledger, fees = a_ledger_with_fees()
    item = a_command(TRANSFER_TOKENS, "alice", "bob", coins(100), "x", name="t")

    stub = ledger.simulate([item], LedgerRole.PARTNER_API)

    keys = [key for key in ledger.ledger.values() if key.startswith("fee_")]
    amounts = [decode_object(ledger.ledger.values()[key])["amount"] for key in keys]
    assert amounts == [str(fees // 2)] * 2
    assert f"fee_{stub.transaction_id}" in stub.writes
    assert not [key for key in stub.reads if key.startswith("fee_")]
    assert f"account_{OPERATIONS_FUND}" not in {**stub.reads, **stub.writes}


def test_the_fund_s_balance_is_its_record_and_all_fees() -> None:
    """Whoever asks for it gets the sum."""
    ledger, fees = a_ledger_with_fees()

    assert ledger.balance(OPERATIONS_FUND) == 0
    assert ledger.query("TokenomicsContract:GetBalance", OPERATIONS_FUND)["balance"] == str(fees)
    assert ledger.minted() == ledger.total()


def test_paying_out_of_the_fund_gathers_the_fees() -> None:
    """The fee keys go into the record; the payment comes out of both; nothing is lost."""
    ledger, fees = a_ledger_with_fees()

    ledger.do(
        TRANSFER_TOKENS, OPERATIONS_FUND, "bob", str(fees), "x", actor="o", role=LedgerRole.ADMIN
    )

    assert ledger.balance(OPERATIONS_FUND) == 0
    assert not [key for key in ledger.ledger.values() if key.startswith("fee_")]
    assert ledger.minted() == ledger.total()


def test_the_fund_cannot_pay_more_than_it_has() -> None:
    """One base unit too much is refused, and the fees stay where they are."""
    ledger, fees = a_ledger_with_fees()
    payment = (OPERATIONS_FUND, "bob", str(fees + 1), "x")

    code = ledger.refusal(TRANSFER_TOKENS, *payment, actor="o", role=LedgerRole.ADMIN)

    assert code is RefusalCode.INSUFFICIENT_FUNDS
    assert len([key for key in ledger.ledger.values() if key.startswith("fee_")]) == 2


def test_fees_of_the_same_transaction_are_gathered_and_collected_again() -> None:
    """Fee, payment out of the fund, fee in one batch: the last fee has its key again."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10_000))
    fee = 100 * COIN * 5 // 10_000
    pay_fee = ("alice", "bob", coins(100), "x")
    items = [
        a_command(TRANSFER_TOKENS, *pay_fee, name="1"),
        a_command(TRANSFER_TOKENS, OPERATIONS_FUND, "bob", str(fee), "x", actor="o", name="2"),
        a_command(TRANSFER_TOKENS, *pay_fee, name="3"),
    ]

    outcomes = ledger.batch(items, LedgerRole.ADMIN)

    assert [outcome.code for outcome in outcomes] == [None, None, None]
    assert ledger.balance(OPERATIONS_FUND) == 0
    assert ledger.query("TokenomicsContract:GetBalance", OPERATIONS_FUND)["balance"] == str(fee)
    assert ledger.minted() == ledger.total()


def test_the_fund_itself_may_be_paid() -> None:
    """A transfer to the fund credits its record; sums stay right beside fee keys."""
    ledger, fees = a_ledger_with_fees()

    ledger.do(TRANSFER_TOKENS, "alice", OPERATIONS_FUND, coins(7), "gift")

    assert ledger.balance(OPERATIONS_FUND) == 7 * COIN
    balance = ledger.query("TokenomicsContract:GetBalance", OPERATIONS_FUND)["balance"]
    assert balance == str(fees + 7 * COIN)


def test_a_fund_without_fee_keys_pays_from_its_record() -> None:
    """Nothing to gather is no obstacle."""
    ledger = a_ledger(alice="US")
    give(ledger, OPERATIONS_FUND, coins(5))

    ledger.do(
        TRANSFER_TOKENS, OPERATIONS_FUND, "alice", coins(5), "x", actor="o", role=LedgerRole.ADMIN
    )

    assert (ledger.balance(OPERATIONS_FUND), ledger.balance("alice")) == (0, 5 * COIN)


def fee_keys(ledger: ContractLedger) -> int:
    """Count the fee keys of the world state."""
    return len([key for key in ledger.ledger.values() if key.startswith("fee_")])


def fund_of(ledger: ContractLedger) -> int:
    """Return the fund's balance: its record and all fee keys."""
    return int(str(ledger.query("TokenomicsContract:GetBalance", OPERATIONS_FUND)["balance"]))


def a_ledger_with_many_fees(count: int, monkeypatch: pytest.MonkeyPatch) -> ContractLedger:
    """Return a ledger with this many fee keys of 1 coin each, of which a command gathers 3."""
    monkeypatch.setattr(accounts, "FEE_KEYS_MAX", 3)
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(1_000 * (count + 1)))
    for _ in range(count):
        fee = ledger.send(TRANSFER_TOKENS, "alice", "bob", coins(1_000), "x").result
        assert fee == {"fee": coins(1)}
    return ledger


def test_fees_are_collected_a_bounded_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven keys, three a command: the third one is the last, and a fourth finds nothing."""
    ledger = a_ledger_with_many_fees(7, monkeypatch)
    told = []
    for _ in range(4):
        (event,) = ledger.do(COLLECT_FEES, role=LedgerRole.ADMIN)
        assert isinstance(event, FeesCollected)
        told.append((event.amount, event.keys, event.has_more, fee_keys(ledger)))
        assert fund_of(ledger) == 7 * COIN
        assert ledger.minted() == ledger.total()

    assert told == [
        (3 * COIN, 3, True, 4),
        (3 * COIN, 3, True, 1),
        (1 * COIN, 1, False, 0),
        (0, 0, False, 0),
    ]
    assert ledger.balance(OPERATIONS_FUND) == 7 * COIN


def test_the_answer_says_whether_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sent the command need not read events."""
    ledger = a_ledger_with_many_fees(3, monkeypatch)

    outcome = ledger.send(COLLECT_FEES, role=LedgerRole.ADMIN)

    assert outcome.result == {"amount": coins(3), "keys": 3, "hasMore": False}


def test_a_payment_gathers_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs a fourth key is refused, says why, and is paid after collecting."""
    ledger = a_ledger_with_many_fees(4, monkeypatch)
    payment = (OPERATIONS_FUND, "bob", coins(4), "x")

    refused = ledger.send(TRANSFER_TOKENS, *payment, actor="o", role=LedgerRole.ADMIN)

    assert refused.code is RefusalCode.INSUFFICIENT_FUNDS
    assert "collect them first" in str(refused.detail)
    assert fee_keys(ledger) == 4
    ledger.do(COLLECT_FEES, role=LedgerRole.ADMIN)
    ledger.do(TRANSFER_TOKENS, *payment, actor="o", role=LedgerRole.ADMIN)
    assert (fund_of(ledger), fee_keys(ledger)) == (0, 0)
    assert ledger.minted() == ledger.total()


def test_a_payment_gathers_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that the payment does not need stay where they are, and in the balance."""
    ledger = a_ledger_with_many_fees(3, monkeypatch)
    pay = (OPERATIONS_FUND, "bob", coins(1), "x")

    ledger.do(TRANSFER_TOKENS, *pay, actor="o", role=LedgerRole.ADMIN)

    assert (ledger.balance(OPERATIONS_FUND), fee_keys(ledger), fund_of(ledger)) == (0, 2, 2 * COIN)


def test_a_collection_reads_no_further_than_it_gathers(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many fees wait, one command reads a bounded part: its own and one more."""
    ledger = a_ledger_with_many_fees(7, monkeypatch)
    item = a_command(COLLECT_FEES, name="c", actor="o")

    stub = ledger.simulate([item], LedgerRole.ADMIN)

    assert len([key for key in stub.reads if key.startswith("fee_")]) == 4
    assert len([key for key, value in stub.writes.items() if value is None]) == 3
