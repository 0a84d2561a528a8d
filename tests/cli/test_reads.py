"""Subcommands that only look."""

import json

import pytest

from gx.api.loan_schemas import LOAN_EXAMPLE, PROPOSAL_EXAMPLE
from gx.domain.codec import JsonObject
from gx.domain.refusals import RefusalCode
from tests.cli.conftest import gx
from tests.cli.served_edge import ServedEdge

ALICE: JsonObject = {
    "accountId": "alice", "balance": "150000000", "kind": "user", "status": "Active",
    "isFrozen": True, "freezeReason": "stolen", "country": "US", "taxTimerStartedAt": None,
}  # fmt: skip
US: JsonObject = {
    "countryCode": "US", "percentage": "4.2", "treasuryId": "treasury_US", "openedAt": 1,
    "users": 3, "genesisUsers": 2, "genesisUserAmount": "100000000000",
    "genesisTreasuryAmount": "10000000000",
}  # fmt: skip
USER: JsonObject = {
    "userId": "alice", "nationality": "US", "age": 34, "status": "Locked", "lockReason": "court",
    "trustScore": 10, "createdAt": 1_700_000_000, "genesisAt": None, "genesisPhase": 0,
    "genesisAmount": "0",
}  # fmt: skip
RELATIONSHIP: JsonObject = {
    "relationshipId": "alice~PARENT~bob", "subjectId": "alice", "objectId": "bob",
    "type": "PARENT", "status": "Confirmed", "requestedAt": 1_700_000_000,
    "confirmedAt": 1_700_000_060,
}  # fmt: skip
TX = "acme~bob~c1"
PAYMENT: JsonObject = {
    "txId": TX, "orgId": "acme", "toId": "bob", "amount": "150000000", "fee": "0",
    "remark": "Rent", "status": "Pending", "requiredApprovers": 2,
    "approverGroup": ["alice", "bob"], "approvals": 1, "initiatedBy": "alice",
    "initiatedAt": 1_700_000_000, "settledAt": None, "failureCode": None,
    "failureDetail": None, "approvedBy": ["alice"],
}  # fmt: skip
ORGANIZATION: JsonObject = {
    "orgId": "acme", "name": "Acme Ltd", "type": "NGO", "status": "Proposed",
    "proposedBy": "alice", "proposedAt": 1_700_000_000, "activatedAt": None,
    "stakeholders": [
        {"userId": "alice", "endorsedAt": 1_700_000_010}, {"userId": "bob", "endorsedAt": None},
    ],
    "rules": [
        {
            "ruleId": "5f0c", "amountThreshold": "0", "requiredApprovers": 2,
            "approverGroup": ["alice", "bob"], "endorsements": 0, "effectiveAt": None,
        },
    ],
}  # fmt: skip
ENTRY: JsonObject = {
    "accountId": "alice", "blockNumber": 7, "position": 0, "ordinal": 0, "kind": "transfer",
    "delta": "-150000000", "counterparty": "bob", "remark": "Tea", "recordedAt": 1_700_000_000,
    "transactionId": "ab", "commandId": None,
}  # fmt: skip
FEE: JsonObject = {"id": "feeLowerBps", "value": "5", "updatedAt": 1, "unit": "basis points"}
POOL: JsonObject = {**ALICE, "accountId": "SYSTEM_LOAN_POOL", "balance": "10000000000000000"}

LOAN: JsonObject = {**LOAN_EXAMPLE, "loanId": "alice~1"}
PROPOSAL: JsonObject = {**PROPOSAL_EXAMPLE, "proposalId": "feeLowerBps~1"}

