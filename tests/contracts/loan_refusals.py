"""Every refusal of loans and votes, with the ledger that gives it."""

from typing import Final, NamedTuple

from gx.domain.catalogue import (
    APPLY_FOR_LOAN,
    APPROVE_LOAN,
    CREATE_USER,
    EXECUTE_PROPOSAL,
    FREEZE_WALLET,
    REJECT_LOAN,
    REPAY_LOAN,
    SUBMIT_PROPOSAL,
    TRANSFER_TOKENS,
    VOTE_ON_PROPOSAL,
)
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import CHARITABLE_POOL, LOAN_POOL
from gx.domain.lending import LoanStatus
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import COIN, ContractLedger, a_hash, coins
from tests.contracts.lending_world import (
    ASKED,
    DEED,
    DONE,
    LENT,
    OPEN,
    PAST,
    a_record,
    add_lending,
    send_named,
)
from tests.contracts.test_genesis import overwrite
from tests.contracts.trusted_people import FAMILY, with_family

R = RefusalCode
ROOT = LedgerRole.SUPER_ADMIN
FIVE_HUNDRED = coins(500)


class LoanCase(NamedTuple):
    """A command that the prepared ledger refuses with this code."""

    spec: CommandSpec
    code: RefusalCode
    args: tuple[str, ...]
    actor: str | None = None
    role: LedgerRole | None = None


def prepare_loans(ledger: ContractLedger) -> None:
    """Add somebody in every state; the ledger has users bob and locked, who is locked."""
    add_lending(ledger)
    ledger.do(CREATE_USER, "icy", a_hash(960), "US", "40")
    with_family(ledger, "icy", *FAMILY)
    for name in ("icyLent", "icyAsked"):
        send_named(ledger, name, APPLY_FOR_LOAN, "icy", FIVE_HUNDRED, DEED)
    ledger.do(APPROVE_LOAN, "icy~icyLent")
    ledger.do(FREEZE_WALLET, "icy", "x")
    overwrite(
        ledger,
        **{
            "loan_bob~old": a_record(LoanStatus.PENDING),
            "loan_locked~old": a_record(LoanStatus.PENDING),
            "loan_locked~owed": a_record(LoanStatus.ACTIVE),
        },
    )
    ledger.do(TRANSFER_TOKENS, "rich", "bob", coins(400), "x")
    left = ledger.balance(LOAN_POOL) - 499 * COIN
    ledger.do(TRANSFER_TOKENS, LOAN_POOL, CHARITABLE_POOL, str(left), "x", role=LedgerRole.ADMIN)


