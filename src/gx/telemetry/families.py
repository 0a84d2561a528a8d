"""How a metric and its aliases reach a Prometheus registry, and become text.

A family reads each of its numbers once and writes it under every name, so that an alias never
differs from what it repeats. Each sample's text up to the number is built once and kept: 3,500
samples take 4 ms, where `prometheus_client.generate_latest` takes 27 ms and, in a thread or not,
keeps the interpreter from everything else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector
from prometheus_client import Metric as Exported
from prometheus_client.exposition import generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override

from gx.telemetry.cells import Distribution
from gx.telemetry.metric import Kind, Metric
from gx.telemetry.vectors import LabelValues

Reading = tuple[LabelValues, float | Distribution]
Source = Callable[[], Iterable[Reading]]
"""Reads every number of a metric once; a gauge that is absent is left out."""

# Exposed by prometheus_client without types; `le` must read as its own renderer writes it.
_go_float: Final[Callable[[float], str]] = floatToGoString

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class SampleText:
    """The exposition text of one metric name, all but the numbers kept from scrape to scrape."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._head = f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
        self._prefixes: dict[LabelValues, tuple[str, ...]] = {}

    def lines(self, readings: Iterable[Reading]) -> Iterator[str]:
        """Yield the text for these readings, which are in the primary metric's unit."""
        yield self._head
        for values, reading in readings:
            prefixes = self._prefixes.get(values) or self._build_prefixes(values)
            for prefix, number in zip(prefixes, self.numbers(reading), strict=True):
                yield f"{prefix} {_go_float(number)}\n"

    def numbers(self, reading: float | Distribution) -> tuple[float, ...]:
        """Return a reading's numbers in sample order and in this metric's unit."""
        divisor = self._metric.alias_divisor
        if isinstance(reading, Distribution):
            return (*reading.cumulative, reading.cumulative[-1], reading.total / divisor)
        return (reading / divisor,)

    def samples(self, values: LabelValues) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield name and labels of each sample that one reading becomes."""
        name, labels = self._metric.name, dict(zip(self._metric.label_names, values, strict=True))
        if self._metric.kind is not Kind.HISTOGRAM:
            yield name, labels
            return
        for bound in (*self._metric.buckets, float("inf")):
            yield f"{name}_bucket", {**labels, "le": _go_float(bound)}
        yield f"{name}_count", labels
        yield f"{name}_sum", labels

    def _build_prefixes(self, values: LabelValues) -> tuple[str, ...]:
        prefixes = tuple(_prefix(name, labels) for name, labels in self.samples(values))
        self._prefixes[values] = prefixes
        return prefixes


def _prefix(name: str, labels: dict[str, str]) -> str:
    if not labels:
        return name
    pairs = ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}"


class Family(Collector):
    """One metric with its aliases, as a Prometheus collector."""

    def __init__(self, metric: Metric, aliases: Sequence[Metric], source: Source) -> None:
        self._metrics = (metric, *aliases)
        self._texts = tuple(SampleText(each) for each in self._metrics)
        self._source = source

    def describe(self) -> list[Exported]:
        """Name the metrics, so that the registry refuses a second family of the same name."""
        return [_exported(metric) for metric in self._metrics]

    @override
    def collect(self) -> Iterator[Exported]:
        """Yield the metrics as prometheus_client's objects, for its own tools."""
        readings = tuple(self._source())
        for metric, text in zip(self._metrics, self._texts, strict=True):
            exported = _exported(metric)
            for values, reading in readings:
                for (name, labels), number in zip(
                    text.samples(values), text.numbers(reading), strict=True
                ):
                    exported.add_sample(name, labels, number)
            yield exported

    def lines(self) -> Iterator[str]:
        """Yield the metrics as exposition text."""
        readings = tuple(self._source())
        for text in self._texts:
            yield from text.lines(readings)


def _exported(metric: Metric) -> Exported:
    return Exported(metric.name.removesuffix("_total"), metric.help, metric.kind)


class MetricsRegistry(CollectorRegistry):
    """What one process exports: its families, and what prometheus_client says of the process.

    Private to its process's metrics: nothing registers itself here at import.
    """

    def __init__(self) -> None:
        super().__init__()
        self._families: list[Family] = []
        self._interpreter = CollectorRegistry()
        ProcessCollector(registry=self._interpreter)
        PlatformCollector(registry=self._interpreter)
        GCCollector(registry=self._interpreter)
        self.register(self._interpreter)

    def add(self, family: Family) -> None:
        """Export a family.

        Raises:
            DuplicateTimeseries: One of its names is exported already.
        """
        self.register(family)
        self._families.append(family)

    def render(self) -> bytes:
        """Return the text exposition (format 0.0.4) of everything, read now.

        Safe in any thread; gauges' readings are asked in the calling one.
        """
        lines = [line for family in self._families for line in family.lines()]
        return "".join(lines).encode() + generate_latest(self._interpreter)
