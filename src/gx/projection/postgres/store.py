"""Read models and checkpoint in PostgreSQL, moved together or not at all."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool, PooledConnection
from gx.database.ports import Lease, LeaseLostError
from gx.domain.codec import JsonObject, decode_object
from gx.domain.identifiers import BlockNumber, EpochMs
from gx.projection.digests import Digest
from gx.projection.ports import START, Checkpoint, Held, ParkedEvent, ReadModelStore, Stop, Totals
from gx.projection.postgres.tables import NAMESPACE_LIVE
from gx.projection.postgres.writing import write_effects
from gx.projection.read_model import ReadModel
from gx.projection.read_models import READ_MODELS
from gx.projection.reduction import Effects

LEASE_LOST: Final = "GX001"  # raised by require_lease

# The first statement of every write. A process that is stopped in the middle of a transaction
# would otherwise keep its successor waiting: the server ends such a transaction soon.
FENCE: Final = """
    SELECT require_lease($1, $2),
           set_config('idle_in_transaction_session_timeout', '5000', true)
"""

READ_CHECKPOINT: Final = """
    SELECT block_number, block_timestamp_ms, genesis_hash, sealed_block, sealed_hash,
           sealed_at IS NOT DISTINCT FROM updated_at AS is_sealed
      FROM {namespace}.projection_checkpoints WHERE channel = $1
"""

BEGIN_CHECKPOINT: Final = """
    INSERT INTO {namespace}.projection_checkpoints
           (channel, block_number, block_timestamp_ms, genesis_hash, epoch)
    VALUES ($1, -1, 0, '', $2)
        ON CONFLICT (channel) DO NOTHING
"""

# Compare and set: whoever has projected meanwhile makes this change nothing. Its row lock, taken
# before any effect is written, lets one projector write at a time. The fence is part of it: a
# chunk then costs one round trip less, and no row is locked before the lease is.
MOVE_CHECKPOINT: Final = """
    WITH fence AS MATERIALIZED (
        SELECT require_lease($8, $7)::text AS held, clock_timestamp() AS now,
               set_config('idle_in_transaction_session_timeout', '5000', true) AS timeout
    )
    UPDATE {namespace}.projection_checkpoints
       SET block_number = $4, block_timestamp_ms = $5, genesis_hash = $6, epoch = $7,
           sealed_block = $4, sealed_hash = $9, sealed_at = fence.now, updated_at = fence.now
      FROM fence
     WHERE channel = $1 AND block_number = $2 AND genesis_hash = $3 AND epoch <= $7
       AND fence.held IS NOT NULL AND fence.timeout IS NOT NULL
"""

# A ring: the slot of a commit is taken again once the blocks are 8,192 further. What is built
# beside the live tables notes nothing: nobody sees it yet.
NOTE_TIME: Final = """
    INSERT INTO projection_times AS old (channel, slot, first_block, last_block, projected_at_ms)
    VALUES ($1, $3::bigint % 8192, $2::bigint + 1, $3::bigint, now_ms())
        ON CONFLICT (channel, slot) DO UPDATE
       SET first_block = EXCLUDED.first_block, last_block = EXCLUDED.last_block,
           projected_at_ms = EXCLUDED.projected_at_ms
"""

# One row at least, so that block and minted are told even if no account exists.
READ_HELD: Final = """
    SELECT coalesce((SELECT block_number FROM {namespace}.projection_checkpoints
                      WHERE channel = $1), -1) AS block_number,
           coalesce((SELECT minted FROM {namespace}.supply), 0) AS minted,
           a.account_id, a.balance
      FROM (VALUES (1)) AS one
      LEFT JOIN {namespace}.accounts AS a ON a.account_id = ANY ($2::text[])
"""

READ_TOTALS: Final = """
    SELECT coalesce((SELECT block_number FROM {namespace}.projection_checkpoints
                      WHERE channel = $1), -1) AS block_number,
           coalesce((SELECT minted FROM {namespace}.supply), 0) AS minted,
           (SELECT coalesce(sum(balance), 0) FROM {namespace}.accounts)::text AS balances
"""

READ_DIFFERENCES: Final = """
    SELECT record_key, difference::text FROM projection_differences WHERE channel = $1
"""

# A difference that changes keeps the time at which it was found.
NOTE_DIFFERENCES: Final = """
    INSERT INTO projection_differences (channel, record_key, difference)
    SELECT $1, d.record_key, d.difference::numeric
      FROM unnest($2::text[], $3::text[]) AS d(record_key, difference)
        ON CONFLICT (channel, record_key) DO UPDATE SET difference = EXCLUDED.difference
