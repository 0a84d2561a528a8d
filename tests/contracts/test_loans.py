"""LoanPoolContract: loans asked for, paid out of the pool, and paid back."""

import pytest

from gx.domain.catalogue import (
    APPLY_FOR_LOAN,
    APPROVE_LOAN,
    FREEZE_WALLET,
    LOCK_USER,
    REJECT_LOAN,
    REPAY_LOAN,
    TRANSFER_TOKENS,
)
from gx.domain.events import TaxTimer
from gx.domain.identifiers import LOAN_POOL
from gx.domain.lending import OPEN_LOANS_MAX
from gx.domain.loan_events import LoanApplied, LoanApproved, LoanRejected, LoanRepaid
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import COIN, ContractLedger, a_hash, coins, give
from tests.contracts.trusted_people import a_trusting_ledger, relate, with_family

R = RefusalCode
DEED = a_hash(77)
POOL = 100_000_000 * COIN


def apply(ledger: ContractLedger, amount: int = 500, borrower: str = "alice") -> str:
    """Ask for a loan of whole coins; return its id."""
    (event,) = ledger.do(APPLY_FOR_LOAN, borrower, coins(amount), DEED)
    assert isinstance(event, LoanApplied)
    return event.loan_id


def a_loan(ledger: ContractLedger, amount: int = 500, borrower: str = "alice") -> str:
    """Ask for a loan and have it paid out."""
    loan_id = apply(ledger, amount, borrower)
    ledger.do(APPROVE_LOAN, loan_id)
    return loan_id


def opened(ledger: ContractLedger, borrower: str = "alice") -> tuple[object, object]:
    """Ask how many loans a user has open, and for how many base units."""
    record = ledger.query("LoanPoolContract:GetBorrower", borrower)
    return record["openLoans"], record["openAmount"]


def loan(ledger: ContractLedger, loan_id: str) -> tuple[object, object]:
    """Ask for a loan's status and what is outstanding."""
    record = ledger.query("LoanPoolContract:GetLoan", loan_id)
    return record["status"], record["outstanding"]


def test_an_application_waits_and_pays_nothing() -> None:
    """The loan is listed under an id of borrower and command; it is open, and no coin moves."""
    ledger = a_trusting_ledger()

    outcome = ledger.send(APPLY_FOR_LOAN, "alice", coins(500), DEED)

    loan_id = f"alice~{outcome.command_id}"
    assert outcome.result == {"loanId": loan_id}
    record = ledger.query("LoanPoolContract:GetLoan", loan_id)
    assert record == {
        "loanId": loan_id,
        "borrowerId": "alice",
        "amount": coins(500),
        "outstanding": "0",
        "status": "Pending",
        "collateralHash": DEED,
        "appliedAt": ledger.ledger.now_s,
    }
    assert opened(ledger) == (1, coins(500))
    assert (ledger.balance("alice"), ledger.balance(LOAN_POOL)) == (0, POOL)


def test_the_application_tells_the_trust_score() -> None:
    """Whoever decides sees what counted then."""
    ledger = a_trusting_ledger()

    (event,) = ledger.do(APPLY_FOR_LOAN, "alice", coins(500), DEED)

    assert isinstance(event, LoanApplied)
    assert (event.trust_score, event.changes) == (80, ())


def test_an_approval_pays_out_of_the_pool() -> None:
    """Pool and borrower change by exactly the amount; the tax timer starts as for any credit."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)

    (event,) = ledger.do(APPROVE_LOAN, loan_id)

    assert isinstance(event, LoanApproved)
    assert [(change.account_id, change.delta, change.tax_timer) for change in event.changes] == [
        (LOAN_POOL, -500 * COIN, None),
        ("alice", 500 * COIN, TaxTimer.STARTED),
    ]
    assert (ledger.balance("alice"), ledger.balance(LOAN_POOL)) == (500 * COIN, POOL - 500 * COIN)
    assert loan(ledger, loan_id) == ("Active", coins(500))
    assert opened(ledger) == (1, coins(500))


def test_a_rejection_closes_the_loan() -> None:
    """Nothing is paid, and the borrower has room again."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)

    (event,) = ledger.do(REJECT_LOAN, loan_id, "No deed")

    assert isinstance(event, LoanRejected)
    assert (event.borrower_id, event.reason) == ("alice", "No deed")
    assert loan(ledger, loan_id) == ("Rejected", "0")
    assert opened(ledger) == (0, "0")
    assert ledger.balance(LOAN_POOL) == POOL


def test_a_loan_is_repaid_in_parts_without_a_fee() -> None:
    """What is left is told each time; the last part ends the loan and gives room."""
    ledger = a_trusting_ledger()
    loan_id = a_loan(ledger)

    first = ledger.send(REPAY_LOAN, loan_id, coins(200), actor="alice")
    assert first.result == {"outstanding": coins(300)}
    assert loan(ledger, loan_id) == ("Active", coins(300))
    assert opened(ledger) == (1, coins(300))

    (event,) = ledger.do(REPAY_LOAN, loan_id, coins(300), actor="alice")
    assert isinstance(event, LoanRepaid)
    assert (event.amount, event.outstanding) == (300 * COIN, 0)
    assert loan(ledger, loan_id) == ("Repaid", "0")
    assert opened(ledger) == (0, "0")
    assert (ledger.balance("alice"), ledger.balance(LOAN_POOL)) == (0, POOL)
    assert ledger.total() == ledger.minted()


