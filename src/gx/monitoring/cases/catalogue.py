"""All cases, and which traps each alert is exposed to."""

from collections.abc import Mapping
from typing import Final

from gx.monitoring.cases.backend import BACKEND_CASES
from gx.monitoring.cases.burn import BURN_CASES
from gx.monitoring.cases.companion import COMPANION_CASES
from gx.monitoring.cases.fabric import FABRIC_CASES
from gx.monitoring.cases.model import Case, Trap
from gx.monitoring.cases.process import PROCESS_CASES
from gx.monitoring.cases.traps import TRAP_CASES
from gx.monitoring.cases.watching import WATCHING_CASES
from gx.monitoring.cases.workers import WORKER_CASES

CASES: Final[tuple[Case, ...]] = (
    *BACKEND_CASES,
    *PROCESS_CASES,
    *COMPANION_CASES,
    *BURN_CASES,
    *FABRIC_CASES,
    *WATCHING_CASES,
    *WORKER_CASES,
    *TRAP_CASES,
)

_RATIO: Final = frozenset(
    {
        Trap.NO_TRAFFIC,
        Trap.NEVER_CREATED,
        Trap.ONE_FAILURE,
        Trap.OTHER_IS_BUSY,
        Trap.COUNTER_RESET,
    }
)
_LATENCY: Final = frozenset(
    {Trap.NO_TRAFFIC, Trap.OTHER_IS_BUSY, Trap.LONG_POLLS, Trap.PROBES, Trap.COUNTER_RESET}
)
_COUNTER: Final = frozenset({Trap.NO_TRAFFIC, Trap.COUNTER_RESET})
_LAG: Final = frozenset({Trap.REPLICAS, Trap.CATCH_UP, Trap.OTHER_IS_BUSY})
_LEASE: Final = frozenset({Trap.REPLICAS, Trap.OTHER_IS_BUSY, Trap.NOT_DEPLOYED})
_BURN: Final = _COUNTER | {Trap.ONE_FAILURE, Trap.OTHER_IS_BUSY}
_QUEUE: Final = frozenset({Trap.REPLICAS, Trap.DRAINING, Trap.OTHER_IS_BUSY})

