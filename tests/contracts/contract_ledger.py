"""The real contracts on the fake ledger, with the few lines that every test of them needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from gx.chaincode.executor import Executed, Executor, Refused
from gx.contracts.chaincode import build_executor
from gx.domain.batches import (
    BATCH_FUNCTION,
    BatchItem,
    Outcome,
    OutcomeKind,
    encode_items,
    parse_outcomes,
)
from gx.domain.catalogue import (
    BOOTSTRAP_SYSTEM,
    CREATE_USER,
    INITIALIZE_COUNTRY_DATA,
    MINT_COINS,
)
from gx.domain.codec import JsonObject, decode_object
from gx.domain.commands import CommandSpec
from gx.domain.events import Event, parse_event
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.world_state import AccountRecord, FeeRecord, SupplyRecord
from tests.chaincode.dict_stub import DictLedger, DictStub

COIN = 100_000_000
COUNTRIES = (
    '[{"countryCode":"US","percentage":"4.2"},{"countryCode":"CA","percentage":"0.5"},'
    '{"countryCode":"GB","percentage":"0.9"}]'
)


@cache
def an_executor() -> Executor:
    """Build the chaincode once; it keeps nothing between calls."""
    return build_executor()


def a_hash(seed: int) -> str:
    """Make up a biometric hash."""
    return f"{seed:064x}"


def a_command(
    spec: CommandSpec, *args: str, actor: str | None = None, name: str, key: str | None = None
) -> BatchItem:
    """Describe a command; its actor is whom the command's actor argument names."""
    owners = [
        value
        for argument, value in zip(spec.arguments, args, strict=False)
        if argument.name == spec.actor_argument
    ]
    return BatchItem(
        command_id=CommandId(name),
        key=key or name,
        function=spec.function,
        args=args,
        actor=actor or (owners[0] if owners else "grace"),
    )


def role_for(spec: CommandSpec) -> LedgerRole:
    """Choose a role that the command admits: a partner's if possible."""
    preferred = (LedgerRole.PARTNER_API, LedgerRole.SUPER_ADMIN)
    return next(role for role in preferred if role in spec.roles)


@dataclass
class ContractLedger:
    """A ledger with the contracts on it. Each call is one committed transaction."""

    ledger: DictLedger = field(default_factory=DictLedger)
    names: "count[int]" = field(default_factory=count)

    def simulate(self, items: Sequence[BatchItem], role: LedgerRole) -> DictStub:
        """Execute a batch without committing it."""
        stub = self.ledger.begin(role)
        result = an_executor().execute(stub, BATCH_FUNCTION, [encode_items(tuple(items))])
        assert isinstance(result, Executed), result
        return stub

    def batch(self, items: Sequence[BatchItem], role: LedgerRole) -> tuple[Outcome, ...]:
        """Execute and commit a batch."""
        stub = self.simulate(items, role)
        assert stub.commit()
        assert stub.event is not None
        return parse_outcomes(stub.event[1])

    def send(
        self,
        spec: CommandSpec,
        *args: str,
        actor: str | None = None,
        role: LedgerRole | None = None,
    ) -> Outcome:
        """Execute one command as a batch of one."""
        item = a_command(spec, *args, actor=actor, name=f"command-{next(self.names)}")
        (outcome,) = self.batch([item], role or role_for(spec))
        return outcome

    def do(
        self,
        spec: CommandSpec,
        *args: str,
        actor: str | None = None,
        role: LedgerRole | None = None,
    ) -> tuple[Event, ...]:
        """Execute one command that must succeed; return its events."""
        outcome = self.send(spec, *args, actor=actor, role=role)
        assert outcome.outcome is OutcomeKind.COMMITTED, (outcome.code, outcome.detail)
        return tuple(parse_event(event) for event in outcome.events)

    def refusal(
        self,
        spec: CommandSpec,
        *args: str,
        actor: str | None = None,
        role: LedgerRole | None = None,
    ) -> RefusalCode | None:
        """Execute one command that must be refused; return the code."""
        outcome = self.send(spec, *args, actor=actor, role=role)
        assert outcome.outcome is OutcomeKind.REJECTED
        return outcome.code

    def query(self, function: str, *args: str) -> JsonObject:
        """Evaluate a reading function, as anybody."""
        result = an_executor().execute(self.ledger.begin(None), function, args)
        assert isinstance(result, Executed), result
        return decode_object(result.payload)

    def query_refusal(self, function: str, *args: str) -> RefusalCode:
        """Evaluate a reading function that must refuse."""
        result = an_executor().execute(self.ledger.begin(None), function, args)
        assert isinstance(result, Refused)
        return result.code

    def account(self, account_id: str) -> AccountRecord:
        """Read an account's record."""
        return AccountRecord.from_text(self.ledger.values()[f"account_{account_id}"])

    def balance(self, account_id: str) -> int:
        """Read an account's balance as the record has it."""
        return self.account(account_id).balance

    def minted(self) -> int:
        """Read the supply record."""
        return SupplyRecord.from_text(self.ledger.values()["supply"]).minted

    def total(self) -> int:
        """Add up every account and every fee key."""
        values = self.ledger.values()
        return sum(
            AccountRecord.from_text(text).balance
            for key, text in values.items()
            if key.startswith("account_")
        ) + sum(
            FeeRecord.from_text(text).amount
            for key, text in values.items()
            if key.startswith("fee_")
        )


def a_bootstrapped_ledger() -> ContractLedger:
    """Return a ledger with pools and parameters, without countries."""
    ledger = ContractLedger()
    ledger.do(BOOTSTRAP_SYSTEM)
    return ledger


def a_ledger(**users: str) -> ContractLedger:
    """Return a ledger with open countries and these users: id to nationality, aged 30."""
    ledger = a_bootstrapped_ledger()
    ledger.do(INITIALIZE_COUNTRY_DATA, COUNTRIES)
    for seed, (user_id, nationality) in enumerate(users.items()):
        ledger.do(CREATE_USER, user_id, a_hash(seed), nationality, "30")
    return ledger


def coins(amount: int) -> str:
    """Write whole coins as an argument."""
    return str(amount * COIN)


def give(ledger: ContractLedger, account_id: str, amount: str) -> None:
    """Mint coins for a test."""
    ledger.do(MINT_COINS, account_id, amount, "for a test")
