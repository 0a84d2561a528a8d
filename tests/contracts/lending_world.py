"""Loans and proposals under names that a test can write down, on a ledger with countries."""

from gx.contracts.loans import LoanRecord
from gx.domain.amounts import Amount
from gx.domain.batches import OutcomeKind
from gx.domain.catalogue import (
    APPLY_FOR_LOAN,
    APPROVE_LOAN,
    CREATE_USER,
    EXECUTE_PROPOSAL,
    SUBMIT_PROPOSAL,
    UPDATE_SYSTEM_PARAMETER,
    VOTE_ON_PROPOSAL,
)
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import EpochSeconds
from gx.domain.lending import LoanStatus
from gx.domain.voting import VOTING_S
from tests.contracts.contract_ledger import (
    COIN,
    ContractLedger,
    a_command,
    a_hash,
    coins,
    role_for,
)
from tests.contracts.trusted_people import FAMILY, with_family

DEED = a_hash(77)
LENT, ASKED = "rich~lent", "rich~pending"
"""A loan of 500 coins that is paid out, and one that waits."""
PAST, OPEN, DONE = "feeLowerBps~past", "feeUpperBps~open", "feeLowerBps~done"
"""A proposal whose time is over, with a vote for it; one that is open; one that was rejected."""


def send_named(
    ledger: ContractLedger, name: str, spec: CommandSpec, *args: str, actor: str | None = None
) -> None:
    """Carry out a command whose id is `name`."""
    item = a_command(spec, *args, actor=actor, name=name)
    (outcome,) = ledger.batch([item], role_for(spec))
    assert outcome.outcome is OutcomeKind.COMMITTED, (outcome.code, outcome.detail)


def add_lending(ledger: ContractLedger) -> None:
    """Add a trusted user, rich, with loans and proposals of each kind; one vote is a quorum."""
    for seed, name in enumerate((*FAMILY, "rich"), start=950):
        ledger.do(CREATE_USER, name, a_hash(seed), "US", "40")
    with_family(ledger, "rich", *FAMILY)
    ledger.do(UPDATE_SYSTEM_PARAMETER, "minProposalQuorum", "1")
    for name in ("done", "past"):
        value = "4" if name == "done" else "3"
        send_named(ledger, name, SUBMIT_PROPOSAL, "feeLowerBps", value, "x", actor="rich")
    ledger.do(VOTE_ON_PROPOSAL, PAST, "FOR", actor="mum")
    ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + VOTING_S)
    ledger.do(EXECUTE_PROPOSAL, DONE)
    send_named(ledger, "open", SUBMIT_PROPOSAL, "feeUpperBps", "9", "x", actor="rich")
    ledger.do(VOTE_ON_PROPOSAL, OPEN, "FOR", actor="mum")
    for name in ("lent", "pending"):
        send_named(ledger, name, APPLY_FOR_LOAN, "rich", coins(500), DEED)
    ledger.do(APPROVE_LOAN, LENT)


def a_record(status: LoanStatus) -> str:
    """Write a loan that its borrower could no longer get."""
    is_active = status is LoanStatus.ACTIVE
    return LoanRecord(
        amount=Amount(500 * COIN),
        outstanding=Amount(500 * COIN if is_active else 0),
        status=status,
        collateral_hash=DEED,
        applied_at=EpochSeconds(1),
    ).to_text()