TRAPS: Final[Mapping[str, frozenset[Trap]]] = {
    "TransactionSuccessRateBelowSLO": _RATIO,
    "ProjectionLagExceedsSLO": _LAG,
    "ProjectionLagCritical": _LAG,
    "APIResponseTimeSlow": _LATENCY,
    "APIResponseTimeCritical": _LATENCY,
    "OutboxQueueBuildup": _QUEUE,
    "OutboxQueueCritical": _QUEUE,
    "DeadLetterQueueAccumulating": frozenset({Trap.DRAINING}) | _COUNTER | {Trap.OTHER_IS_BUSY},
    "DeadLetterQueueCritical": _QUEUE,
    "FabricCircuitBreakerOpen": frozenset({Trap.REPLICAS, Trap.FROZEN_GAUGE}),
    "FabricTransactionFailureRate": _RATIO,
    "FabricTransactionFailureCritical": _RATIO,
    "EventProcessingFailures": frozenset({Trap.NO_TRAFFIC, Trap.COUNTER_RESET}),
    "BackendServiceDown": frozenset({Trap.NOT_DEPLOYED, Trap.OTHER_IS_BUSY, Trap.REPLICAS}),
    "BackendHighCPU": frozenset({Trap.COUNTER_RESET}),
    "BackendHighMemory": frozenset({Trap.UNLIMITED_MEMORY, Trap.REPLICAS}),
    "BackendPodRestartLoop": frozenset({Trap.COUNTER_RESET}),
    "DatabaseConnectionPoolExhausted": frozenset({Trap.EMPTY_POOL, Trap.REPLICAS}),
    "ProjectorStalled": frozenset(
        {Trap.FROZEN_GAUGE, Trap.CATCH_UP, Trap.REPLICAS, Trap.NOT_DEPLOYED}
    ),
    "NoActiveSubmitter": _LEASE,
    "NoActiveProjector": _LEASE,
    "CommandFailuresAtLowVolume": _RATIO,
    "CommandsRefusedInBulk": _RATIO - {Trap.ONE_FAILURE},
    "APIErrorRate": _RATIO,
    "ConnectionsNearLimit": frozenset({Trap.EMPTY_POOL, Trap.REPLICAS}),
    "PeerBehindOrderer": frozenset({Trap.REPLICAS, Trap.FROZEN_GAUGE, Trap.CATCH_UP}),
    "NoLeader": frozenset({Trap.REPLICAS, Trap.NOT_DEPLOYED}),
    "InvalidTransactions": _RATIO | {Trap.REPLICAS},
    "EndorsementFailures": (_RATIO | {Trap.REPLICAS}) - {Trap.OTHER_IS_BUSY},
    "NotificationsFailing": frozenset({Trap.COUNTER_RESET}),
    "TransactionSuccessBudgetBurnFast": _BURN,
    "TransactionSuccessBudgetBurnSlow": _BURN,
    "APIResponseTimeBudgetBurnFast": _BURN,
    "APIResponseTimeBudgetBurnSlow": _BURN,
    "TwoActiveWorkers": frozenset({Trap.REPLICAS}),
    "OldestPending": frozenset({Trap.REPLICAS, Trap.OTHER_IS_BUSY}),
    "WritesRefused": _RATIO - {Trap.ONE_FAILURE},
    "DatabaseUnreachable": frozenset({Trap.REPLICAS}),
    "LedgerUnreachable": frozenset({Trap.REPLICAS}),
    "ReconciliationDifference": frozenset({Trap.REPLICAS}),
    "CertificateExpiring": frozenset({Trap.REPLICAS}),
    "CertificateExpiringCritical": frozenset({Trap.REPLICAS}),
    "ScrapeEmpty": frozenset({Trap.REPLICAS}),
    "SampleLimitNear": frozenset({Trap.REPLICAS}),
    "ConfigReloadFailed": frozenset({Trap.REPLICAS}),
    "MonitoringTargetDown": frozenset({Trap.REPLICAS}),
    "ReplicationLag": frozenset({Trap.REPLICAS}),
    "DiskFull": frozenset({Trap.REPLICAS}),
    "WorkerStopped": frozenset({Trap.REPLICAS}),
    "ProjectionEventsParked": frozenset({Trap.REPLICAS}),
    "UpgradeNeeded": frozenset({Trap.REPLICAS}),
    "OutboxDiffersFromLedger": frozenset({Trap.REPLICAS, Trap.OTHER_IS_BUSY}),
    "ReconciliationOverdue": frozenset({Trap.REPLICAS, Trap.OTHER_IS_BUSY}),
    "ProbeFailing": frozenset({Trap.OTHER_IS_BUSY, Trap.NOT_DEPLOYED}),
    "PostgresDown": frozenset({Trap.OTHER_IS_BUSY}),
    "TransactionOpen": frozenset(),
    "RuleEvaluationFailing": frozenset({Trap.COUNTER_RESET}),
    "CommandsUnresolved": frozenset(
        {Trap.NO_TRAFFIC, Trap.REPLICAS, Trap.OTHER_IS_BUSY, Trap.COUNTER_RESET}
    ),
    "CircuitBreakerRejecting": _COUNTER,
    "ProjectionLagBudgetBurnFast": frozenset({Trap.REPLICAS}),
    "ProjectionLagBudgetBurnSlow": frozenset({Trap.REPLICAS}),
    "AvailabilityBudgetBurnFast": frozenset({Trap.OTHER_IS_BUSY}),
    "AvailabilityBudgetBurnSlow": frozenset({Trap.OTHER_IS_BUSY}),
}
"""Which traps each alert is exposed to and must pass; where it can meet none, nothing."""
