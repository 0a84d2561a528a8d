"""The judge: a process of its own that knows SQL and the ledger's blocks, and nobody's opinion.

    python -m tests.chaos.checker DSN CHAIN NOTES_JSON

CHAIN is the embedded ledger's file, or the connection profile of a Fabric network; the notes say
what clients were told (`tests.chaos.notes`). Everything is recounted from the blocks: how often
each command took effect and in which order, what each account went through, and every table of
the read side. It prints JSON with `faults`, and exits 1 if there are any.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import asyncpg

from gx.domain.batches import OutcomeKind
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import decode_object
from tests.chaos.alerts import judge_alerts
from tests.chaos.asked import BLOCKLESS, Asked, hold_against
from tests.chaos.chains import Chain, ChainBrokenError, open_chain
from tests.chaos.findings import Finding, Rule
from tests.chaos.notes import Notes, Request, read_notes
from tests.chaos.read_models import judge_read_models
from tests.chaos.recount import Answered, Recount, recount

# Two groups are never accepted in one commit, and ids rise within one.
_COMMANDS: Final = """
    SELECT command_id::text, command_type, arguments::text, actor, encode(key_hash, 'hex')
      FROM commands ORDER BY accepted_at_ms, command_id
"""
_RESULTS: Final = """
    SELECT command_id::text, outcome, code, transaction_id, block_number FROM command_results
"""
_LETTERS: Final = "SELECT command_id::text, state FROM dead_letters"
_KEYS: Final = "SELECT encode(key_hash, 'hex'), command_id::text FROM idempotency_keys"
_DISCARDS: Final = "SELECT target FROM audit_log WHERE action = 'dead_letter_discarded'"

# A lease of an operation, not of a worker, and a transaction that somebody has left open.
_IN_FLIGHT: Final = {
    "outbox": "SELECT command_id::text FROM outbox",
    "envelopes": "SELECT transaction_id FROM envelopes",
    "leases": "SELECT name FROM leases WHERE name LIKE 'rebuild:%' AND expires_at > now()",
    "transactions": """
        SELECT application_name || ' ' || query FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'
           AND xact_start < now() - interval '10 s'
    """,
}


@dataclass(frozen=True, slots=True)
class _Command:
    type: str
    arguments: str
    actor: str
    key_hash: str | None

    @property
    def by_name(self) -> dict[str, str]:
        """The arguments."""
        return {name: str(value) for name, value in decode_object(self.arguments).items()}

    def scopes(self) -> frozenset[str]:
        """What the command conflicts with; the empty set stands for everything."""
        return COMMANDS[self.type].scopes(self.by_name, self.actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The write side as the database has it. `commands` are in the order of acceptance."""

    commands: Mapping[str, _Command]
    results: Mapping[str, asyncpg.Record]
    letters: Mapping[str, str]
    keys: Mapping[str, str]
    """The command that each key's hash stands for."""
    discards: frozenset[str]
    """What the audit log says was discarded."""
    in_flight: Sequence[str]

    @property
    def dead(self) -> set[str]:
        """The commands that were given up and that nobody has handled."""
        return {command_id for command_id, state in self.letters.items() if state == "dead"}

    @property
    def discarded(self) -> set[str]:
        """The commands whose answer is that somebody discarded them."""
        return {c for c, row in self.results.items() if row["outcome"] == "DISCARDED"}

    @property
    def properly_discarded(self) -> set[str]:
        """Those of them that were dead letters, and of which the audit log tells."""
        return {c for c in self.discarded & self.discards if self.letters.get(c) == "discarded"}

    def requests(self, notes: Notes) -> dict[str, Request]:
        """What was asked for: by what clients noted, else by what is stored."""
        stored = {
            command_id: Request(each.type, each.by_name, each.actor)
            for command_id, each in self.commands.items()
            if command_id not in notes.poison
        }
        return {**stored, **notes.requests}


