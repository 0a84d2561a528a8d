"""What the outbox-submitter exports: the queue, its batches, the ledger's answers."""

from typing import Final

from gx.telemetry.catalogue.dimensions import (
    BATCH_BOUNDS,
    CODE,
    COMMAND_TYPE,
    INVALIDATIONS,
    LATENCY_BOUNDS_MS,
    LATENCY_BOUNDS_S,
    QUOTED,
    SAMPLE_STALE_AFTER_S,
    SUBMITTER,
)
from gx.telemetry.metric import Kind, Label, Metric, Unit, repeat

OUTBOX_PENDING_COMMANDS: Final = Metric(
    name="outbox_pending_commands",
    kind=Kind.GAUGE,
    help="Commands that are accepted and wait for submission.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    stale_after_s=SAMPLE_STALE_AFTER_S,
)
OUTBOX_QUEUE_DEPTH: Final = repeat(OUTBOX_PENDING_COMMANDS, "outbox_queue_depth")
OUTBOX_PROCESSING_COMMANDS: Final = Metric(
    name="outbox_processing_commands",
    kind=Kind.GAUGE,
    help="Commands inside a ledger transaction whose verdict is not known yet.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    stale_after_s=SAMPLE_STALE_AFTER_S,
)
OUTBOX_DLQ_COMMANDS: Final = Metric(
    name="outbox_dlq_commands",
    kind=Kind.GAUGE,
    help="Dead letters that nobody has replayed or discarded.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    stale_after_s=SAMPLE_STALE_AFTER_S,
)
OUTBOX_OLDEST_PENDING_AGE: Final = Metric(
    name="outbox_oldest_pending_age_seconds",
    kind=Kind.GAUGE,
    help="Age of the oldest command that waits for submission; 0 when none waits.",
    unit=Unit.SECONDS,
    processes=SUBMITTER,
    stale_after_s=SAMPLE_STALE_AFTER_S,
)
OUTBOX_COMMANDS_PROCESSED: Final = Metric(
    name="outbox_commands_processed_total",
    kind=Kind.COUNTER,
    help="Commands by outcome: success, failed (dead letter or defect), rejected; and retries.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(Label("status", values=("success", "failed", "rejected", "retry")), COMMAND_TYPE),
    unit_exception=QUOTED,
)
OUTBOX_COMMANDS_REJECTED: Final = Metric(
    name="outbox_commands_rejected_total",
    kind=Kind.COUNTER,
    help="Commands that the ledger refused, by refusal code.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(COMMAND_TYPE, CODE),
    unit_exception=QUOTED,
)
OUTBOX_COMMANDS_DEAD_LETTERED: Final = Metric(
    name="outbox_commands_dead_lettered_total",
    kind=Kind.COUNTER,
    help="Commands given up and put into the dead letters.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(COMMAND_TYPE,),
    unit_exception=QUOTED,
)
OUTBOX_PROCESSING_DURATION: Final = Metric(
    name="outbox_processing_duration_seconds",
    kind=Kind.HISTOGRAM,
    help="Time from gathering a batch to its settlement.",
    unit=Unit.SECONDS,
    processes=SUBMITTER,
    buckets=LATENCY_BOUNDS_S,
)
OUTBOX_COMMIT_LATENCY: Final = Metric(
    name="outbox_command_commit_latency_seconds",
    kind=Kind.HISTOGRAM,
    help="Time from a command's acceptance to its commit on the ledger.",
    unit=Unit.SECONDS,
    processes=SUBMITTER,
    buckets=LATENCY_BOUNDS_S,
)
OUTBOX_BATCH_COMMANDS: Final = Metric(
    name="outbox_batch_commands",
    kind=Kind.HISTOGRAM,
    help="Commands that rode in one ledger transaction.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    buckets=BATCH_BOUNDS,
)
OUTBOX_WORKER_STATUS: Final = Metric(
    name="outbox_worker_status",
    kind=Kind.GAUGE,
    help="1 while the submitter's loop runs, active or standby; 0 when it stopped.",
    unit=Unit.STATE,
    processes=SUBMITTER,
)
OUTBOX_WORKER_ACTIVE: Final = Metric(
    name="outbox_worker_active",
    kind=Kind.GAUGE,
    help="1 while this submitter holds the lease.",
    unit=Unit.STATE,
    processes=SUBMITTER,
)
OUTBOX_LEASE_EPOCH: Final = Metric(
    name="outbox_lease_epoch",
    kind=Kind.GAUGE,
    help="Epoch of the submitter's lease that this process last held or saw.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
)
FABRIC_TRANSACTION_SUBMISSIONS: Final = Metric(
    name="fabric_transaction_submissions_total",
    kind=Kind.COUNTER,
    help="Ledger transactions by end: success, or error when no valid verdict came.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(Label("status", values=("success", "error")),),
)
FABRIC_REENDORSEMENTS: Final = Metric(
    name="fabric_reendorsements_total",
    kind=Kind.COUNTER,
    help="Transactions that had to be endorsed again, by why.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(
        Label("reason", values=(*INVALIDATIONS, "NOT_FOUND", "PAYLOADS_DIFFER"), fallback="OTHER"),
    ),
)
FABRIC_TRANSACTION_DURATION: Final = Metric(
    name="fabric_transaction_duration_ms",
    kind=Kind.HISTOGRAM,
    help="Time from preparing a ledger transaction to its verdict.",
    unit=Unit.MILLISECONDS,
    processes=SUBMITTER,
    buckets=LATENCY_BOUNDS_MS,
    unit_exception=QUOTED,
)
CIRCUIT_BREAKER_STATE: Final = Metric(
    name="circuit_breaker_state",
    kind=Kind.GAUGE,
    help="Circuit breaker around the ledger: 0 closed, 0.5 half-open, 1 open.",
    unit=Unit.STATE,
    processes=SUBMITTER,
)
CIRCUIT_BREAKER_TRANSITIONS: Final = Metric(
    name="circuit_breaker_transitions_total",
    kind=Kind.COUNTER,
    help="Changes of the circuit breaker's state, by the state entered.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(Label("to", values=("closed", "half_open", "open")),),
)
CIRCUIT_BREAKER_REJECTIONS: Final = Metric(
    name="circuit_breaker_rejections_total",
    kind=Kind.COUNTER,
    help="Ledger calls that the open circuit breaker refused at once.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
)

