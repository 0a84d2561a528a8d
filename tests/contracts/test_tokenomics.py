"""Minting, transferring and freezing."""

import pytest

from gx.domain.amounts import SUPPLY_CAP
from gx.domain.catalogue import (
    FREEZE_WALLET,
    MINT_COINS,
    TRANSFER_TOKENS,
    UNFREEZE_WALLET,
)
from gx.domain.events import CoinsMinted, CoinsTransferred, WalletFrozen, WalletUnfrozen
from gx.domain.identifiers import CHARITABLE_POOL, LOAN_POOL, OPERATIONS_FUND
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import START_S
from tests.contracts.contract_ledger import (
    COIN,
    a_bootstrapped_ledger,
    a_command,
    a_ledger,
    coins,
    give,
)


def test_a_mint_opens_the_account_and_grows_the_supply_by_as_much() -> None:
    """One account and the supply change, nothing else; the event has the wire's fields."""
    ledger = a_bootstrapped_ledger()
    before = ledger.minted()

    (event,) = ledger.do(MINT_COINS, "alice", "1999999999", "Welcome")

    assert isinstance(event, CoinsMinted)
    assert event.to_payload() == {
        "eventType": "CoinsMinted",
        "schemaVersion": 1,
        "accountId": "alice",
        "amount": "1999999999",
        "amountCoins": "19",
        "remark": "Welcome",
        "timestamp": START_S,
        "changes": [{"accountId": "alice", "delta": "1999999999"}],
    }
    assert ledger.balance("alice") == ledger.minted() - before == 1999999999


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", RefusalCode.AMOUNT_NOT_POSITIVE),
        (str(2**63 - 1), RefusalCode.SUPPLY_CAP_EXCEEDED),
        (str(SUPPLY_CAP), RefusalCode.SUPPLY_CAP_EXCEEDED),
        (str(2**64 - 1), RefusalCode.SUPPLY_CAP_EXCEEDED),
        (str(2**64), RefusalCode.AMOUNT_OVERFLOW),
        ("9" * 5000, RefusalCode.AMOUNT_OVERFLOW),
        ("-1", RefusalCode.AMOUNT_OVERFLOW),
        ("1.0", RefusalCode.AMOUNT_OVERFLOW),
        ("1e3", RefusalCode.AMOUNT_OVERFLOW),
        ("01", RefusalCode.AMOUNT_OVERFLOW),
        (" 1", RefusalCode.AMOUNT_OVERFLOW),
        ("1_0", RefusalCode.AMOUNT_OVERFLOW),
        ("", RefusalCode.AMOUNT_OVERFLOW),
    ],
)
def test_an_amount_that_cannot_be_minted(amount: str, code: RefusalCode) -> None:
    """Nothing is wrapped, rounded or guessed at any bound, and nothing is minted."""
    ledger = a_bootstrapped_ledger()
    before = ledger.minted()

    assert ledger.refusal(MINT_COINS, "alice", amount, "x") is code
    assert ledger.minted() == before


def test_the_supply_reaches_its_cap_and_not_one_base_unit_more() -> None:
    """The last base unit can be minted; then none."""
    ledger = a_bootstrapped_ledger()
    left = SUPPLY_CAP - ledger.minted()
    assert ledger.refusal(MINT_COINS, "alice", str(left + 1), "x") is (
        RefusalCode.SUPPLY_CAP_EXCEEDED
    )

    give(ledger, "alice", str(left))

    assert ledger.minted() == ledger.total() == SUPPLY_CAP < 2**63
    assert ledger.refusal(MINT_COINS, "bob", "1", "x") is RefusalCode.SUPPLY_CAP_EXCEEDED
    assert ledger.query("TokenomicsContract:GetSupplyStatus") == {
        "minted": str(SUPPLY_CAP),
        "cap": str(SUPPLY_CAP),
        "remaining": "0",
    }


@pytest.mark.parametrize("amount", [str(2**63 - 1), str(SUPPLY_CAP), str(2**64 - 1)])
def test_a_transfer_of_more_than_there_is(amount: str) -> None:
    """The largest amounts are compared with the balance, not wrapped below it."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))

    assert ledger.refusal(TRANSFER_TOKENS, "alice", "bob", amount, "x") is (
        RefusalCode.INSUFFICIENT_FUNDS
    )


def test_a_transfer_moves_coins_and_its_event_names_each_account() -> None:
    """Sender, recipient and the operations fund: the three deltas sum to nothing."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(50))

    (event,) = ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(10), "Lunch")

    fee = 10 * COIN * 5 // 10_000
    assert isinstance(event, CoinsTransferred)
    assert event.to_payload() == {
        "eventType": "TransferEvent",
        "schemaVersion": 1,
        "fromId": "alice",
        "toId": "bob",
        "amount": coins(10),
        "fee": str(fee),
        "feeRateBps": 5,
        "remark": "Lunch",
        "timestamp": START_S,
        "changes": [
            {"accountId": "alice", "delta": str(-10 * COIN - fee)},
            {"accountId": "bob", "delta": coins(10)},
            {"accountId": OPERATIONS_FUND, "delta": str(fee)},
        ],
    }
    assert ledger.balance("alice") == 40 * COIN - fee
    assert ledger.balance("bob") == 10 * COIN