async def judge(dsn: str, source: Path, notes: Notes) -> Finding:
    """Compare the clients' notes, the database and the blocks."""
    connection = await asyncpg.connect(dsn)
    try:
        async with open_chain(source) as chain:
            finding = await judge_chain(connection, chain, notes)
    finally:
        await connection.close()
    if notes.alerts is not None:
        judge_alerts(notes.alerts, finding)
    return finding


async def judge_chain(connection: asyncpg.Connection, chain: Chain, notes: Notes) -> Finding:
    """Compare all but the alerts."""
    finding = Finding(accepted=len(notes.accepted))
    finding.require_none(Rule.CHAIN, await chain.defects())
    try:
        told = await recount(chain)
    except ChainBrokenError as error:
        finding.require_none(Rule.CHAIN, [str(error)])
        return finding
    finding.require_none(Rule.LEDGER_STATE, told.strange)
    finding.require_none(Rule.LEDGER_STATE, await chain.state_defects(told.world))
    _judge_writes(finding, await _read(connection), told, notes)
    await judge_read_models(connection, finding, told, height_now=await chain.height())
    return finding


def _judge_writes(finding: Finding, stored: _Stored, told: Recount, notes: Notes) -> None:
    finding.blocks, finding.invalid_transactions = len(told.blocks), told.invalid
    _judge_acceptance(finding, stored, notes)
    _judge_ends(finding, stored, notes)
    _judge_effects(finding, told, notes)
    _judge_answers(finding, told, stored)
    asked = hold_against(told.blocks, stored.requests(notes), notes.refusals_allowed)
    _judge_requests(finding, stored, notes)
    unordered = _judge_decisions(finding, told, stored, asked)
    if notes.prior is not None:
        known = {*notes.accepted, *notes.prior, *notes.poison}
        _judge_sum(finding, told, stored, known, unordered=unordered)
    finding.require_none(Rule.ORDER, _disordered(told, stored))


async def _read(connection: asyncpg.Connection) -> _Stored:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        commands = await connection.fetch(_COMMANDS)
        results = await connection.fetch(_RESULTS)
        letters = await connection.fetch(_LETTERS)
        keys = await connection.fetch(_KEYS)
        discards = await connection.fetch(_DISCARDS)
        in_flight = [
            f"{place}: {row[0]}"
            for place, statement in _IN_FLIGHT.items()
            for row in await connection.fetch(statement)
        ]
    return _Stored(
        commands={row[0]: _Command(*row[1:]) for row in commands},
        results={row["command_id"]: row for row in results},
        letters={row[0]: row[1] for row in letters},
        keys={row[0]: row[1] for row in keys},
        discards=frozenset(row[0] for row in discards),
        in_flight=in_flight,
    )


def _judge_acceptance(finding: Finding, stored: _Stored, notes: Notes) -> None:
    """What clients were told is what is stored, and a key stands for one command."""
    finding.require_none(Rule.LOST, sorted(notes.accepted.keys() - stored.commands.keys()))
    if notes.prior is not None:
        known = notes.accepted.keys() | {*notes.prior, *notes.poison}
        finding.require_none(Rule.UNASKED, sorted(stored.commands.keys() - known))
    keys = Counter(notes.accepted.values())
    finding.require_none(Rule.KEY_TWICE, [key for key, count in keys.items() if count > 1])


def _judge_requests(finding: Finding, stored: _Stored, notes: Notes) -> None:
    """What is stored under an id is what its client asked for, and its key leads to it."""
    altered, misled = [], []
    for command_id, request in notes.requests.items():
        command = stored.commands.get(command_id)
        if command is None:
            continue
        finding.compared += 1
        held = (command.type, command.by_name, command.actor)
        if held != (request.type, request.arguments, request.actor):
            altered.append(f"{command_id}: asked {request}, stored {held}")
        if command.key_hash != request.key_hash:
            misled.append(f"{command_id} is stored under another key than its client's")
    finding.require_none(Rule.ALTERED, altered)
    for command_id, command in stored.commands.items():
        if command.key_hash is not None and stored.keys.get(command.key_hash) != command_id:
            misled.append(f"{command_id}: its key stands for {stored.keys.get(command.key_hash)}")
    finding.require_none(Rule.WRONG_KEY, misled)


