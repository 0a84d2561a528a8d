"""A second set of read models beside the live one, and the moment at which it takes its place."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from gx.database.pool import Pool, PooledConnection
from gx.database.ports import Lease
from gx.projection.ports import Checkpoint
from gx.projection.postgres.store import (
    BEGIN_CHECKPOINT,
    NOTE_DIFFERENCES,
    READ_CHECKPOINT,
    PostgresReadModelStore,
    checkpoint_of,
    fence,
)
from gx.projection.postgres.tables import (
    NAMESPACE_LIVE,
    render_checkpoints,
    render_indexes,
    render_primary_key,
    render_table,
)
from gx.projection.read_models import READ_MODELS

NAMESPACE_SHADOW: Final = "projection_rebuild"

DROP: Final = f"DROP SCHEMA IF EXISTS {NAMESPACE_SHADOW} CASCADE"

# While this row is locked no projector can commit, and none has begun to: it is what they
# lock first.
HOLD_CHECKPOINT: Final = READ_CHECKPOINT + " FOR UPDATE"

# The epoch stays: the active projector finds that its checkpoint moved, and goes on from there.
SET_CHECKPOINT: Final = f"""
    UPDATE {NAMESPACE_LIVE}.projection_checkpoints
       SET block_number = $2, block_timestamp_ms = $3, genesis_hash = $4,
           sealed_block = $2, sealed_hash = $5, sealed_at = s.now, updated_at = s.now
      FROM (SELECT clock_timestamp() AS now OFFSET 0) AS s
     WHERE channel = $1
"""  # noqa: S608 - the namespace is a constant

# Who may do what with a live table, as statements for the one that takes its place.
COPY_GRANTS: Final = f"""
    SELECT format('GRANT %s ON {NAMESPACE_SHADOW}.%I TO %s', a.privilege_type, c.relname,
                  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END)
      FROM pg_class c
      CROSS JOIN aclexplode(c.relacl) AS a
      LEFT JOIN pg_roles r ON r.oid = a.grantee
     WHERE c.relnamespace = '{NAMESPACE_LIVE}'::regnamespace AND c.relname = ANY ($1::text[])
       AND a.grantee <> c.relowner
"""  # noqa: S608 - the namespaces are constants

# All at once, and not for long: whoever wants to read meanwhile waits behind this.
SHORT_WAIT: Final = "SET LOCAL lock_timeout = '1s'"
LOCK_LIVE: Final = f"LOCK TABLE {', '.join(f'{NAMESPACE_LIVE}.{name}' for name in READ_MODELS)}"

FORGET_STOP: Final = "DELETE FROM projection_stops WHERE channel = $1"
FORGET_DIFFERENCES: Final = "DELETE FROM projection_differences WHERE channel = $1"
# What was settled before stands in blocks that this chain need not have.
ACCEPT_CHAIN: Final = """
    INSERT INTO accepted_chains AS old (channel, accepted_at_ms) VALUES ($1, now_ms())
        ON CONFLICT (channel) DO UPDATE SET accepted_at_ms = EXCLUDED.accepted_at_ms
"""
FORGET_AUDIT: Final = "DELETE FROM outbox_audits WHERE channel = $1"
AUDIT: Final = """
    INSERT INTO audit_log (actor, action, target, reason)
    VALUES ($1, 'projection_rebuilt', $2, $3)
