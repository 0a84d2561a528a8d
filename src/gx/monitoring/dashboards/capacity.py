"""The dashboard of growth: what fills up, how fast, and where a straight line leads.

Forecasts are for looking at. `predict_linear` draws the straight line through its window: it knows
no daily rhythm, and on what rises and falls like a saw it says what the window's ends happen to
be. No alert but DiskFull goes by one, and that has its second, plain condition.
"""

from typing import Final

from gx.monitoring.alerts.storage import REAL_DISKS
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Dashboard,
    LabelVariable,
    Measure,
    Query,
    Row,
)
from gx.monitoring.dashboards.parts import (
    DAY_S,
    HOUR_S,
    chart,
    falls,
    limit,
    percent,
    rates,
    rises,
    tile,
)
from gx.monitoring.exporters.host import CPU_SECONDS, DISK_BUSY, MEMORY_AVAILABLE, MEMORY_TOTAL
from gx.monitoring.exporters.postgres import PG_DATABASE_SIZE
from gx.monitoring.external import (
    DISK_AVAILABLE,
    DISK_SIZE,
    PROMETHEUS_SERIES,
    PROMETHEUS_STORAGE,
    UP,
)
from gx.monitoring.model import CAPACITY_DASHBOARD
from gx.monitoring.promql import (
    RATE_INTERVAL,
    Expr,
    clamp_min,
    combine,
    count_of,
    delta,
    max_by,
    max_over,
    min_by,
    predict,
    rate,
    select,
    sum_by,
    sum_of,
)
from gx.monitoring.selectors import is_, matches, matches_not
from gx.monitoring.slos import TRANSACTION_SUCCESS
from gx.monitoring.thresholds import (
    DISK_LEFT,
    OLDEST_PENDING,
    QUEUE_CRITICAL,
    QUEUE_WARNING,
)
from gx.telemetry.catalogue.edge import OUTBOX_ADMISSIONS_REFUSED
from gx.telemetry.catalogue.every_process import DATABASE_POOL_ACTIVE, DATABASE_POOL_MAX
from gx.telemetry.catalogue.read_path import LEDGER_BLOCKCHAIN_HEIGHT
from gx.telemetry.catalogue.write_path import (
    FABRIC_TRANSACTION_DURATION,
    OUTBOX_BATCH_COMMANDS,
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_OLDEST_PENDING_AGE,
    OUTBOX_PENDING_COMMANDS,
)

OUR_DATABASES: Final = matches_not("datname", "template.*|postgres")
_DISK: Final = ("instance", "mountpoint")
_POOL: Final = (NAMESPACE, "service")
_FIVE_MINUTES_S: Final = 300
_STRAIGHT_LINE: Final = (
    "The forecast goes on as the window did, in a straight line: it knows no rhythm of the day, "
    "jumps with every tooth of a saw, and means nothing before its window is full."
)


def _settled_per_second() -> Expr:
    """Return commands that ended per second, as a rule records them for five minutes."""
    settled = select(TRANSACTION_SUCCESS.events_rule(_FIVE_MINUTES_S), IN_NAMESPACE)
    return settled / _FIVE_MINUTES_S


def _mean_batch() -> Expr:
    """Return commands per ledger transaction."""
    total = sum_by(rate(sum_of(OUTBOX_BATCH_COMMANDS, IN_NAMESPACE), RATE_INTERVAL), NAMESPACE)
    count = sum_by(rate(count_of(OUTBOX_BATCH_COMMANDS, IN_NAMESPACE), RATE_INTERVAL), NAMESPACE)
    return combine(total, "/", count > 0, on=[NAMESPACE])


def _in_flight() -> Expr:
    """Return how many ledger transactions are under way on average: time spent per time."""
    spent_ms = rates(sum_of(FABRIC_TRANSACTION_DURATION, IN_NAMESPACE), NAMESPACE)
    return spent_ms / 1_000