def _judge_ends(finding: Finding, stored: _Stored, notes: Notes) -> None:
    """Each command has one end: an answer, or a dead letter if it is poison."""
    dead, poison = stored.dead, set(notes.poison)
    finding.dead = len(dead)
    settled = stored.results.keys()
    finding.require_none(Rule.UNSETTLED, sorted(stored.commands.keys() - settled - dead))
    finding.require_none(Rule.UNSTORED, sorted(settled - stored.commands.keys()))
    finding.require_none(Rule.TWO_ENDS, sorted(settled & dead))
    finding.require_none(Rule.GIVEN_UP, sorted(dead - poison))
    finding.require_none(Rule.POISON_PASSED, sorted(poison - dead))
    finding.require_none(Rule.LEFT_OVER, stored.in_flight)


def _judge_effects(finding: Finding, told: Recount, notes: Notes) -> None:
    """The ledger decides about each command once, and whatever it does is for a command."""
    firsts = {
        command_id: [each for each in answers if each.outcome.duplicate_of is None]
        for command_id, answers in told.answers.items()
    }
    finding.require_none(Rule.DOUBLED, [c for c, first in firsts.items() if len(first) > 1])
    finding.require_none(
        Rule.RAISED_AGAIN,
        [
            c
            for c, answers in told.answers.items()
            if any(each.outcome.duplicate_of and each.outcome.events for each in answers)
        ],
    )
    if not notes.repeats_allowed:
        finding.require_none(Rule.SENT_AGAIN, [c for c, a in told.answers.items() if len(a) > 1])
    kinds = Counter(answers[0].outcome.outcome for answers in told.answers.values())
    finding.committed = kinds[OutcomeKind.COMMITTED]
    finding.rejected = kinds[OutcomeKind.REJECTED]


def _judge_answers(finding: Finding, told: Recount, stored: _Stored) -> None:
    """What is stored as the answer is the ledger's, with its transaction and block."""
    single = {
        command_id: row["block_number"]
        for command_id, row in stored.results.items()
        if told.direct.get(str(row["transaction_id"])) is not None
    }
    unheard = stored.results.keys() - told.answers.keys() - single.keys()
    finding.require_none(
        Rule.NO_BLOCK,
        sorted(c for c in unheard - stored.discarded if not is_blockless(stored.results[c])),
    )
    finding.require_none(Rule.DISCARDED, sorted(stored.discarded - stored.properly_discarded))
    finding.require_none(Rule.UNTOLD, sorted(told.answers.keys() - stored.results.keys()))
    owned = {str(row["transaction_id"]) for row in stored.results.values()}
    finding.require_none(Rule.DIRECT, sorted(told.direct.keys() - owned))
    finding.require_none(
        Rule.OTHERWISE,
        [
            f"{command_id}: ledger {_text(answers[0])}, stored {tuple(row.values())[1:]}"
            for command_id, answers in told.answers.items()
            if (row := stored.results.get(command_id))
            and not agrees(dict(row), answers[0], told.places)
        ],
    )


def is_blockless(row: asyncpg.Record) -> bool:
    """Say whether it was refused before anything was ordered, with a code that means that."""
    is_refused = row["outcome"] == OutcomeKind.REJECTED and row["transaction_id"] is None
    return is_refused and row["code"] in BLOCKLESS


