"""The judge: a process of its own that knows SQL and the ledger's blocks, and nobody's opinion.

    python -m tests.chaos.checker DSN CHAIN ACCEPTED_JSON

CHAIN is the embedded ledger's file, or the connection profile of a Fabric network. Everything is
recounted from its blocks: how often each command took effect, what each account holds, in which
order each account's commands stand. It prints JSON with `faults`, and exits 1 if there are any.
"""

import asyncio
import json
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from gx.domain.batches import BATCH_EVENT, Outcome, OutcomeKind, parse_events, parse_outcomes
from gx.domain.codec import JsonObject
from tests.chaos.chains import Chain, open_chain

SHOWN_MAX: Final = 5
FEES: Final = "SYSTEM_OPERATIONS_FUND"


@dataclass(slots=True)
class Finding:
    """What was counted, and what is wrong."""

    accepted: int = 0
    committed: int = 0
    rejected: int = 0
    blocks: int = 0
    invalid_transactions: int = 0
    supply: int = 0
    faults: list[str] = field(default_factory=list)

    def require(self, wrong: list[str], rule: str) -> None:
        """Note a breach of the rule, with the first examples."""
        if wrong:
            self.faults.append(f"{rule}: {len(wrong)}, such as {wrong[:SHOWN_MAX]}")


@dataclass(slots=True)
class Recount:
    """What the blocks alone say."""

    answers: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    order: list[str] = field(default_factory=list)
    balances: Counter[str] = field(default_factory=Counter)
    entries: Counter[tuple[str, str]] = field(default_factory=Counter)
    touched: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    minted: int = 0
    height: int = 0
    invalid: int = 0

    def add_event(self, event: JsonObject, command_id: str) -> None:
        """Apply one event's changes."""
        if event["eventType"] == "CoinsMinted":
            self.minted += int(str(event["amount"]))
        changes = event.get("changes", [])
        assert isinstance(changes, list)
        for change in changes:
            assert isinstance(change, dict)
            account, delta = str(change["accountId"]), int(str(change["delta"]))
            self.balances[account] += delta
            if account != FEES and command_id:
                self.touched[account].append(command_id)
            if delta:
                self.entries[account, command_id] += 1


async def recount(chain: Chain, finding: Finding) -> Recount:
    """Read every block, its hash and link checked, and count."""
    told = Recount()
    async for block in chain.blocks():
        told.height += 1
        for transaction in block.transactions:
            if transaction.event is None:
                told.invalid += transaction.validation_code != "VALID"
                continue
            name, payload = transaction.event.name, transaction.event.payload
            if name == BATCH_EVENT:
                for outcome in parse_outcomes(payload):
                    told.answers[outcome.command_id].append(outcome)
                    told.order.append(outcome.command_id)
                    for event in outcome.events:
                        told.add_event(event, outcome.command_id)
            else:
                for event in parse_events(name, payload):
                    told.add_event(event, "")
    finding.blocks, finding.invalid_transactions = told.height, told.invalid
    return told


async def judge(dsn: str, source: Path, accepted: set[str]) -> Finding:
    """Compare the clients' notes, the database and the blocks."""
    async with open_chain(source) as chain:
        return await _judge(dsn, chain, accepted)


async def _judge(dsn: str, chain: Chain, accepted: set[str]) -> Finding:
    finding = Finding(accepted=len(accepted))
    told = await recount(chain, finding)
    connection = await asyncpg.connect(dsn)
    try:
        results = {
            str(row["command_id"]): row
            for row in await connection.fetch("SELECT * FROM command_results")
        }
        stored = {str(row[0]) for row in await connection.fetch("SELECT command_id FROM commands")}
        await _judge_queue(
            connection, finding, stored=stored, settled=set(results), accepted=accepted
        )
        _judge_effects(finding, told, results)
        _judge_order(finding, told)
        await _judge_read_models(connection, finding, told)
        await _judge_checkpoint(connection, finding, told, chain)
    finally:
        await connection.close()
    return finding


