"""Subcommands that change something: what they send, what they show, how they end."""

from typing import Final

import pytest

from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole, TokenRole
from tests.cli.conftest import Outcome, gx
from tests.cli.served_edge import ServedEdge

SUPER_ADMIN, ADMIN, PARTNER = (
    LedgerRole.SUPER_ADMIN,
    LedgerRole.ADMIN,
    LedgerRole.PARTNER_API,
)

# What is typed; the command it must become, its arguments, and the role that signs it.
WRITES: Final[list[tuple[list[str], str, dict[str, str], LedgerRole]]] = [
    (
        ["mint", "alice", "5coin", "--remark", "Hi"],
        "MINT_COINS",
        {"accountId": "alice", "amount": "500000000", "remark": "Hi"},
        SUPER_ADMIN,
    ),
    (
        ["transfer", "alice", "bob", "1.25coin", "--remark", "Tea"],
        "TRANSFER_TOKENS",
        {"fromId": "alice", "toId": "bob", "amount": "125000000", "remark": "Tea"},
        PARTNER,
    ),
    (
        ["transfer", "treasury_US", "bob", "500base", "--remark", "Grant"],
        "TRANSFER_TOKENS",
        {"fromId": "treasury_US", "toId": "bob", "amount": "500", "remark": "Grant"},
        ADMIN,
    ),
    (["genesis", "alice"], "DISTRIBUTE_GENESIS", {"userId": "alice"}, ADMIN),
    (
        ["user", "lock", "alice", "--reason", "Court order"],
        "LOCK_USER",
        {"userId": "alice", "reason": "Court order"},
        SUPER_ADMIN,
    ),
    (
        ["relationship", "request", "alice", "bob", "PARENT"],
        "REQUEST_RELATIONSHIP",
        {"subjectId": "alice", "objectId": "bob", "type": "PARENT"},
        PARTNER,
    ),
    (
        ["relationship", "confirm", "alice~PARENT~bob"],
        "CONFIRM_RELATIONSHIP",
        {"relationshipId": "alice~PARENT~bob"},
        PARTNER,
    ),
    (
        [
            *("organization", "propose", "acme", "--name", "Acme Ltd", "--as", "alice"),
            *("--stakeholders", "alice,bob", "--rule", "1coin:2:bob,alice"),
        ],
        "PROPOSE_ORGANIZATION",
        {
            "orgId": "acme",
            "name": "Acme Ltd",
            "type": "BUSINESS",
            "stakeholders": '["alice","bob"]',
            "rules": '[{"amountThreshold":"100000000","approverGroup":["bob","alice"],'
            '"requiredApprovers":2}]',
        },
        PARTNER,
    ),
    (
        ["organization", "endorse", "acme", "--as", "bob"],
        "ENDORSE_MEMBERSHIP",
        {"orgId": "acme"},
        PARTNER,
    ),
    (
        ["organization", "activate", "acme", "--as", "bob"],
        "ACTIVATE_ORGANIZATION",
        {"orgId": "acme"},
        PARTNER,
    ),
    (
        ["organization", "rule", "acme", "0coin:1:bob", "--as", "bob"],
        "DEFINE_AUTH_RULE",
        {
            "orgId": "acme",
            "rule": '{"amountThreshold":"0","approverGroup":["bob"],"requiredApprovers":1}',
        },
        PARTNER,
    ),
    (
        ["organization", "pay", "acme", "bob", "5coin", "--remark", "Rent", "--as", "alice"],
        "INITIATE_MULTISIG_TX",
        {"orgId": "acme", "toId": "bob", "amount": "500000000", "remark": "Rent"},
        PARTNER,
    ),
    (
        ["organization", "approve", "acme~bob~c1", "--as", "bob"],
        "APPROVE_MULTISIG_TX",
        {"txId": "acme~bob~c1"},
        PARTNER,
    ),
    (["user", "unlock", "alice"], "UNLOCK_USER", {"userId": "alice"}, SUPER_ADMIN),
    (
        ["wallet", "freeze", "alice", "--reason", "Stolen"],
        "FREEZE_WALLET",
        {"userId": "alice", "reason": "Stolen"},
        SUPER_ADMIN,
    ),
    (["wallet", "unfreeze", "alice"], "UNFREEZE_WALLET", {"userId": "alice"}, SUPER_ADMIN),
    (["treasury", "activate", "US"], "ACTIVATE_TREASURY", {"countryCode": "US"}, ADMIN),
    (["fees", "collect"], "COLLECT_FEES", {}, ADMIN),
    (["tax", "apply", "alice"], "APPLY_VELOCITY_TAX", {"accountId": "alice"}, ADMIN),
    (
        ["param", "set", "feeLowerBps", "6"],
        "UPDATE_SYSTEM_PARAMETER",
        {"id": "feeLowerBps", "value": "6"},
        SUPER_ADMIN,
    ),
    (
        ["pause", "--reason", "Planned upgrade"],
        "PAUSE_SYSTEM",
        {"reason": "Planned upgrade"},
        SUPER_ADMIN,
    ),
    (["resume"], "RESUME_SYSTEM", {}, SUPER_ADMIN),
    (["admin", "appoint", "grace"], "APPOINT_ADMIN", {"adminId": "grace"}, SUPER_ADMIN),
    (
        ["country", "open", "CH=0.1", "AT=0.2"],
        "INITIALIZE_COUNTRY_DATA",
        {
            "countries": '[{"countryCode":"CH","percentage":"0.1"},'
            '{"countryCode":"AT","percentage":"0.2"}]'
        },
        SUPER_ADMIN,
    ),
    (
        ["loan", "apply", "alice", "500coin", "--collateral-hash", "0" * 64],
        "APPLY_FOR_LOAN",
        {"borrowerId": "alice", "amount": "50000000000", "collateralHash": "0" * 64},
        PARTNER,
    ),
    (["loan", "approve", "alice~1"], "APPROVE_LOAN", {"loanId": "alice~1"}, ADMIN),
    (
        ["loan", "reject", "alice~1", "--reason", "No deed"],
        "REJECT_LOAN",
        {"loanId": "alice~1", "reason": "No deed"},
        ADMIN,
    ),
    (
        ["loan", "repay", "alice~1", "1coin"],
        "REPAY_LOAN",
        {"loanId": "alice~1", "amount": "100000000"},
        PARTNER,
    ),
    (
        ["proposal", "submit", "feeLowerBps", "4", "--title", "Cheap", "--as", "alice"],
        "SUBMIT_PROPOSAL",
        {"targetParam": "feeLowerBps", "newValue": "4", "title": "Cheap"},
        PARTNER,
    ),
    (
        ["proposal", "vote", "feeLowerBps~1", "FOR", "--as", "bob"],
        "VOTE_ON_PROPOSAL",
        {"proposalId": "feeLowerBps~1", "ballot": "FOR"},
        PARTNER,
    ),
    (
        ["proposal", "execute", "feeLowerBps~1"],
        "EXECUTE_PROPOSAL",
        {"proposalId": "feeLowerBps~1"},
        ADMIN,
    ),
]


