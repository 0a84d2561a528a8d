"""What every process exports about itself and about what it depends on."""

from typing import Final

from gx.telemetry.catalogue.dimensions import (
    BACKEND,
    CHAINCODE,
    EVERY_PROCESS,
    PROJECTOR,
    SUBMITTER,
    WORKERS,
)
from gx.telemetry.metric import Condition, Kind, Label, Metric, Unit, ValueSource
from gx.telemetry.upgrades import UpgradeReason

DATABASE_UP: Final = Metric(
    name="database_up",
    kind=Kind.GAUGE,
    help="1 if the last use of the database succeeded, 0 if it failed.",
    unit=Unit.STATE,
    processes=BACKEND,
)
LEDGER_UP: Final = Metric(
    name="ledger_up",
    kind=Kind.GAUGE,
    help="1 if the last call of the ledger succeeded, 0 if it failed.",
    unit=Unit.STATE,
    processes=BACKEND,
)
DATABASE_POOL_ACTIVE: Final = Metric(
    name="database_connection_pool_active",
    kind=Kind.GAUGE,
    help="Pool connections in use, without those that listen or hold the lease.",
    unit=Unit.COUNT,
    processes=BACKEND,
)
DATABASE_POOL_MAX: Final = Metric(
    name="database_connection_pool_max",
    kind=Kind.GAUGE,
    help="Most connections that the pool may open.",
    unit=Unit.COUNT,
    processes=BACKEND,
)
DATABASE_POOL_WAITING: Final = Metric(
    name="database_connection_pool_waiting",
    kind=Kind.GAUGE,
    help="Tasks that wait for a pool connection.",
    unit=Unit.COUNT,
    processes=BACKEND,
)
CERTIFICATE_EXPIRY: Final = Metric(
    name="certificate_expiry_timestamp_seconds",
    kind=Kind.GAUGE,
    help="When a certificate that this process uses stops being valid.",
    unit=Unit.TIMESTAMP_SECONDS,
    processes=SUBMITTER | PROJECTOR | CHAINCODE,
    labels=(Label("identity", source=ValueSource.IDENTITIES),),
    condition=Condition.CERTIFICATES,
)
UPGRADE_NEEDED: Final = Metric(
    name="upgrade_needed",
    kind=Kind.GAUGE,
    help="1 while this process waits: only a newer release can read what it met.",
    unit=Unit.STATE,
    processes=BACKEND,
    labels=(Label("reason", values=tuple(reason.value for reason in UpgradeReason)),),
)
RECONCILIATION_AGE: Final = Metric(
    name="reconciliation_age_seconds",
    kind=Kind.GAUGE,
    help="Time since all that was new was last compared with the ledger, or comparing began.",
    unit=Unit.SECONDS,
    processes=WORKERS,
)
RECONCILIATION_DURATION: Final = Metric(
    name="reconciliation_last_round_seconds",
    kind=Kind.GAUGE,
    help="How long the last comparison took: of all answers from block 0 on, or of the sums.",
    unit=Unit.SECONDS,
    processes=WORKERS,
)
BUILD_INFO: Final = Metric(
    name="gx_build_info",
    kind=Kind.GAUGE,
    help="Always 1; its labels say which build runs.",
    unit=Unit.STATE,
    processes=EVERY_PROCESS,
    labels=(
        Label("version", source=ValueSource.BUILD),
        Label("python_version", source=ValueSource.BUILD),
    ),
)
CONFIG_HASH: Final = Metric(
    name="gx_config_hash",
    kind=Kind.GAUGE,
    help="First 48 bits of the configuration's SHA-256: replicas that differ show it.",
    unit=Unit.STATE,
    processes=EVERY_PROCESS,
)
PROCESS_CPU_LIMIT: Final = Metric(
    name="process_cpu_limit_cores",
    kind=Kind.GAUGE,
    help="CPUs that this process may use: its cgroup's quota, else the usable CPUs.",
    unit=Unit.CORES,
    processes=EVERY_PROCESS,
)
PROCESS_MEMORY_LIMIT: Final = Metric(
    name="process_memory_limit_bytes",
    kind=Kind.GAUGE,
    help="Memory that this process may use: its cgroup's limit, else the host's memory.",
    unit=Unit.BYTES,
    processes=EVERY_PROCESS,
)

METRICS: Final = (
    DATABASE_UP,
    LEDGER_UP,
    DATABASE_POOL_ACTIVE,
    DATABASE_POOL_MAX,
    DATABASE_POOL_WAITING,
    CERTIFICATE_EXPIRY,
    UPGRADE_NEEDED,
    RECONCILIATION_AGE,
    RECONCILIATION_DURATION,
    BUILD_INFO,
    CONFIG_HASH,
    PROCESS_CPU_LIMIT,
    PROCESS_MEMORY_LIMIT,
)