def test_the_fee_must_be_there_too() -> None:
    """Amount and fee together may empty the account, exactly; one base unit short refuses."""
    ledger = a_ledger(alice="US", bob="US")
    amount, fee = 10 * COIN, 10 * COIN * 5 // 10_000
    give(ledger, "alice", str(amount + fee - 1))
    transfer = ("alice", "bob", str(amount), "x")
    assert ledger.refusal(TRANSFER_TOKENS, *transfer) is RefusalCode.INSUFFICIENT_FUNDS

    give(ledger, "alice", "1")
    ledger.do(TRANSFER_TOKENS, *transfer)

    assert ledger.balance("alice") == 0


@pytest.mark.parametrize(
    ("frozen", "pair"), [("alice", ("alice", "bob")), ("bob", ("alice", "bob"))]
)
def test_a_frozen_wallet_neither_sends_nor_receives(frozen: str, pair: tuple[str, str]) -> None:
    """Until it is unfrozen no transfer touches it."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))

    (event,) = ledger.do(FREEZE_WALLET, frozen, "Reported stolen")
    assert isinstance(event, WalletFrozen)
    assert (event.user_id, event.reason, event.changes) == (frozen, "Reported stolen", ())
    code = ledger.refusal(TRANSFER_TOKENS, *pair, coins(1), "x")
    assert code is RefusalCode.ACCOUNT_FROZEN

    (event,) = ledger.do(UNFREEZE_WALLET, frozen)
    assert isinstance(event, WalletUnfrozen)
    ledger.do(TRANSFER_TOKENS, *pair, coins(1), "x")


def test_freezing_twice_is_freezing_once() -> None:
    """The state is set, not toggled: a repetition succeeds and writes no account."""
    ledger = a_ledger(alice="US")

    for command, args in ((FREEZE_WALLET, ("alice", "x")), (UNFREEZE_WALLET, ("alice",))):
        ledger.do(command, *args)
        again = ledger.simulate(
            [a_command(command, *args, name=f"again-{command.wire_name}")], LedgerRole.SUPER_ADMIN
        )
        assert [key for key in again.writes if not key.startswith("cmd_")] == []


@pytest.mark.parametrize("account", ["nobody", OPERATIONS_FUND, "treasury_US"])
def test_only_a_person_s_wallet_can_be_frozen(account: str) -> None:
    """A frozen pool or treasury would stop genesis; there is a pause for that."""
    assert a_ledger().refusal(FREEZE_WALLET, account, "x") is RefusalCode.ACCOUNT_NOT_FOUND


def test_only_administrators_move_the_system_s_coins() -> None:
    """A partner cannot, even if the token's subject bears the pool's name."""
    ledger = a_ledger(alice="US")
    transfer = (LOAN_POOL, "alice", coins(100), "grant")

    assert ledger.refusal(TRANSFER_TOKENS, *transfer, actor=LOAN_POOL) is (
        RefusalCode.ACTOR_MISMATCH
    )
    for role in (LedgerRole.ADMIN, LedgerRole.SUPER_ADMIN):
        ledger.do(TRANSFER_TOKENS, *transfer, actor="ops", role=role)
    assert ledger.balance("alice") == 200 * COIN


def test_an_administrator_moves_a_user_s_coins_only_as_that_user() -> None:
    """An admin may act for a user who is named as actor; a super admin for none."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))
    transfer = ("alice", "bob", coins(1), "x")

    ledger.do(TRANSFER_TOKENS, *transfer, actor="alice", role=LedgerRole.ADMIN)
    for actor, role in (("ops", LedgerRole.ADMIN), ("alice", LedgerRole.SUPER_ADMIN)):
        assert ledger.refusal(TRANSFER_TOKENS, *transfer, actor=actor, role=role) is (
            RefusalCode.ACTOR_MISMATCH
        )


def test_the_charitable_pool_takes_gifts_free_of_charge() -> None:
    """A transfer to the system costs nothing."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", coins(1000))

    ledger.do(TRANSFER_TOKENS, "alice", CHARITABLE_POOL, coins(1000), "gift")

    assert ledger.balance("alice") == 0