@pytest.mark.parametrize("amount", [100 * COIN - 1, 1_000_000 * COIN + 1])
def test_a_loan_beyond_the_limits_is_refused(amount: int) -> None:
    """100 to 1,000,000 coins, to the base unit."""
    assert a_trusting_ledger().refusal(APPLY_FOR_LOAN, "alice", str(amount), DEED) is R.LOAN_LIMIT


@pytest.mark.parametrize("amount", [100, 1_000_000])
def test_the_limits_themselves_are_allowed(amount: int) -> None:
    """The boundary belongs to what may be."""
    apply(a_trusting_ledger(), amount)


def test_five_loans_may_be_open() -> None:
    """The sixth is refused while none of the others is repaid or rejected."""
    ledger = a_trusting_ledger()
    ids = [apply(ledger, 100) for _ in range(OPEN_LOANS_MAX)]
    ledger.do(APPROVE_LOAN, ids[0])

    assert ledger.refusal(APPLY_FOR_LOAN, "alice", coins(100), DEED) is R.LOAN_LIMIT

    ledger.do(REPAY_LOAN, ids[0], coins(100), actor="alice")
    apply(ledger, 100)
    assert ledger.refusal(APPLY_FOR_LOAN, "alice", coins(100), DEED) is R.LOAN_LIMIT
    ledger.do(REJECT_LOAN, ids[1], "x")
    apply(ledger, 100)


def test_two_and_a_half_million_coins_may_be_open() -> None:
    """What is repaid gives room, to the base unit."""
    ledger = a_trusting_ledger()
    first = a_loan(ledger, 1_000_000)
    apply(ledger, 1_000_000)
    apply(ledger, 500_000)

    assert ledger.refusal(APPLY_FOR_LOAN, "alice", coins(100), DEED) is R.LOAN_LIMIT
    ledger.do(REPAY_LOAN, first, coins(100), actor="alice")
    apply(ledger, 100)


def test_what_others_have_open_does_not_count() -> None:
    """Limits are a borrower's own."""
    ledger = a_trusting_ledger(gina="US")
    relate(ledger, "bob", "gina", "PARENT")
    relate(ledger, "bob", "mum", "SPOUSE")
    relate(ledger, "bob", "fred", "SIBLING")
    for _ in range(OPEN_LOANS_MAX):
        apply(ledger, 100)

    assert apply(ledger, 100, "bob").startswith("bob~")


def test_a_loan_needs_trust_and_75_is_enough() -> None:
    """Parent, spouse and child make 75 with the base; without the child it is 65."""
    ledger = a_trusting_ledger(kid="US")
    relate(ledger, "bob", "mum", "PARENT")
    relate(ledger, "bob", "fred", "SPOUSE")

    assert ledger.refusal(APPLY_FOR_LOAN, "bob", coins(500), DEED) is R.TRUST_TOO_LOW
    relate(ledger, "bob", "kid", "CHILD")
    apply(ledger, 500, "bob")


def test_trust_is_asked_for_again_at_the_approval() -> None:
    """A loan of a borrower whose trust has gone stays pending, and is paid once it is back."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)
    state = ledger.ledger.state
    user = state["user_alice"]
    distrusted = user.value.replace('"trustScore":80', '"trustScore":74')
    assert distrusted != user.value
    state["user_alice"] = type(user)(distrusted, user.written_by)

    assert ledger.refusal(APPROVE_LOAN, loan_id) is R.TRUST_TOO_LOW
    assert loan(ledger, loan_id) == ("Pending", "0")
    state["user_alice"] = user
    ledger.do(APPROVE_LOAN, loan_id)


@pytest.mark.parametrize("finished", ["approved", "rejected", "repaid"])
def test_a_decision_is_made_once(finished: str) -> None:
    """Neither an approval nor a rejection can follow any other decision."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)
    ledger.do(*((REJECT_LOAN, loan_id, "x") if finished == "rejected" else (APPROVE_LOAN, loan_id)))
    if finished == "repaid":
        ledger.do(REPAY_LOAN, loan_id, coins(500), actor="alice")

    assert ledger.refusal(APPROVE_LOAN, loan_id) is R.LOAN_STATE
    assert ledger.refusal(REJECT_LOAN, loan_id, "x") is R.LOAN_STATE


