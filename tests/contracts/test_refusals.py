"""Every code that a command declares can be met, and no command answers another."""

from dataclasses import dataclass

import pytest

from gx.chaincode.executor import Refused
from gx.domain.catalogue import (
    ACTIVATE_ORGANIZATION,
    ACTIVATE_TREASURY,
    APPLY_VELOCITY_TAX,
    APPOINT_ADMIN,
    APPROVE_MULTISIG_TX,
    BOOTSTRAP_SYSTEM,
    COMMANDS,
    CONFIRM_RELATIONSHIP,
    CREATE_USER,
    DEFINE_AUTH_RULE,
    DISTRIBUTE_GENESIS,
    ENDORSE_MEMBERSHIP,
    FREEZE_WALLET,
    INITIALIZE_COUNTRY_DATA,
    INITIATE_MULTISIG_TX,
    LOCK_USER,
    MINT_COINS,
    PAUSE_SYSTEM,
    PROPOSE_ORGANIZATION,
    REQUEST_RELATIONSHIP,
    TRANSFER_TOKENS,
    UNFREEZE_WALLET,
    UNLOCK_USER,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.codec import JsonValue, encode
from gx.domain.commands import CommandSpec
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import (
    ContractLedger,
    a_command,
    a_hash,
    a_ledger,
    an_executor,
    coins,
    give,
    role_for,
)
from tests.contracts.loan_refusals import LOAN_CASES, prepare_loans
from tests.contracts.test_genesis import a_ledger_after

R = RefusalCode
ROOT = LedgerRole.SUPER_ADMIN
BOTH = '["alice","bob"]'
WAITING, FINAL = "acme~bob~waiting", "acme~bob~final"


def _rule(required: int, *group: str) -> str:
    people = list[JsonValue](group)
    return encode({"amountThreshold": "5", "requiredApprovers": required, "approverGroup": people})


OLD_RULE = _rule(2, "alice", "bob", "locked")
WANTED_RULE = _rule(3, "alice", "bob", "locked")
NEW_RULE = _rule(1, "alice")
LATE_RULE = f"[{_rule(1, 'late')}]"


@dataclass(frozen=True)
class Case:
    """A command that the prepared ledger refuses with this code."""

    spec: CommandSpec
    code: RefusalCode
    args: tuple[str, ...] = ()
    actor: str | None = None
    role: LedgerRole | None = None


def a_prepared_ledger() -> ContractLedger:
    """Return a ledger with somebody in every state that a refusal needs."""
    ledger = a_ledger_after(
        2_749_999, alice="US", bob="CA", locked="US", frozen="US", paid="US", late="US"
    )
    for name in ("alice", "locked", "frozen"):
        give(ledger, name, coins(10))
    ledger.do(CREATE_USER, "child", a_hash(900), "US", "12")
    ledger.do(LOCK_USER, "locked", "x")
    ledger.do(FREEZE_WALLET, "frozen", "x")
    ledger.do(DISTRIBUTE_GENESIS, "paid")
    ledger.do(ACTIVATE_TREASURY, "GB")
    ledger.do(APPOINT_ADMIN, "ada")
    ledger.do(REQUEST_RELATIONSHIP, "alice", "paid", "FRIEND")
    ledger.do(CONFIRM_RELATIONSHIP, "alice~FRIEND~paid", actor="paid")
    _add_organizations(ledger)
    prepare_loans(ledger)
    return ledger


def _add_organizations(ledger: ContractLedger) -> None:
    """Add a draft that alice endorsed; acme, with one payment that waits and one that failed."""
    for org_id, rules in (("draft", "[]"), ("acme", f"[{OLD_RULE}]")):
        people = '["alice","bob","locked"]'
        ledger.do(PROPOSE_ORGANIZATION, org_id, "N", "NGO", people, rules, actor="alice")
        ledger.do(ENDORSE_MEMBERSHIP, org_id, actor="alice")
    for person in ("bob", "locked"):
        ledger.do(ENDORSE_MEMBERSHIP, "acme", actor=person)
    ledger.do(ACTIVATE_ORGANIZATION, "acme", actor="alice")
    ledger.do(DEFINE_AUTH_RULE, "acme", WANTED_RULE, actor="alice")
    for name in (WAITING, FINAL):
        item = a_command(
            INITIATE_MULTISIG_TX,
            *("acme", "bob", "9", "x"),
            actor="alice",
            name=name.removeprefix("acme~bob~"),
        )
        ledger.batch([item], LedgerRole.PARTNER_API)
    ledger.do(APPROVE_MULTISIG_TX, FINAL, actor="bob")


CASES = (
    Case(BOOTSTRAP_SYSTEM, R.ALREADY_BOOTSTRAPPED),
    Case(INITIALIZE_COUNTRY_DATA, R.COUNTRY_EXISTS, ('[{"countryCode":"US","percentage":"1"}]',)),
    Case(INITIALIZE_COUNTRY_DATA, R.COUNTRY_UNKNOWN, ('[{"countryCode":"XX","percentage":"1"}]',)),
    Case(UPDATE_SYSTEM_PARAMETER, R.PARAMETER_UNKNOWN, ("maxFee", "1")),
    Case(UPDATE_SYSTEM_PARAMETER, R.PARAMETER_VALUE_INVALID, ("feeLowerBps", "1001")),
    Case(APPOINT_ADMIN, R.ADMIN_EXISTS, ("ada",)),
    Case(APPOINT_ADMIN, R.ACTOR_MISMATCH, ("grace",), "grace"),
    Case(ACTIVATE_TREASURY, R.COUNTRY_UNKNOWN, ("FR",)),
    Case(ACTIVATE_TREASURY, R.TREASURY_NOT_LOCKED, ("GB",)),
    Case(MINT_COINS, R.ACCOUNT_ID_EMPTY, ("", "1", "x")),
    Case(MINT_COINS, R.AMOUNT_NOT_POSITIVE, ("alice", "0", "x")),
    Case(MINT_COINS, R.AMOUNT_OVERFLOW, ("alice", str(2**64), "x")),
    Case(MINT_COINS, R.REMARK_EMPTY, ("alice", "1", " ")),
    Case(MINT_COINS, R.SUPPLY_CAP_EXCEEDED, ("alice", str(2**63), "x")),
    Case(MINT_COINS, R.ACCOUNT_NOT_FOUND, ("SYSTEM_X", "1", "x")),
    Case(CREATE_USER, R.USER_EXISTS, ("alice", a_hash(99), "US", "30")),
    Case(CREATE_USER, R.BIOMETRIC_HASH_INVALID, ("new", "F" * 64, "US", "30")),
    Case(CREATE_USER, R.BIOMETRIC_HASH_EXISTS, ("new", a_hash(0), "US", "30")),
    Case(CREATE_USER, R.COUNTRY_UNKNOWN, ("new", a_hash(99), "FR", "30")),
    Case(CREATE_USER, R.AGE_OUT_OF_RANGE, ("new", a_hash(99), "US", "151")),
    Case(DISTRIBUTE_GENESIS, R.USER_NOT_FOUND, ("nobody",)),
    Case(DISTRIBUTE_GENESIS, R.USER_NOT_ACTIVE, ("locked",)),
    Case(DISTRIBUTE_GENESIS, R.GENESIS_ALREADY_DISTRIBUTED, ("paid",)),
    Case(DISTRIBUTE_GENESIS, R.AGE_OUT_OF_RANGE, ("child",)),
    Case(DISTRIBUTE_GENESIS, R.GENESIS_POOL_EXHAUSTED, ("late",)),
    Case(TRANSFER_TOKENS, R.ACCOUNT_ID_EMPTY, ("alice", "", "1", "x")),
    Case(TRANSFER_TOKENS, R.AMOUNT_NOT_POSITIVE, ("alice", "bob", "0", "x")),
    Case(TRANSFER_TOKENS, R.AMOUNT_OVERFLOW, ("alice", "bob", "1.5", "x")),
    Case(TRANSFER_TOKENS, R.REMARK_EMPTY, ("alice", "bob", "1", "")),
    Case(TRANSFER_TOKENS, R.ACTOR_MISMATCH, ("alice", "bob", "1", "x"), "bob"),
    Case(TRANSFER_TOKENS, R.SELF_TRANSFER, ("alice", "alice", "1", "x")),
    Case(TRANSFER_TOKENS, R.ACCOUNT_NOT_FOUND, ("alice", "nobody", "1", "x")),
    Case(TRANSFER_TOKENS, R.ACCOUNT_NOT_FOUND, ("nobody", "alice", "1", "x")),
    Case(TRANSFER_TOKENS, R.ACCOUNT_FROZEN, ("frozen", "bob", "1", "x")),
    Case(TRANSFER_TOKENS, R.ACCOUNT_FROZEN, ("alice", "frozen", "1", "x")),
    Case(TRANSFER_TOKENS, R.USER_NOT_ACTIVE, ("locked", "bob", "1", "x")),
    Case(TRANSFER_TOKENS, R.INSUFFICIENT_FUNDS, ("alice", "bob", coins(11), "x")),
    Case(APPLY_VELOCITY_TAX, R.ACCOUNT_ID_EMPTY, ("",)),
    Case(APPLY_VELOCITY_TAX, R.ACCOUNT_NOT_FOUND, ("nobody",)),
    Case(APPLY_VELOCITY_TAX, R.TAX_NOT_DUE, ("alice",)),
    Case(FREEZE_WALLET, R.ACCOUNT_NOT_FOUND, ("nobody", "x")),
    Case(UNFREEZE_WALLET, R.ACCOUNT_NOT_FOUND, ("nobody",)),
    Case(LOCK_USER, R.USER_NOT_FOUND, ("nobody", "x")),
    Case(LOCK_USER, R.USER_NOT_ACTIVE, ("locked", "x")),
    Case(UNLOCK_USER, R.USER_NOT_FOUND, ("nobody",)),
    Case(UNLOCK_USER, R.USER_NOT_LOCKED, ("alice",)),
    Case(REQUEST_RELATIONSHIP, R.ACTOR_MISMATCH, ("alice", "bob", "FRIEND"), "bob"),
    Case(REQUEST_RELATIONSHIP, R.SELF_RELATIONSHIP, ("alice", "alice", "FRIEND")),
    Case(REQUEST_RELATIONSHIP, R.USER_NOT_FOUND, ("alice", "nobody", "FRIEND")),
    Case(REQUEST_RELATIONSHIP, R.RELATIONSHIP_EXISTS, ("alice", "paid", "FRIEND")),
    Case(PROPOSE_ORGANIZATION, R.ROLE_REQUIRED, ("new", "N", "GOVERNMENT", BOTH, "[]"), "alice"),
    Case(PROPOSE_ORGANIZATION, R.ACTOR_MISMATCH, ("new", "N", "NGO", BOTH, "[]"), "alice", ROOT),
    Case(PROPOSE_ORGANIZATION, R.RULE_INVALID, ("new", "N", "NGO", BOTH, LATE_RULE), "alice"),
    Case(PROPOSE_ORGANIZATION, R.NOT_A_STAKEHOLDER, ("new", "N", "NGO", BOTH, "[]"), "late"),
    Case(PROPOSE_ORGANIZATION, R.ORGANIZATION_EXISTS, ("acme", "N", "NGO", BOTH, "[]"), "alice"),
    Case(
        PROPOSE_ORGANIZATION,
        R.USER_NOT_FOUND,
        ("new", "N", "NGO", '["alice","nobody"]', "[]"),
        "alice",
    ),
    Case(ENDORSE_MEMBERSHIP, R.ACTOR_MISMATCH, ("draft",), "alice", ROOT),
    Case(ENDORSE_MEMBERSHIP, R.ORGANIZATION_NOT_FOUND, ("nowhere",), "alice"),
    Case(ENDORSE_MEMBERSHIP, R.NOT_A_STAKEHOLDER, ("draft",), "late"),
    Case(ENDORSE_MEMBERSHIP, R.ORGANIZATION_STATE, ("acme",), "alice"),
    Case(ENDORSE_MEMBERSHIP, R.ALREADY_ENDORSED, ("draft",), "alice"),
    Case(ACTIVATE_ORGANIZATION, R.ACTOR_MISMATCH, ("draft",), "alice", ROOT),
    Case(ACTIVATE_ORGANIZATION, R.ORGANIZATION_NOT_FOUND, ("nowhere",), "alice"),
    Case(ACTIVATE_ORGANIZATION, R.NOT_A_STAKEHOLDER, ("draft",), "late"),
    Case(ACTIVATE_ORGANIZATION, R.ORGANIZATION_STATE, ("draft",), "alice"),
    Case(DEFINE_AUTH_RULE, R.ACTOR_MISMATCH, ("acme", NEW_RULE), "alice", ROOT),
    Case(DEFINE_AUTH_RULE, R.ORGANIZATION_NOT_FOUND, ("nowhere", NEW_RULE), "alice"),
    Case(DEFINE_AUTH_RULE, R.NOT_A_STAKEHOLDER, ("acme", NEW_RULE), "late"),
    Case(DEFINE_AUTH_RULE, R.ORGANIZATION_STATE, ("draft", NEW_RULE), "alice"),
    Case(DEFINE_AUTH_RULE, R.RULE_INVALID, ("acme", "{}"), "alice"),
    Case(DEFINE_AUTH_RULE, R.ALREADY_ENDORSED, ("acme", WANTED_RULE), "alice"),
    Case(INITIATE_MULTISIG_TX, R.ACTOR_MISMATCH, ("acme", "bob", "9", "x"), "alice", ROOT),
    Case(INITIATE_MULTISIG_TX, R.ACCOUNT_ID_EMPTY, ("acme", "", "9", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.AMOUNT_NOT_POSITIVE, ("acme", "bob", "0", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.AMOUNT_OVERFLOW, ("acme", "bob", str(2**63), "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.REMARK_EMPTY, ("acme", "bob", "9", ""), "alice"),
    Case(INITIATE_MULTISIG_TX, R.SELF_TRANSFER, ("acme", "acme", "9", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.ORGANIZATION_NOT_FOUND, ("x", "bob", "9", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.NOT_A_STAKEHOLDER, ("acme", "bob", "9", "x"), "late"),
    Case(INITIATE_MULTISIG_TX, R.USER_NOT_ACTIVE, ("acme", "bob", "9", "x"), "locked"),
    Case(INITIATE_MULTISIG_TX, R.ORGANIZATION_STATE, ("draft", "bob", "9", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.ACCOUNT_NOT_FOUND, ("acme", "nobody", "9", "x"), "alice"),
    Case(INITIATE_MULTISIG_TX, R.NO_MATCHING_RULE, ("acme", "bob", "4", "x"), "alice"),
    Case(APPROVE_MULTISIG_TX, R.ACTOR_MISMATCH, (WAITING,), "bob", ROOT),
    Case(APPROVE_MULTISIG_TX, R.MULTISIG_NOT_FOUND, ("acme~bob~never",), "bob"),
    Case(APPROVE_MULTISIG_TX, R.NOT_A_STAKEHOLDER, (WAITING,), "late"),
    Case(APPROVE_MULTISIG_TX, R.USER_NOT_ACTIVE, (WAITING,), "locked"),
    Case(APPROVE_MULTISIG_TX, R.MULTISIG_NOT_PENDING, (FINAL,), "alice"),
    Case(APPROVE_MULTISIG_TX, R.ALREADY_APPROVED, (WAITING,), "alice"),
    Case(CONFIRM_RELATIONSHIP, R.ACTOR_MISMATCH, ("alice~FRIEND~paid",), "alice"),
    Case(CONFIRM_RELATIONSHIP, R.RELATIONSHIP_NOT_FOUND, ("alice~FRIEND~bob",), "bob"),
    Case(CONFIRM_RELATIONSHIP, R.RELATIONSHIP_EXISTS, ("alice~FRIEND~paid",), "paid"),
    *(Case(*case) for case in LOAN_CASES),
)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.spec.wire_name}-{case.code}-{case.args}"[:80]
)
def test_the_refusal_has_its_code_and_changes_nothing(case: Case) -> None:
    """The same command is refused as often as it is sent, and only its own record remains."""
    ledger = a_prepared_ledger()
    before = ledger.ledger.values()

    outcome = ledger.send(
        case.spec, *case.args, actor=case.actor, role=case.role or role_for(case.spec)
    )

    assert outcome.code is case.code, outcome.detail
    assert outcome.detail
    after = ledger.ledger.values()
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    assert changed == {f"cmd_{outcome.command_id}"}


def test_every_declared_refusal_is_in_the_table() -> None:
    """What the catalogue promises and what is tested are the same set."""
    declared = {(spec.wire_name, code) for spec in COMMANDS.values() for code in spec.refusals}

    assert {(case.spec.wire_name, case.code) for case in CASES} == declared


OUTSIDERS = [
    (spec, role)
    for spec in COMMANDS.values()
    for role in (*LedgerRole, None)
    if role not in spec.roles
]


@pytest.mark.parametrize(
    ("spec", "role"), OUTSIDERS, ids=[f"{spec.wire_name}-{role}" for spec, role in OUTSIDERS]
)
def test_a_role_that_the_command_does_not_name_is_refused(
    spec: CommandSpec, role: LedgerRole | None
) -> None:
    """Past the edge too, whatever the arguments: roles are no hierarchy."""
    stub = a_ledger().ledger.begin(role)
    result = an_executor().execute(stub, spec.function, [])

    assert isinstance(result, Refused)
    assert result.code is R.ROLE_REQUIRED
    assert (stub.writes, stub.event) == ({}, None)


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.wire_name)
def test_before_bootstrap_only_bootstrap_is_taken(spec: CommandSpec) -> None:
    """An empty ledger refuses every other command before it looks at the arguments."""
    outcome = ContractLedger().send(spec, role=min(spec.roles))

    assert outcome.code is (None if spec is BOOTSTRAP_SYSTEM else R.NOT_BOOTSTRAPPED)


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.wire_name)
def test_the_number_of_arguments_is_exact(spec: CommandSpec) -> None:
    """One more than declared is refused for every command."""
    args = tuple(str(argument.example) for argument in spec.arguments)

    assert a_ledger().refusal(spec, *args, "surplus", role=min(spec.roles)) is R.ARGUMENT_INVALID


@pytest.mark.parametrize("text", ["x" * 65, "a b", "-a", "a/b", "ä", "a\n", "a\x00", "../etc"])
def test_an_id_is_short_and_plain(text: str) -> None:
    """No id breaks out of its key, its URL or its line."""
    assert a_ledger().refusal(MINT_COINS, text, "1", "x") is R.ARGUMENT_INVALID


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "\ud800", "\u202e" + "x", "x" * 501])
def test_a_remark_holds_no_control_characters(text: str) -> None:
    """Printable words up to 500 characters."""
    stub = a_ledger().ledger.begin()

    result = an_executor().execute(stub, MINT_COINS.function, ["alice", "1", text])

    assert isinstance(result, Refused)
    assert result.code is R.ARGUMENT_INVALID


def test_a_pause_is_refused_while_paused() -> None:
    """The second pause meets the first."""
    ledger = a_ledger()
    ledger.do(PAUSE_SYSTEM, "a planned upgrade")

    assert ledger.refusal(PAUSE_SYSTEM, "another upgrade") is R.SYSTEM_PAUSED
