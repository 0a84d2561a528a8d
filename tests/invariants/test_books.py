"""The books notice what they are kept for: each invariant, broken on purpose."""

from dataclasses import replace

import pytest

from gx.domain.amounts import Amount
from gx.domain.batches import Outcome, OutcomeKind
from gx.domain.catalogue import TRANSFER_TOKENS
from gx.domain.codec import JsonObject
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import AccountRecord, SupplyRecord
from tests.contracts.contract_ledger import ContractLedger, a_command, a_ledger, coins, give
from tests.invariants.books import Books
from tests.invariants.replaying import Replay
from tests.invariants.test_machine import check_pause


def some_books() -> tuple[ContractLedger, Books, Replay]:
    """Return a ledger on which alice has paid bob, its books and its read models."""
    ledger, books, replay = a_ledger(alice="US", bob="US"), Books(), Replay()
    give(ledger, "alice", coins(10))
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(5), "x")
    replay.read(ledger.ledger.events)
    books.take(replay.outcomes())
    return ledger, books, replay


def told(name: str, **fields: object) -> Outcome:
    """Make the outcome of a command that raised this event, which changed no balance."""
    event: JsonObject = {"eventType": name, "schemaVersion": 1, "timestamp": 1, "changes": []}
    event.update({key: value for key, value in fields.items() if isinstance(value, str | int)})
    return Outcome(command_id=CommandId("c"), outcome=OutcomeKind.COMMITTED, events=(event,))


def test_true_books_agree() -> None:
    """Nothing is wrong with a ledger that nobody has touched."""
    ledger, books, replay = some_books()

    books.check(ledger.ledger.values())
    replay.check()
    replay.check_balances(books.held)


@pytest.mark.parametrize("by", [1, -1])
def test_a_balance_that_no_event_told_of_is_noticed(by: int) -> None:
    """A base unit too many or too few."""
    ledger, books, _ = some_books()
    world = ledger.ledger.values()
    account = AccountRecord.from_text(world["account_bob"])
    forged = replace(account, balance=Amount(account.balance + by)).to_text()

    with pytest.raises(AssertionError):
        books.check({**world, "account_bob": forged})


def test_a_supply_that_nobody_minted_is_noticed() -> None:
    """The record of the supply is held against balances and mints."""
    ledger, books, _ = some_books()
    supply = SupplyRecord.from_text(ledger.ledger.values()["supply"])
    forged = replace(supply, minted=Amount(supply.minted + 1)).to_text()

    with pytest.raises(AssertionError):
        books.check({**ledger.ledger.values(), "supply": forged})


def test_an_event_that_loses_a_base_unit_is_noticed() -> None:
    """All but mints move coins; none makes them."""
    _, books, replay = some_books()
    (event,) = replay.outcomes()[-1].events
    changes = event["changes"]
    assert isinstance(changes, list)
    lossy: JsonObject = {**event, "changes": changes[:-1]}
    outcome = Outcome(command_id=CommandId("c"), outcome=OutcomeKind.COMMITTED, events=(lossy,))

    with pytest.raises(AssertionError, match="makes or loses"):
        books.take([outcome])


def test_a_tax_whose_shares_do_not_sum_is_noticed() -> None:
    """The treasury's and charity's parts are the whole tax."""
    event = told(
        "VelocityTaxApplied", accountId="alice", taxAmount="15", taxRateBps=300,
        treasuryShare="10", charityShare="4",
    )  # fmt: skip

    with pytest.raises(AssertionError):
        Books().take([event])


def test_a_read_model_that_forgot_a_row_is_noticed() -> None:
    """A replay from the first block has it."""
    _, books, replay = some_books()
    del replay.tables["accounts"][("bob",)]

    with pytest.raises(AssertionError):
        replay.check()
    with pytest.raises(AssertionError):
        replay.check_balances(books.held)


def test_a_command_that_takes_effect_during_a_pause_is_noticed() -> None:
    """Only what is allowed then may succeed, and refusals leave records alone."""
    pay = a_command(TRANSFER_TOKENS, "alice", "bob", "1", "x", name="c")
    done = Outcome(command_id=CommandId("c"), outcome=OutcomeKind.COMMITTED)
    refused = replace(done, outcome=OutcomeKind.REJECTED, code=RefusalCode.SYSTEM_PAUSED)

    check_pause([pay], [refused], {}, {"cmd_c": "{}"})
    with pytest.raises(AssertionError, match="took effect during a pause"):
        check_pause([pay], [done], {}, {})
    with pytest.raises(AssertionError):
        check_pause([pay], [refused], {}, {"account_bob": "{}"})


@pytest.mark.parametrize(
    "command", ["APPROVE_MULTISIG_TX", "VOTE_ON_PROPOSAL", "REPAY_LOAN"], ids=str
)
def test_payments_votes_and_loans_are_counted(command: str) -> None:
    """Twice paid, twice voted, or owing something that was never lent."""
    ledger, books, _ = some_books()
    if command == "APPROVE_MULTISIG_TX":
        books.paid["acme~alice~1"] = 2
    elif command == "VOTE_ON_PROPOSAL":
        books.voted["feeLowerBps~1", "alice"] = 2
    else:
        books.lent = 1

    with pytest.raises(AssertionError):
        books.check(ledger.ledger.values())