@pytest.mark.parametrize("write", WRITES, ids=[" ".join(typed[:2]) for typed, *_ in WRITES])
def test_what_is_typed_becomes_the_command(
    edge: ServedEdge, write: tuple[list[str], str, dict[str, str], LedgerRole]
) -> None:
    """Each subcommand sends its command with a token of the right role, and waits for it."""
    typed, command_type, arguments, role = write
    done = gx(*typed, "--json")

    assert done.code == 0, done.err
    assert done.json["commandType"] == command_type
    assert done.json["arguments"] == arguments
    assert done.json["status"] == "PROJECTED"
    command_id = CommandId(str(done.json["commandId"]))
    assert edge.backend.outbox.commands[command_id].command.role is role
    assert "using one of the local issuer" in done.err


@pytest.mark.usefixtures("edge")
def test_a_user_is_registered_with_the_named_hash_or_a_derived_one() -> None:
    """A named hash is sent as it is; without one the user is told that it is derived."""
    named = gx(
        "user", "create", "a", "--nationality", "US", "--age", "3", "--biometric-hash", H, "--json"
    )
    derived = gx("user", "create", "b", "--nationality", "US", "--age", "3", "--json")

    assert arguments_of(named)["biometricHash"] == H
    assert len(arguments_of(derived)["biometricHash"]) == 64
    assert "no --biometric-hash" in derived.err


H: Final = "0" * 64


def arguments_of(done: Outcome) -> dict[str, str]:
    """The arguments of the command that was shown as JSON."""
    arguments = done.json["arguments"]
    assert isinstance(arguments, dict)
    return {name: str(value) for name, value in arguments.items()}


@pytest.mark.usefixtures("edge")
def test_the_result_for_people_is_one_line() -> None:
    """Status, command, id, block and how long it took."""
    done = gx("mint", "alice", "5coin", "--remark", "Hi")

    assert done.code == 0
    assert done.out.startswith("PROJECTED MINT_COINS 01")
    assert "in block 3" in done.out
    assert done.out.count("\n") == 1


