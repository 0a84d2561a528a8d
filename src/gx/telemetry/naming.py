"""The rules that names, units, labels and aliases of the catalogue keep.

Prometheus' own conventions (prometheus.io/docs/practices/naming), and one of this project: the
names that the original rules quote stay as they are, each marked with `unit_exception`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from gx.telemetry.metric import Kind, Metric, Unit

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_LABEL: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_HISTOGRAM_WORDS: Final = ("_duration_", "_latency_")
_HISTOGRAM_SUFFIX: Final = "_size_bytes"

# Set by the scrape, never by the application: a clash would rename ours to exported_<name>.
_TARGET_LABELS: Final = frozenset({"namespace", "environment", "job", "instance", "pod", "le"})

_SUFFIXES: Final = {
    Unit.SECONDS: ("_seconds",),
    Unit.MILLISECONDS: ("_ms", "_milliseconds"),
    Unit.TIMESTAMP_SECONDS: ("_timestamp_seconds", "_time_seconds"),
    Unit.BYTES: ("_bytes",),
    Unit.CORES: ("_cores",),
}
_DIVISORS: Final = {(Unit.MILLISECONDS, Unit.SECONDS): 1000}


def find_faults(catalogue: Iterable[Metric]) -> tuple[str, ...]:
    """Say every way in which a catalogue breaks the rules; empty when it keeps them all."""
    metrics = tuple(catalogue)
    return (
        *_duplicates(metrics),
        *(f"{metric.name}: {fault}" for metric in metrics for fault in _faults(metric)),
        *(
            f"{metric.name}: {fault}"
            for metric in metrics
            if metric.alias_of is not None
            for fault in _alias_faults(metric, metric.alias_of, metrics)
        ),
    )


def _duplicates(metrics: tuple[Metric, ...]) -> Iterator[str]:
    names = Counter(name for metric in metrics for name in {metric.name, *metric.series_names})
    return (f"{name}: declared {count} times" for name, count in names.items() if count > 1)


def _faults(metric: Metric) -> Iterator[str]:
    if not _NAME.fullmatch(metric.name):
        yield "is not snake_case with a prefix"
    if not metric.help.endswith("."):
        yield "its help is not a sentence"
    if not metric.processes:
        yield "no process exports it"
    yield from _kind_faults(metric)
    yield from _unit_faults(metric)
    yield from _bucket_faults(metric)
    yield from _label_faults(metric)


def _kind_faults(metric: Metric) -> Iterator[str]:
    if metric.name.endswith("_total") != (metric.kind is Kind.COUNTER):
        yield "`_total` ends the name of every counter, and of nothing else"
    looks_like_histogram = metric.name.endswith(_HISTOGRAM_SUFFIX) or any(
        word in metric.name for word in _HISTOGRAM_WORDS
    )
    if looks_like_histogram and metric.kind is not Kind.HISTOGRAM:
        yield "durations, latencies and sizes are histograms"
    if metric.stale_after_s is not None and metric.kind is not Kind.GAUGE:
        yield "only a gauge can be stale"


def _unit_faults(metric: Metric) -> Iterator[str]:
    suffixes = _SUFFIXES.get(metric.unit, ())
    if suffixes and not metric.name.removesuffix("_total").endswith(suffixes):
        yield f"its name does not end with its unit ({' or '.join(suffixes)})"
    if metric.unit is Unit.MILLISECONDS and metric.unit_exception is None:
        yield "a new metric uses seconds"


def _bucket_faults(metric: Metric) -> Iterator[str]:
    if bool(metric.buckets) != (metric.kind is Kind.HISTOGRAM):
        yield "a histogram has buckets, and nothing else has"
    if any(lower >= upper for lower, upper in pairwise(metric.buckets)):
        yield "its buckets do not rise"


def _label_faults(metric: Metric) -> Iterator[str]:
    if len(set(metric.label_names)) != len(metric.labels):
        yield "a label appears twice"
    for label in metric.labels:
        if label.name in _TARGET_LABELS:
            yield f"the label {label.name} belongs to the scrape target"
        if not _LABEL.fullmatch(label.name) and metric.unit_exception is None:
            yield f"the label {label.name} of a new metric is not snake_case"
        if bool(label.values) == (label.source is not None):
            yield f"the label {label.name} needs either values or a source"


def _alias_faults(alias: Metric, primary: Metric, metrics: tuple[Metric, ...]) -> Iterator[str]:
    if primary not in metrics:
        yield f"{primary.name}, which it repeats, is not in the catalogue"
    if primary.alias_of is not None:
        yield f"it repeats {primary.name}, which is an alias itself"
    if (alias.kind, alias.labels, alias.processes) != (
        primary.kind,
        primary.labels,
        primary.processes,
    ):
        yield f"its kind, labels or processes differ from those of {primary.name}"
    divisor = 1 if alias.unit is primary.unit else _DIVISORS.get((primary.unit, alias.unit))
    if alias.alias_divisor != divisor:
        yield f"the divisor from {primary.unit} to {alias.unit} is not {alias.alias_divisor}"
    if alias.buckets != tuple(bound / alias.alias_divisor for bound in primary.buckets):
        yield f"its buckets are not those of {primary.name}, converted"
