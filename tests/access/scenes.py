"""For each command a ledger on which it takes effect, once the right one asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gx.chaincode.executor import Executed
from gx.domain.batches import BATCH_FUNCTION, encode_items, parse_outcomes
from gx.domain.catalogue import COMMANDS
from gx.domain.commands import CommandSpec
from gx.domain.identifiers import EpochSeconds
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import (
    ContractLedger,
    a_bootstrapped_ledger,
    a_command,
    a_hash,
    a_ledger,
    an_executor,
    coins,
    give,
)
from tests.contracts.lending_world import ASKED, DEED, LENT, OPEN, PAST, add_lending

DONE: Final = "COMMITTED"
STRANGER: Final = "mallory"
BOTH: Final = '["alice","bob"]'
RULE: Final = f'{{"amountThreshold":"0","requiredApprovers":2,"approverGroup":{BOTH}}}'
ENDORSED: Final = ("ENDORSE_MEMBERSHIP alice", "ENDORSE_MEMBERSHIP bob")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A prepared ledger, the command's arguments, and who may ask for it."""

    ledger: ContractLedger
    args: tuple[str, ...] = ()
    actor: str = "alice"

    def ask(self, spec: CommandSpec, role: LedgerRole | None, actor: str) -> str:
        """Send the command as a batch of one; answer with COMMITTED or the refusal's code."""
        item = a_command(spec, *self.args, actor=actor, name="asked")
        stub = self.ledger.ledger.begin(role)
        result = an_executor().execute(stub, BATCH_FUNCTION, [encode_items((item,))])
        assert isinstance(result, Executed), result
        assert stub.event is not None
        (outcome,) = parse_outcomes(stub.event[1])
        return DONE if outcome.code is None else outcome.code.value


def do(ledger: ContractLedger, command: str, *args: str, actor: str | None = None) -> None:
    """Carry out a command that the scene needs."""
    ledger.do(COMMANDS[command], *args, actor=actor)


def people() -> ContractLedger:
    """Alice and bob with coins, and a stranger."""
    ledger = a_ledger(alice="US", bob="CA", mallory="GB")
    give(ledger, "alice", coins(10))
    give(ledger, "bob", coins(10))
    return ledger


def _after(command: str, *earlier: str) -> ContractLedger:
    ledger = people()
    do(ledger, command, *earlier)
    return ledger


def _countries() -> Scene:
    shares = '[{"countryCode":"FR","percentage":"1"}]'
    return Scene(ledger=people(), args=(shares,))


def _confirmation() -> Scene:
    ledger = _after("REQUEST_RELATIONSHIP", "bob", "alice", "SPOUSE")
    return Scene(ledger=ledger, args=("bob~SPOUSE~alice",))


def _organization(*steps: str) -> ContractLedger:
    """Let alice and bob go so far with an organisation that both must agree with."""
    ledger = people()
    proposal = ("acme", "Acme", "NGO", BOTH, f"[{RULE}]")
    do(ledger, "PROPOSE_ORGANIZATION", *proposal, actor="alice")
    for step in steps:
        command, actor = step.split()
        do(ledger, command, "acme", actor=actor)
    return ledger


def _active() -> ContractLedger:
    return _organization(*ENDORSED, "ACTIVATE_ORGANIZATION bob")


def _payment() -> Scene:
    ledger = _active()
    (event,) = ledger.do(COMMANDS["INITIATE_MULTISIG_TX"], "acme", "bob", "5", "x", actor="bob")
    return Scene(ledger=ledger, args=(str(event.to_payload()["txId"]),))


def _taxable() -> Scene:
    ledger = people()
    give(ledger, "bob", coins(500))
    ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + 360 * 86_400)
    return Scene(ledger=ledger, args=("bob",))


def _lending() -> ContractLedger:
    ledger = a_ledger(alice="US")
    add_lending(ledger)
    return ledger


def _scene(actor: str, *args: str) -> Callable[[], Scene]:
    return lambda: Scene(ledger=_lending(), args=args, actor=actor)


LOAN_SCENES: Final[Mapping[str, Callable[[], Scene]]] = {
    "APPLY_FOR_LOAN": _scene("rich", "rich", coins(100), DEED),
    "APPROVE_LOAN": _scene("alice", ASKED),
    "REJECT_LOAN": _scene("alice", ASKED, "x"),
    "REPAY_LOAN": _scene("rich", LENT, "1"),
    "SUBMIT_PROPOSAL": _scene("rich", "feeLowerBps", "7", "x"),
    "VOTE_ON_PROPOSAL": _scene("alice", OPEN, "FOR"),
    "EXECUTE_PROPOSAL": _scene("alice", PAST),
}
"""Loans and votes, where the stranger is no user at all."""

SCENES: Final[Mapping[str, Callable[[], Scene]]] = {
    "BOOTSTRAP_SYSTEM": lambda: Scene(ledger=ContractLedger()),
    "INITIALIZE_COUNTRY_DATA": _countries,
    "UPDATE_SYSTEM_PARAMETER": lambda: Scene(ledger=people(), args=("feeLowerBps", "6")),
    "PAUSE_SYSTEM": lambda: Scene(ledger=people(), args=("A planned upgrade",)),
    "RESUME_SYSTEM": lambda: Scene(ledger=_after("PAUSE_SYSTEM", "A planned upgrade")),
    "APPOINT_ADMIN": lambda: Scene(ledger=a_bootstrapped_ledger(), args=("grace",)),
    "ACTIVATE_TREASURY": lambda: Scene(ledger=people(), args=("US",)),
    "CREATE_USER": lambda: Scene(ledger=people(), args=("carol", a_hash(9), "US", "30")),
    "LOCK_USER": lambda: Scene(ledger=people(), args=("bob", "x")),
    "UNLOCK_USER": lambda: Scene(ledger=_after("LOCK_USER", "bob", "x"), args=("bob",)),
    "REQUEST_RELATIONSHIP": lambda: Scene(ledger=people(), args=("alice", "bob", "SPOUSE")),
    "CONFIRM_RELATIONSHIP": _confirmation,
    "PROPOSE_ORGANIZATION": lambda: Scene(
        ledger=people(), args=("acme", "Acme", "NGO", BOTH, "[]")
    ),
    "ENDORSE_MEMBERSHIP": lambda: Scene(ledger=_organization(), args=("acme",)),
    "ACTIVATE_ORGANIZATION": lambda: Scene(ledger=_organization(*ENDORSED), args=("acme",)),
    "DEFINE_AUTH_RULE": lambda: Scene(ledger=_active(), args=("acme", RULE.replace('"0"', '"9"'))),
    "INITIATE_MULTISIG_TX": lambda: Scene(ledger=_active(), args=("acme", "bob", "5", "x")),
    "APPROVE_MULTISIG_TX": _payment,
    "MINT_COINS": lambda: Scene(ledger=people(), args=("bob", "1", "x")),
    "DISTRIBUTE_GENESIS": lambda: Scene(ledger=people(), args=("alice",)),
    "TRANSFER_TOKENS": lambda: Scene(ledger=people(), args=("alice", "bob", "1", "x")),
    "COLLECT_FEES": lambda: Scene(ledger=people()),
    "APPLY_VELOCITY_TAX": _taxable,
    "FREEZE_WALLET": lambda: Scene(ledger=people(), args=("bob", "x")),
    "UNFREEZE_WALLET": lambda: Scene(ledger=_after("FREEZE_WALLET", "bob", "x"), args=("bob",)),
    **LOAN_SCENES,
}
"""A scene for each command."""
