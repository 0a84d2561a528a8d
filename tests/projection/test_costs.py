"""What projecting a batch costs in the database: counted, not timed, so that it holds anywhere."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
import pytest
from typing_extensions import override

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PooledConnection, PoolSettings
from gx.projection.postgres.store import PostgresReadModelStore
from tests.projection.chain import Chain
from tests.projection.projected import a_lease, project
from tests.projection.running import CHANNEL

USERS = 100
BATCH = 200

STATEMENTS = 4
"""Of a batch, whatever its size: fence and checkpoint, balances, entries, the time."""

# Bytes of WAL for each transfer at this batch size, as measured on PostgreSQL 18: two entries, a
# new version of two balances, and a share of the checkpoint. A change that costs a tenth more needs
# a reason, and then a new number here.
WAL_BASELINE_BYTES = 630
WAL_TOLERANCE = 1.1

WAL_BYTES = "SELECT wal_bytes FROM pg_stat_get_backend_wal(pg_backend_pid())"

VERSIONS = """
    SELECT relname AS name, n_tup_ins::int AS made, n_tup_upd::int AS remade,
           n_tup_hot_upd::int AS in_place
      FROM pg_stat_user_tables WHERE schemaname = 'public'
"""


class CountedConnection:
    """A connection that counts what it is asked for."""

    def __init__(self, connection: PooledConnection, counts: Counter[str]) -> None:
        self._connection = connection
        self._counts = counts

    async def execute(self, statement: str, *arguments: object) -> str:
        """Run one statement."""
        self._counts["statements"] += 1
        return await self._connection.execute(statement, *arguments)

    async def copy_records_to_table(
        self,
        name: str,
        *,
        schema_name: str,
        columns: Sequence[str],
        records: Iterable[Sequence[object]],
    ) -> str:
        """Copy rows: one statement, however many they are."""
        self._counts["statements"] += 1
        return await self._connection.copy_records_to_table(
            name, schema_name=schema_name, columns=columns, records=records
        )


class CountedPool(Pool):
    """One connection, so that its statistics are all there are."""

    counts: Counter[str]

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PooledConnection]:
        async with super().transaction() as connection:
            self.counts["commits"] += 1
            yield cast("PooledConnection", CountedConnection(connection, self.counts))

    async def wal_bytes(self) -> int:
        """Return what this connection has written to the server's log so far."""
        await self.execute("SELECT pg_stat_force_next_flush()")
        return int(str(await self.fetch_value(WAL_BYTES)))

    async def versions(self) -> dict[str, asyncpg.Record]:
        """Count row versions by table: made, remade, and those of them that touched no index."""
        await self.execute("SELECT pg_stat_force_next_flush()")
        return {row["name"]: row for row in await self.fetch(VERSIONS)}


@pytest.fixture
async def counted(pool_settings: PoolSettings) -> AsyncIterator[CountedPool]:
    """A pool that counts."""
    pool = await CountedPool.open(
        PoolSettings(dsn=pool_settings.dsn, application_name="test", connections_max=1)
    )
    pool.counts = Counter()
    yield pool
    await pool.close()


async def test_a_batch_costs_few_statements_and_one_commit(
    counted: CountedPool, leases: PostgresLeases
) -> None:
    """With the outbox's four statements and three commits these are all of the eight and four that
    a batch may cost. An entry is written once; a balance gets one new version however often it
    moves, and mostly in place.
    """  # noqa: D205 (one sentence)
    chain = Chain()
    chain.bootstrap("US")
    names = [f"user-{number}" for number in range(USERS)]
    chain.users(*names)
    store = PostgresReadModelStore(counted, channel=CHANNEL)
    lease = await a_lease(leases)
    await project(store, lease, chain.committed)
    counted.counts.clear()
    before, before_bytes = await counted.versions(), await counted.wal_bytes()

    deals = [(names[n % USERS], names[(n + 7) % USERS], 1_000 + n) for n in range(BATCH)]
    await project(store, lease, [chain.transfers(deals)])

    wal_bytes = (await counted.wal_bytes() - before_bytes) / BATCH
    after = await counted.versions()
    made = {name: row["made"] - before[name]["made"] for name, row in after.items()}
    remade = {name: row["remade"] - before[name]["remade"] for name, row in after.items()}
    in_place = {name: row["in_place"] - before[name]["in_place"] for name, row in after.items()}
    assert counted.counts == {"commits": 1, "statements": STATEMENTS}
    assert remade["account_entries"] == 0
    assert made["account_entries"] >= 2 * BATCH
    assert remade["accounts"] <= USERS + 1
    assert in_place["accounts"] >= 0.8 * remade["accounts"]
    assert wal_bytes <= WAL_BASELINE_BYTES * WAL_TOLERANCE, f"{wal_bytes:.0f} B a transfer"