"""
FORGET_DIFFERENCES: Final = """
    DELETE FROM projection_differences WHERE channel = $1 AND difference = 0
"""

NOTE_STOP: Final = """
    INSERT INTO projection_stops AS old
           (channel, block_number, position, event_type, event, error, is_newer)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (channel) DO UPDATE
       SET block_number = EXCLUDED.block_number, position = EXCLUDED.position,
           event_type = EXCLUDED.event_type, event = EXCLUDED.event, error = EXCLUDED.error,
           is_newer = EXCLUDED.is_newer,
           stopped_at = CASE WHEN (old.block_number, old.position)
                                = (EXCLUDED.block_number, EXCLUDED.position)
                             THEN old.stopped_at ELSE EXCLUDED.stopped_at END
"""

FORGET_STOP: Final = "DELETE FROM projection_stops WHERE channel = $1"

READ_STOP: Final = """
    SELECT block_number, position, event_type, event, error, is_newer
      FROM projection_stops WHERE channel = $1
"""

# Only the event at which the projection stands still can be parked, so that no typing error sets
# aside a good one; nor one that waits for a newer release. One statement: parked, audited and no
# longer in the way, or nothing.
PARK: Final = """
    WITH stop AS (
        DELETE FROM projection_stops
         WHERE channel = $1 AND block_number = $2 AND position = $3 AND NOT is_newer
        RETURNING channel, block_number, position, event_type, event
    ), audited AS (
        INSERT INTO audit_log (actor, action, target, reason)
        SELECT $4, 'event_parked', format('%s:%s:%s', channel, block_number, position), $5
          FROM stop
    )
    INSERT INTO parked_events (channel, block_number, position, event_type, event, actor, reason)
    SELECT channel, block_number, position, event_type, event, $4, $5 FROM stop
"""

READ_PARKED: Final = """
    SELECT block_number, position, event, reason, actor
      FROM parked_events WHERE channel = $1 ORDER BY block_number, position