BODIES: dict[str, JsonObject] = {
    "balance/alice": ALICE,
    "treasury_balance/US": {**ALICE, "accountId": "treasury_US"},
    "countries": {"items": [US], "nextCursor": "more"},
    "country_stats/US": US,
    "user/alice": USER,
    "organization/acme": ORGANIZATION,
    "pending_transactions/acme": {"items": [PAYMENT], "nextCursor": None},
    f"multisig_transaction/{TX}": {
        **PAYMENT, "status": "ExecutionFailed", "failureCode": "INSUFFICIENT_FUNDS",
        "failureDetail": "acme holds 0 base units", "settledAt": 1_700_000_100,
    },
    "trust/alice": {"userId": "alice", "trustScore": 40},
    "relationships/alice": {"items": [RELATIONSHIP], "nextCursor": None},
    "account_entries/alice": {"items": [ENTRY], "nextCursor": None},
    "system_parameter/feeLowerBps": FEE,
    "system_status": {
        "isBootstrapped": True, "bootstrappedAt": 1, "isPaused": True,
        "pausedAt": 1_700_000_000, "pauseReason": "upgrade", "resumedAt": None,
    },
    "global_counters": {
        "users": 3, "countries": 30, "genesisDistributed": 2, "minted": "95000000000000000",
    },
    "loan/alice~1": LOAN,
    "user_loans/alice": {"items": [LOAN], "nextCursor": "more"},
    "proposal/feeLowerBps~1": PROPOSAL,
    "proposals": {"items": [PROPOSAL], "nextCursor": "more"},
    "supply": {
        "minted": "95000000000000000",
        "balances": "95000000000000000",
        "cap": "9200000000000000000",
    },
    "transaction_fee/alice/bob/500000000": {
        "fromId": "alice", "toId": "bob", "amount": "500000000", "fee": "250000",
        "feeRateBps": 5, "isCrossBorder": False, "total": "500250000",
    },
    "velocity_tax/alice": {
        "accountId": "alice", "balance": "50000000000", "threshold": "10000000000",
        "isExempt": False, "isEligible": True, "asOf": 1_731_104_000,
        "timerStart": 1_700_000_000, "dueAt": 1_731_104_000, "taxAmount": "1500000000",
        "taxRateBps": 300, "treasuryShare": "1050000000", "charityShare": "450000000",
    },
    "pools": {"pools": [POOL], "genesis": {"distributed": 2, "remaining": 1, "phase": 1}},
}  # fmt: skip

READS = [
    (["balance", "alice"], ["1.5 coin", "150000000", "frozen", "stolen"]),
    (["treasury", "show", "US"], ["treasury_US"]),
    (["country", "list"], ["treasury_US", "4.2"]),
    (["country", "show", "US"], ["4.2 %", "1000 coin"]),
    (["user", "show", "alice"], ["court", "not yet", "2023-11-14T22:13:20Z"]),
    (["relationship", "list", "alice"], ["alice~PARENT~bob", "Confirmed"]),
    (["organization", "show", "acme"], ["Acme Ltd", "has not endorsed", "2 of alice, bob"]),
    (["organization", "pending", "acme"], ["1.5 coin", "1 of 2", "Rent"]),
    (["organization", "payment", TX], ["INSUFFICIENT_FUNDS", "ExecutionFailed", "holds 0"]),
    (["relationship", "trust", "alice"], ["trust score  40"]),
    (["entries", "alice"], ["-1.5 coin", "bob", "Tea"]),
    (["param", "show", "feeLowerBps"], ["basis points", "Fee of a domestic transfer"]),
    (["system"], ["2023-11-14T22:13:20Z: upgrade", "2 users", "950000000 coin"]),
    (["loan", "show", "alice~1"], ["Active", "500 coin", "300 coin", "2025-11-21T18:33:20Z"]),
    (["loan", "list", "alice"], ["alice~1", "Active", "300 coin"]),
    (["proposal", "show", "feeLowerBps~1"], ["70 for, 30 against", "2025-12-05T18:33:20Z"]),
    (["proposal", "list"], ["feeLowerBps~1", "Executed", "Cheaper small"]),
    (["supply"], ["950000000 coin", "conserved", "yes"]),
    (["fees", "calculate", "alice", "bob", "5coin"], ["0.0025 coin", "5 basis points", "5.0025"]),
    (["tax", "eligibility", "alice"], ["now", "15 coin", "10.5 coin", "2023-11-14T22:13:20Z"]),
    (["pools"], ["SYSTEM_LOAN_POOL", "100000000 coin", "next phase 1"]),
]
NAMES = [" ".join(typed) for typed, _ in READS]


@pytest.fixture
def filled(edge: ServedEdge) -> ServedEdge:
    """An edge whose read models have something to say."""
    edge.backend.queries.bodies.update(BODIES)
    edge.backend.queries.stakeholders["acme"] = ("alice", "bob")
    return edge


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("typed", "seen"), READS, ids=NAMES)
def test_people_see_what_matters(typed: list[str], seen: list[str]) -> None:
    """Amounts are shown as coins, moments in UTC."""
    done = gx(*typed)

    assert done.code == 0, done.err
    assert all(text in done.out for text in seen), done.out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("typed", [typed for typed, _ in READS], ids=NAMES)
def test_scripts_get_one_json_object(typed: list[str]) -> None:
    """Amounts stay decimal strings of base units; nothing else is on stdout."""
    done = gx(*typed, "--json")

    assert done.code == 0, done.err
    assert done.json


