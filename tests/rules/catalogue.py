"""All cases, and which traps each alert is exposed to."""

from collections.abc import Mapping
from typing import Final

from tests.rules.backend_cases import BACKEND_CASES
from tests.rules.burn_cases import BURN_CASES
from tests.rules.cases import Case, Trap
from tests.rules.companion_cases import COMPANION_CASES
from tests.rules.fabric_cases import FABRIC_CASES
from tests.rules.process_cases import PROCESS_CASES
from tests.rules.watching_cases import WATCHING_CASES

CASES: Final[tuple[Case, ...]] = (
    *BACKEND_CASES,
    *PROCESS_CASES,
    *COMPANION_CASES,
    *BURN_CASES,
    *FABRIC_CASES,
    *WATCHING_CASES,
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
_QUEUE: Final = frozenset({Trap.REPLICAS, Trap.DRAINING, Trap.OTHER_IS_BUSY})

TRAPS: Final[Mapping[str, frozenset[Trap]]] = {
    "TransactionSuccessRateBelowSLO": _RATIO,
    "ProjectionLagExceedsSLO": frozenset({Trap.REPLICAS, Trap.CATCH_UP}),
    "ProjectionLagCritical": frozenset({Trap.REPLICAS, Trap.CATCH_UP}),
    "APIResponseTimeSlow": _LATENCY,
    "APIResponseTimeCritical": _LATENCY,
    "OutboxQueueBuildup": _QUEUE,
    "OutboxQueueCritical": _QUEUE,
    "DeadLetterQueueAccumulating": frozenset({Trap.DRAINING, Trap.COUNTER_RESET}),
    "DeadLetterQueueCritical": frozenset({Trap.DRAINING, Trap.REPLICAS}),
    "FabricCircuitBreakerOpen": frozenset({Trap.REPLICAS, Trap.FROZEN_GAUGE}),
    "FabricTransactionFailureRate": _RATIO,
    "FabricTransactionFailureCritical": _RATIO,
    "EventProcessingFailures": frozenset({Trap.NO_TRAFFIC, Trap.COUNTER_RESET}),
    "BackendServiceDown": frozenset({Trap.NOT_DEPLOYED, Trap.OTHER_IS_BUSY}),
    "BackendHighCPU": frozenset({Trap.COUNTER_RESET}),
    "BackendHighMemory": frozenset({Trap.UNLIMITED_MEMORY}),
    "BackendPodRestartLoop": frozenset({Trap.COUNTER_RESET}),
    "DatabaseConnectionPoolExhausted": frozenset({Trap.EMPTY_POOL, Trap.REPLICAS}),
    "ProjectorStalled": frozenset({Trap.FROZEN_GAUGE, Trap.CATCH_UP, Trap.REPLICAS}),
    "NoActiveSubmitter": frozenset({Trap.REPLICAS}),
    "NoActiveProjector": frozenset({Trap.REPLICAS}),
    "CommandFailuresAtLowVolume": frozenset({Trap.ONE_FAILURE}),
    "CommandsRefusedInBulk": frozenset({Trap.OTHER_IS_BUSY}),
    "APIErrorRate": frozenset({Trap.ONE_FAILURE, Trap.OTHER_IS_BUSY}),
    "ConnectionsNearLimit": frozenset({Trap.EMPTY_POOL}),
    "PeerBehindOrderer": frozenset({Trap.REPLICAS, Trap.FROZEN_GAUGE, Trap.CATCH_UP}),
    "NoLeader": frozenset({Trap.REPLICAS, Trap.NOT_DEPLOYED}),
    "InvalidTransactions": _RATIO | {Trap.REPLICAS},
    "EndorsementFailures": (_RATIO | {Trap.REPLICAS}) - {Trap.OTHER_IS_BUSY},
    "NotificationsFailing": frozenset({Trap.COUNTER_RESET}),
    "TransactionSuccessBudgetBurnFast": frozenset({Trap.ONE_FAILURE, Trap.NO_TRAFFIC}),
    "TransactionSuccessBudgetBurnSlow": frozenset({Trap.ONE_FAILURE, Trap.NO_TRAFFIC}),
    "APIResponseTimeBudgetBurnFast": frozenset({Trap.ONE_FAILURE, Trap.NO_TRAFFIC}),
    "APIResponseTimeBudgetBurnSlow": frozenset({Trap.ONE_FAILURE, Trap.NO_TRAFFIC}),
}
