"""The eighteen alerts of the backend, as operators of the original know them.

Names, thresholds, durations and severities are the original's; each expression was corrected
where it missed an outage or paged without one (docs/runbooks has the reasons, alert by alert).
"""

from typing import Final

from gx.monitoring.external import POD_RESTARTS, UP
from gx.monitoring.model import Alert, Component, Fault, Objective, Severity
from gx.monitoring.promql import (
    Expr,
    avg_over,
    both,
    changes,
    combine,
    either,
    increase,
    max_by,
    rate,
    select,
    sum_by,
    unless,
)
from gx.monitoring.recording import (
    API_LATENCY_P95,
    COMMAND_SUCCESS,
    EXPECTED_TARGET,
    FABRIC_FAILURE,
    FINISHED_COMMANDS,
    NAMESPACE,
    TRANSACTIONS,
)
from gx.monitoring.selectors import matches
from gx.monitoring.thresholds import (
    BREAKER,
    CPU,
    DEAD_LETTERS_CRITICAL,
    DEAD_LETTERS_RISE,
    FABRIC_CRITICAL,
    FABRIC_VOLUME,
    FABRIC_WARNING,
    FAILED_EVENTS,
    LAG_CRITICAL,
    LAG_SLO,
    LATENCY_CRITICAL,
    LATENCY_SLO,
    MEMORY,
    QUEUE_CRITICAL,
    QUEUE_WARNING,
    RESTARTS,
    SUCCESS_SLO,
    SUCCESS_VOLUME,
    Threshold,
    beyond,
)
from gx.telemetry.catalogue.client_library import (
    PROCESS_CPU,
    PROCESS_RESIDENT_MEMORY,
    PROCESS_START_TIME,
)
from gx.telemetry.catalogue.every_process import (
    DATABASE_POOL_ACTIVE,
    DATABASE_POOL_MAX,
    PROCESS_CPU_LIMIT,
    PROCESS_MEMORY_LIMIT,
)
from gx.telemetry.catalogue.read_path import PROJECTION_LAG, PROJECTOR_EVENTS_FAILED
from gx.telemetry.catalogue.write_path import (
    CIRCUIT_BREAKER_STATE,
    OUTBOX_COMMANDS_DEAD_LETTERED,
    OUTBOX_DLQ_COMMANDS,
    OUTBOX_PENDING_COMMANDS,
)

_OURS: Final = matches("job", "gx-.+")
_TARGET: Final = (NAMESPACE, "instance")
_RESTART_WINDOW_MIN: Final = 15
_LAG: Final = max_by(select(PROJECTION_LAG), NAMESPACE)
_QUEUE: Final = max_by(select(OUTBOX_PENDING_COMMANDS), NAMESPACE)
_IN: Final = "in {{ $labels.namespace }}"


def _with_volume(expr: Expr, events: Expr, least: Threshold) -> Expr:
    return both(expr, beyond(sum_by(events, NAMESPACE), ">=", least), on=[NAMESPACE])


def _share_of_limit(used: Expr, limit: Expr) -> Expr:
    """Return percent of a limit; a limit of 0 means that there is none."""
    return combine(100 * max_by(used, *_TARGET), "/", max_by(limit, *_TARGET) > 0, on=_TARGET)


def _fabric_failures(limit: Threshold) -> Expr:
    return _with_volume(
        beyond(select(FABRIC_FAILURE), ">", limit), increase(TRANSACTIONS, 300), FABRIC_VOLUME
    )


def _restarts() -> Expr:
    """Return restarts per minute: of containers, or where nobody counts those, of processes."""
    containers = select(POD_RESTARTS, matches(NAMESPACE, "backend-.+"))
    window_s = _RESTART_WINDOW_MIN * 60
    counted = sum_by(increase(containers, window_s), NAMESPACE, "pod", "container")
    seen = sum_by(
        changes(select(PROCESS_START_TIME, _OURS), window_s), NAMESPACE, "job", "instance"
    )
    return either(
        beyond(counted / _RESTART_WINDOW_MIN, ">", RESTARTS),
        unless(beyond(seen / _RESTART_WINDOW_MIN, ">", RESTARTS), select(POD_RESTARTS), on=()),
    )


