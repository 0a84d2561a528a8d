"""Makes one process's instruments from the catalogue, and knows when one is missing."""

import hashlib
import platform
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from gx import __version__
from gx.telemetry.catalogue import aliases_of, every_process, metrics_of
from gx.telemetry.cells import Counter, Gauge, Histogram
from gx.telemetry.families import Family, MetricsRegistry, Reading, Source
from gx.telemetry.limits import read_cpu_limit_cores, read_memory_limit_bytes
from gx.telemetry.metric import Label, Metric, Process, ValueSource
from gx.telemetry.vectors import CounterVector, GaugeVector, HistogramVector, LabelValues

_DIGEST_BYTES: Final = 6  # 48 bits: what a float holds exactly, as Alertmanager's config hash does


class IncompleteMetricsError(RuntimeError):
    """A process would not export everything that the catalogue promises for it."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What a process says about itself: its version and the text of its configuration.

    Only a hash of the configuration is exported. Give it without secrets all the same.
    """

    version: str = __version__
    configuration: str = ""
    monotonic_s: Callable[[], float] = time.monotonic

    @property
    def config_hash(self) -> float:
        """Return the first 48 bits of the configuration's SHA-256 as a number."""
        digest = hashlib.sha256(self.configuration.encode()).digest()
        return float(int.from_bytes(digest[:_DIGEST_BYTES], "big"))


class InstrumentFactory:
    """Makes each instrument with its aliases and its children at 0, and registers it.

    `values` says which label values there are where the catalogue names only their source.
    """

    def __init__(
        self,
        registry: MetricsRegistry,
        process: Process,
        *,
        values: Mapping[ValueSource, Collection[str]],
        facts: ProcessFacts | None = None,
    ) -> None:
        self._registry = registry
        self._process = process
        self._values = values
        self._facts = facts or ProcessFacts()
        self._made: set[Metric] = set()
        self._describe_process()

    def counter(self, metric: Metric) -> Counter:
        """Make a counter without labels, at 0."""
        counter = Counter()
        self._export(metric, lambda: [((), counter.read())])
        return counter

    def gauge(self, metric: Metric, *, start: float | None = None) -> Gauge:
        """Make a gauge without labels, absent unless `start` is given."""
        gauge = self._new_gauge(metric)
        if start is not None:
            gauge.set(start)
        self._export(metric, lambda: _present([((), gauge)]))
        return gauge

    def histogram(self, metric: Metric) -> Histogram:
        """Make a histogram without labels."""
        histogram = Histogram(metric.buckets)
        self._export(metric, lambda: [((), histogram.read())])
        return histogram

    def counters(
        self, metric: Metric, children: Iterable[LabelValues] | None = None
    ) -> CounterVector:
        """Make a labelled counter with these children at 0; else with every combination."""
        vector = CounterVector(metric, Counter, self._known(metric))
        vector.create(self._combinations(metric) if children is None else children)
        self._export(metric, lambda: [(key, cell.read()) for key, cell in vector.children()])
        return vector

    def histograms(self, metric: Metric, children: Iterable[LabelValues]) -> HistogramVector:
        """Make a labelled histogram with these children."""
        vector = HistogramVector(metric, lambda: Histogram(metric.buckets), self._known(metric))
        vector.create(children)
        self._export(metric, lambda: [(key, cell.read()) for key, cell in vector.children()])
        return vector

    def gauges(self, metric: Metric) -> GaugeVector:
        """Make a labelled gauge; a child is absent until it is set."""
        vector = GaugeVector(metric, lambda: self._new_gauge(metric), self._known(metric))
        self._export(metric, lambda: _present(vector.children()))
        return vector

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises:
            IncompleteMetricsError: The catalogue promises a metric that was not made.
        """
        promised = {metric for metric in metrics_of(self._process) if not metric.by_client_library}
        missing = sorted(metric.name for metric in promised - self._made)
        if missing:
            raise IncompleteMetricsError(
                f"{self._process} does not export {', '.join(missing)}: make them where its "
                "instruments are built, or change their processes in the catalogue"
            )

    def _describe_process(self) -> None:
        info = self.gauges(every_process.BUILD_INFO)
        info(self._facts.version, platform.python_version()).set(1)
        self.gauge(every_process.CONFIG_HASH, start=self._facts.config_hash)
        self.gauge(every_process.PROCESS_CPU_LIMIT).read_with(read_cpu_limit_cores)
        self.gauge(every_process.PROCESS_MEMORY_LIMIT).read_with(read_memory_limit_bytes)

    def _new_gauge(self, metric: Metric) -> Gauge:
        return Gauge(
            metric.name,
            stale_after_s=metric.stale_after_s,
            monotonic_s=self._facts.monotonic_s,
        )

    def _export(self, metric: Metric, source: Source) -> None:
        aliases = aliases_of(metric)
        self._registry.add(Family(metric, aliases, source))
        self._made.update((metric, *aliases))

    def _known(self, metric: Metric) -> dict[Label, Collection[str]]:
        listed = {label: self._listed(label) for label in metric.labels}
        return {label: values for label, values in listed.items() if values is not None}

    def _listed(self, label: Label) -> Collection[str] | None:
        return label.values if label.source is None else self._values.get(label.source)

    def _combinations(self, metric: Metric) -> Iterable[LabelValues]:
        known = self._known(metric)
        return product(*(_with_fallback(label, known[label]) for label in metric.labels))


def _with_fallback(label: Label, values: Collection[str]) -> tuple[str, ...]:
    if label.fallback is None or label.fallback in values:
        return tuple(values)
    return (*values, label.fallback)


def _present(gauges: Iterable[tuple[LabelValues, Gauge]]) -> list[Reading]:
    readings = ((key, gauge.read()) for key, gauge in gauges)
    return [(key, value) for key, value in readings if value is not None]