"""


class PostgresShadow:
    """The tables that a rebuild fills. What a killed rebuild left behind is dropped by the next.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    def __init__(self, pool: Pool, *, channel: str) -> None:
        self._pool = pool
        self._channel = channel
        self.store: Final = PostgresReadModelStore(
            pool, channel=channel, namespace=NAMESPACE_SHADOW
        )

    async def create(self, lease: Lease) -> None:
        """Make empty tables. Append-only ones get their keys later: that is faster."""
        async with self._pool.transaction() as connection:
            await fence(connection, lease)
            await connection.execute(DROP)
            await connection.execute(f"CREATE SCHEMA {NAMESPACE_SHADOW}")
            await connection.execute(render_checkpoints(NAMESPACE_SHADOW))
            for model in READ_MODELS.values():
                await connection.execute(render_table(model, NAMESPACE_SHADOW))
                if not model.is_append_only:
                    await connection.execute(render_primary_key(model, NAMESPACE_SHADOW))

    async def complete(self) -> None:
        """Add keys and indexes, and collect statistics for good plans from the first query on."""
        for model in READ_MODELS.values():
            if model.is_append_only:
                await self._pool.execute(render_primary_key(model, NAMESPACE_SHADOW))
            for statement in render_indexes(model, NAMESPACE_SHADOW):
                await self._pool.execute(statement)
            await self._pool.execute(f"ANALYZE {NAMESPACE_SHADOW}.{model.name}")

    async def drop(self, lease: Lease) -> None:
        """Remove the tables, unless they are somebody else's by now.

        Raises:
            LeaseLostError: somebody else rebuilds.
        """
        async with self._pool.transaction() as connection:
            await fence(connection, lease)
            await connection.execute(DROP)

    @asynccontextmanager
    async def hold_live(self, lease: Lease) -> "AsyncIterator[LiveTables]":
        """Keep every projector from committing for the length of an `async with`.

        Raises:
            LeaseLostError: somebody else rebuilds.
        """
        async with self._pool.transaction() as connection:
            await fence(connection, lease)
            live = NAMESPACE_LIVE
            await connection.execute(BEGIN_CHECKPOINT.format(namespace=live), self._channel, 0)
            row = await connection.fetchrow(HOLD_CHECKPOINT.format(namespace=live), self._channel)
            assert row is not None  # noqa: S101 - it was just made sure of
            yield LiveTables(connection, channel=self._channel, checkpoint=checkpoint_of(row))


class LiveTables:
    """The live read models while no projector can change them. `checkpoint` is theirs."""

    def __init__(
        self, connection: PooledConnection, *, channel: str, checkpoint: Checkpoint
    ) -> None:
        self._connection = connection
        self._channel = channel
        self.checkpoint = checkpoint

    async def replace(self, reached: Checkpoint, differences: Mapping[str, int]) -> None:
        """Put the shadow in their place: tables, checkpoint and what is known to differ.

        Readers wait for a moment. It takes effect with the end of `hold_live`.

        Raises:
            DatabaseUnavailableError: somebody reads the live tables and does not end.
        """
        connection = self._connection
        await connection.execute(SHORT_WAIT)
        await connection.execute(LOCK_LIVE)
        for row in await connection.fetch(COPY_GRANTS, list(READ_MODELS)):
            await connection.execute(row[0])
        for name in READ_MODELS:
            await connection.execute(f"DROP TABLE {NAMESPACE_LIVE}.{name}")
            await connection.execute(
                f"ALTER TABLE {NAMESPACE_SHADOW}.{name} SET SCHEMA {NAMESPACE_LIVE}"
            )
        await connection.execute(
            SET_CHECKPOINT,
            *(self._channel, reached.block_number, reached.block_timestamp_ms),
            *(reached.genesis_hash, reached.block_hash),
        )
        await connection.execute(FORGET_STOP, self._channel)
        await connection.execute(FORGET_DIFFERENCES, self._channel)
        values = [str(difference) for difference in differences.values()]
        await connection.execute(NOTE_DIFFERENCES, self._channel, list(differences), values)
        await connection.execute(DROP)

    async def accept_chain(self) -> None:
        """Let this chain count as the right one from now on, whatever was settled on another."""
        await self._connection.execute(ACCEPT_CHAIN, self._channel)
        await self._connection.execute(FORGET_AUDIT, self._channel)

    async def audit(self, *, actor: str, reason: str) -> None:
        """Record who had the read models replaced, and why."""
        await self._connection.execute(AUDIT, actor, self._channel, reason)
