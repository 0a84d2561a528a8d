"""What the projector exports: its lag, its events, its checkpoint and the ledger's height."""

from typing import Final

from gx.telemetry.catalogue.dimensions import (
    EVENT_TYPE,
    LATENCY_BOUNDS_MS,
    PROJECTOR,
    QUOTED,
    SAMPLE_STALE_AFTER_S,
)
from gx.telemetry.metric import Kind, Label, Metric, Unit, ValueSource, repeat

PROJECTION_LAG: Final = Metric(
    name="projector_lag_milliseconds",
    kind=Kind.GAUGE,
    help="Age of the oldest block not yet projected, computed at the scrape; 0 when caught up.",
    unit=Unit.MILLISECONDS,
    processes=PROJECTOR,
    unit_exception=QUOTED,
)
PROJECTION_LAG_BLOCKS: Final = Metric(
    name="projector_lag_blocks",
    kind=Kind.GAUGE,
    help="Blocks on the ledger that are not projected yet.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
)
PROJECTOR_EVENTS_PROCESSED: Final = Metric(
    name="projector_events_processed_total",
    kind=Kind.COUNTER,
    help="Events folded into the read models.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
    labels=(EVENT_TYPE,),
    unit_exception=QUOTED,
)
PROJECTOR_EVENTS_FAILED: Final = Metric(
    name="projector_events_failed_total",
    kind=Kind.COUNTER,
    help="Attempts to fold an event that failed; the projection stands still at that event.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
    labels=(EVENT_TYPE,),
    unit_exception=QUOTED,
)
PROJECTOR_PROCESSING_DURATION_MS: Final = Metric(
    name="projector_event_processing_duration_ms",
    kind=Kind.HISTOGRAM,
    help="Time that an event's fold and its share of the commit took.",
    unit=Unit.MILLISECONDS,
    processes=PROJECTOR,
    buckets=LATENCY_BOUNDS_MS,
    unit_exception=QUOTED,
)
PROJECTOR_PROCESSING_DURATION_S: Final = repeat(
    PROJECTOR_PROCESSING_DURATION_MS,
    "projector_processing_duration_seconds",
    unit=Unit.SECONDS,
    divisor=1000,
)
PROJECTOR_CHECKPOINT: Final = Metric(
    name="projector_checkpoint_block_number",
    kind=Kind.GAUGE,
    help="Number of the last fully projected block.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
)
PROJECTOR_CHECKPOINT_POSITION: Final = repeat(PROJECTOR_CHECKPOINT, "projector_checkpoint_position")
PROJECTOR_WORKER_STATUS: Final = Metric(
    name="projector_worker_status",
    kind=Kind.GAUGE,
    help="1 while the projector's loop runs, active or standby; 0 when it stopped.",
    unit=Unit.STATE,
    processes=PROJECTOR,
)
PROJECTOR_WORKER_ACTIVE: Final = Metric(
    name="projector_worker_active",
    kind=Kind.GAUGE,
    help="1 while this projector holds the lease.",
    unit=Unit.STATE,
    processes=PROJECTOR,
)
PROJECTOR_LEASE_EPOCH: Final = Metric(
    name="projector_lease_epoch",
    kind=Kind.GAUGE,
    help="Epoch of the projector's lease that this process last held or saw.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
)
PROJECTOR_PARKED_EVENTS: Final = Metric(
    name="projector_parked_events",
    kind=Kind.GAUGE,
    help="Events that operators set aside: what they changed is missing from the read models.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
)
LEDGER_BLOCKCHAIN_HEIGHT: Final = Metric(
    name="ledger_blockchain_height",
    kind=Kind.GAUGE,
    help="Number of blocks on the ledger, as last read.",
    unit=Unit.COUNT,
    processes=PROJECTOR,
    labels=(Label("channel", source=ValueSource.CHANNEL),),
    stale_after_s=SAMPLE_STALE_AFTER_S,
)
RECONCILIATION_DIFFERENCE: Final = Metric(
    name="reconciliation_difference",
    kind=Kind.GAUGE,
    help="How far ledger and read models disagree about accounts, the coins minted and their sum.",
    unit=Unit.BASE_UNITS,
    processes=PROJECTOR,
    labels=(Label("kind", values=("accounts", "balances", "minted")),),
)

METRICS: Final = (
    PROJECTION_LAG,
    PROJECTION_LAG_BLOCKS,
    PROJECTOR_EVENTS_PROCESSED,
    PROJECTOR_EVENTS_FAILED,
    PROJECTOR_PROCESSING_DURATION_MS,
    PROJECTOR_PROCESSING_DURATION_S,
    PROJECTOR_CHECKPOINT,
    PROJECTOR_CHECKPOINT_POSITION,
    PROJECTOR_WORKER_STATUS,
    PROJECTOR_WORKER_ACTIVE,
    PROJECTOR_LEASE_EPOCH,
    PROJECTOR_PARKED_EVENTS,
    LEDGER_BLOCKCHAIN_HEIGHT,
    RECONCILIATION_DIFFERENCE,
)
