"""A history in which every command takes effect and every event happens."""

from collections.abc import Iterator

from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonValue, encode
from gx.domain.events import Event
from gx.domain.identifiers import EpochSeconds
from gx.domain.voting import VOTING_S
from tests.contracts.acme import a_rule
from tests.contracts.contract_ledger import ContractLedger, a_hash, coins

YEAR_S = 360 * 86_400
PEOPLE = ("alice", "bob", "mum", "erin", "fred")

Raised = tuple[str, set[type[Event]]]


def every_command() -> Iterator[Raised]:
    """Carry out each command at least once; yield its name and what it raised."""
    ledger = ContractLedger()
    for steps in (_beginning, _people, _money, _organization, _loans, _votes, _time):
        yield from steps(ledger)


def _do(ledger: ContractLedger, name: str, *args: str, actor: str | None = None) -> Raised:
    return name, {type(event) for event in ledger.do(COMMANDS[name], *args, actor=actor)}


def _last_id(ledger: ContractLedger, prefix: str) -> str:
    """Find the newest record's id, as the ledger wrote it."""
    found = [key for key in ledger.ledger.values() if key.startswith(prefix)]
    return found[-1].removeprefix(prefix)


def _beginning(ledger: ContractLedger) -> Iterator[Raised]:
    yield _do(ledger, "BOOTSTRAP_SYSTEM")
    yield _do(ledger, "INITIALIZE_COUNTRY_DATA", '[{"countryCode":"US","percentage":"1"}]')
    yield _do(ledger, "UPDATE_SYSTEM_PARAMETER", "minProposalQuorum", "1")
    yield _do(ledger, "PAUSE_SYSTEM", "a planned upgrade")
    yield _do(ledger, "RESUME_SYSTEM")
    yield _do(ledger, "APPOINT_ADMIN", "ada")
    yield _do(ledger, "ACTIVATE_TREASURY", "US")


def _people(ledger: ContractLedger) -> Iterator[Raised]:
    for seed, name in enumerate(PEOPLE):
        yield _do(ledger, "CREATE_USER", name, a_hash(seed), "US", "30")
    for name, kind in (("mum", "PARENT"), ("erin", "SPOUSE"), ("fred", "SIBLING")):
        yield _do(ledger, "REQUEST_RELATIONSHIP", "alice", name, kind)
        yield _do(ledger, "CONFIRM_RELATIONSHIP", f"alice~{kind}~{name}", actor=name)
    yield _do(ledger, "LOCK_USER", "alice", "x")
    yield _do(ledger, "UNLOCK_USER", "alice")


def _money(ledger: ContractLedger) -> Iterator[Raised]:
    yield _do(ledger, "MINT_COINS", "bob", coins(500), "x")
    yield _do(ledger, "DISTRIBUTE_GENESIS", "alice")
    yield _do(ledger, "TRANSFER_TOKENS", "alice", "bob", "1", "x")
    yield _do(ledger, "COLLECT_FEES")
    yield _do(ledger, "FREEZE_WALLET", "alice", "x")
    yield _do(ledger, "UNFREEZE_WALLET", "alice")


def _organization(ledger: ContractLedger) -> Iterator[Raised]:
    people, rule = ("alice", "bob"), a_rule(0, 1, "alice")
    stakeholders, rules = encode(list[JsonValue](people)), encode([rule])
    yield _do(
        ledger, "PROPOSE_ORGANIZATION", "acme", "Acme", "BUSINESS", stakeholders, rules,
        actor="alice",
    )  # fmt: skip
    for person in people:
        yield _do(ledger, "ENDORSE_MEMBERSHIP", "acme", actor=person)
    yield _do(ledger, "ACTIVATE_ORGANIZATION", "acme", actor="bob")
    for person in people:
        yield _do(
            ledger, "DEFINE_AUTH_RULE", "acme", encode(a_rule(5, 2, "alice", "bob")), actor=person
        )
    yield _do(ledger, "MINT_COINS", "acme", "8", "x")
    yield from _pay_together(ledger)
    for _ in ("enough", "too little"):
        yield _do(ledger, "INITIATE_MULTISIG_TX", "acme", "erin", "2", "x", actor="alice")
    yield from _pay_together(ledger)


def _pay_together(ledger: ContractLedger) -> Iterator[Raised]:
    yield _do(ledger, "INITIATE_MULTISIG_TX", "acme", "erin", "5", "x", actor="alice")
    yield _do(ledger, "APPROVE_MULTISIG_TX", _last_id(ledger, "multisig_"), actor="bob")


def _loans(ledger: ContractLedger) -> Iterator[Raised]:
    for decision in (("APPROVE_LOAN",), ("REJECT_LOAN", "x")):
        yield _do(ledger, "APPLY_FOR_LOAN", "alice", coins(100), a_hash(7))
        loan_id = _last_id(ledger, "loan_")
        yield _do(ledger, decision[0], loan_id, *decision[1:])
        if decision[0] == "APPROVE_LOAN":
            yield _do(ledger, "REPAY_LOAN", loan_id, "1", actor="alice")


def _votes(ledger: ContractLedger) -> Iterator[Raised]:
    ids = []
    for value in ("4", "3"):
        yield _do(ledger, "SUBMIT_PROPOSAL", "feeLowerBps", value, "x", actor="alice")
        ids.append(_last_id(ledger, "proposal_"))
    yield _do(ledger, "VOTE_ON_PROPOSAL", ids[0], "FOR", actor="bob")
    _later(ledger, VOTING_S)
    for proposal_id in ids:
        yield _do(ledger, "EXECUTE_PROPOSAL", proposal_id)


def _time(ledger: ContractLedger) -> Iterator[Raised]:
    _later(ledger, YEAR_S)
    yield _do(ledger, "APPLY_VELOCITY_TAX", "bob")


def _later(ledger: ContractLedger, seconds: int) -> None:
    ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + seconds)