QUEUE: Final = chart(
    "Waiting commands, now and in an hour",
    f"Commands that wait, and where the last hour leads within the next. {_STRAIGHT_LINE}",
    (
        Query(
            expr=max_by(select(OUTBOX_PENDING_COMMANDS, IN_NAMESPACE), NAMESPACE),
            legend="waiting {{namespace}}",
        ),
        Query(
            expr=clamp_min(
                max_by(
                    predict(select(OUTBOX_PENDING_COMMANDS, IN_NAMESPACE), HOUR_S, ahead_s=HOUR_S),
                    NAMESPACE,
                ),
                0,
            ),
            legend="in 1 h {{namespace}}",
        ),
    ),
    measure=Measure.COUNT,
    runbooks=("OutboxQueueBuildup", "OutboxQueueCritical"),
    bands=rises(QUEUE_WARNING.default, QUEUE_CRITICAL.default),
)
OLDEST: Final = chart(
    "Age of the oldest waiting command",
    "How long the next command to be submitted has waited: the queue in time. The line is 60 s.",
    (
        Query(
            expr=max_by(select(OUTBOX_OLDEST_PENDING_AGE, IN_NAMESPACE), NAMESPACE),
            legend="{{namespace}}",
        ),
    ),
    measure=Measure.SECONDS,
    runbooks=("OldestPending", "CommandsUnresolved"),
    bands=limit(OLDEST_PENDING.default),
)
REFUSED: Final = chart(
    "Writes turned away",
    "Requests that were answered BACKLOG_FULL, per second: demand beyond what the ledger takes.",
    (
        Query(
            expr=rates(select(OUTBOX_ADMISSIONS_REFUSED, IN_NAMESPACE), NAMESPACE),
            legend="{{namespace}}",
        ),
    ),
    measure=Measure.PER_SECOND,
    runbooks=("WritesRefused",),
)
THROUGHPUT: Final = chart(
    "Commands settled",
    "Commands per second that took effect or failed: now, in the busiest five minutes of the last "
    f"day, and where the last six hours lead within a day. {_STRAIGHT_LINE}",
    (
        Query(
            expr=rates(
                select(OUTBOX_COMMANDS_PROCESSED, is_("status", "success"), IN_NAMESPACE), NAMESPACE
            ),
            legend="now {{namespace}}",
        ),
        Query(
            expr=max_over(_settled_per_second(), DAY_S),
            legend="busiest of the day {{namespace}}",
        ),
        Query(
            expr=clamp_min(predict(_settled_per_second(), 6 * HOUR_S, ahead_s=DAY_S), 0),
            legend="in 1 day {{namespace}}",
        ),
    ),
    measure=Measure.PER_SECOND,
)
BATCHES: Final = chart(
    "Commands in a ledger transaction",
    "How full the batches are. They grow with the queue; at GX_SUBMITTER_BATCH_COMMANDS_MAX they "
    "cannot any more. Without traffic it reads idle.",
    (Query(expr=_mean_batch(), legend="{{namespace}}", needs_traffic=True),),
    measure=Measure.COUNT,
)
IN_FLIGHT: Final = chart(
    "Ledger transactions under way",
    "On average. At GX_SUBMITTER_IN_FLIGHT_MAX the ledger is the bottleneck; well below it, what "
    "sends commands is.",
    (Query(expr=_in_flight(), legend="{{namespace}}"),),
    measure=Measure.COUNT,
)
POOLS: Final = chart(
    "Database connections in use",
    "Connections of each process's pool that are busy, of those that it may open.",
    (
        Query(
            expr=percent(
                max_by(select(DATABASE_POOL_ACTIVE, IN_NAMESPACE), *_POOL),
                max_by(select(DATABASE_POOL_MAX, IN_NAMESPACE), *_POOL),
                _POOL,
            ),
            legend="{{service}} {{namespace}}",
        ),
    ),
    measure=Measure.PERCENT,
    runbooks=("DatabaseConnectionPoolExhausted",),
    bands=limit(100),
    most=100,
)
DATABASES: Final = chart(
    "Databases on disk, now and in a week",
    f"Bytes of each database, and where the last day leads within a week. {_STRAIGHT_LINE}",
    (
        Query(
            expr=max_by(
                select(PG_DATABASE_SIZE, OUR_DATABASES, IN_NAMESPACE), NAMESPACE, "datname"
            ),
            legend="{{datname}} {{namespace}}",
        ),
        Query(
            expr=max_by(
                predict(
                    select(PG_DATABASE_SIZE, OUR_DATABASES, IN_NAMESPACE), DAY_S, ahead_s=7 * DAY_S
                ),
                NAMESPACE,
                "datname",
            ),
            legend="in 7 days: {{datname}} {{namespace}}",
        ),
    ),
    measure=Measure.BYTES,
)
DISKS: Final = chart(
    "Disk space left, now and in a day",
    "Bytes that ordinary users can still write, and where the last six hours lead within a day; "
    f"the alert uses the same line. {_STRAIGHT_LINE}",
    (
        Query(
            expr=min_by(select(DISK_AVAILABLE, REAL_DISKS), *_DISK),
            legend="{{mountpoint}} of {{instance}}",
        ),
        Query(
            expr=clamp_min(
                min_by(
                    predict(select(DISK_AVAILABLE, REAL_DISKS), 6 * HOUR_S, ahead_s=DAY_S), *_DISK
                ),
                0,
            ),
            legend="in 1 day: {{mountpoint}} of {{instance}}",
        ),
    ),
    measure=Measure.BYTES,
    runbooks=("DiskFull",),
)
DISK_SHARE: Final = tile(
    "Disk space left",
    "Of the fullest file system, in percent. Below 10 % somebody is paged.",
    Query(
        expr=min_by(
            percent(
                min_by(select(DISK_AVAILABLE, REAL_DISKS), *_DISK),
                max_by(select(DISK_SIZE, REAL_DISKS), *_DISK),
                _DISK,
            )
        ),
        legend="left",
    ),
    runbooks=("DiskFull",),
    bands=falls(DISK_LEFT.default, 2 * DISK_LEFT.default),
    measure=Measure.PERCENT,
)
BLOCKS: Final = chart(
    "Blocks of the ledger in a day",
    "Growth of the last hour, taken for a day. The ledger never shrinks.",
    (
        Query(
            expr=24
            * max_by(
                delta(select(LEDGER_BLOCKCHAIN_HEIGHT, IN_NAMESPACE), HOUR_S), NAMESPACE, "channel"
            ),
            legend="{{channel}} {{namespace}}",
        ),
    ),
    measure=Measure.COUNT,
)
SERIES: Final = chart(
    "Series in Prometheus",
    "What it keeps in memory: about 3 KiB each. A step up is a new label value somewhere.",
    (Query(expr=max_by(select(PROMETHEUS_SERIES), "instance"), legend="{{instance}}"),),
    measure=Measure.COUNT,
    runbooks=("SampleLimitNear",),
)
HISTORY: Final = chart(
    "Prometheus' history on disk",
    "Bytes of its blocks, 0 until the first is written after two hours. It stops growing after "
    "the retention time of 45 days.",
    (Query(expr=max_by(select(PROMETHEUS_STORAGE), "instance"), legend="{{instance}}"),),
    measure=Measure.BYTES,
)
CPUS: Final = chart(
    "Machines: CPU",
    "Share of all CPUs of a machine that is not idle.",
    (
        Query(
            expr=100
            - percent(
                rates(select(CPU_SECONDS, is_("mode", "idle")), "instance"),
                rates(select(CPU_SECONDS), "instance"),
                ["instance"],
            ),
            legend="{{instance}}",
        ),
    ),
    measure=Measure.PERCENT,
    most=100,
)
MEMORY: Final = chart(
    "Machines: memory",
    "Share of the memory that programs cannot have without swapping.",
    (
        Query(
            expr=100
            - percent(
                min_by(select(MEMORY_AVAILABLE), "instance"),
                max_by(select(MEMORY_TOTAL), "instance"),
                ["instance"],
            ),
            legend="{{instance}}",
        ),
    ),
    measure=Measure.PERCENT,
    most=100,
)
DISK_TIME: Final = chart(
    "Machines: disks",
    "Share of the time in which a disk was busy. Near 100 %, every commit waits for it.",
    (
        Query(
            expr=100 * max_by(rate(select(DISK_BUSY), RATE_INTERVAL), "instance", "device"),
            legend="{{device}} of {{instance}}",
        ),
    ),
    measure=Measure.PERCENT,
)

CAPACITY: Final = Dashboard(
    uid=CAPACITY_DASHBOARD,
    title="GX Protocol - Capacity",
    description="Growth of queue, throughput and storage, and where it leads.",
    tags=("gx-protocol", "capacity"),
    variables=(
        LabelVariable(NAMESPACE, "Namespace", select(UP, matches("job", "gx-.+")), NAMESPACE),
    ),
    rows=(
        Row("Queue", (QUEUE, OLDEST, REFUSED)),
        Row("Throughput", (THROUGHPUT, BATCHES, IN_FLIGHT, POOLS)),
        Row("Storage", (DATABASES, DISKS, DISK_SHARE, BLOCKS)),
        Row("Monitoring itself", (SERIES, HISTORY)),
        Row("Machines", (CPUS, MEMORY, DISK_TIME)),
    ),
    refresh_s=60,
    span="24h",
)