OUTBOX_DIFFERENCES: Final = Metric(
    name="outbox_reconciliation_differences",
    kind=Kind.GAUGE,
    help="Commands whose record differs from the ledger's answer, by how it differs.",
    unit=Unit.COUNT,
    processes=SUBMITTER,
    labels=(
        Label(
            "kind",
            values=(
                "command_unknown",
                "ledger",
                "result_missing",
                "result_unfounded",
                "result_wrong",
            ),
        ),
    ),
)

METRICS: Final = (
    OUTBOX_PENDING_COMMANDS,
    OUTBOX_QUEUE_DEPTH,
    OUTBOX_PROCESSING_COMMANDS,
    OUTBOX_DLQ_COMMANDS,
    OUTBOX_OLDEST_PENDING_AGE,
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_COMMANDS_REJECTED,
    OUTBOX_COMMANDS_DEAD_LETTERED,
    OUTBOX_PROCESSING_DURATION,
    OUTBOX_COMMIT_LATENCY,
    OUTBOX_BATCH_COMMANDS,
    OUTBOX_WORKER_STATUS,
    OUTBOX_WORKER_ACTIVE,
    OUTBOX_LEASE_EPOCH,
    FABRIC_TRANSACTION_SUBMISSIONS,
    FABRIC_REENDORSEMENTS,
    FABRIC_TRANSACTION_DURATION,
    CIRCUIT_BREAKER_STATE,
    CIRCUIT_BREAKER_TRANSITIONS,
    CIRCUIT_BREAKER_REJECTIONS,
    OUTBOX_DIFFERENCES,
)
