"""The store in PostgreSQL keeps the port's promises; its tables are the declarations."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import pytest
from typing_extensions import override

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.database.ports import Lease, Leases
from gx.projection.ports import START, Checkpoint, ReadModelStore
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.postgres.tables import (
    CHECKPOINTS,
    render_checkpoints,
    render_indexes,
    render_primary_key,
    render_table,
)
from gx.projection.postgres.writing import write_effects
from gx.projection.read_models import READ_MODELS
from gx.projection.reading import fold_block
from gx.projection.reduction import Effects
from tests.conformance.projection import A_STOP, ReadModelStoreConformance, a_checkpoint
from tests.projection.chain import Chain


class TestPostgresReadModelStore(ReadModelStoreConformance):
    """`PostgresReadModelStore` is a ReadModelStore."""

    @pytest.fixture(autouse=True)
    def _database(self, pool: Pool, leases: PostgresLeases) -> None:
        self.pool, self.leases = pool, leases

    @override
    async def open_store(self) -> AsyncIterator[tuple[ReadModelStore, Leases]]:
        yield PostgresReadModelStore(self.pool, channel="gxchannel"), self.leases


# Everything that makes a table what it is: columns in order, primary key and indexes, options.
DESCRIBE: Final = """
    SELECT c.relname, c.reloptions,
           (SELECT array_agg((a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                              pg_get_expr(d.adbin, d.adrelid), l.collname)::text
                             ORDER BY a.attnum)
              FROM pg_attribute a
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              LEFT JOIN pg_collation l ON l.oid = a.attcollation
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
           (SELECT array_agg(conname || ' ' || pg_get_constraintdef(oid) ORDER BY conname)
              FROM pg_constraint WHERE conrelid = c.oid) AS constraints,
           (SELECT array_agg(replace(indexdef, n.nspname || '.', '') ORDER BY indexname)
              FROM pg_indexes WHERE schemaname = n.nspname AND tablename = c.relname) AS indexes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname = ANY ($2::text[])
     ORDER BY c.relname
"""


async def describe(pool: Pool, namespace: str) -> list[tuple[object, ...]]:
    """Say what the read models' tables in a namespace are."""
    rows = await pool.fetch(DESCRIBE, namespace, [*READ_MODELS, CHECKPOINTS])
    return [tuple(row.values()) for row in rows]


async def test_the_migrated_tables_are_the_declarations(pool: Pool) -> None:
    """Columns, types, defaults, keys, collations and fill factors, to the letter."""
    await pool.execute("CREATE SCHEMA beside")
    for model in READ_MODELS.values():
        await pool.execute(render_table(model, "beside"))
        await pool.execute(render_primary_key(model, "beside"))
        for statement in render_indexes(model, "beside"):
            await pool.execute(statement)
    await pool.execute(render_checkpoints("beside"))

    assert await describe(pool, "beside") == await describe(pool, "public")


async def test_the_checkpoint_table_is_what_others_join_on(pool: Pool) -> None:
    """The outbox derives PROJECTED from these columns."""
    columns = await pool.fetch(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = 'projection_checkpoints'"
        " ORDER BY ordinal_position"
    )

    assert [row["column_name"] for row in columns] == [
        *("channel", "block_number", "block_timestamp_ms", "genesis_hash", "epoch", "updated_at"),
        *("sealed_block", "sealed_hash", "sealed_at"),
    ]


async def test_a_park_is_audited(pool: Pool, leases: PostgresLeases) -> None:
    """The audit log says who set which event aside, and why."""
    store = PostgresReadModelStore(pool, channel="gxchannel")
    lease = await leases.acquire("projector", "first", ttl_s=60)
    assert lease is not None
    await store.stopped_at(lease, A_STOP)

    await store.park(A_STOP.block_number, A_STOP.position, actor="grace", reason="never mind")

    (row,) = await pool.fetch("SELECT actor, action, target, reason FROM audit_log")
    assert tuple(row.values()) == ("grace", "event_parked", "gxchannel:3:2", "never mind")


async def test_a_hundred_transfers_are_few_statements(pool: Pool, leases: PostgresLeases) -> None:
    """The number of statements of a chunk does not grow with its events."""
    lease = await leases.acquire("projector", "first", ttl_s=60)
    assert lease is not None
    executed: list[str] = []
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice", "bob")
    block = chain.transfers([("alice", "bob", 4 * 10**8 + n) for n in range(100)])
    effects = Effects()
    fold_block(block, effects, Counter())

    async with pool.acquire() as connection:
        connection.add_query_logger(lambda query: executed.append(query.query))
    await PostgresReadModelStore(pool, channel="gxchannel").apply(
        lease=lease, expected=START, reached=a_checkpoint(0), effects=effects
    )

    assert effects.size() == 303
    assert len(executed) <= 9, executed


async def test_the_moment_when_blocks_became_visible_is_kept(
    pool: Pool, leases: PostgresLeases
) -> None:
    """Each commit notes its blocks; a set beside the live tables, which nobody sees, does not."""
    lease = await leases.acquire("projector", "first", ttl_s=60)
    assert lease is not None
    store = PostgresReadModelStore(pool, channel="gxchannel")
    for expected, reached in ((START, a_checkpoint(3)), (a_checkpoint(3), a_checkpoint(8_195))):
        await store.apply(lease=lease, expected=expected, reached=reached, effects=Effects())

    rows = await pool.fetch("SELECT first_block, last_block, projected_at_ms FROM projection_times")

    assert [tuple(row.values())[:2] for row in rows] == [(4, 8_195)]  # the ring has come round
    assert rows[0]["projected_at_ms"] > 0


class SeparateCheckpointStore(PostgresReadModelStore):
    """Broken on purpose: the checkpoint moves in a transaction of its own."""

    @override
    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        await super().apply(lease=lease, expected=expected, reached=reached, effects=Effects())
        async with self._pool.transaction() as connection:
            await write_effects(connection, "public", effects)


async def test_a_checkpoint_in_a_separate_transaction_is_caught(
    pool: Pool, leases: PostgresLeases
) -> None:
    """Negative control: the conformance suite fails for a store that could lose a block."""
    lease = await leases.acquire("projector", "first", ttl_s=60)
    assert lease is not None
    store = SeparateCheckpointStore(pool, channel="gxchannel")

    with pytest.raises(AssertionError):
        await TestPostgresReadModelStore().test_checkpoint_outside_the_effects_transaction(
            store, lease
        )
