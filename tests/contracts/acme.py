"""An organisation of three people, for tests that need one."""

from gx.domain.catalogue import (
    ACTIVATE_ORGANIZATION,
    APPROVE_MULTISIG_TX,
    ENDORSE_MEMBERSHIP,
    INITIATE_MULTISIG_TX,
    PROPOSE_ORGANIZATION,
)
from gx.domain.codec import JsonObject, JsonValue, encode
from gx.domain.organization_events import MultiSigTxInitiated
from tests.contracts.contract_ledger import ContractLedger, a_ledger, give

PEOPLE = ("alice", "bob", "carol")
STAKEHOLDERS = encode(list[JsonValue](PEOPLE))


def a_rule(threshold: int, required: int, *group: str) -> JsonObject:
    """Write down a rule; without a group it asks all three."""
    return {
        "amountThreshold": str(threshold),
        "requiredApprovers": required,
        "approverGroup": list[JsonValue](group or PEOPLE),
    }


TWO_OF_THREE = a_rule(0, 2)


def propose(ledger: ContractLedger, *rules: JsonObject, org_id: str = "acme") -> None:
    """Let alice propose the organisation."""
    arguments = (org_id, "Acme Ltd", "BUSINESS", STAKEHOLDERS, encode(list[JsonValue](rules)))
    ledger.do(PROPOSE_ORGANIZATION, *arguments, actor="alice")


def found(ledger: ContractLedger, *rules: JsonObject, org_id: str = "acme") -> None:
    """Propose, endorse and activate the organisation."""
    propose(ledger, *rules, org_id=org_id)
    for person in PEOPLE:
        ledger.do(ENDORSE_MEMBERSHIP, org_id, actor=person)
    ledger.do(ACTIVATE_ORGANIZATION, org_id, actor="bob")


def an_organization(*rules: JsonObject, holds: int = 1_000_000) -> ContractLedger:
    """Return a ledger with the active organisation and so many base units on its account."""
    ledger = a_ledger(alice="US", bob="US", carol="CA", dave="US")
    found(ledger, *(rules or (TWO_OF_THREE,)))
    if holds:
        give(ledger, "acme", str(holds))
    return ledger


def initiate(
    ledger: ContractLedger, amount: int, *, actor: str = "alice", to_id: str = "dave"
) -> str:
    """Initiate a payment and return its id."""
    event, *_ = ledger.do(INITIATE_MULTISIG_TX, "acme", to_id, str(amount), "Rent", actor=actor)
    assert isinstance(event, MultiSigTxInitiated)
    return event.tx_id


def approve(ledger: ContractLedger, tx_id: str, *people: str) -> None:
    """Let these people approve."""
    for person in people:
        ledger.do(APPROVE_MULTISIG_TX, tx_id, actor=person)
