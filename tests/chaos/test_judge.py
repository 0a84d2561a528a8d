"""The judge can find each thing that it looks for: planted by hand into what a quiet run left.

`tests.chaos.test_planted_bugs` has bugs do the same; here each rule is tried by itself.
"""

import asyncio
import json
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import pytest

from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Block, ChaincodeEvent
from gx.projection.read_model import ColumnType, ReadModel
from gx.projection.read_models import READ_MODELS
from tests.chaos.asked import BLOCKLESS
from tests.chaos.chains import Chain, open_chain
from tests.chaos.checker import judge, judge_chain
from tests.chaos.edits import DATABASE_EDITS, FILE_EDITS, NOBODY, Edit
from tests.chaos.findings import Finding, Rule, named
from tests.chaos.lab import Lab
from tests.chaos.notes import Notes
from tests.chaos.other_chains import Decision, EditedChain, rewritten, twice, with_event
from tests.conftest import SharedServer, run_in_own_loop, temporary_database

SINGLETONS: Final = ("system_status", "supply", "genesis")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("judge")]


@pytest.fixture(scope="module")
def quiet_run(postgres_server: SharedServer) -> Iterator[Lab]:
    """What a small run has left, in which nothing is wrong, and nothing runs any more."""
    databases = temporary_database(postgres_server, postgres_server["template"])
    with tempfile.TemporaryDirectory(prefix="gx-judge-") as folder:
        lab = Lab(Path(folder), next(databases))
        run_in_own_loop(_run_quietly(lab))
        yield lab
    next(databases, None)


async def _run_quietly(lab: Lab) -> None:
    try:
        ledger = await lab.start_ledger()
        await lab.bootstrap("alice", "bob")
        lab.start("submitter")
        lab.start("projector")
        await _register(lab, "carla", "carla-again")
        await lab.transfer("bob", "alice")
        await lab.until_settled(await lab.transfer("alice", "nobody"))
        await lab.until_settled(await lab.transfer("alice", "bob"))
        await lab.until_quiet()
        await asyncio.to_thread(ledger.end, signal.SIGTERM)
    finally:
        lab.close()


async def _register(lab: Lab, *names: str) -> None:
    """Ask for users with one face, one after the other: all but the first are refused."""
    countries = {"countries": '[{"countryCode":"US","percentage":"4.2"}]'}
    role = LedgerRole.SUPER_ADMIN
    await lab.accept("INITIALIZE_COUNTRY_DATA", countries, actor="root", role=role)
    for name in names:
        person = {"userId": name, "biometricHash": "ab" * 32, "nationality": "US", "age": "34"}
        role = LedgerRole.PARTNER_API
        await lab.until_settled(await lab.accept("CREATE_USER", person, actor="bank", role=role))


def notes_of(lab: Lab) -> Notes:
    """What the run's clients were told."""
    return Notes(accepted=dict(lab.accepted), requests=dict(lab.requests), prior=[])


async def faults_after(lab: Lab, *statements: str, notes: Notes | None = None) -> list[str]:
    """Return what the judge finds once these statements have run; then nothing has happened."""
    connection = await asyncpg.connect(lab.dsn)
    editing = connection.transaction(isolation="repeatable_read")
    try:
        await editing.start()
        for statement in statements:
            await connection.execute(statement)
        async with open_chain(lab.ledger_file) as chain:
            return (await judge_chain(connection, chain, notes or notes_of(lab))).faults
    finally:
        await editing.rollback()
        await connection.close()


async def faults_of(lab: Lab, chain: Chain, notes: Notes) -> list[str]:
    """Return what the judge finds wrong with another chain, or other notes."""
    return (await finding_of(lab, chain, notes)).faults


async def finding_of(lab: Lab, chain: Chain, notes: Notes) -> Finding:
    """Return all that the judge finds with another chain, or other notes."""
    connection = await asyncpg.connect(lab.dsn)
    try:
        return await judge_chain(connection, chain, notes)
    finally:
        await connection.close()


# ------------------------------------------------------------------ nothing, and the database


async def test_nothing_is_found_where_nothing_is_wrong(quiet_run: Lab) -> None:
    """A judge that always finds something is of no use either; what it counted is there."""
    finding = await judge(quiet_run.dsn, quiet_run.ledger_file, notes_of(quiet_run))

    assert finding.faults == []
    assert (finding.accepted, finding.committed, finding.rejected) == (9, 7, 2)
    assert finding.blocks > 3
    assert (finding.compared, finding.lost, finding.doubled) == (9, 0, 0)
    assert finding.rows > 10
    assert finding.supply > 0


@pytest.mark.parametrize("edit", DATABASE_EDITS, ids=lambda each: each.text)
async def test_an_edit_of_the_database_is_named(quiet_run: Lab, edit: Edit) -> None:
    """One row that is too much, missing or different breaks the rule that it should."""
    assert edit.rule in named(await faults_after(quiet_run, edit.statement))


