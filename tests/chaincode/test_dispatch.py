"""Which function a call means, and whether it may be made."""

from collections.abc import Iterable

import pytest

from gx.chaincode.dispatch import Registry, functions_of
from gx.chaincode.errors import IncompleteRegistryError
from gx.chaincode.executor import Executed, Refused
from gx.chaincode.functions import ContractFunction, evaluate, no_keys, submit
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode import toy_contract
from tests.chaincode.dict_stub import DictLedger
from tests.chaincode.toy_contract import (
    COMMANDS,
    COUNT,
    FUNCTIONS,
    QUERIES,
    Counter,
    a_spec,
    an_executor,
    closed_gate,
    count_up,
    read,
)

PARTNER, ADMIN = LedgerRole.PARTNER_API, LedgerRole.ADMIN


def a_ledger(*, is_open: bool = True) -> DictLedger:
    """Return a ledger whose gate is open or closed."""
    ledger = DictLedger()
    if not is_open:
        stub = ledger.begin()
        stub.put_states({"gate": Counter(count=1).to_text()})
        stub.commit()
    return ledger


def code_of(
    function: str,
    *args: str,
    role: LedgerRole | None = ADMIN,
    identity: str = "apples",
    ledger: DictLedger | None = None,
) -> RefusalCode | None:
    """Call a function directly; return its refusal's code, None if it was not refused."""
    stub = (ledger or a_ledger()).begin(role, identity)
    result = an_executor().execute(stub, function, args)
    return result.code if isinstance(result, Refused) else None


@pytest.mark.parametrize(
    ("function", "args", "role", "is_open", "code"),
    [
        ("Toy:Missing", ("?",), None, False, RefusalCode.UNKNOWN_FUNCTION),
        ("Toy:CountOwn", ("?",), None, False, RefusalCode.ROLE_REQUIRED),
        ("Toy:CountOwn", ("?",), PARTNER, False, RefusalCode.SYSTEM_PAUSED),
        ("Toy:CountOwn", ("?",), PARTNER, True, RefusalCode.ARGUMENT_INVALID),
        ("Toy:CountOwn", ("?", "1"), PARTNER, True, RefusalCode.ARGUMENT_INVALID),
        ("Toy:CountOwn", ("pears", "101"), PARTNER, True, RefusalCode.ARGUMENT_INVALID),
        ("Toy:CountOwn", ("pears", "1"), PARTNER, True, RefusalCode.ACTOR_MISMATCH),
        ("Toy:CountOwn", ("apples", "1"), PARTNER, True, None),
    ],
)
def test_the_questions_come_in_a_fixed_order(
    *,
    function: str,
    args: tuple[str, ...],
    role: LedgerRole | None,
    is_open: bool,
    code: RefusalCode | None,
) -> None:
    """Each call breaks this rule and all later ones; the earliest broken rule answers."""
    assert code_of(function, *args, role=role, ledger=a_ledger(is_open=is_open)) is code


@pytest.mark.parametrize("function", ["Count", ":Count", "toy:Count", "Toy:count", "Toy:", ""])
def test_there_is_no_default_contract(function: str) -> None:
    """A name that is not exactly a function's is refused; nothing stands in for it."""
    assert code_of(function, "apples", "1") is RefusalCode.UNKNOWN_FUNCTION


@pytest.mark.parametrize("args", [(), ("apples",), ("apples", "1", "2")])
def test_the_number_of_arguments_must_be_right(args: tuple[str, ...]) -> None:
    """Missing arguments are not made up, further ones not ignored."""
    assert code_of("Toy:Count", *args) is RefusalCode.ARGUMENT_INVALID


@pytest.mark.parametrize(
    ("owner", "actor", "role", "is_admitted"),
    [
        ("alice", "alice", PARTNER, True),
        ("alice", "alice", ADMIN, True),
        ("alice", "bob", PARTNER, False),
        ("alice", "bob", ADMIN, False),
        ("treasury_US", "ops", ADMIN, True),
        ("treasury_US", "treasury_US", PARTNER, False),
        ("SYSTEM_LOAN_POOL", "ops", ADMIN, True),
        ("SYSTEM_LOAN_POOL", "SYSTEM_LOAN_POOL", PARTNER, False),
    ],
)
def test_who_may_act_for_whom(
    *, owner: str, actor: str, role: LedgerRole, is_admitted: bool
) -> None:
    """A user's account moves for the user alone; the system's own for administrators alone."""
    code = code_of("Toy:CountOwn", owner, "1", role=role, identity=actor)

    assert code is (None if is_admitted else RefusalCode.ACTOR_MISMATCH)


def test_a_query_needs_no_role_and_an_open_gate_no_more() -> None:
    """Reading is for everybody, at any time; only its arguments are checked."""
    ledger = a_ledger(is_open=False)

    assert code_of("Toy:Read", "gate", role=None, ledger=ledger) is None
    assert code_of("Toy:Read", "?", role=None, ledger=ledger) is RefusalCode.ARGUMENT_INVALID
    assert code_of("Toy:Read", "x", role=None, ledger=ledger) is RefusalCode.ACCOUNT_NOT_FOUND


def test_a_query_answers_json() -> None:
    """A reading function's object is the payload; no event goes with it."""
    stub = a_ledger(is_open=False).begin(None)

    assert an_executor().execute(stub, "Toy:Read", ["gate"]) == Executed(payload='{"count":1}')
    assert (stub.event, stub.writes) == (None, {})


def faults_of(functions: Iterable[ContractFunction]) -> tuple[str, ...]:
    """Return what the registry says about these functions."""
    with pytest.raises(IncompleteRegistryError) as error:
        Registry(functions, gate=closed_gate, shared_keys=(), commands=COMMANDS, queries=QUERIES)
    return error.value.faults


def test_every_gap_between_catalogue_and_functions_is_named() -> None:
    """The process does not start, and the message lists each missing or surplus function."""
    stray = submit(a_spec("Stray"))(count_up)
    stray_query = evaluate("Toy:StrayQuery")(read)

    assert faults_of([stray, stray_query, FUNCTIONS[0], FUNCTIONS[0]]) == (
        "Toy:Count is declared 2 times",
        "command COUNTOWN has no function Toy:CountOwn",
        "command CRASH has no function Toy:Crash",
        "query Toy:Read has no function",
        "function Toy:Stray carries out no command of the catalogue",
        "function Toy:StrayQuery is no query of the catalogue",
    )


def test_functions_are_found_where_they_are_declared() -> None:
    """A module's contract functions are collected by what they are, not by a list."""
    toy_contract.declared = submit(COUNT)(count_up)  # type: ignore[attr-defined]  # as a contract module has it
    try:
        assert [function.name for function in functions_of(toy_contract)] == ["Toy:Count"]
    finally:
        del toy_contract.declared  # type: ignore[attr-defined]  # see above


def test_a_function_without_declared_keys_names_none() -> None:
    """Declaring keys is an optimisation; without it nothing is fetched ahead."""
    assert no_keys({"name": "x"}, "actor") == ()
