"""The faults of the system that this one replaces: each must be impossible, each by its name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gx.contracts
from gx.chaincode.dispatch import Registry, functions_of
from gx.chaincode.errors import IncompleteRegistryError, InvariantError
from gx.chaincode.executor import Executed, Refused
from gx.chaincode.functions import ContractFunction
from gx.contracts import (
    admin,
    admin_queries,
    identity,
    keys,
    system,
    tokenomics,
    tokenomics_queries,
)
from gx.domain.batches import OutcomeKind, parse_events
from gx.domain.catalogue import (
    BOOTSTRAP_SYSTEM,
    COMMANDS,
    FUNCTIONS,
    MINT_COINS,
    TRANSFER_TOKENS,
)
from gx.domain.codec import JsonValue
from gx.domain.events import EVENTS, Event, parse_event
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import DictLedger
from tests.contracts.contract_ledger import (
    ContractLedger,
    a_bootstrapped_ledger,
    a_command,
    a_ledger,
    an_executor,
    coins,
    give,
)
from tests.contracts.every_command import every_command

CONTRACTS = Path(gx.contracts.__file__).parent


def contract_functions() -> tuple[ContractFunction, ...]:
    """List what all contract modules declare."""
    return functions_of(admin, admin_queries, identity, tokenomics, tokenomics_queries)


def syntax_trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield each contract module's name and syntax tree."""
    for path in sorted(CONTRACTS.glob("*.py")):
        yield path.stem, ast.parse(path.read_text())


@pytest.mark.parametrize("left_out", [*COMMANDS.values(), *FUNCTIONS.values()])
def test_bootstrap_failing_on_a_function_not_exposed(left_out: object) -> None:
    """A chaincode that lacks any function of the catalogue does not start at all."""
    name = getattr(left_out, "function", "")
    rest = [function for function in contract_functions() if function.name != name]

    with pytest.raises(IncompleteRegistryError, match=f"has no function {name}|query {name} has"):
        Registry(rest, gate=system.require_open, shared_keys=keys.SHARED)


def test_bootstrap_committed_with_empty_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bootstrap whose mints did nothing fails its transaction; nothing is bootstrapped."""
    monkeypatch.setattr(admin, "_mint_pools", lambda _context: ())
    ledger = ContractLedger()

    with pytest.raises(InvariantError):
        ledger.send(BOOTSTRAP_SYSTEM)

    monkeypatch.undo()
    ledger.do(BOOTSTRAP_SYSTEM)
    assert ledger.minted() == ledger.total() == int(coins(950_000_000))


@pytest.mark.parametrize("name", ["Mint", "AdminContract:Mint", "Tokenomics:Mint", "default:Mint"])
def test_every_command_falling_to_a_default_contract(name: str) -> None:
    """A name without its contract, or with another one's, is unknown."""
    stub = a_bootstrapped_ledger().ledger.begin(LedgerRole.SUPER_ADMIN)

    result = an_executor().execute(stub, name, ["alice", "1", "x"])

    assert isinstance(result, Refused)
    assert result.code is RefusalCode.UNKNOWN_FUNCTION


def test_argument_count_or_order_mismatch() -> None:
    """The catalogue's order is the contract's: named arguments arrive under their names."""
    by_name = {"toId": "bob", "remark": "Lunch", "fromId": "alice", "amount": coins(1)}
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))

    ledger.do(TRANSFER_TOKENS, *TRANSFER_TOKENS.argument_values(by_name))

    assert ledger.balance("bob") == int(coins(1))
    assert ledger.refusal(TRANSFER_TOKENS, "alice", "bob", coins(1)) is (
        RefusalCode.ARGUMENT_INVALID
    )
    assert ledger.refusal(MINT_COINS, coins(1), "x", "alice") is not None


def test_a_command_or_event_nobody_handles() -> None:
    """Every command of the catalogue takes effect and raises exactly the events it declares."""
    raised: dict[str, set[type[Event]]] = {}
    for name, events in every_command():
        raised.setdefault(name, set()).update(events)

    assert raised == {spec.wire_name: set(spec.events) for spec in COMMANDS.values()}
    assert set().union(*raised.values()) == set(EVENTS.values())