@pytest.mark.usefixtures("filled")
def test_the_payments_that_wait_are_ids_for_scripts() -> None:
    """Nothing but one id a line, to be approved by the next program of a pipe."""
    assert gx("organization", "pending", "acme", "--ids").out == f"{TX}\n"


def test_a_supply_that_is_not_conserved_is_seen(filled: ServedEdge) -> None:
    """The one thing that must never be is not hidden among numbers."""
    filled.backend.queries.bodies["supply"] = {"minted": "5", "balances": "4", "cap": "9"}

    assert "conserved       NO" in gx("supply").out
    assert gx("supply", "--json").json["conserved"] is False


@pytest.mark.usefixtures("filled")
def test_a_list_says_how_to_go_on() -> None:
    """The next page's cursor is told on stderr."""
    assert "--cursor more" in gx("country", "list").err


@pytest.mark.usefixtures("filled")
def test_what_does_not_exist_exits_with_1() -> None:
    """The code names what is missing."""
    done = gx("balance", "nobody")

    assert done.code == 1
    assert "Error: ACCOUNT_NOT_FOUND" in done.err


@pytest.mark.usefixtures("filled")
def test_public_reads_need_no_token() -> None:
    """Nobody's key is touched to look at the supply."""
    assert gx("supply").err == ""


@pytest.mark.usefixtures("edge")
def test_a_command_is_shown_with_all_that_is_known() -> None:
    """Arguments, actor, block, transaction, and moments."""
    sent = gx("mint", "alice", "5coin", "--remark", "Hi", "--json").json
    command_id = str(sent["commandId"])

    shown = gx("command", "show", command_id)

    assert shown.code == 0, shown.err
    assert all(text in shown.out for text in ("MINT_COINS", "PROJECTED", command_id, "block"))
    assert gx("command", "show", command_id, "--json").json == sent


def test_watching_ends_with_the_final_status(edge: ServedEdge) -> None:
    """Each status is a line; as JSON each line is the command."""
    edge.is_answering = False
    command_id = str(gx("genesis", "alice", "--no-wait", "--json").json["commandId"])
    edge.is_answering = True

    watched = gx("command", "watch", command_id)
    lines = gx("command", "watch", command_id, "--json").out.splitlines()

    assert watched.code == 0, watched.err
    assert watched.out.splitlines()[-1].startswith("PROJECTED")
    assert [json.loads(line)["status"] for line in lines] == ["PROJECTED"]


def test_watching_a_command_that_is_refused_exits_with_1(edge: ServedEdge) -> None:
    """The final line and the exit code agree."""
    edge.refusals["DISTRIBUTE_GENESIS"] = RefusalCode.USER_NOT_FOUND
    command_id = str(gx("genesis", "alice", "--no-wait", "--json").json["commandId"])

    watched = gx("command", "watch", command_id)

    assert watched.code == 1
    assert "USER_NOT_FOUND" in watched.err


def test_commands_are_listed_by_status(edge: ServedEdge) -> None:
    """An operator finds what was refused."""
    edge.refusals["DISTRIBUTE_GENESIS"] = RefusalCode.USER_NOT_FOUND
    gx("genesis", "alice")
    gx("mint", "alice", "5coin", "--remark", "Hi")

    listed = gx("command", "list", "--status", "REJECTED", "--json").json["items"]

    assert isinstance(listed, list)
    assert len(listed) == 1
    assert "USER_NOT_FOUND" in gx("command", "list").out


def test_dead_letters_are_listed_shown_and_handled(edge: ServedEdge) -> None:
    """What was given up can be replayed or discarded, each with a reason."""
    edge.buries.add("DISTRIBUTE_GENESIS")
    first, second = (dead_command(f"u{number}") for number in range(2))

    assert first in gx("dead-letters", "list").out
    shown = gx("dead-letters", "show", first)
    assert "gave up" in shown.out
    assert gx("dead-letters", "show", first, "--json").json["state"] == "dead"
    edge.buries.clear()
    assert gx("dead-letters", "replay", first, "--reason", "ledger repaired").code == 0
    assert gx("dead-letters", "discard", second, "--reason", "sent by mistake").code == 0
    assert gx("command", "watch", first).code == 0
    again = gx("dead-letters", "discard", second, "--reason", "sent by mistake")
    assert again.code == 1
    assert "DEAD_LETTER_STATE" in again.err


def dead_command(user_id: str) -> str:
    """Send a command that is given up, and return its id."""
    done = gx("genesis", user_id, "--json")
    assert (done.code, done.json["status"]) == (1, "DEAD")
    return str(done.json["commandId"])