async def _judge_queue(
    connection: asyncpg.Connection,
    finding: Finding,
    *,
    stored: set[str],
    settled: set[str],
    accepted: set[str],
) -> None:
    finding.require(sorted(accepted - stored), "accepted but not stored")
    finding.require(sorted(stored - settled), "stored but never settled")
    finding.require(sorted(settled - stored), "settled but never stored")
    for table in ("outbox", "envelopes", "dead_letters"):
        left = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 (a constant)
        finding.require([table] * left, "left over after everything was settled")


def _judge_effects(finding: Finding, told: Recount, results: dict[str, asyncpg.Record]) -> None:
    first_answers = {
        command_id: [a for a in answers if a.duplicate_of is None]
        for command_id, answers in told.answers.items()
    }
    finding.require(
        [command_id for command_id, answers in first_answers.items() if len(answers) > 1],
        "took effect, or was refused, more than once",
    )
    finding.require(
        [
            c
            for c, answers in told.answers.items()
            if any(a.duplicate_of and a.events for a in answers)
        ],
        "a repeated command raised events again",
    )
    finding.require(sorted(results.keys() - told.answers.keys()), "settled without a block")
    finding.require(sorted(told.answers.keys() - results.keys()), "in a block but not settled")
    wrong = [
        command_id
        for command_id, answers in told.answers.items()
        if command_id in results and results[command_id]["outcome"] != answers[0].outcome
    ]
    finding.require(wrong, "settled otherwise than the ledger said")
    kinds = Counter(answers[0].outcome for answers in told.answers.values())
    finding.committed = kinds[OutcomeKind.COMMITTED]
    finding.rejected = kinds[OutcomeKind.REJECTED]


def _judge_order(finding: Finding, told: Recount) -> None:
    """Ids are made in the order of acceptance by one API, so each account's must be ascending."""
    disordered = [
        account
        for account, command_ids in told.touched.items()
        if command_ids != sorted(command_ids)
    ]
    finding.require(disordered, "an account's commands took effect in another order than accepted")


async def _judge_read_models(
    connection: asyncpg.Connection, finding: Finding, told: Recount
) -> None:
    accounts = {
        str(row["account_id"]): int(row["balance"])
        for row in await connection.fetch("SELECT account_id, balance FROM accounts")
    }
    expected = {account: told.balances[account] for account in told.balances}
    wrong = [
        f"{account}: blocks say {expected.get(account)}, read model {accounts.get(account)}"
        for account in sorted(expected.keys() | accounts.keys())
        if expected.get(account, 0) != accounts.get(account, 0)
    ]
    finding.require(wrong, "balances differ")
    finding.require([a for a, balance in accounts.items() if balance < 0], "negative balance")
    finding.supply = sum(accounts.values())
    minted = await connection.fetchval("SELECT minted FROM supply")
    if not finding.supply == told.minted == minted:
        finding.faults.append(
            f"supply: balances {finding.supply}, minted in blocks {told.minted}, projected {minted}"
        )
    entries = Counter(
        (str(row["account_id"]), str(row["command_id"] or ""))
        for row in await connection.fetch("SELECT account_id, command_id FROM account_entries")
    )
    finding.require(
        [
            str(key)
            for key in entries.keys() | told.entries.keys()
            if entries[key] != told.entries[key]
        ],
        "entries of an account differ from the blocks",
    )


async def _judge_checkpoint(
    connection: asyncpg.Connection, finding: Finding, told: Recount, chain: Chain
) -> None:
    """Require all that was counted; what came since, a copy of a transaction, may be in it."""
    checkpoint = await connection.fetchval("SELECT block_number FROM projection_checkpoints")
    if not told.height - 1 <= checkpoint < await chain.height():
        finding.faults.append(f"checkpoint {checkpoint}, newest block {told.height - 1}")


def main() -> None:
    """Judge and say so."""
    dsn, source, notes = sys.argv[1:4]
    accepted = set(json.loads(Path(notes).read_text())["accepted"])
    finding = asyncio.run(judge(dsn, Path(source), accepted))
    print(json.dumps(asdict(finding), indent=2))  # noqa: T201 (this is a program)
    sys.exit(1 if finding.faults else 0)


if __name__ == "__main__":
    main()