def test_the_last_event_of_a_transaction_overwriting_the_others() -> None:
    """Called directly, bootstrap's five events arrive as one; in a batch every command's do."""
    stub = DictLedger().begin(LedgerRole.SUPER_ADMIN)
    an_executor().execute(stub, BOOTSTRAP_SYSTEM.function, [])
    assert stub.event is not None
    names = [type(parse_event(event)).__name__ for event in parse_events(*stub.event)]
    assert names == ["SystemBootstrapped", *["CoinsMinted"] * 4]

    ledger = a_bootstrapped_ledger()
    items = [a_command(MINT_COINS, "alice", "1", "x", name=f"mint{i}") for i in range(3)]
    outcomes = ledger.batch(items, LedgerRole.SUPER_ADMIN)
    assert [len(outcome.events) for outcome in outcomes] == [1, 1, 1]


def test_a_crash_after_commit_minting_twice() -> None:
    """The submitter died before it noted the commit and sends the mint again: one effect."""
    ledger = a_bootstrapped_ledger()
    mint = a_command(MINT_COINS, "alice", coins(5), "x", name="mint")
    (first,) = ledger.batch([mint], LedgerRole.SUPER_ADMIN)

    (again,) = ledger.batch([mint], LedgerRole.SUPER_ADMIN)

    assert (first.outcome, again.outcome) == (OutcomeKind.COMMITTED, OutcomeKind.COMMITTED)
    assert again.duplicate_of is not None
    assert ledger.balance("alice") == int(coins(5))


def test_two_submitters_endorsing_one_command_before_either_commits() -> None:
    """Both read that the key is new; the second transaction is invalidated, not applied."""
    ledger = a_bootstrapped_ledger()
    mint = a_command(MINT_COINS, "alice", coins(5), "x", name="mint")
    first = ledger.simulate([mint], LedgerRole.SUPER_ADMIN)
    second = ledger.simulate([mint], LedgerRole.SUPER_ADMIN)

    assert first.commit()
    assert not second.commit()
    assert ledger.balance("alice") == int(coins(5))


def test_business_refusals_retried() -> None:
    """A refusal is final: when the money comes later, the same command is still refused."""
    ledger = a_ledger(alice="US", bob="US")
    transfer = a_command(TRANSFER_TOKENS, "alice", "bob", coins(1), "x", name="t")
    ledger.batch([transfer], LedgerRole.PARTNER_API)
    give(ledger, "alice", coins(10))

    (again,) = ledger.batch([transfer], LedgerRole.PARTNER_API)

    assert again.code is RefusalCode.INSUFFICIENT_FUNDS
    assert ledger.balance("bob") == 0


def test_two_writers_of_one_balance() -> None:
    """One module alone writes accounts, and one alone makes records of them."""
    writers = {
        name
        for name, tree in syntax_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _writes_an_account(node)
    }

    assert writers == {"accounts"}


def _writes_an_account(call: ast.Call) -> bool:
    text = ast.unparse(call)
    return text.startswith(("context.state.put(keys.account", "AccountRecord("))


def test_floats_for_money() -> None:
    """No contract holds a fractional literal, divides with `/`, or names the type."""
    for name, tree in syntax_trees():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Div), name
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), name
            assert not (isinstance(node, ast.Name) and node.id == "float"), name


def _has_a_float(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(_has_a_float(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_a_float(item) for item in value)
    return isinstance(value, float)


def test_event_time_is_arrival_time() -> None:
    """An event bears its transaction's time, in seconds, whenever somebody reads it."""
    ledger = a_bootstrapped_ledger()
    ledger.ledger.now_s = EpochSeconds(1_234_567_890)

    (event,) = ledger.do(MINT_COINS, "alice", "1", "x")

    assert event.timestamp == 1_234_567_890
    assert not _has_a_float(event.to_payload())


def test_debiting_and_crediting_one_account_in_one_transaction() -> None:
    """Fabric hides own writes from reads: each transfer must still see the ones before it."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(2))
    pairs = [("alice", "bob"), ("bob", "alice"), ("alice", "bob"), ("bob", "alice")]
    items = [
        a_command(TRANSFER_TOKENS, payer, payee, coins(2), "x", name=f"t{number}")
        for number, (payer, payee) in enumerate(pairs)
    ]

    outcomes = ledger.batch(items, LedgerRole.ADMIN)

    assert [outcome.code for outcome in outcomes] == [None] * 4
    assert (ledger.balance("alice"), ledger.balance("bob")) == (int(coins(2)), 0)


def test_a_direct_mint_works_as_in_a_batch() -> None:
    """An operator's call past the outbox has the same rules and the same effect."""
    ledger = a_bootstrapped_ledger()
    stub = ledger.ledger.begin(LedgerRole.SUPER_ADMIN)

    result = an_executor().execute(stub, MINT_COINS.function, ["alice", coins(5), "x"])

    assert isinstance(result, Executed)
    assert stub.commit()
    assert ledger.balance("alice") == int(coins(5))
