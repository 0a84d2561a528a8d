"""What postgres_exporter says of a PostgreSQL server, beside what alerts read.

Names are those of 0.11 (Debian 12) that current versions have too. The replication lag is a query
of ours in 0.11 (`gx.monitoring.local`) and a collector of its own from 0.13 on, of the same name.
"""

from typing import Final

from gx.monitoring.exporters.names import Exporter
from gx.monitoring.selectors import ExternalMetric
from gx.telemetry.metric import Kind

_DATABASE: Final = ("datname",)


def _of_database(name: str, kind: Kind, text: str) -> ExternalMetric:
    return ExternalMetric(
        name=name, kind=kind, exporter=Exporter.POSTGRES, help=text, label_names=_DATABASE
    )


PG_DATABASE_SIZE: Final = _of_database(
    "pg_database_size_bytes", Kind.GAUGE, "Bytes that a database takes on disk."
)
PG_COMMITS: Final = _of_database(
    "pg_stat_database_xact_commit", Kind.COUNTER, "Transactions that were committed."
)
PG_ROLLBACKS: Final = _of_database(
    "pg_stat_database_xact_rollback", Kind.COUNTER, "Transactions that were rolled back."
)
PG_BLOCKS_HIT: Final = _of_database(
    "pg_stat_database_blks_hit", Kind.COUNTER, "Blocks that were found in shared buffers."
)
PG_BLOCKS_READ: Final = _of_database(
    "pg_stat_database_blks_read", Kind.COUNTER, "Blocks that were not in shared buffers."
)
PG_ROWS_INSERTED: Final = _of_database(
    "pg_stat_database_tup_inserted", Kind.COUNTER, "Rows that were inserted."
)
PG_ROWS_UPDATED: Final = _of_database(
    "pg_stat_database_tup_updated", Kind.COUNTER, "Rows that were updated."
)
PG_ROWS_DELETED: Final = _of_database(
    "pg_stat_database_tup_deleted", Kind.COUNTER, "Rows that were deleted."
)
PG_DEADLOCKS: Final = _of_database(
    "pg_stat_database_deadlocks", Kind.COUNTER, "Deadlocks that were resolved by an abort."
)
PG_TEMP_BYTES: Final = _of_database(
    "pg_stat_database_temp_bytes", Kind.COUNTER, "Bytes that queries spilled to temporary files."
)
PG_LOCKS: Final = ExternalMetric(
    name="pg_locks_count",
    kind=Kind.GAUGE,
    exporter=Exporter.POSTGRES,
    help="Locks that are held or waited for, by database and mode.",
    label_names=("datname", "mode"),
)

POSTGRES_METRICS: Final = (
    PG_DATABASE_SIZE,
    PG_COMMITS,
    PG_ROLLBACKS,
    PG_BLOCKS_HIT,
    PG_BLOCKS_READ,
    PG_ROWS_INSERTED,
    PG_ROWS_UPDATED,
    PG_ROWS_DELETED,
    PG_DEADLOCKS,
    PG_TEMP_BYTES,
    PG_LOCKS,
)
