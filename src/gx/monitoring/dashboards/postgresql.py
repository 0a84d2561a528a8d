"""The dashboard of PostgreSQL: what its exporter sees, and what our processes see of it."""

from typing import Final

from gx.monitoring.dashboards.capacity import (
    DATABASES,
    DISK_SHARE,
    DISKS,
    OUR_DATABASES,
    POOLS,
)
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Dashboard,
    Drawing,
    LabelVariable,
    Measure,
    Panel,
    Query,
    Row,
)
from gx.monitoring.dashboards.parts import (
    AWAY_BANDS,
    AWAY_OR_THERE,
    chart,
    limit,
    percent,
    rates,
    rises,
    stacked,
    tile,
)
from gx.monitoring.exporters.postgres import (
    PG_BLOCKS_HIT,
    PG_BLOCKS_READ,
    PG_COMMITS,
    PG_DEADLOCKS,
    PG_LOCKS,
    PG_ROLLBACKS,
    PG_ROWS_DELETED,
    PG_ROWS_INSERTED,
    PG_ROWS_UPDATED,
    PG_TEMP_BYTES,
)
from gx.monitoring.external import (
    PG_CONNECTIONS,
    PG_CONNECTIONS_MAX,
    PG_MAX_TRANSACTION_DURATION,
    PG_REPLICATION_LAG,
    PG_UP,
)
from gx.monitoring.model import POSTGRES_DASHBOARD
from gx.monitoring.promql import Expr, combine, max_by, min_by, select, sum_by
from gx.monitoring.selectors import ExternalMetric
from gx.monitoring.thresholds import CONNECTIONS_SHARE, REPLICATION_LAG, TRANSACTION_AGE
from gx.telemetry.catalogue.every_process import DATABASE_POOL_WAITING, DATABASE_UP

_SERVER: Final = (NAMESPACE, "instance")
_DATABASE: Final = (NAMESPACE, "datname")
_OF_DATABASE: Final = "{{datname}} {{namespace}}"


def _per_second(counter: ExternalMetric, what: str) -> Query:
    return Query(
        expr=rates(select(counter, OUR_DATABASES, IN_NAMESPACE), *_DATABASE),
        legend=f"{what} {_OF_DATABASE}",
    )


def _cache_hits() -> Expr:
    hit = rates(select(PG_BLOCKS_HIT, OUR_DATABASES, IN_NAMESPACE), *_DATABASE)
    read = rates(select(PG_BLOCKS_READ, OUR_DATABASES, IN_NAMESPACE), *_DATABASE)
    return percent(hit, combine(hit, "+", read, on=_DATABASE), _DATABASE)


def _connections_used() -> Expr:
    used = sum_by(select(PG_CONNECTIONS, IN_NAMESPACE), *_SERVER)
    return percent(used, max_by(select(PG_CONNECTIONS_MAX, IN_NAMESPACE), *_SERVER), _SERVER)