def test_only_what_is_outstanding_is_taken_back() -> None:
    """One base unit more is refused, and so is a payment for a loan that is not paid out."""
    ledger = a_trusting_ledger()
    loan_id = a_loan(ledger)
    pending = apply(ledger)
    give(ledger, "alice", coins(10))

    too_much = str(500 * COIN + 1)
    assert ledger.refusal(REPAY_LOAN, loan_id, too_much, actor="alice") is R.LOAN_LIMIT
    assert ledger.refusal(REPAY_LOAN, pending, "1", actor="alice") is R.LOAN_STATE
    ledger.do(REPAY_LOAN, loan_id, coins(500), actor="alice")
    assert ledger.refusal(REPAY_LOAN, loan_id, "1", actor="alice") is R.LOAN_STATE


def test_a_loan_is_its_borrower_s() -> None:
    """Nobody else applies or repays for alice, and a super admin signs for no user."""
    ledger = a_trusting_ledger()
    loan_id = a_loan(ledger)
    root = LedgerRole.SUPER_ADMIN

    assert (
        ledger.refusal(APPLY_FOR_LOAN, "alice", coins(500), DEED, actor="bob") is R.ACTOR_MISMATCH
    )
    assert ledger.refusal(REPAY_LOAN, loan_id, "1", actor="bob") is R.ACTOR_MISMATCH
    assert ledger.refusal(REPAY_LOAN, loan_id, "1", actor="alice", role=root) is R.ACTOR_MISMATCH


def test_nobody_approves_their_own_loan() -> None:
    """An administrator who borrows needs another one."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)

    assert ledger.refusal(APPROVE_LOAN, loan_id, actor="alice") is R.ACTOR_MISMATCH


def test_a_locked_or_frozen_borrower_neither_receives_nor_repays() -> None:
    """A loan moves coins as a transfer does, and meets the same locks."""
    ledger = a_trusting_ledger()
    paid, pending = a_loan(ledger), apply(ledger)
    ledger.do(FREEZE_WALLET, "alice", "x")

    assert ledger.refusal(APPROVE_LOAN, pending) is R.ACCOUNT_FROZEN
    assert ledger.refusal(REPAY_LOAN, paid, "1", actor="alice") is R.ACCOUNT_FROZEN


def test_a_locked_user_gets_no_loan_and_repays_none() -> None:
    """A lock stops sending, and new debts."""
    ledger = a_trusting_ledger()
    paid, pending = a_loan(ledger), apply(ledger)
    ledger.do(LOCK_USER, "alice", "x")

    assert ledger.refusal(APPLY_FOR_LOAN, "alice", coins(500), DEED) is R.USER_NOT_ACTIVE
    assert ledger.refusal(APPROVE_LOAN, pending) is R.USER_NOT_ACTIVE
    assert ledger.refusal(REPAY_LOAN, paid, "1", actor="alice") is R.USER_NOT_ACTIVE


def test_the_pool_lends_only_what_it_has() -> None:
    """A loan that the pool cannot cover stays pending."""
    ledger = a_trusting_ledger()
    loan_id = apply(ledger)
    spend = (LOAN_POOL, "bob", coins(100_000_000 - 499), "x")
    ledger.do(TRANSFER_TOKENS, *spend, role=LedgerRole.ADMIN)

    assert ledger.refusal(APPROVE_LOAN, loan_id) is R.INSUFFICIENT_FUNDS
    assert loan(ledger, loan_id) == ("Pending", "0")


def test_a_borrower_repays_only_what_is_there() -> None:
    """Spent coins are not paid back, and nothing is written."""
    ledger = a_trusting_ledger()
    loan_id = a_loan(ledger)
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(400), "x")

    assert ledger.refusal(REPAY_LOAN, loan_id, coins(100), actor="alice") is R.INSUFFICIENT_FUNDS
    assert loan(ledger, loan_id) == ("Active", coins(500))


@pytest.mark.parametrize("text", ["alice", "~x", "alice~", "a b~x", "alice~x~y", "alice~x\n", ""])
def test_an_id_of_no_loan_is_refused_as_such(text: str) -> None:
    """What no application could have made never becomes a key."""
    ledger = a_trusting_ledger()

    assert ledger.refusal(APPROVE_LOAN, text) is R.ARGUMENT_INVALID
    assert ledger.query_refusal("LoanPoolContract:GetLoan", text) is R.ARGUMENT_INVALID


def test_reads_of_what_is_absent_are_refused() -> None:
    """An unknown loan, and a borrower who is nobody; whoever never borrowed has nothing open."""
    ledger = a_trusting_ledger()

    assert ledger.query_refusal("LoanPoolContract:GetLoan", "alice~x") is R.LOAN_NOT_FOUND
    assert ledger.query_refusal("LoanPoolContract:GetBorrower", "nobody") is R.USER_NOT_FOUND
    assert opened(ledger, "bob") == (0, "0")


def test_a_family_vouches_only_when_it_confirms() -> None:
    """The score that a loan asks for is that of confirmed relationships."""
    ledger = a_trusting_ledger(hugo="US")
    with_family(ledger, "hugo", "mum", "fred")

    assert ledger.refusal(APPLY_FOR_LOAN, "hugo", coins(500), DEED) is R.TRUST_TOO_LOW
