"""The catalogue: what is declared once must be whole and free of contradiction."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.arguments import Arguments, Source
from gx.domain.catalogue import COMMANDS, COMMANDS_BY_FUNCTION, FUNCTIONS, QUERIES
from gx.domain.codec import JsonValue, decode
from gx.domain.commands import CommandSpec
from gx.domain.events import EVENTS
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole, TokenRole, signing_role
from gx.domain.scopes import EXCLUSIVE

WIRE_NAMES = """BOOTSTRAP_SYSTEM INITIALIZE_COUNTRY_DATA UPDATE_SYSTEM_PARAMETER PAUSE_SYSTEM
    RESUME_SYSTEM APPOINT_ADMIN ACTIVATE_TREASURY MINT_COINS CREATE_USER DISTRIBUTE_GENESIS
    TRANSFER_TOKENS FREEZE_WALLET UNFREEZE_WALLET LOCK_USER UNLOCK_USER REQUEST_RELATIONSHIP
    CONFIRM_RELATIONSHIP PROPOSE_ORGANIZATION ENDORSE_MEMBERSHIP ACTIVATE_ORGANIZATION
    DEFINE_AUTH_RULE INITIATE_MULTISIG_TX APPROVE_MULTISIG_TX
    APPLY_FOR_LOAN APPROVE_LOAN REJECT_LOAN REPAY_LOAN SUBMIT_PROPOSAL
    VOTE_ON_PROPOSAL EXECUTE_PROPOSAL APPLY_VELOCITY_TAX"""
"""Clients send these; a name that is gone breaks them."""

SPECS = pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.wire_name)


def _example(spec: CommandSpec) -> dict[str, str]:
    return {
        argument.name: argument.kind.to_text(argument.name, argument.example)
        for argument in spec.arguments
    }


def test_every_promised_command_is_declared() -> None:
    """All 31 wire names, written down by hand."""
    promised = set(WIRE_NAMES.split())

    assert len(promised) == 31
    assert promised <= COMMANDS.keys()


@SPECS
def test_the_examples_of_a_command_are_valid_requests(spec: CommandSpec) -> None:
    """The documentation shows what would be accepted, and the contract takes what the edge made."""
    by_name = _example(spec)

    arguments = Arguments(spec.arguments, spec.argument_values(by_name))

    assert arguments.as_mapping() == by_name


@SPECS
def test_path_placeholders_are_arguments(spec: CommandSpec) -> None:
    """Each placeholder is an argument from the path, and the other way round."""
    placeholders = set(re.findall(r"{(\w+)}", spec.path))

    assert placeholders == {a.name for a in spec.arguments if a.source is Source.PATH}


@SPECS
def test_a_command_is_declared_whole(spec: CommandSpec) -> None:
    """Names have their form; events exist; some ledger role may call it; scopes are computable."""
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", spec.wire_name)
    assert re.fullmatch(r"[A-Z]\w+Contract:[A-Z]\w+", spec.function)
    assert spec.events
    assert all(EVENTS[event.WIRE_NAME] is event for event in spec.events)
    assert spec.roles
    assert spec.read_models
    assert isinstance(spec.scopes(_example(spec), "alice"), frozenset)


@SPECS
def test_whoever_the_edge_admits_signs_with_an_admitted_identity(spec: CommandSpec) -> None:
    """The edge never lets through what the contract would refuse for its role."""
    for role in TokenRole:
        if spec.access.admits(role):
            assert signing_role(role) in spec.roles, role


def test_functions_routes_and_names_are_unique() -> None:
    """One function, one command; one path, one route."""
    writes = [(spec.method, spec.path) for spec in COMMANDS.values()]
    reads = [(spec.method, spec.path) for spec in QUERIES.values()]

    assert len(COMMANDS_BY_FUNCTION) == len(COMMANDS)
    assert not COMMANDS_BY_FUNCTION.keys() & FUNCTIONS.keys()
    assert len({*writes, *reads}) == len(writes) + len(reads)


def test_every_event_belongs_to_a_command() -> None:
    """An event that no command raises is a leftover."""
    raised = {event.WIRE_NAME for spec in COMMANDS.values() for event in spec.events}

    assert raised == EVENTS.keys()


def test_minting_is_for_super_admins_alone() -> None:
    """The roles are no hierarchy: an admin may not mint."""
    assert COMMANDS["MINT_COINS"].roles == {LedgerRole.SUPER_ADMIN}


def test_a_payment_out_of_the_operations_fund_flies_alone() -> None:
    """It sums fee keys that any transfer may add: only state could tell which."""
    scopes = COMMANDS["TRANSFER_TOKENS"].scopes

    assert scopes({"fromId": OPERATIONS_FUND, "toId": "a"}, "admin") == EXCLUSIVE
    assert scopes({"fromId": "a", "toId": OPERATIONS_FUND}, "a") == {
        "account:a",
        f"account:{OPERATIONS_FUND}",
    }


@pytest.mark.parametrize(
    ("command", "argument", "value", "code"),
    [
        ("MINT_COINS", "accountId", "", RefusalCode.ACCOUNT_ID_EMPTY),
        ("MINT_COINS", "accountId", "  ", RefusalCode.ACCOUNT_ID_EMPTY),
        ("MINT_COINS", "accountId", "a b", RefusalCode.ARGUMENT_INVALID),
        ("MINT_COINS", "accountId", "a" * 65, RefusalCode.ARGUMENT_INVALID),
        ("MINT_COINS", "amount", "0", RefusalCode.AMOUNT_NOT_POSITIVE),
        ("MINT_COINS", "amount", str(2**64), RefusalCode.AMOUNT_OVERFLOW),
        ("MINT_COINS", "amount", 5, RefusalCode.AMOUNT_OVERFLOW),
        ("MINT_COINS", "remark", " ", RefusalCode.REMARK_EMPTY),
        ("MINT_COINS", "remark", "a\nb", RefusalCode.ARGUMENT_INVALID),
        ("CREATE_USER", "biometricHash", "AB" * 32, RefusalCode.BIOMETRIC_HASH_INVALID),
        ("CREATE_USER", "biometricHash", "ab" * 31, RefusalCode.BIOMETRIC_HASH_INVALID),
        ("CREATE_USER", "nationality", "XX", RefusalCode.COUNTRY_UNKNOWN),
        ("CREATE_USER", "nationality", "us", RefusalCode.COUNTRY_UNKNOWN),
        ("CREATE_USER", "age", 151, RefusalCode.AGE_OUT_OF_RANGE),
        ("CREATE_USER", "age", -1, RefusalCode.AGE_OUT_OF_RANGE),
        ("CREATE_USER", "age", "34", RefusalCode.ARGUMENT_INVALID),
        ("CREATE_USER", "age", True, RefusalCode.ARGUMENT_INVALID),
        ("PAUSE_SYSTEM", "reason", "too short", RefusalCode.ARGUMENT_INVALID),
        ("PAUSE_SYSTEM", "reason", "x" * 501, RefusalCode.ARGUMENT_INVALID),
        ("UPDATE_SYSTEM_PARAMETER", "id", "nope", RefusalCode.PARAMETER_UNKNOWN),
        ("INITIALIZE_COUNTRY_DATA", "countries", [], RefusalCode.ARGUMENT_INVALID),
    ],
)
def test_each_kind_refuses_with_its_code(
    command: str, argument: str, value: JsonValue, code: RefusalCode
) -> None:
    """The edge and the contract take their codes from the same declaration."""
    kind = next(a.kind for a in COMMANDS[command].arguments if a.name == argument)

    with pytest.raises(RefusedError) as refused:
        kind.to_text(argument, value)
    assert refused.value.code is code


@given(st.text(max_size=80))
def test_the_contract_refuses_what_the_edge_refuses(text: str) -> None:
    """Sent past the edge, a bad argument meets the same rule."""
    for spec in COMMANDS.values():
        for argument in spec.arguments:
            try:
                as_text = argument.kind.to_text(argument.name, text)
            except RefusedError:
                continue
            argument.kind.require(argument.name, as_text)


@pytest.mark.parametrize(
    "shares",
    [
        '[{"countryCode":"US","percentage":"60"},{"countryCode":"CA","percentage":"40.000001"}]',
        '[{"countryCode":"US","percentage":"1"},{"countryCode":"US","percentage":"1"}]',
        '[{"countryCode":"US","percentage":"1e1"}]',
        '[{"countryCode":"US","percentage":1}]',
        '[{"countryCode":"US","percentage":"1","extra":"x"}]',
        '{"US":"1"}',
        "nonsense",
    ],
)
def test_country_shares_are_exact(shares: str) -> None:
    """More than 100 per cent, a country twice, floats and other shapes are refused."""
    kind = COMMANDS["INITIALIZE_COUNTRY_DATA"].arguments[0].kind

    with pytest.raises(RefusedError):
        kind.require("countries", shares)


def test_country_shares_may_sum_to_exactly_100() -> None:
    """The boundary itself is allowed."""
    kind = COMMANDS["INITIALIZE_COUNTRY_DATA"].arguments[0].kind
    text = '[{"countryCode":"US","percentage":"60"},{"countryCode":"CA","percentage":"40.000000"}]'

    assert decode(kind.to_text("countries", decode(text))) == decode(text)