REACHED: Final = Panel(
    title="PostgreSQL",
    description="THERE: the exporter can connect. AWAY: it cannot, or its password is wrong.",
    drawing=Drawing.STAT,
    measure=Measure.STATE,
    queries=(
        Query(
            expr=min_by(select(PG_UP, IN_NAMESPACE), *_SERVER), legend="{{namespace}} {{instance}}"
        ),
    ),
    runbooks=("PostgresDown",),
    bands=AWAY_BANDS,
    states=AWAY_OR_THERE,
)
CONNECTIONS: Final = Panel(
    title="Connections used",
    description="Of all that PostgreSQL accepts. Above 80 % somebody is told.",
    drawing=Drawing.GAUGE,
    measure=Measure.PERCENT,
    queries=(Query(expr=_connections_used(), legend="{{namespace}}"),),
    runbooks=("ConnectionsNearLimit",),
    bands=rises(60, CONNECTIONS_SHARE.default),
    least=0,
    most=100,
)
OLDEST_TRANSACTION: Final = tile(
    "Oldest open transaction",
    "While it is open, rows that were deleted since cannot be cleaned up. Above 10 min somebody "
    "is told.",
    Query(
        expr=max_by(select(PG_MAX_TRANSACTION_DURATION, IN_NAMESPACE), NAMESPACE),
        legend="{{namespace}}",
    ),
    runbooks=("TransactionOpen",),
    bands=rises(60, TRANSACTION_AGE.default),
    measure=Measure.SECONDS,
)
REPLICA: Final = tile(
    "Replication lag",
    "How far the slowest replica is behind its primary; 0 without one.",
    Query(expr=max_by(select(PG_REPLICATION_LAG, IN_NAMESPACE), NAMESPACE), legend="{{namespace}}"),
    runbooks=("ReplicationLag",),
    bands=rises(5, REPLICATION_LAG.default),
    measure=Measure.SECONDS,
)
TRANSACTIONS: Final = chart(
    "Transactions",
    "Committed and rolled back, per second.",
    (_per_second(PG_COMMITS, "commit"), _per_second(PG_ROLLBACKS, "rollback")),
    measure=Measure.PER_SECOND,
)
ROWS: Final = chart(
    "Rows written",
    "Inserted, updated and deleted, per second. The outbox inserts and deletes one for a command.",
    (
        _per_second(PG_ROWS_INSERTED, "insert"),
        _per_second(PG_ROWS_UPDATED, "update"),
        _per_second(PG_ROWS_DELETED, "delete"),
    ),
    measure=Measure.PER_SECOND,
)
CACHE: Final = chart(
    "Blocks found in memory",
    "Share of the blocks that were in shared buffers. A fall means that the tables that work "
    "touches have outgrown them.",
    (Query(expr=_cache_hits(), legend=_OF_DATABASE),),
    measure=Measure.PERCENT,
    most=100,
)
CONNECTION_STATES: Final = stacked(
    chart(
        "Connections by state",
        "`idle in transaction` holds locks and does nothing.",
        (
            Query(
                expr=sum_by(select(PG_CONNECTIONS, IN_NAMESPACE), NAMESPACE, "state"),
                legend="{{state}} {{namespace}}",
            ),
        ),
        measure=Measure.COUNT,
        runbooks=("ConnectionsNearLimit", "TransactionOpen"),
    )
)
LOCKS: Final = chart(
    "Locks by mode",
    "Held and waited for. `accessexclusivelock` stops everybody: a migration, or a vacuum full.",
    (
        Query(
            expr=sum_by(select(PG_LOCKS, OUR_DATABASES, IN_NAMESPACE), NAMESPACE, "mode"),
            legend="{{mode}} {{namespace}}",
        ),
    ),
    measure=Measure.COUNT,
)
DEADLOCKS: Final = chart(
    "Deadlocks",
    "Transactions per second that were aborted because they waited for each other.",
    (_per_second(PG_DEADLOCKS, "deadlocks"),),
    measure=Measure.PER_SECOND,
)
SPILLED: Final = chart(
    "Temporary files",
    "Bytes per second that queries wrote to disk because `work_mem` was too small for them.",
    (_per_second(PG_TEMP_BYTES, "temporary"),),
    measure=Measure.BYTES_PER_SECOND,
)
SEEN_FROM_HERE: Final = chart(
    "Reachable for our processes",
    "1 where the last use of the database succeeded, 0 where it failed; the worst replica. If "
    "the exporter is content and this is 0, it is the network or a password.",
    (
        Query(
            expr=min_by(select(DATABASE_UP, IN_NAMESPACE), NAMESPACE, "service"),
            legend="{{service}} {{namespace}}",
        ),
    ),
    measure=Measure.STATE,
    runbooks=("DatabaseUnreachable",),
    bands=AWAY_BANDS,
    most=1,
)
WAITING: Final = chart(
    "Tasks that wait for a connection",
    "Of each process's pool. Above 0 for long, the pool is too small or a statement too slow.",
    (
        Query(
            expr=max_by(select(DATABASE_POOL_WAITING, IN_NAMESPACE), NAMESPACE, "service"),
            legend="{{service}} {{namespace}}",
        ),
    ),
    measure=Measure.COUNT,
    runbooks=("DatabaseConnectionPoolExhausted",),
    bands=limit(1),
)

POSTGRESQL: Final = Dashboard(
    uid=POSTGRES_DASHBOARD,
    title="GX Protocol - PostgreSQL",
    description="The database of each environment: reachability, work, locks, space.",
    tags=("gx-protocol", "postgresql"),
    variables=(LabelVariable(NAMESPACE, "Namespace", select(PG_UP), NAMESPACE),),
    rows=(
        Row("Now", (REACHED, CONNECTIONS, OLDEST_TRANSACTION, REPLICA)),
        Row("Work", (TRANSACTIONS, ROWS, CACHE)),
        Row("Trouble", (CONNECTION_STATES, LOCKS, DEADLOCKS, SPILLED)),
        Row("Our processes", (SEEN_FROM_HERE, POOLS, WAITING)),
        Row("Space", (DATABASES, DISKS, DISK_SHARE)),
    ),
    refresh_s=30,
    span="6h",
)
