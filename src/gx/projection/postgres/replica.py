"""The replica in PostgreSQL: a schema of its own, compared with the live tables range by range.

A range is some thousands of rows in the order of the key. Both sides hash their rows of it; only
where the hashes differ are rows read, so equal tables cost one pass of the server over each.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool, PooledConnection
from gx.domain.differences import Difference, DifferenceKind, Tally
from gx.domain.world_state import ACCOUNT_PREFIX, SUPPLY_KEY
from gx.projection.changes import Value
from gx.projection.chunk import Chunk
from gx.projection.ports import START, Checkpoint
from gx.projection.postgres.store import READ_CHECKPOINT, checkpoint_of
from gx.projection.postgres.tables import (
    NAMESPACE_LIVE,
    render_primary_key,
    render_table,
)
from gx.projection.postgres.writing import write_effects
from gx.projection.read_model import ReadModel
from gx.projection.read_models import READ_MODELS
from gx.projection.reduction import Cells
from gx.projection.replica import Replica, RowDifference, SideBySide, TablesDone, difference_of
from gx.projection.replica import merge as merge_rows

NAMESPACE_REPLICA: Final = "reconciliation"
RANGE_ROWS: Final = 20_000
ROWS_PER_FETCH: Final = 2_000

Bound: TypeAlias = Sequence[Value] | None
Range: TypeAlias = tuple[Bound, Bound]
"""After which key, exclusively, and until which, inclusively; None for no bound."""

DROP: Final = f"DROP SCHEMA IF EXISTS {NAMESPACE_REPLICA} CASCADE"

# The amounts that the blocks' write sets left, by the ledger's own keys.
CREATE_RECORDS: Final = f"""
    CREATE UNLOGGED TABLE {NAMESPACE_REPLICA}.ledger_records (
        record_key text PRIMARY KEY, amount bigint NOT NULL, block_number bigint NOT NULL)
"""
PUT_RECORDS: Final = f"""
    INSERT INTO {NAMESPACE_REPLICA}.ledger_records (record_key, amount, block_number)
    SELECT *, $3 FROM unnest($1::text[], $2::bigint[])
        ON CONFLICT (record_key) DO UPDATE
       SET amount = EXCLUDED.amount, block_number = EXCLUDED.block_number
"""  # noqa: S608 - the namespace is a constant

# What events add up to, beside what the ledger itself recorded.
CONTRADICTIONS: Final = f"""
    WITH folded AS (
        SELECT $1 || account_id AS record_key, balance AS amount
          FROM {NAMESPACE_REPLICA}.accounts
         UNION ALL SELECT $2, minted FROM {NAMESPACE_REPLICA}.supply
    )
    SELECT r.record_key, coalesce(f.amount, 0) AS folded, r.amount AS recorded, r.block_number,
           count(*) OVER () AS differing
      FROM {NAMESPACE_REPLICA}.ledger_records r LEFT JOIN folded f USING (record_key)
     WHERE r.amount <> coalesce(f.amount, 0) ORDER BY r.record_key LIMIT 1
"""  # noqa: S608 - the namespace is a constant

SUMS: Final = """
    SELECT coalesce((SELECT sum(balance) FROM {namespace}.accounts), 0)::text AS balances,
           coalesce((SELECT minted FROM {namespace}.supply), 0)::text AS minted
"""

# Two independent hashes: 128 bits. An exclusive or, so that no order is needed.
DIGEST: Final = """
    SELECT count(*) AS rows, bit_xor(hashtextextended(r::text, 0)) AS low,
           bit_xor(hashtextextended(r::text, 1)) AS high
      FROM (SELECT {columns} FROM {namespace}.{table} WHERE {within}) AS r
"""
ROWS: Final = "SELECT {columns} FROM {namespace}.{table} WHERE {within} ORDER BY {key}"
NEXT_BOUND: Final = """
    SELECT {key} FROM {namespace}.{table} WHERE {within} ORDER BY {key} OFFSET {rows} LIMIT 1
"""


class PostgresReplica(Replica):
    """The replica of one channel. One process at a time fills it: the caller holds a lease.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    def __init__(self, pool: Pool, *, channel: str) -> None:
        self._pool = pool
        self._channel = channel

    @override
    async def create(self) -> None:
        async with self._pool.transaction() as connection:
            await connection.execute(DROP)
            await connection.execute(f"CREATE SCHEMA {NAMESPACE_REPLICA}")
            await connection.execute(CREATE_RECORDS)
            for model in READ_MODELS.values():
                await connection.execute(_unlogged(render_table(model, NAMESPACE_REPLICA)))
                if not model.is_append_only:
                    await connection.execute(render_primary_key(model, NAMESPACE_REPLICA))

    @override
    async def add(self, chunk: Chunk) -> None:
        records = chunk.records
        amounts = {ACCOUNT_PREFIX + name: amount for name, amount in records.balances.items()}
        if records.minted is not None:
            amounts[SUPPLY_KEY] = records.minted
        async with self._pool.transaction() as connection:
            await write_effects(connection, NAMESPACE_REPLICA, chunk.effects)
            if amounts:
                await connection.execute(
                    PUT_RECORDS, list(amounts), list(amounts.values()), records.block_number
                )

    @override
    async def complete(self) -> None:
        for model in READ_MODELS.values():
            if model.is_append_only:
                await self._pool.execute(render_primary_key(model, NAMESPACE_REPLICA))
            await self._pool.execute(f"ANALYZE {NAMESPACE_REPLICA}.{model.name}")

    @asynccontextmanager
    @override
    async def beside_live(self) -> AsyncIterator[SideBySide]:
        async with (
            self._pool.acquire() as live,
            self._pool.acquire() as replica,
            live.transaction(isolation="repeatable_read", readonly=True),
        ):
            checkpoint = READ_CHECKPOINT.format(namespace=NAMESPACE_LIVE)
            row = await live.fetchrow(checkpoint, self._channel)
            yield _SideBySide(live, replica, START if row is None else checkpoint_of(row))

    @override
    async def drop(self) -> None:
        await self._pool.execute(DROP)