"""

READ_ROWS: Final = "SELECT {columns} FROM {table} ORDER BY {key}"
ROWS_PER_FETCH: Final = 5_000


class PostgresReadModelStore(ReadModelStore):
    """The read models of one channel, in the live tables or in a set beside them.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    def __init__(self, pool: Pool, *, channel: str, namespace: str = NAMESPACE_LIVE) -> None:
        self._pool = pool
        self._channel = channel
        self._namespace = namespace

    @override
    async def checkpoint(self) -> Checkpoint:
        row = await self._pool.fetch_one(self._sql(READ_CHECKPOINT), self._channel)
        return START if row is None else checkpoint_of(row)

    @override
    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        async with self._pool.transaction() as connection:
            if expected == START:
                await fence(connection, lease)
                await connection.execute(self._sql(BEGIN_CHECKPOINT), self._channel, lease.epoch)
            with _lost_lease_as_error():
                moved = await connection.execute(
                    self._sql(MOVE_CHECKPOINT),
                    *(self._channel, expected.block_number, expected.genesis_hash),
                    *(reached.block_number, reached.block_timestamp_ms, reached.genesis_hash),
                    *(lease.epoch, lease.name, reached.block_hash),
                )
            if moved != "UPDATE 1":
                raise LeaseLostError(
                    f"the checkpoint of {self._channel} is not block {expected.block_number}"
                    f" of this chain any more: somebody else projects, or moved it"
                )
            await write_effects(connection, self._namespace, effects)
            if self._namespace == NAMESPACE_LIVE:
                # The moment before the commit, which follows at once.
                await connection.execute(
                    NOTE_TIME, self._channel, expected.block_number, reached.block_number
                )

    @override
    async def held(self, account_ids: Sequence[str]) -> Held:
        rows = await self._pool.fetch(self._sql(READ_HELD), self._channel, list(account_ids))
        return Held(
            block_number=BlockNumber(rows[0]["block_number"]),
            balances={row[2]: row[3] for row in rows if row[2] is not None},
            minted=rows[0]["minted"],
        )

    @override
    async def totals(self) -> Totals:
        row = await self._pool.fetch_one(self._sql(READ_TOTALS), self._channel)
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return Totals(
            block_number=BlockNumber(row["block_number"]),
            minted=row["minted"],
            balances=int(row["balances"]),
        )

    @override
    async def differences(self) -> Mapping[str, int]:
        rows = await self._pool.fetch(READ_DIFFERENCES, self._channel)
        return {row["record_key"]: int(row["difference"]) for row in rows}

    @override
    async def note_differences(self, lease: Lease, changed: Mapping[str, int]) -> None:
        values = [str(difference) for difference in changed.values()]
        async with self._fenced(lease) as connection:
            await connection.execute(NOTE_DIFFERENCES, self._channel, list(changed), values)
            await connection.execute(FORGET_DIFFERENCES, self._channel)

    @override
    async def stopped_at(self, lease: Lease, stop: Stop | None) -> None:
        async with self._fenced(lease) as connection:
            if stop is None:
                await connection.execute(FORGET_STOP, self._channel)
            else:
                await connection.execute(
                    NOTE_STOP,
                    *(self._channel, stop.block_number, stop.position, stop.event_type),
                    *(render_event(stop.event), _storable(stop.error), stop.is_newer),
                )

    @override
    async def stop(self) -> Stop | None:
        row = await self._pool.fetch_one(READ_STOP, self._channel)
        if row is None:
            return None
        return Stop(
            block_number=BlockNumber(row["block_number"]),
            position=row["position"],
            event_type=row["event_type"],
            event=decode_object(row["event"]),
            error=row["error"],
            is_newer=row["is_newer"],
        )

    @override
    async def park(
        self, block_number: BlockNumber, position: int, *, actor: str, reason: str
    ) -> bool:
        parked = await self._pool.execute(
            PARK, self._channel, block_number, position, actor, reason
        )
        return parked == "INSERT 0 1"

    @override
    async def parked(self) -> Sequence[ParkedEvent]:
        rows = await self._pool.fetch(READ_PARKED, self._channel)
        return tuple(
            ParkedEvent(
                block_number=BlockNumber(row["block_number"]),
                position=row["position"],
                event=decode_object(row["event"]),
                reason=row["reason"],
                actor=row["actor"],
            )
            for row in rows
        )

    @override
    async def digest(self) -> str:
        digest = Digest()
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            for model in READ_MODELS.values():
                async for rows in _read_rows(connection, model, self._namespace):
                    digest.add(model.name, (tuple(row.values()) for row in rows))
        return digest.text()

    def _sql(self, statement: str) -> str:
        return statement.format(namespace=self._namespace)

    @asynccontextmanager
    async def _fenced(self, lease: Lease) -> AsyncIterator[PooledConnection]:
        """Begin a transaction that only the lease's newest holder may commit."""
        async with self._pool.transaction() as connection:
            await fence(connection, lease)
            yield connection


async def fence(connection: PooledConnection, lease: Lease) -> None:
    """Let the transaction go on only under the lease's newest epoch.

    Raises:
        LeaseLostError: somebody has taken the lease over.
    """
    with _lost_lease_as_error():
        await connection.execute(FENCE, lease.name, lease.epoch)


@contextmanager
def _lost_lease_as_error() -> Iterator[None]:
    """Give the database's own code for a lease that was taken over its type."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate != LEASE_LOST:
            raise
        raise LeaseLostError(str(error)) from error


def render_event(event: JsonObject) -> str:
    """Write an event as ASCII JSON: PostgreSQL takes it whatever the event holds."""
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def _storable(text: str) -> str:
    return text.replace("\0", r"\0").encode(errors="backslashreplace").decode()


def checkpoint_of(row: asyncpg.Record) -> Checkpoint:
    """Read a row of the checkpoint table."""
    number, sealed = BlockNumber(row["block_number"]), BlockNumber(row["sealed_block"])
    return Checkpoint(
        block_number=number,
        block_timestamp_ms=EpochMs(row["block_timestamp_ms"]),
        genesis_hash=row["genesis_hash"],
        block_hash=row["sealed_hash"] if row["is_sealed"] else "",
        sealed_block=sealed if row["is_sealed"] and sealed != number else None,
    )


async def _read_rows(
    connection: PooledConnection, model: ReadModel, namespace: str
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    statement = READ_ROWS.format(
        columns=", ".join(model.column_names),
        table=f"{namespace}.{model.name}",
        key=", ".join(model.key_names),
    )
    cursor = await connection.cursor(statement)
    while rows := await cursor.fetch(ROWS_PER_FETCH):
        yield rows