async def test_every_read_model_is_compared_with_its_rebuild(quiet_run: Lab) -> None:
    """A row too many is found in each table, whichever it is."""
    singletons = [f"DELETE FROM {name}" for name in SINGLETONS]  # noqa: S608 (constants)
    inserts = [_an_insert_into(model) for model in READ_MODELS.values()]

    faults = await faults_after(quiet_run, *singletons, *inserts)

    found = {
        name for name in READ_MODELS for fault in faults
        if fault.startswith(Rule.REBUILT) and f"{name} (" in fault
    }  # fmt: skip
    assert found == set(READ_MODELS)


def _an_insert_into(model: ReadModel) -> str:
    columns = model.all_columns if model.is_append_only else model.key
    values = {
        ColumnType.TEXT: "'x'",
        ColumnType.INTEGER: "1",
        ColumnType.BIGINT: "1",
        ColumnType.BOOLEAN: "true",
    }
    names = ", ".join(column.name for column in columns)
    cells = ", ".join(values[column.type] for column in columns)
    return f"INSERT INTO {model.name} ({names}) VALUES ({cells})"  # noqa: S608 (declared names)


# ------------------------------------------------------------------ the notes


async def test_what_clients_were_told_is_compared_with_what_is_stored(quiet_run: Lab) -> None:
    """An acceptance that is not stored, a command nobody was told of, a key that was used twice."""
    notes = notes_of(quiet_run)
    first, *others = notes.accepted
    told = {NOBODY: "key of nobody", **dict.fromkeys(others, "one key")}

    finding = await judge(
        quiet_run.dsn, quiet_run.ledger_file, msgspec.structs.replace(notes, accepted=told)
    )

    assert named(finding.faults) == {Rule.LOST, Rule.UNASKED, Rule.KEY_TWICE}
    assert first in str(finding.faults)


async def test_poison_must_be_given_up_and_nothing_else(quiet_run: Lab) -> None:
    """The dead letters are those that were injected: a poison that passed is a fault."""
    poison = [next(iter(quiet_run.accepted))]
    notes = msgspec.structs.replace(notes_of(quiet_run), poison=poison)

    finding = await judge(quiet_run.dsn, quiet_run.ledger_file, notes)

    assert named(finding.faults) == {Rule.POISON_PASSED}


# ------------------------------------------------------------------ the ledger's file


@pytest.mark.parametrize("edit", FILE_EDITS, ids=lambda each: each.text)
async def test_an_edit_of_the_ledger_is_named(quiet_run: Lab, tmp_path: Path, edit: Edit) -> None:
    """Hashes, links, the record of the end and the world state are recomputed from the bytes."""
    file = tmp_path / "ledger.sqlite"
    shutil.copyfile(quiet_run.ledger_file, file)
    with sqlite3.connect(file) as connection:
        connection.execute(edit.statement)
    connection.close()

    finding = await judge(quiet_run.dsn, file, notes_of(quiet_run))

    assert edit.rule in named(finding.faults)


# ------------------------------------------------------------------ what a ledger must not do


def _again(block: Block, **changes: object) -> Block:
    """Put the block's one transaction once more behind it, changed."""
    (transaction,) = block.transactions
    return replace(
        block,
        number=BlockNumber(block.number + 1),
        transactions=(replace(transaction, **changes),),  # type: ignore[arg-type]  # by name
    )


def _duplicate(block: Block, *, keeps_events: bool) -> ChaincodeEvent:
    (transaction,) = block.transactions
    assert transaction.event is not None
    payload = json.loads(transaction.event.payload)
    for outcome in payload["outcomes"]:
        outcome["duplicateOf"] = transaction.transaction_id
        if not keeps_events:
            outcome["events"] = []
    return replace(transaction.event, payload=json.dumps(payload))


def _direct(block: Block) -> ChaincodeEvent:
    (transaction,) = block.transactions
    assert transaction.event is not None
    (outcome,) = json.loads(transaction.event.payload)["outcomes"]
    principal, *further = outcome["events"]
    return ChaincodeEvent(
        name=principal["eventType"], payload=json.dumps({**principal, "events": further})
    )


WORSE: Final[dict[Rule, Callable[[Block], Block]]] = {
    Rule.DOUBLED: _again,
    Rule.SENT_AGAIN: lambda last: _again(last, event=_duplicate(last, keeps_events=False)),
    Rule.RAISED_AGAIN: lambda last: _again(last, event=_duplicate(last, keeps_events=True)),
    Rule.DIRECT: lambda last: _again(
        last, event=_direct(last), transaction_id=TransactionId("0" * 64)
    ),
    Rule.LEDGER_STATE: lambda last: _again(last, event=_duplicate(last, keeps_events=True)),
}


@pytest.mark.parametrize("rule", WORSE)
async def test_what_a_ledger_must_not_do_is_named(quiet_run: Lab, rule: Rule) -> None:
    """An effect twice, an answer twice, events of a repeated command, an effect of no command."""
    async with open_chain(quiet_run.ledger_file) as chain:
        blocks = [block async for block in chain.blocks()]
    edited = EditedChain([*blocks, WORSE[rule](blocks[-1])])

    faults = await faults_of(quiet_run, edited, notes_of(quiet_run))

    assert rule in named(faults)


