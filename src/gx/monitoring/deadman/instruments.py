"""The instruments of the dead-man's receiver."""

from dataclasses import dataclass

from gx.telemetry.catalogue import deadman
from gx.telemetry.cells import Gauge
from gx.telemetry.factory import InstrumentFactory, ProcessFacts
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.metric import Process
from gx.telemetry.vectors import CounterVector


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadmanMetrics:
    """What the dead-man's receiver says."""

    beats: CounterVector
    silence_s: Gauge
    last_beat_at_s: Gauge
    alarm: Gauge
    notifications: CounterVector


def build_deadman_metrics(
    registry: MetricsRegistry, *, facts: ProcessFacts | None = None
) -> DeadmanMetrics:
    """Make the dead-man's receiver's instruments and export them through `registry`."""
    make = InstrumentFactory(registry, Process.DEADMAN, values={}, facts=facts)
    metrics = DeadmanMetrics(
        beats=make.counters(deadman.BEATS),
        silence_s=make.gauge(deadman.SILENCE, start=0),
        last_beat_at_s=make.gauge(deadman.LAST_BEAT),
        alarm=make.gauge(deadman.ALARM, start=0),
        notifications=make.counters(deadman.NOTIFICATIONS),
    )
    make.finish()
    return metrics
