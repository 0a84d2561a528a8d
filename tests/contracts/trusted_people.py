"""Ledgers on which alice has a family that vouches for her."""

from gx.domain.catalogue import CONFIRM_RELATIONSHIP, REQUEST_RELATIONSHIP
from tests.contracts.contract_ledger import ContractLedger, a_ledger

FAMILY = {"mum": "PARENT", "erin": "SPOUSE", "fred": "SIBLING"}
"""Who alice's relatives are to her: with them all, her trust score is 80."""


def relate(ledger: ContractLedger, subject_id: str, object_id: str, kind: str) -> None:
    """Request and confirm a relationship."""
    ledger.do(REQUEST_RELATIONSHIP, subject_id, object_id, kind)
    ledger.do(CONFIRM_RELATIONSHIP, f"{subject_id}~{kind}~{object_id}", actor=object_id)


def with_family(ledger: ContractLedger, user_id: str, *relatives: str) -> None:
    """Relate the user to some of FAMILY."""
    for name in relatives:
        relate(ledger, user_id, name, FAMILY[name])


def a_trusting_ledger(**users: str) -> ContractLedger:
    """Return a ledger with alice, whose trust score is 80, her family, bob, and these users."""
    ledger = a_ledger(alice="US", bob="US", **dict.fromkeys(FAMILY, "US"), **users)
    with_family(ledger, "alice", *FAMILY)
    return ledger
