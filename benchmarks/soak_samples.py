"""What the soak notes every few seconds: processes from outside, tables by counters."""

import contextlib
import time
from collections.abc import Iterator
from typing import Final

import msgspec
import psutil

from benchmarks.figures import Percentiles
from benchmarks.stack import Loop, Server

POSTGRESQL: Final = "postgresql"
"""The server's name beside the processes'."""

HOT_TABLES: Final = (
    "outbox",
    "envelopes",
    "leases",
    "idempotency_keys",
    "accounts",
    "supply",
    "projection_checkpoints",
    "projection_times",
)
"""Tables whose rows are updated or deleted: what may bloat."""

# A partition counts for its table; what is only inserted into may grow with what is stored.
TABLES: Final = """
    SELECT regexp_replace(s.relname, '_(default|[0-9]{4}w[0-9]{2})$', '') AS name,
           sum(pg_relation_size(s.relid))::bigint AS table_bytes,
           sum(pg_total_relation_size(s.relid))::bigint AS total_bytes,
           sum(s.n_live_tup)::bigint AS live,
           sum(s.n_dead_tup)::bigint AS dead,
           sum(s.n_tup_ins)::bigint AS inserted,
           sum(s.autovacuum_count)::bigint AS vacuums
      FROM pg_stat_user_tables s
     WHERE s.schemaname = 'public' AND s.relname NOT LIKE 'benchmark%'
     GROUP BY 1
"""

QUEUE: Final = """
    SELECT (SELECT count(*) FROM outbox) AS depth,
           (SELECT coalesce(now_ms() - min(accepted_at_ms), 0) FROM outbox) AS oldest_ms,
           pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal_bytes
"""

# One in sixteen, by the random end of the id, so that asking costs little beside what is asked
# about. A block is projected when the first checkpoint at or behind it is committed.
LATENCIES: Final = """
    WITH settled AS (
        SELECT c.accepted_at_ms, r.block_number, s.at_ms - c.accepted_at_ms AS committed_ms
          FROM commands c
          JOIN command_results r USING (command_id)
          JOIN benchmark_settled s USING (transaction_id)
         WHERE c.command_id >= uuid_floor($1) AND c.command_id < uuid_floor($2)
           AND right(c.command_id::text, 1) = '0'
    ), blocks AS (
        SELECT b.block_number,
               (SELECT p.at_ms FROM benchmark_projected p
                 WHERE p.block_number >= b.block_number ORDER BY p.block_number LIMIT 1) AS at_ms
          FROM (SELECT DISTINCT block_number FROM settled) b
    ), spans AS (
        SELECT s.committed_ms, b.at_ms - s.accepted_at_ms AS projected_ms
          FROM settled s JOIN blocks b USING (block_number)
    )
    SELECT count(*) AS count,
           percentile_disc(ARRAY[0.5, 0.95, 0.99, 1])
               WITHIN GROUP (ORDER BY committed_ms) AS committed,
           percentile_disc(ARRAY[0.5, 0.95, 0.99, 1])
               WITHIN GROUP (ORDER BY projected_ms) AS projected
      FROM spans
"""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table with all its partitions."""

    table_bytes: int
    total_bytes: int
    """Indexes and out-of-line values included."""
    live: int
    dead: int
    inserted: int
    vacuums: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look at everything. Resident memory; of PostgreSQL what its processes do not share."""

    at_s: float
    memory_mib: dict[str, float]
    open_files: dict[str, int]
    queue_depth: int
    oldest_ms: int
    wal_bytes: int
    ledger_bytes: int
    tables: dict[str, Table]


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Some seconds of load: what was sent, and how long it took."""

    at_s: float
    accepted: int
    refused: int
    """Answers that were neither 202 nor 200."""
    accept: Percentiles
    read: Percentiles
    committed: Percentiles
    projected: Percentiles


class Sampler:
    """Looks at one loop and its server."""

    def __init__(self, server: Server, loop: Loop) -> None:
        self._server = server
        self._loop = loop
        self._started_s = time.monotonic()

    def at_s(self) -> float:
        """Return the seconds since the soak began."""
        return round(time.monotonic() - self._started_s, 1)

    async def look(self) -> Sample:
        """Take one sample."""
        rows = await self._loop.pool.fetch(TABLES)
        queue = await self._loop.pool.fetch_one(QUEUE)
        assert queue is not None
        return Sample(
            at_s=self.at_s(),
            memory_mib={**self._loop.memory_mib(), POSTGRESQL: self._postgresql_mib()},
            open_files=self._open_files(),
            queue_depth=queue["depth"],
            oldest_ms=queue["oldest_ms"],
            wal_bytes=int(queue["wal_bytes"]),
            ledger_bytes=_folder_bytes(self._loop),
            tables={
                row["name"]: Table(
                    table_bytes=row["table_bytes"],
                    total_bytes=row["total_bytes"],
                    live=row["live"],
                    dead=row["dead"],
                    inserted=row["inserted"],
                    vacuums=row["vacuums"],
                )
                for row in rows
            },
        )

    async def latencies(self, from_ms: int, until_ms: int) -> tuple[Percentiles, Percentiles]:
        """Return accept to commit and accept to projection of commands accepted in between."""
        row = await self._loop.pool.fetch_one(LATENCIES, from_ms, until_ms)
        assert row is not None
        return _percentiles(row["count"], row["committed"]), _percentiles(
            row["count"], row["projected"]
        )

    def _open_files(self) -> dict[str, int]:
        return {
            name: psutil.Process(part.process.pid).num_fds()
            for name, part in self._loop.parts.items()
        }

    def _postgresql_mib(self) -> float:
        """Return what the server's processes hold for themselves; the rest is shared buffers.

        Autovacuum's workers come and go with their working memory: they are left out.
        """
        total = 0
        for process in self._server.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "autovacuum worker" not in " ".join(process.cmdline()):
                    total += process.memory_full_info().uss
        return round(total / 2**20, 1)


def _percentiles(count: int, values: list[float]) -> Percentiles:
    p50, p95, p99, longest = (round(float(value), 3) for value in values)
    return Percentiles(count=count, p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=longest)


def _folder_bytes(loop: Loop) -> int:
    return sum(_sizes(loop))


def _sizes(loop: Loop) -> Iterator[int]:
    for path in (loop.folder / "ledger").rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # SQLite makes and deletes files
            yield path.stat().st_size
