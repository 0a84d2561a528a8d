"""The judge of the read side: every table against the blocks, all of it in one snapshot."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import asyncpg

from gx.domain.identifiers import BlockNumber
from gx.ledger.ports import Block
from gx.projection.memory import Tables, apply_changes, empty_tables
from gx.projection.read_model import ReadModel
from gx.projection.read_models import READ_MODELS
from gx.projection.reading import EventFoldError, EventPosition, fold_block
from gx.projection.reduction import Cells, Effects
from tests.chaos.findings import Finding, Rule
from tests.chaos.recount import Entry, Recount, supply_of

_ENTRIES: Final = """
    SELECT account_id, block_number, position, ordinal, delta, transaction_id, command_id
      FROM account_entries ORDER BY account_id, block_number, position, ordinal
"""
_NOT_WELL: Final = {
    "projection_stops": "stopped at event {block_number}/{position}: {error}",
    "parked_events": "set aside event {block_number}/{position}",
    "projection_differences": "{record_key} differs by {difference}",
}
_PARKED: Final = "SELECT block_number, position FROM parked_events"


class _Row(NamedTuple):
    model: str
    key: Cells


async def judge_read_models(
    connection: asyncpg.Connection, finding: Finding, told: Recount, *, height_now: int
) -> None:
    """Compare what queries read with what the blocks say."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await _judge_checkpoint(connection, finding, told, height_now=height_now)
        await _judge_health(connection, finding)
        await _judge_balances(connection, finding, told)
        await _judge_histories(connection, finding, told)
        await _judge_rebuild(connection, finding, told.blocks)


async def _judge_checkpoint(
    connection: asyncpg.Connection, finding: Finding, told: Recount, *, height_now: int
) -> None:
    """Require all that was counted; what came since, a copy of a transaction, may be in it."""
    row = await connection.fetchrow("SELECT block_number, genesis_hash FROM projection_checkpoints")
    last = len(told.blocks) - 1
    if row is None:
        finding.require_none(Rule.CHECKPOINT, [f"none, newest block {last}"] if told.blocks else [])
        return
    if not last <= row["block_number"] < height_now:
        text = f"checkpoint {row['block_number']}, newest block {last}"
        finding.require_none(Rule.CHECKPOINT, [text])
    if told.blocks and row["genesis_hash"] != told.blocks[0].hash:
        finding.require_none(Rule.CHECKPOINT, ["it belongs to another chain"])


async def _judge_health(connection: asyncpg.Connection, finding: Finding) -> None:
    """Require that the projector itself saw nothing wrong, or that it was repaired."""
    complaints = [
        text.format(**dict(row))
        for table, text in _NOT_WELL.items()
        for row in await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 (a constant)
    ]
    finding.require_none(Rule.STOPPED, complaints)


async def _judge_balances(connection: asyncpg.Connection, finding: Finding, told: Recount) -> None:
    rows = await connection.fetch("SELECT account_id, balance FROM accounts")
    accounts = {str(row["account_id"]): int(row["balance"]) for row in rows}
    finding.require_none(
        Rule.BALANCES,
        [
            f"{account}: blocks say {told.balances.get(account)}, read model {held}"
            for account in sorted(told.balances.keys() | accounts.keys())
            if told.balances.get(account, 0) != (held := accounts.get(account, 0))
        ],
    )
    finding.require_none(Rule.NEGATIVE, [a for a, balance in accounts.items() if balance < 0])
    finding.supply = sum(accounts.values())
    row = await connection.fetchrow("SELECT minted, balances FROM supply")
    sums = {
        "minted by events": told.minted,
        "sum of events": sum(told.balances.values()),
        "sum of the ledger's records": supply_of(told.world) if told.world else told.minted,
        "sum of accounts": finding.supply,
        "projected as minted": 0 if row is None else row["minted"],
        "projected as held": 0 if row is None else row["balances"],
    }
    if len(set(sums.values())) > 1:
        finding.require_none(Rule.SUPPLY, [str(sums)])


async def _judge_histories(connection: asyncpg.Connection, finding: Finding, told: Recount) -> None:
    """Each account's entries are the blocks', in their order, and add up to its balance."""
    stored: dict[str, list[Entry]] = {}
    for row in await connection.fetch(_ENTRIES):
        stored.setdefault(row["account_id"], []).append(Entry(*tuple(row)[1:]))
    balances = Counter({a: sum(e.delta for e in entries) for a, entries in stored.items()})
    finding.require_none(
        Rule.ENTRIES,
        [
            f"{account}: {_first_difference(expected, found)}"
            for account in sorted(told.histories.keys() | stored.keys())
            if (expected := told.histories.get(account, [])) != (found := stored.get(account, []))
        ]
        + [f"{a} adds up to {balances[a]}" for a, b in told.balances.items() if balances[a] != b],
    )


def _first_difference(expected: Sequence[Entry], found: Sequence[Entry]) -> str:
    for place, (one, other) in enumerate(zip(expected, found, strict=False)):
        if one != other:
            return f"entry {place} is {tuple(one)} in blocks, {tuple(other)} in the read model"
    return f"{len(expected)} entries in blocks, {len(found)} in the read model"


async def _judge_rebuild(
    connection: asyncpg.Connection, finding: Finding, blocks: Sequence[Block]
) -> None:
    """Every table holds what folding all blocks anew, one by one and in memory, gives."""
    rows = await connection.fetch(_PARKED)
    parked = {(BlockNumber(row[0]), int(row[1])) for row in rows}
    try:
        expected = _rebuild(blocks, parked)
    except EventFoldError as error:
        finding.require_none(Rule.REBUILT, [str(error)])
        return
    for model in READ_MODELS.values():
        columns = ", ".join(model.column_names)
        rows = await connection.fetch(f"SELECT {columns} FROM {model.name}")  # noqa: S608 (declared names)
        finding.rows += len(rows)
        found = {_key_of(model, tuple(row)): tuple(row) for row in rows}
        finding.require_none(Rule.REBUILT, _differences(model, _rows_of(model, expected), found))


def _rebuild(blocks: Sequence[Block], parked: set[EventPosition]) -> Tables:
    tables = empty_tables()
    for block in blocks:
        effects = Effects()
        fold_block(block, effects, Counter(), parked)
        apply_changes(tables, effects.changes())
    return tables


def _key_of(model: ReadModel, cells: Cells) -> _Row:
    return _Row(model.name, cells[: len(model.key)])


def _rows_of(model: ReadModel, tables: Tables) -> dict[_Row, Cells]:
    names = [column.name for column in model.columns]
    return {
        _Row(model.name, key): (*key, *(row[name] for name in names))
        for key, row in tables[model.name].items()
    }


def _differences(
    model: ReadModel, expected: dict[_Row, Cells], found: dict[_Row, Cells]
) -> Iterator[str]:
    for row in expected.keys() | found.keys():
        if expected.get(row) != found.get(row):
            yield (
                f"{model.name} {row.key}: rebuilt {expected.get(row)}, read model {found.get(row)}"
            )
