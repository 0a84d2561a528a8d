"""What the dead-man's receiver exports: what it heard, and whom it told."""

from typing import Final

from gx.telemetry.catalogue.dimensions import DEADMAN
from gx.telemetry.metric import Kind, Label, Metric, Unit

BEATS: Final = Metric(
    name="deadman_heartbeats_total",
    kind=Kind.COUNTER,
    help="Heartbeats that arrived; refused ones prove nothing and do not count as life.",
    unit=Unit.COUNT,
    processes=DEADMAN,
    labels=(Label("result", values=("accepted", "refused")),),
)
SILENCE: Final = Metric(
    name="deadman_silence_seconds",
    kind=Kind.GAUGE,
    help="How long this receiver has listened without hearing a heartbeat.",
    unit=Unit.SECONDS,
    processes=DEADMAN,
)
LAST_BEAT: Final = Metric(
    name="deadman_last_heartbeat_timestamp_seconds",
    kind=Kind.GAUGE,
    help="When the last heartbeat arrived; absent before the first.",
    unit=Unit.TIMESTAMP_SECONDS,
    processes=DEADMAN,
)
ALARM: Final = Metric(
    name="deadman_alarm",
    kind=Kind.GAUGE,
    help="1 while no heartbeat has come for too long.",
    unit=Unit.STATE,
    processes=DEADMAN,
)
NOTIFICATIONS: Final = Metric(
    name="deadman_notifications_total",
    kind=Kind.COUNTER,
    help="Attempts to tell a receiver that alerting is silent or speaks again, by outcome.",
    unit=Unit.COUNT,
    processes=DEADMAN,
    labels=(
        Label("receiver", values=("slack", "pagerduty", "webhook")),
        Label("status", values=("success", "error")),
    ),
)

METRICS: Final = (BEATS, SILENCE, LAST_BEAT, ALARM, NOTIFICATIONS)
