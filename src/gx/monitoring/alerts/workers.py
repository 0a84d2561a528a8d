"""Workers that run and get nowhere, or that find what they wrote to differ from the ledger."""

from typing import Final

from gx.monitoring.model import (
    CAPACITY_DASHBOARD,
    Alert,
    Component,
    Fault,
    Objective,
    Severity,
)
from gx.monitoring.promql import both, either, increase, max_by, min_by, min_over, select, sum_by
from gx.monitoring.recording import NAMESPACE
from gx.monitoring.selectors import one_of
from gx.monitoring.thresholds import RECONCILIATION_OVERDUE, beyond
from gx.telemetry.catalogue.every_process import RECONCILIATION_AGE, UPGRADE_NEEDED
from gx.telemetry.catalogue.read_path import PROJECTOR_PARKED_EVENTS, PROJECTOR_WORKER_STATUS
from gx.telemetry.catalogue.write_path import (
    CIRCUIT_BREAKER_REJECTIONS,
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_DIFFERENCES,
    OUTBOX_PROCESSING_COMMANDS,
    OUTBOX_WORKER_STATUS,
)

_IN: Final = "in {{ $labels.namespace }}"
_WINDOW_S: Final = 300
_WORKER: Final = (NAMESPACE, "service", "instance")
_OUTCOMES: Final = select(
    OUTBOX_COMMANDS_PROCESSED, one_of("status", "success", "failed", "rejected")
)

# The queue's own alerts are about commands that wait for submission; these were submitted.
COMMANDS_UNRESOLVED: Final = Alert(
    name="CommandsUnresolved",
    expr=both(
        max_by(min_over(select(OUTBOX_PROCESSING_COMMANDS), _WINDOW_S), NAMESPACE) > 0,
        sum_by(increase(_OUTCOMES, _WINDOW_S), NAMESPACE).equals(0),
        on=[NAMESPACE],
    ),
    for_s=120,
    crossing_s=_WINDOW_S,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="unresolved",
    slo=Objective.TRANSACTION_SUCCESS,
    summary="Submitted commands get no outcome: the ledger's verdicts or answers cannot be read.",
    description=f"{{{{ $value }}}} commands {_IN} were submitted, and none gets an outcome.",
    dashboard=CAPACITY_DASHBOARD,
    drill=Fault.STOP_LEDGER,
)
BREAKER_REJECTS: Final = Alert(
    name="CircuitBreakerRejecting",
    expr=sum_by(increase(select(CIRCUIT_BREAKER_REJECTIONS), _WINDOW_S), NAMESPACE) > 0,
    for_s=600,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="breaker",
    summary="The circuit breaker keeps refusing calls of the ledger, openly or in short bursts.",
    description=f"{{{{ $value | humanize }}}} calls of the ledger {_IN} were refused in 5 minutes.",
    drill=Fault.STOP_LEDGER,
)
WORKER_STOPPED: Final = Alert(
    name="WorkerStopped",
    expr=either(
        min_by(select(OUTBOX_WORKER_STATUS), *_WORKER).equals(0),
        min_by(select(PROJECTOR_WORKER_STATUS), *_WORKER).equals(0),
    ),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.INFRASTRUCTURE,
    family="worker_stopped",
    summary="A worker's process answers while its loop has stopped.",
    description=(
        f"The loop of {{{{ $labels.service }}}} ({{{{ $labels.instance }}}}) {_IN} has stopped "
        "(value {{ $value }})."
    ),
    drill=Fault.STAND_IN,
)
EVENTS_PARKED: Final = Alert(
    name="ProjectionEventsParked",
    expr=max_by(select(PROJECTOR_PARKED_EVENTS), NAMESPACE) > 0,
    for_s=60,
    severity=Severity.WARNING,
    component=Component.PROJECTOR,
    family="parked_events",
    summary="Events were set aside by hand: what they changed is missing from the read models.",
    description=f"{{{{ $value }}}} events {_IN} are parked.",
    drill=Fault.PARK_EVENT,
)

# A process that waits for its upgrade is healthy and up to date with all that it can read, so
# nothing else says so early: the lag grows only with the next block.
UPGRADE_IS_NEEDED: Final = Alert(
    name="UpgradeNeeded",
    expr=max_by(select(UPGRADE_NEEDED), NAMESPACE, "service", "reason") > 0,
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.INFRASTRUCTURE,
    family="too_old",
    summary="A process waits: a newer release wrote what only a newer release can read.",
    description=(
        f"{{{{ $labels.service }}}} {_IN} is older than what it met "
        "({{ $labels.reason }}: {{ $value }}) and waits for its upgrade."
    ),
    drill=Fault.MIGRATE_AHEAD,
)

OUTBOX_DIFFERS: Final = Alert(
    name="OutboxDiffersFromLedger",
    expr=max_by(select(OUTBOX_DIFFERENCES), NAMESPACE, "kind") > 0,
    for_s=300,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="reconciliation",
    summary="What commands were told differs from what the ledger answered.",
    description=f"{{{{ $value }}}} commands {_IN} differ from the ledger ({{{{ $labels.kind }}}}).",
    drill=Fault.FALSIFY_RECORD,
)
RECONCILIATION_IS_OVERDUE: Final = Alert(
    name="ReconciliationOverdue",
    expr=beyond(
        max_by(select(RECONCILIATION_AGE), NAMESPACE, "service"), ">", RECONCILIATION_OVERDUE
    ),
    for_s=300,
    severity=Severity.WARNING,
    component=Component.INFRASTRUCTURE,
    family="reconciliation_overdue",
    summary="Comparing with the ledger does not come to its end: differences would go unseen.",
    description=(
        f"{{{{ $labels.service }}}} {_IN} has not compared everything with the ledger for "
        "{{ $value | humanizeDuration }}."
    ),
    thresholds=(RECONCILIATION_OVERDUE,),
    drill=Fault.STAND_IN,
)

WORKER_ALERTS: Final = (
    COMMANDS_UNRESOLVED,
    BREAKER_REJECTS,
    WORKER_STOPPED,
    EVENTS_PARKED,
    UPGRADE_IS_NEEDED,
    OUTBOX_DIFFERS,
    RECONCILIATION_IS_OVERDUE,
)