class _SideBySide(SideBySide):
    def __init__(
        self, live: PooledConnection, replica: PooledConnection, checkpoint: Checkpoint
    ) -> None:
        self._live = live
        self._replica = replica
        self.checkpoint = checkpoint

    @override
    async def compare(self, tally: Tally, on_progress: TablesDone) -> RowDifference | None:
        first: RowDifference | None = None
        async with self._replica.transaction(isolation="repeatable_read", readonly=True):
            await self._compare_ledger(tally)
            for model in READ_MODELS.values():
                done = 0
                async for within in self._ranges(model):
                    on_progress(model.name, done)
                    done += RANGE_ROWS
                    if await self._is_equal(model, within):
                        continue
                    async for found in self._differing(model, within):
                        tally.add(found.difference)
                        first = first or found
            await self._compare_supply(tally)
        return first

    # ------------------------------------------------------------ the ledger itself, and sums

    async def _compare_ledger(self, tally: Tally) -> None:
        row = await self._replica.fetchrow(CONTRADICTIONS, ACCOUNT_PREFIX, SUPPLY_KEY)
        if row is not None:
            difference = Difference(
                kind=DifferenceKind.LEDGER,
                place="record",
                key=row["record_key"],
                column="value",
                ledger=f"{row['folded']} by its events",
                stored=str(row["recorded"]),
                block_number=row["block_number"],
            )
            tally.add(difference, row["differing"])
        balances, minted = await _sums(self._replica, NAMESPACE_REPLICA)
        if balances != minted:
            tally.add(_supply_difference(DifferenceKind.LEDGER, minted, balances, self.checkpoint))

    async def _compare_supply(self, tally: Tally) -> None:
        balances, minted = await _sums(self._live, NAMESPACE_LIVE)
        if balances != minted:
            tally.add(_supply_difference(DifferenceKind.SUPPLY, minted, balances, self.checkpoint))

    # ------------------------------------------------------------ one range of one table

    async def _ranges(self, model: ReadModel) -> AsyncIterator[Range]:
        """Cut the key's order where either side has so many rows; the last range has no end."""
        after: Bound = None
        while True:
            until = await self._next_bound(self._replica, NAMESPACE_REPLICA, model, after)
            if until is None:
                until = await self._next_bound(self._live, NAMESPACE_LIVE, model, after)
            yield after, until
            if until is None:
                return
            after = until

    async def _next_bound(
        self, connection: PooledConnection, namespace: str, model: ReadModel, after: Bound
    ) -> Bound:
        statement = _render(NEXT_BOUND, namespace, model, (after, None))
        row = await connection.fetchrow(statement, *(after or ()))
        return None if row is None else tuple(row)

    async def _is_equal(self, model: ReadModel, within: Range) -> bool:
        told, stored = [
            await connection.fetchrow(_render(DIGEST, namespace, model, within), *_values(within))
            for connection, namespace in self._sides
        ]
        return bool(told == stored)

    async def _differing(self, model: ReadModel, within: Range) -> AsyncIterator[RowDifference]:
        told, stored = (
            _rows(connection, _render(ROWS, namespace, model, within), _values(within))
            for connection, namespace in self._sides
        )
        async for left, right in merge_rows(told, stored, len(model.key)):
            yield difference_of(model, left, right, block_number=self.checkpoint.projected_block)

    @property
    def _sides(self) -> tuple[tuple[PooledConnection, str], ...]:
        return (self._replica, NAMESPACE_REPLICA), (self._live, NAMESPACE_LIVE)


def _supply_difference(
    kind: DifferenceKind, minted: str, balances: str, checkpoint: Checkpoint
) -> Difference:
    return Difference(
        kind=kind,
        place="supply" if kind is DifferenceKind.LEDGER else "accounts",
        key="the sum of all balances",
        ledger=f"{minted} base units were minted",
        stored=f"{balances} base units",
        block_number=checkpoint.projected_block,
    )


async def _sums(connection: PooledConnection, namespace: str) -> tuple[str, str]:
    row = await connection.fetchrow(SUMS.format(namespace=namespace))
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return row["balances"], row["minted"]


async def _rows(
    connection: PooledConnection, statement: str, bounds: Sequence[Value]
) -> AsyncIterator[Cells]:
    cursor = await connection.cursor(statement, *bounds)
    while rows := await cursor.fetch(ROWS_PER_FETCH):
        for row in rows:
            yield _cells(row)


def _cells(row: asyncpg.Record) -> Cells:
    return tuple(row)


def _values(within: Range) -> Sequence[Value]:
    return (*(within[0] or ()), *(within[1] or ()))


def _render(template: str, namespace: str, model: ReadModel, within: Range) -> str:
    after, until = within
    key = ", ".join(model.key_names)
    size = len(model.key)
    limits = []
    if after is not None:
        limits.append(f"({key}) > ({_places(model, 1)})")
    if until is not None:
        limits.append(f"({key}) <= ({_places(model, 1 if after is None else 1 + size)})")
    return template.format(
        columns=", ".join(model.column_names),
        namespace=namespace,
        table=model.name,
        key=key,
        within=" AND ".join(limits) or "true",
        rows=RANGE_ROWS - 1,
    )


def _places(model: ReadModel, first: int) -> str:
    return ", ".join(f"${first + i}::{column.type}" for i, column in enumerate(model.key))


def _unlogged(statement: str) -> str:
    """What can be made again at any time needs no log."""
    return statement.replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1)