LOAN_CASES: Final = (
    LoanCase(APPLY_FOR_LOAN, R.AMOUNT_NOT_POSITIVE, ("rich", "0", DEED)),
    LoanCase(APPLY_FOR_LOAN, R.AMOUNT_OVERFLOW, ("rich", str(2**64), DEED)),
    LoanCase(APPLY_FOR_LOAN, R.ACTOR_MISMATCH, ("rich", FIVE_HUNDRED, DEED), "bob"),
    LoanCase(APPLY_FOR_LOAN, R.USER_NOT_FOUND, ("nobody", FIVE_HUNDRED, DEED)),
    LoanCase(APPLY_FOR_LOAN, R.USER_NOT_ACTIVE, ("locked", FIVE_HUNDRED, DEED)),
    LoanCase(APPLY_FOR_LOAN, R.LOAN_LIMIT, ("rich", coins(99), DEED)),
    LoanCase(APPLY_FOR_LOAN, R.TRUST_TOO_LOW, ("bob", FIVE_HUNDRED, DEED)),
    LoanCase(APPROVE_LOAN, R.ACTOR_MISMATCH, (ASKED,), "rich"),
    LoanCase(APPROVE_LOAN, R.LOAN_NOT_FOUND, ("rich~x",)),
    LoanCase(APPROVE_LOAN, R.LOAN_STATE, (LENT,)),
    LoanCase(APPROVE_LOAN, R.USER_NOT_ACTIVE, ("locked~old",)),
    LoanCase(APPROVE_LOAN, R.TRUST_TOO_LOW, ("bob~old",)),
    LoanCase(APPROVE_LOAN, R.ACCOUNT_FROZEN, ("icy~icyAsked",)),
    LoanCase(APPROVE_LOAN, R.INSUFFICIENT_FUNDS, (ASKED,)),
    LoanCase(REJECT_LOAN, R.LOAN_NOT_FOUND, ("rich~x", "x")),
    LoanCase(REJECT_LOAN, R.LOAN_STATE, (LENT, "x")),
    LoanCase(REPAY_LOAN, R.AMOUNT_NOT_POSITIVE, (LENT, "0"), "rich"),
    LoanCase(REPAY_LOAN, R.AMOUNT_OVERFLOW, (LENT, "-1"), "rich"),
    LoanCase(REPAY_LOAN, R.ACTOR_MISMATCH, (LENT, "1"), "bob"),
    LoanCase(REPAY_LOAN, R.LOAN_NOT_FOUND, ("rich~x", "1"), "rich"),
    LoanCase(REPAY_LOAN, R.LOAN_STATE, (ASKED, "1"), "rich"),
    LoanCase(REPAY_LOAN, R.LOAN_LIMIT, (LENT, coins(501)), "rich"),
    LoanCase(REPAY_LOAN, R.USER_NOT_ACTIVE, ("locked~owed", "1"), "locked"),
    LoanCase(REPAY_LOAN, R.ACCOUNT_FROZEN, ("icy~icyLent", "1"), "icy"),
    LoanCase(REPAY_LOAN, R.INSUFFICIENT_FUNDS, (LENT, FIVE_HUNDRED), "rich"),
    LoanCase(SUBMIT_PROPOSAL, R.PARAMETER_UNKNOWN, ("maxFee", "1", "x"), "rich"),
    LoanCase(SUBMIT_PROPOSAL, R.PARAMETER_VALUE_INVALID, ("feeLowerBps", "1001", "x"), "rich"),
    LoanCase(SUBMIT_PROPOSAL, R.ACTOR_MISMATCH, ("feeLowerBps", "2", "x"), "rich", ROOT),
    LoanCase(SUBMIT_PROPOSAL, R.USER_NOT_FOUND, ("feeLowerBps", "2", "x"), "nobody"),
    LoanCase(SUBMIT_PROPOSAL, R.USER_NOT_ACTIVE, ("feeLowerBps", "2", "x"), "locked"),
    LoanCase(SUBMIT_PROPOSAL, R.TRUST_TOO_LOW, ("feeLowerBps", "2", "x"), "bob"),
    LoanCase(SUBMIT_PROPOSAL, R.PROPOSAL_EXISTS, ("feeUpperBps", "9", "x"), "rich"),
    LoanCase(VOTE_ON_PROPOSAL, R.ACTOR_MISMATCH, (OPEN, "FOR"), "rich", ROOT),
    LoanCase(VOTE_ON_PROPOSAL, R.USER_NOT_FOUND, (OPEN, "FOR"), "nobody"),
    LoanCase(VOTE_ON_PROPOSAL, R.USER_NOT_ACTIVE, (OPEN, "FOR"), "locked"),
    LoanCase(VOTE_ON_PROPOSAL, R.PROPOSAL_NOT_FOUND, ("feeLowerBps~x", "FOR"), "bob"),
    LoanCase(VOTE_ON_PROPOSAL, R.VOTING_CLOSED, (PAST, "FOR"), "bob"),
    LoanCase(VOTE_ON_PROPOSAL, R.ALREADY_VOTED, (OPEN, "FOR"), "mum"),
    LoanCase(EXECUTE_PROPOSAL, R.PROPOSAL_NOT_FOUND, ("feeLowerBps~x",)),
    LoanCase(EXECUTE_PROPOSAL, R.PROPOSAL_STATE, (DONE,)),
    LoanCase(EXECUTE_PROPOSAL, R.VOTING_OPEN, (OPEN,)),
)
"""Every code that these commands declare."""
