"""PostgreSQL and disks, as their exporters see them."""

from typing import Final

from gx.monitoring.external import (
    DISK_AVAILABLE,
    DISK_SIZE,
    PG_CONNECTIONS,
    PG_CONNECTIONS_MAX,
    PG_MAX_TRANSACTION_DURATION,
    PG_REPLICATION_LAG,
    PG_UP,
)
from gx.monitoring.model import POSTGRES_DASHBOARD, Alert, Component, Fault, Severity
from gx.monitoring.promql import (
    before,
    both,
    combine,
    either,
    max_by,
    min_by,
    predict,
    select,
    sum_by,
)
from gx.monitoring.recording import NAMESPACE
from gx.monitoring.selectors import matches_not
from gx.monitoring.thresholds import (
    CONNECTIONS_SHARE,
    DISK_LEFT,
    REPLICATION_LAG,
    TRANSACTION_AGE,
    beyond,
)

_SERVER: Final = (NAMESPACE, "instance")
_DISK: Final = (NAMESPACE, "instance", "mountpoint")
# A container's own root is an `overlay`; on Kubernetes' nodes the exporter leaves those out.
REAL_DISKS: Final = matches_not("fstype", "tmpfs|ramfs|squashfs")
_LEFT: Final = select(DISK_AVAILABLE, REAL_DISKS)
_DAY_S: Final = 86_400
# A straight line through the first minutes of a Prometheus, or of a node that still pulls its
# images, ends anywhere.
_KNOWN_FOR_S: Final = 3_600

POSTGRES_DOWN: Final = Alert(
    name="PostgresDown",
    expr=select(PG_UP).equals(0),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.DATABASE,
    family="database",
    summary="The exporter cannot connect to PostgreSQL.",
    description="PostgreSQL at {{ $labels.instance }} takes no connection (value {{ $value }}).",
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.STOP_DATABASE,
)
REPLICA_LAGS: Final = Alert(
    name="ReplicationLag",
    expr=beyond(max_by(select(PG_REPLICATION_LAG), *_SERVER), ">", REPLICATION_LAG),
    for_s=300,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.DATABASE,
    family="replication",
    summary="A replica of PostgreSQL is more than 30 s behind.",
    description="{{ $labels.instance }} is {{ $value | humanizeDuration }} behind its primary.",
    thresholds=(REPLICATION_LAG,),
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.STAND_IN,
)
TRANSACTION_IS_OLD: Final = Alert(
    name="TransactionOpen",
    expr=beyond(
        max_by(select(PG_MAX_TRANSACTION_DURATION), *_SERVER, "datname", "state"),
        ">",
        TRANSACTION_AGE,
    ),
    for_s=60,
    crossing_s=600,
    severity=Severity.WARNING,
    component=Component.DATABASE,
    family="transaction_open",
    summary="A transaction has been open for ten minutes; deleted rows cannot be cleaned up.",
    description=(
        "The oldest transaction in {{ $labels.datname }} ({{ $labels.state }}) is "
        "{{ $value | humanizeDuration }} old."
    ),
    thresholds=(TRANSACTION_AGE,),
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.LEAVE_TRANSACTION_OPEN,
)
CONNECTIONS_NEAR_LIMIT: Final = Alert(
    name="ConnectionsNearLimit",
    expr=beyond(
        100
        * combine(
            sum_by(select(PG_CONNECTIONS), *_SERVER),
            "/",
            max_by(select(PG_CONNECTIONS_MAX), *_SERVER) > 0,
            on=_SERVER,
        ),
        ">",
        CONNECTIONS_SHARE,
    ),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.DATABASE,
    family="connections",
    summary="PostgreSQL has few connections left.",
    description="{{ $labels.instance }} uses {{ $value | humanize }} % of its connections.",
    thresholds=(CONNECTIONS_SHARE,),
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.USE_UP_CONNECTIONS,
)
DISK_FULL: Final = Alert(
    name="DiskFull",
    expr=either(
        beyond(
            100
            * combine(
                min_by(_LEFT, *_DISK),
                "/",
                max_by(select(DISK_SIZE, REAL_DISKS), *_DISK) > 0,
                on=_DISK,
            ),
            "<",
            DISK_LEFT,
        ),
        both(
            min_by(predict(_LEFT, 6 * 3_600, ahead_s=_DAY_S), *_DISK) < 0,
            min_by(before(_LEFT, _KNOWN_FOR_S), *_DISK),
            on=_DISK,
        ),
    ),
    for_s=600,
    severity=Severity.CRITICAL,
    component=Component.DATABASE,
    family="disk",
    summary="A disk has less than 10 % left, or will be full within a day.",
    description=(
        "{{ $labels.mountpoint }} of {{ $labels.instance }}: {{ $value | humanize }} "
        "(percent left; below zero, the bytes missing in a day)."
    ),
    thresholds=(DISK_LEFT,),
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.STAND_IN,
)

STORAGE_ALERTS: Final = (
    POSTGRES_DOWN,
    REPLICA_LAGS,
    TRANSACTION_IS_OLD,
    CONNECTIONS_NEAR_LIMIT,
    DISK_FULL,
)