SUCCESS_RATE_BELOW_SLO: Final = Alert(
    name="TransactionSuccessRateBelowSLO",
    expr=_with_volume(
        beyond(select(COMMAND_SUCCESS), "<", SUCCESS_SLO),
        increase(FINISHED_COMMANDS, 300),
        SUCCESS_VOLUME,
    ),
    for_s=300,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="tx_success",
    slo=Objective.TRANSACTION_SUCCESS,
    summary="Fewer than 99.9 % of the commands succeed.",
    description=f"{{{{ $value | humanize }}}} % of the commands {_IN} succeed.",
    thresholds=(SUCCESS_SLO, SUCCESS_VOLUME),
    drill=Fault.POISON_COMMANDS,
)
LAG_EXCEEDS_SLO: Final = Alert(
    name="ProjectionLagExceedsSLO",
    expr=beyond(_LAG, ">", LAG_SLO),
    for_s=120,
    crossing_s=5,
    severity=Severity.WARNING,
    component=Component.PROJECTOR,
    family="projection_lag",
    slo=Objective.PROJECTION_LAG,
    summary="Readers see data that is more than 5 s old.",
    description=f"The projection {_IN} lags by {{{{ $value | humanize }}}} ms.",
    thresholds=(LAG_SLO,),
    drill=Fault.STALL_PROJECTOR,
)
LAG_IS_CRITICAL: Final = Alert(
    name="ProjectionLagCritical",
    expr=beyond(_LAG, ">", LAG_CRITICAL),
    for_s=60,
    crossing_s=10,
    severity=Severity.CRITICAL,
    component=Component.PROJECTOR,
    family="projection_lag",
    slo=Objective.PROJECTION_LAG,
    summary="Readers see data that is more than 10 s old.",
    description=f"The projection {_IN} lags by {{{{ $value | humanize }}}} ms.",
    thresholds=(LAG_CRITICAL,),
    drill=Fault.STALL_PROJECTOR,
)
API_IS_SLOW: Final = Alert(
    name="APIResponseTimeSlow",
    expr=beyond(select(API_LATENCY_P95), ">", LATENCY_SLO),
    for_s=300,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.API,
    family="api_latency",
    slo=Objective.API_LATENCY,
    summary="One request in twenty takes longer than 500 ms.",
    description=f"The P95 of {{{{ $labels.service }}}} {_IN} is {{{{ $value | humanize }}}} ms.",
    thresholds=(LATENCY_SLO,),
    drill=Fault.SLOW_API,
)
API_IS_VERY_SLOW: Final = Alert(
    name="APIResponseTimeCritical",
    expr=beyond(select(API_LATENCY_P95), ">", LATENCY_CRITICAL),
    for_s=120,
    crossing_s=30,
    severity=Severity.CRITICAL,
    component=Component.API,
    family="api_latency",
    slo=Objective.API_LATENCY,
    summary="One request in twenty takes longer than 1 s.",
    description=f"The P95 of {{{{ $labels.service }}}} {_IN} is {{{{ $value | humanize }}}} ms.",
    thresholds=(LATENCY_CRITICAL,),
    drill=Fault.SLOW_API,
)
QUEUE_BUILDS_UP: Final = Alert(
    name="OutboxQueueBuildup",
    expr=beyond(_QUEUE, ">", QUEUE_WARNING),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.OUTBOX,
    family="outbox_queue",
    summary="Commands arrive faster than the ledger takes them.",
    description=f"{{{{ $value | humanize }}}} commands {_IN} wait for submission.",
    thresholds=(QUEUE_WARNING,),
    drill=Fault.STOP_LEDGER,
)
QUEUE_IS_CRITICAL: Final = Alert(
    name="OutboxQueueCritical",
    expr=beyond(_QUEUE, ">", QUEUE_CRITICAL),
    for_s=120,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="outbox_queue",
    summary="The queue of commands is long; writes will soon be refused.",
    description=f"{{{{ $value | humanize }}}} commands {_IN} wait for submission.",
    thresholds=(QUEUE_CRITICAL,),
    drill=Fault.STOP_LEDGER,
)
DEAD_LETTERS_ACCUMULATE: Final = Alert(
    name="DeadLetterQueueAccumulating",
    expr=beyond(
        sum_by(increase(select(OUTBOX_COMMANDS_DEAD_LETTERED), 300), NAMESPACE),
        ">",
        DEAD_LETTERS_RISE,
    ),
    severity=Severity.WARNING,
    component=Component.OUTBOX,
    family="dlq",
    summary="Commands are being given up.",
    description=f"{{{{ $value | humanize }}}} commands {_IN} were given up within 5 minutes.",
    thresholds=(DEAD_LETTERS_RISE,),
    drill=Fault.POISON_COMMANDS,
)
DEAD_LETTERS_ARE_CRITICAL: Final = Alert(
    name="DeadLetterQueueCritical",
    expr=beyond(max_by(select(OUTBOX_DLQ_COMMANDS), NAMESPACE), ">", DEAD_LETTERS_CRITICAL),
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="dlq",
    summary="Many given-up commands wait for somebody to replay or discard them.",
    description=f"{{{{ $value | humanize }}}} dead letters {_IN} are not handled.",
    thresholds=(DEAD_LETTERS_CRITICAL,),
    drill=Fault.POISON_COMMANDS,
)
BREAKER_IS_OPEN: Final = Alert(
    name="FabricCircuitBreakerOpen",
    expr=beyond(
        max_by(avg_over(select(CIRCUIT_BREAKER_STATE), 60), NAMESPACE, "instance"), ">", BREAKER
    ),
    for_s=60,
    crossing_s=45,
    severity=Severity.CRITICAL,
    component=Component.FABRIC,
    family="breaker",
    summary="The ledger does not answer; commands wait.",
    description=(
        f"The circuit breaker of {{{{ $labels.instance }}}} {_IN} was "
        "{{ $value | humanizePercentage }} open over the last minute."
    ),
    thresholds=(BREAKER,),
    drill=Fault.STOP_LEDGER,
)
FABRIC_FAILURES: Final = Alert(
    name="FabricTransactionFailureRate",
    expr=_fabric_failures(FABRIC_WARNING),
    for_s=180,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="fabric_failures",
    summary="More than 5 % of the ledger transactions fail.",
    description=f"{{{{ $value | humanize }}}} % of the ledger transactions {_IN} fail.",
    thresholds=(FABRIC_WARNING, FABRIC_VOLUME),
    drill=Fault.PAUSE_LEDGER,
)
FABRIC_FAILURES_ARE_CRITICAL: Final = Alert(
    name="FabricTransactionFailureCritical",
    expr=_fabric_failures(FABRIC_CRITICAL),
    for_s=60,
    crossing_s=75,
    severity=Severity.CRITICAL,
    component=Component.FABRIC,
    family="fabric_failures",
    summary="More than 20 % of the ledger transactions fail.",
    description=f"{{{{ $value | humanize }}}} % of the ledger transactions {_IN} fail.",
    thresholds=(FABRIC_CRITICAL, FABRIC_VOLUME),
    drill=Fault.PAUSE_LEDGER,
)
EVENTS_FAIL: Final = Alert(
    name="EventProcessingFailures",
    expr=beyond(sum_by(rate(select(PROJECTOR_EVENTS_FAILED), 300), NAMESPACE), ">", FAILED_EVENTS),
    for_s=180,
    crossing_s=105,
    severity=Severity.WARNING,
    component=Component.PROJECTOR,
    family="event_failures",
    summary="An event cannot be folded; the projection stands still at it.",
    description=f"{{{{ $value | humanize }}}} folds per second {_IN} fail.",
    thresholds=(FAILED_EVENTS,),
    drill=Fault.STALL_PROJECTOR,
)
# `up` alone is silent once a target has left the configuration, so what should be there is said
# by rules of its own (`gx:expected_target`).
SERVICE_DOWN: Final = Alert(
    name="BackendServiceDown",
    expr=either(
        select(UP, _OURS).equals(0),
        unless(select(EXPECTED_TARGET), select(UP), on=["job", NAMESPACE, "service"]),
    ),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.INFRASTRUCTURE,
    family="service_down",
    slo=Objective.AVAILABILITY,
    summary="A process of the backend does not answer its scrapes, or is not scraped at all.",
    description=(
        f"{{{{ $labels.service }}}} ({{{{ $labels.job }}}}) {_IN} is down: "
        "its last scrape failed, or no such target exists (value {{ $value }})."
    ),
    drill=Fault.STOP_API,
)
HIGH_CPU: Final = Alert(
    name="BackendHighCPU",
    expr=beyond(
        _share_of_limit(rate(select(PROCESS_CPU, _OURS), 300), select(PROCESS_CPU_LIMIT)), ">", CPU
    ),
    for_s=300,
    crossing_s=240,
    severity=Severity.WARNING,
    component=Component.INFRASTRUCTURE,
    family="cpu",
    summary="A process of the backend uses most of its CPUs.",
    description=f"{{{{ $labels.instance }}}} {_IN} uses {{{{ $value | humanize }}}} % of its CPUs.",
    thresholds=(CPU,),
    drill=Fault.BURN_CPU,
)
HIGH_MEMORY: Final = Alert(
    name="BackendHighMemory",
    expr=beyond(
        _share_of_limit(select(PROCESS_RESIDENT_MEMORY, _OURS), select(PROCESS_MEMORY_LIMIT)),
        ">",
        MEMORY,
    ),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.INFRASTRUCTURE,
    family="memory",
    summary="A process of the backend is near its memory limit.",
    description=(
        f"{{{{ $labels.instance }}}} {_IN} uses {{{{ $value | humanize }}}} % of its memory."
    ),
    thresholds=(MEMORY,),
    drill=Fault.FILL_MEMORY,
)
RESTART_LOOP: Final = Alert(
    name="BackendPodRestartLoop",
    expr=_restarts(),
    for_s=300,
    crossing_s=120,
    severity=Severity.WARNING,
    component=Component.INFRASTRUCTURE,
    family="restarts",
    summary="A process of the backend restarts again and again.",
    description=(
        "{{ $labels.pod }}{{ $labels.instance }} "
        f"{_IN} restarts {{{{ $value | humanize }}}} times a minute."
    ),
    thresholds=(RESTARTS,),
    drill=Fault.RESTART_OFTEN,
)
POOL_IS_EXHAUSTED: Final = Alert(
    name="DatabaseConnectionPoolExhausted",
    expr=combine(
        max_by(select(DATABASE_POOL_ACTIVE), *_TARGET),
        ">=",
        max_by(select(DATABASE_POOL_MAX), *_TARGET) > 0,
        on=_TARGET,
    ),
    for_s=120,
    severity=Severity.CRITICAL,
    component=Component.DATABASE,
    family="db_pool",
    summary="Every database connection of a process is in use; requests wait.",
    description=f"All {{{{ $value }}}} connections of {{{{ $labels.instance }}}} {_IN} are in use.",
    drill=Fault.HOLD_CONNECTIONS,
)

BACKEND_ALERTS: Final = (
    SUCCESS_RATE_BELOW_SLO,
    LAG_EXCEEDS_SLO,
    LAG_IS_CRITICAL,
    API_IS_SLOW,
    API_IS_VERY_SLOW,
    QUEUE_BUILDS_UP,
    QUEUE_IS_CRITICAL,
    DEAD_LETTERS_ACCUMULATE,
    DEAD_LETTERS_ARE_CRITICAL,
    BREAKER_IS_OPEN,
    FABRIC_FAILURES,
    FABRIC_FAILURES_ARE_CRITICAL,
    EVENTS_FAIL,
    SERVICE_DOWN,
    HIGH_CPU,
    HIGH_MEMORY,
    RESTART_LOOP,
    POOL_IS_EXHAUSTED,
)