def test_a_refusal_of_the_ledger_exits_with_1_and_its_code(edge: ServedEdge) -> None:
    """One paragraph on stderr names the code and where to look; JSON has the whole command."""
    edge.refusals["TRANSFER_TOKENS"] = RefusalCode.INSUFFICIENT_FUNDS
    typed = ["transfer", "alice", "bob", "5coin", "--remark", "Tea"]

    plain, as_json = gx(*typed), gx(*typed, "--json")

    assert plain.code == as_json.code == 1
    assert "Error: INSUFFICIENT_FUNDS" in plain.err
    assert "gx command show" in plain.err
    assert "Traceback" not in plain.err
    assert plain.out == ""
    assert (as_json.json["status"], as_json.json["code"]) == ("REJECTED", "INSUFFICIENT_FUNDS")


@pytest.mark.usefixtures("edge")
def test_a_refusal_of_the_edge_exits_with_1() -> None:
    """What is statically wrong is refused at once, with the code of the domain."""
    done = gx("transfer", "alice", "alice", "5coin", "--remark", "Tea")

    assert done.code == 1
    assert "Error: SELF_TRANSFER" in done.err


def test_not_waiting_ends_at_acceptance(edge: ServedEdge) -> None:
    """--no-wait shows the id and how to watch it."""
    edge.is_answering = False

    plain = gx("genesis", "alice", "--no-wait")
    as_json = gx("genesis", "bob", "--no-wait", "--json")

    assert plain.code == as_json.code == 0
    assert plain.out.startswith("PENDING 01")
    assert as_json.json.keys() == {"commandId", "status", "statusUrl"}


def test_a_wait_that_takes_too_long_exits_with_1_and_says_what_goes_on(edge: ServedEdge) -> None:
    """The command was accepted; the message says how to follow it."""
    edge.is_answering = False

    done = gx("genesis", "alice", "--timeout", "0.1")

    assert done.code == 1
    assert "still PENDING after 0.1 s" in done.err
    assert "gx command watch" in done.err


@pytest.mark.usefixtures("edge")
def test_the_same_key_is_the_same_command() -> None:
    """A script may repeat a payment safely."""
    typed = ["mint", "alice", "5coin", "--remark", "Hi", "--idempotency-key", "k-1", "--json"]

    assert gx(*typed).json["commandId"] == gx(*typed).json["commandId"]


def test_a_named_token_is_used_and_nothing_is_said_about_it(
    edge: ServedEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--token and GX_TOKEN come before the local issuer."""
    root = edge.backend.token("root", TokenRole.SUPER_ADMIN)
    by_option = gx("resume", "--token", root, "--json")
    monkeypatch.setenv("GX_TOKEN", root)
    by_environment = gx("resume", "--json")

    assert by_option.code == by_environment.code == 0
    assert by_option.err == by_environment.err == ""
    assert by_option.json["subject"] == by_environment.json["subject"] == "root"


@pytest.mark.usefixtures("edge")
def test_a_token_that_does_not_count_is_explained() -> None:
    """TOKEN_INVALID says where a valid one comes from."""
    done = gx("resume", "--token", "nonsense")

    assert done.code == 1
    assert "TOKEN_INVALID" in done.err
    assert "gx token" in done.err


def test_a_user_s_own_token_transfers_for_that_user(edge: ServedEdge) -> None:
    """Alice's token acts for Alice, and for nobody else."""
    alice = edge.backend.token("alice", TokenRole.USER)

    own = gx("transfer", "alice", "bob", "1coin", "--remark", "r", "--token", alice)
    other = gx("transfer", "bob", "alice", "1coin", "--remark", "r", "--token", alice)

    assert own.code == 0, own.err
    assert other.code == 1
    assert "FORBIDDEN" in other.err


@pytest.mark.parametrize("amount", ["5", "5 coins", "-1coin", "x"])
def test_an_amount_needs_a_unit(amount: str) -> None:
    """An amount without one is a usage failure before anything is sent."""
    done = gx("mint", "alice", "--remark", "Hi", "--", amount)

    assert done.code == 2
    assert "5coin" in done.err


@pytest.mark.parametrize("rule", ["", "5coin", "5coin:x:alice", "5:2:alice", "5coin:2:"])
def test_a_rule_explains_its_form(rule: str) -> None:
    """Threshold, approvers and group; anything else is told before it is sent."""
    done = gx("organization", "rule", "acme", rule, "--as", "alice")

    assert done.code == 2
    assert "coin" in done.err


def test_a_share_needs_its_country() -> None:
    """`gx country open` explains its own format."""
    done = gx("country", "open", "CH")

    assert done.code == 2
    assert "CH=0.1" in done.err