async def test_a_restored_database_lets_the_ledger_answer_again(quiet_run: Lab) -> None:
    """After a restore a command may come twice, as long as it takes effect once."""
    async with open_chain(quiet_run.ledger_file) as chain:
        blocks = [block async for block in chain.blocks()]
    edited = EditedChain([*blocks, WORSE[Rule.SENT_AGAIN](blocks[-1])])
    notes = msgspec.structs.replace(notes_of(quiet_run), repeats_allowed=True)

    faults = await faults_of(quiet_run, edited, notes)

    assert Rule.SENT_AGAIN not in named(faults)


REWRITTEN: Final[dict[str, tuple[Rule, Callable[[Decision], Decision]]]] = {
    "nothing": (Rule.EFFECT, lambda each: {**each, "events": []}),
    "another amount": (Rule.EFFECT, with_event(amount="1")),
    "another receiver": (Rule.EFFECT, with_event(toId="carol")),
    "another change": (Rule.EFFECT, with_event(changes=[])),
    "twice": (Rule.EFFECT, twice),
    "refused": (
        Rule.REFUSED,
        lambda each: {**each, "outcome": "REJECTED", "code": "INSUFFICIENT_FUNDS", "events": []},
    ),
    "refused, and done": (
        Rule.EFFECT,
        lambda each: {**each, "outcome": "REJECTED", "code": "SYSTEM_PAUSED"},
    ),
}


@pytest.mark.parametrize("text", REWRITTEN)
async def test_what_was_not_asked_for_is_named(quiet_run: Lab, text: str) -> None:
    """An effect is compared with the request: who pays whom how much, once, or why not."""
    rule, change = REWRITTEN[text]
    async with open_chain(quiet_run.ledger_file) as chain:
        blocks = [block async for block in chain.blocks()]
    edited = EditedChain([*blocks[:-1], rewritten(blocks[-1], change)])

    finding = await finding_of(quiet_run, edited, notes_of(quiet_run))

    assert rule in named(finding.faults)
    assert finding.lost == (1 if text == "nothing" else 0)
    assert finding.doubled == (1 if text == "twice" else 0)


OTHER_USERS: Final[dict[str, tuple[Rule, Callable[[Decision], Decision]]]] = {
    "nobody": (Rule.EFFECT, lambda each: {**each, "events": []}),
    "somebody else": (Rule.EFFECT, with_event(userId="dora")),
    "from elsewhere": (Rule.EFFECT, with_event(nationality="CA")),
    "older": (Rule.EFFECT, with_event(age=35)),
    "refused": (
        Rule.REFUSED,
        lambda each: {
            **each, "outcome": "REJECTED", "code": "BIOMETRIC_HASH_EXISTS", "events": [],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", OTHER_USERS)
async def test_a_user_who_was_not_asked_for_is_named(quiet_run: Lab, text: str) -> None:
    """The new user is the one of the request, and a face is refused only if somebody has it."""
    rule, change = OTHER_USERS[text]
    async with open_chain(quiet_run.ledger_file) as chain:
        blocks = [block async for block in chain.blocks()]
    registered = next(n for n, block in enumerate(blocks) if "UserCreated" in str(block))
    blocks[registered] = rewritten(blocks[registered], change)

    finding = await finding_of(quiet_run, EditedChain(blocks), notes_of(quiet_run))

    assert rule in named(finding.faults)
    assert finding.lost == (1 if text == "nobody" else 0)


@pytest.mark.parametrize("code", sorted(BLOCKLESS))
async def test_a_refusal_in_no_block_needs_a_reason(quiet_run: Lab, code: str) -> None:
    """What clients asked for in good order must succeed, whatever code stands in its place."""
    command_id = "00000000-0000-7000-8000-000000000001"
    asked = next(r for r in quiet_run.requests.values() if r.type == "TRANSFER_TOKENS")
    arguments = json.dumps(asked.arguments)
    statements = [
        (
            "INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,"  # noqa: S608 (constants)
            f" accepted_at_ms) VALUES ('{command_id}', 'TRANSFER_TOKENS', '{arguments}',"
            f" '{asked.actor}', 's', 'r', 9e15)"
        ),
        (
            "INSERT INTO command_results (command_id, outcome, code, attempts, settled_at_ms)"  # noqa: S608 (constants)
            f" VALUES ('{command_id}', 'REJECTED', '{code}', 0, 0)"
        ),
    ]
    notes = notes_of(quiet_run)
    notes = msgspec.structs.replace(notes, accepted={**notes.accepted, command_id: "lost"})

    assert named(await faults_after(quiet_run, *statements, notes=notes)) == {
        Rule.REFUSED, Rule.SUM,
    }  # fmt: skip


def test_each_rule_is_tried() -> None:
    """A rule that nothing here breaks may be one that nothing can break."""
    tried = {
        *(edit.rule for edit in (*DATABASE_EDITS, *FILE_EDITS)), *WORSE,
        Rule.LOST, Rule.UNASKED, Rule.KEY_TWICE, Rule.POISON_PASSED, Rule.REBUILT,
        Rule.SILENT, Rule.NOISY, *(rule for rule, _ in REWRITTEN.values()),
    }  # fmt: skip
    assert tried == set(Rule)