def _judge_decisions(finding: Finding, told: Recount, stored: _Stored, asked: Asked) -> set[str]:
    """Each command did what was asked for, once, or there is a reason why not.

    Returns those that were refused in no block, for a reason that holds.
    """
    finding.require_none(Rule.EFFECT, asked.otherwise)
    unordered = {
        command_id: row["code"]
        for command_id, row in stored.results.items()
        if command_id not in told.answers and is_blockless(row)
    }
    unfounded = {c for c, code in unordered.items() if not asked.may_refuse(c, code)}
    finding.require_none(
        Rule.REFUSED,
        asked.refused + [f"{c}: {unordered[c]}, in no block" for c in sorted(unfounded)],
    )
    finding.lost, finding.doubled = len(asked.without_effect()), asked.doubled()
    return unordered.keys() - unfounded


def _judge_sum(
    finding: Finding, told: Recount, stored: _Stored, known: set[str], *, unordered: set[str]
) -> None:
    """What was asked for has come to as many ends, each of which can be shown."""
    single = {c for c, row in stored.results.items() if str(row["transaction_id"]) in told.direct}
    ended = told.answers.keys() | single | unordered | stored.properly_discarded | stored.dead
    finding.unordered, finding.discarded = len(unordered), len(stored.properly_discarded)
    finding.lost += len(known - ended)
    alone = len(single - told.answers.keys())
    ends = (
        finding.committed + finding.rejected + alone
        + finding.unordered + finding.discarded + finding.dead
    )  # fmt: skip
    if len(known) != ends:
        text = (
            f"{len(known)} asked; {finding.committed} committed, {finding.rejected} refused,"
            f" {alone} in transactions of their own, {finding.unordered} refused in no block,"
            f" {finding.discarded} discarded, {finding.dead} given up"
        )
        finding.require_none(Rule.SUM, [text])


def agrees(row: Mapping[str, object], answer: Answered, places: Mapping[str, int]) -> bool:
    """Say whether what is stored is what the ledger answered, and where it took effect.

    A repeated command took effect in an earlier transaction. Its block is the one in `places`, or
    the one of the answer where nobody knew better.
    """
    outcome = answer.outcome
    origin = outcome.duplicate_of or answer.transaction_id
    blocks = {answer.block_number}
    if outcome.duplicate_of is not None:
        blocks.add(places.get(origin, answer.block_number))
    told = (outcome.outcome.value, outcome.code and outcome.code.value, origin)
    stored = (row["outcome"], row["code"], row["transaction_id"])
    return stored == told and row["block_number"] in blocks


def _text(answer: Answered) -> tuple[str, str, int]:
    return answer.outcome.outcome.value, answer.transaction_id, answer.block_number


def _disordered(told: Recount, stored: _Stored) -> Iterator[str]:
    """Name commands that took effect before an earlier one with which they conflict.

    What an operator replayed has taken a new place, and is left out.
    """
    places = {command_id: place for place, command_id in enumerate(told.answers)}
    newest: dict[str, int] = {}
    exclusive = last = -1
    for command_id, command in stored.commands.items():
        place = places.get(command_id)
        if place is None or command_id in stored.letters:
            continue
        scopes = command.scopes()
        before = [newest.get(scope, -1) for scope in scopes] if scopes else [last]
        if place < max(*before, exclusive):
            yield f"{command_id} ({', '.join(sorted(scopes)) or 'exclusive'})"
        newest.update((scope, max(place, newest.get(scope, -1))) for scope in scopes)
        exclusive = exclusive if scopes else max(exclusive, place)
        last = max(last, place)


def run_judge(dsn: str, source: Path, notes: Path) -> Finding:
    """Judge a run by its notes."""
    return asyncio.run(judge(dsn, source, read_notes(notes)))


def main() -> None:
    """Judge and say so."""
    dsn, source, notes = sys.argv[1:4]
    finding = run_judge(dsn, Path(source), Path(notes))
    print(json.dumps(asdict(finding), indent=2))  # noqa: T201 (this is a program)
    sys.exit(1 if finding.faults else 0)


if __name__ == "__main__":
    main()
