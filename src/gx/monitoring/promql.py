"""PromQL made from declared series: a name or a label that nobody exports cannot be written down.

Every expression knows its text, its result's labels and the series that it reads: a dropped
label, an unknown status or a rate of a gauge is an error where it is written. Vectors are matched
`on` named labels alone: what is unnamed changes with the way of deployment.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gx.monitoring.durations import duration
from gx.monitoring.selectors import (
    Matcher,
    PromqlError,
    Series,
    check,
    escape,
    kind_of,
    labels_of,
    matches,
)
from gx.telemetry.metric import Kind, Metric

RATE_INTERVAL: Final = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Expr:
    """An instant vector or a scalar.

    `labels` are on every sample, `maybe` on some; `reads` are the series selected at any depth.
    An operation between operands gets brackets when it becomes one.
    """

    text: str
    labels: frozenset[str] = frozenset()
    reads: frozenset[Series] = field(default=frozenset(), repr=False)
    maybe: frozenset[str] = frozenset()
    is_scalar: bool = False
    is_operation: bool = False

    @property
    def enclosed(self) -> str:
        """Its text as an operand."""
        return f"({self.text})" if self.is_operation else self.text

    def __gt__(self, other: "Operand") -> "Expr":
        """Keep the samples above a number, or above their match's when labels are the same."""
        return combine(self, ">", other)

    def __ge__(self, other: "Operand") -> "Expr":
        """Keep the samples at or above."""
        return combine(self, ">=", other)

    def __lt__(self, other: "Operand") -> "Expr":
        """Keep the samples below."""
        return combine(self, "<", other)

    def __le__(self, other: "Operand") -> "Expr":
        """Keep the samples at or below."""
        return combine(self, "<=", other)

    def __add__(self, other: "Operand") -> "Expr":
        """Add."""
        return combine(self, "+", other)

    def __sub__(self, other: "Operand") -> "Expr":
        """Subtract."""
        return combine(self, "-", other)

    def __mul__(self, other: "Operand") -> "Expr":
        """Multiply."""
        return combine(self, "*", other)

    def __truediv__(self, other: "Operand") -> "Expr":
        """Divide."""
        return combine(self, "/", other)

    def __rmul__(self, other: float) -> "Expr":
        """Multiply a number by it."""
        return combine(number(other), "*", self)

    def __rsub__(self, other: float) -> "Expr":
        """Subtract it from a number."""
        return combine(number(other), "-", self)

    def equals(self, other: "Operand") -> "Expr":
        """Keep the samples that are equal (`==` compares two expressions as Python values)."""
        return combine(self, "==", other)


Operand: TypeAlias = Expr | float


@dataclass(frozen=True, slots=True)
class Selector(Expr):
    """The samples of one series, narrowed by matchers: what ranges are taken of."""

    kind: Kind = Kind.GAUGE


def select(series: Series, *matchers: Matcher) -> Selector:
    """Select a series; for a histogram use `buckets_of`, `count_of` and `sum_of`.

    Raises:
        PromqlError: A matcher's label or value is not in the series' declaration.
    """
    if kind_of(series) is Kind.HISTOGRAM:
        raise PromqlError(f"{series.name} is a histogram: select its buckets, count or sum")
    return _select(series, "", matchers)


def buckets_of(series: Series, *matchers: Matcher) -> Selector:
    """Select a histogram's buckets; the label `le` is theirs."""
    return _select(_histogram(series), "_bucket", matchers)


def count_of(series: Series, *matchers: Matcher) -> Selector:
    """Select how many values a histogram has seen."""
    return _select(_histogram(series), "_count", matchers)


def sum_of(series: Series, *matchers: Matcher) -> Selector:
    """Select the sum of a histogram's values."""
    return _select(_histogram(series), "_sum", matchers)


def at_most(metric: Metric, bound: float, *matchers: Matcher) -> Selector:
    """Select how many values of a histogram were at most `bound`, exactly: it is one of its bounds.

    Prometheus 3 writes the label `le` as a float; both ways are matched.
    """
    if bound not in metric.buckets:
        raise PromqlError(f"{metric.name} has no bucket that ends at {bound:g}: {metric.buckets}")
    fraction = r"(\.0)?" if float(bound).is_integer() else ""
    return buckets_of(metric, matches("le", escape(f"{bound:g}") + fraction), *matchers)


def number(value: float) -> Expr:
    """Write a number."""
    return Expr(f"{value:.12g}", is_scalar=True)


def vector(value: float) -> Expr:
    """Make a vector of one sample without labels."""
    return Expr(f"vector({value:.12g})")


def now() -> Expr:
    """Return the time of the evaluation in seconds since 1970."""
    return Expr("time()", is_scalar=True)


def rate(counter: Selector, window: int | str) -> Expr:
    """Return how much a counter grew per second over the window (seconds, or a variable)."""
    return _of_counter("rate", counter, window)


def increase(counter: Selector, window: int | str) -> Expr:
    """Return how much a counter grew over the window."""
    return _of_counter("increase", counter, window)


def delta(gauge: Selector, window: int | str) -> Expr:
    """Return how much a gauge changed over the window."""
    return _over("delta", gauge, window)


def changes(selector: Selector, window: int | str) -> Expr:
    """Return how often a value changed within the window."""
    return _over("changes", selector, window)


def avg_over(inner: Expr, window: int | str) -> Expr:
    """Average over time; of anything but a plain selector, at each step of the evaluation."""
    return _over("avg_over_time", inner, window)


def max_over(inner: Expr, window: int | str) -> Expr:
    """Return the largest value over time."""
    return _over("max_over_time", inner, window)


def min_over(inner: Expr, window: int | str) -> Expr:
    """Return the smallest value over time."""
    return _over("min_over_time", inner, window)


def last_over(inner: Expr, window: int | str) -> Expr:
    """Return the latest value over time, also of a series that has ended since."""
    return _over("last_over_time", inner, window)


def count_over(inner: Expr, window: int | str) -> Expr:
    """Count the values over time."""
    return _over("count_over_time", inner, window)


def predict(gauge: Expr, window: int | str, *, ahead_s: int) -> Expr:
    """Extrapolate a gauge linearly from the window to `ahead_s` from now."""
    text = f"predict_linear({_range(gauge, window)}, {ahead_s})"
    return Expr(text, gauge.labels, gauge.reads, gauge.maybe)


def before(selector: Selector, ago_s: int) -> Expr:
    """Return what a series was so long ago; nothing for one that is younger."""
    text = f"{selector.text} offset {duration(ago_s)}"
    return Expr(text, selector.labels, selector.reads, selector.maybe)


def sum_by(inner: Expr, *labels: str) -> Expr:
    """Add up what shares these labels."""
    return _aggregate("sum", inner, labels)


def max_by(inner: Expr, *labels: str) -> Expr:
    """Take the largest of what shares these labels."""
    return _aggregate("max", inner, labels)


def min_by(inner: Expr, *labels: str) -> Expr:
    """Take the smallest of what shares these labels."""
    return _aggregate("min", inner, labels)


def avg_by(inner: Expr, *labels: str) -> Expr:
    """Average what shares these labels."""
    return _aggregate("avg", inner, labels)


def count_by(inner: Expr, *labels: str) -> Expr:
    """Count what shares these labels."""
    return _aggregate("count", inner, labels)


def histogram_quantile(quantile: float, buckets: Expr) -> Expr:
    """Estimate a quantile, between 0 and 1, from the rates of buckets that still have `le`.

    Raises:
        PromqlError: The label `le` was aggregated away, which would yield no data.
    """
    if "le" not in buckets.labels:
        raise PromqlError(f"histogram_quantile needs the label le, which is gone: {buckets.text}")
    text = f"histogram_quantile({quantile:g}, {buckets.text})"
    return Expr(text, buckets.labels - {"le"}, buckets.reads)


def clamp_min(inner: Expr, least: float) -> Expr:
    """Raise what is smaller to `least`."""
    return Expr(f"clamp_min({inner.text}, {least:g})", inner.labels, inner.reads, inner.maybe)


def clamp_max(inner: Expr, most: float) -> Expr:
    """Lower what is larger to `most`."""
    return Expr(f"clamp_max({inner.text}, {most:g})", inner.labels, inner.reads, inner.maybe)


def labelled(inner: Expr, label: str, value: str) -> Expr:
    """Put a label of one value on every sample."""
    text = f'label_replace({inner.text}, "{label}", {json.dumps(value)}, "", "")'
    return Expr(text, inner.labels | {label}, inner.reads, inner.maybe)


def combine(
    left: Operand,
    operator: str,
    right: Operand,
    *,
    on: Iterable[str] | None = None,
    many_to_one: bool = False,
) -> Expr:
    """Apply an arithmetic operator or a comparison.

    Two vectors need `on`, the labels that match them. The result has only those, or with
    `many_to_one` (group_left) all that the left side has.

    Raises:
        PromqlError: Two vectors without `on`, or a side lacks one of its labels.
    """
    first, second = _operand(left), _operand(right)
    if first.is_scalar or second.is_scalar:
        vector_side = second if first.is_scalar else first
        text = f"{first.enclosed} {operator} {second.enclosed}"
        return Expr(
            text,
            vector_side.labels,
            _reads(first, second),
            vector_side.maybe,
            is_scalar=first.is_scalar and second.is_scalar,
            is_operation=True,
        )
    if on is None:
        raise PromqlError(f"say on which labels to match {first.text} and {second.text}")
    labels = tuple(on)
    _require(labels, first, operator)
    _require(labels, second, operator)
    grouping = " group_left ()" if many_to_one else ""
    text = f"{first.enclosed} {operator} on ({', '.join(labels)}){grouping} {second.enclosed}"
    kept = first.labels if many_to_one else frozenset(labels)
    maybe = first.maybe if many_to_one else frozenset()
    return Expr(text, kept, _reads(first, second), maybe, is_operation=True)


def both(left: Expr, right: Expr, *, on: Iterable[str]) -> Expr:
    """Keep the left samples that have a match on the right (`and`)."""
    return _set_operation(left, "and", right, tuple(on))


def unless(left: Expr, right: Expr, *, on: Iterable[str]) -> Expr:
    """Keep the left samples that have no match on the right; `on=()` matches anything."""
    return _set_operation(left, "unless", right, tuple(on))


def either(left: Expr, right: Expr, *, on: Iterable[str] | None = None) -> Expr:
    """Keep the left samples and the right ones without a match on the left (`or`)."""
    matching = ""
    if on is not None:
        labels = tuple(on)
        _require(labels, left, "or")
        _require(labels, right, "or")
        matching = f" on ({', '.join(labels)})"
    text = f"{left.enclosed} or{matching} {right.enclosed}"
    kept = left.labels & right.labels
    maybe = (left.labels | right.labels | left.maybe | right.maybe) - kept
    return Expr(text, kept, _reads(left, right), maybe, is_operation=True)


def _select(series: Series, suffix: str, matchers: tuple[Matcher, ...]) -> Selector:
    labels = labels_of(series) | (frozenset({"le"}) if suffix == "_bucket" else frozenset())
    for matcher in matchers:
        check(matcher, series, labels)
    braces = "{" + ",".join(matcher.text for matcher in matchers) + "}" if matchers else ""
    kind = Kind.COUNTER if suffix else kind_of(series)
    text = f"{series.name}{suffix}{braces}"
    return Selector(text, labels, frozenset({series}), kind=kind)


def _histogram(series: Series) -> Series:
    if kind_of(series) is not Kind.HISTOGRAM:
        raise PromqlError(f"{series.name} is not a histogram: it has no buckets, count or sum")
    return series


def _of_counter(function: str, counter: Selector, window: int | str) -> Expr:
    if counter.kind is not Kind.COUNTER:
        raise PromqlError(
            f"{function} of the gauge {counter.text} would take every fall for a restart; use delta"
        )
    return _over(function, counter, window)


def _over(function: str, inner: Expr, window: int | str) -> Expr:
    return Expr(f"{function}({_range(inner, window)})", inner.labels, inner.reads, inner.maybe)


def _range(inner: Expr, window: int | str) -> str:
    if isinstance(inner, Selector):
        return f"{inner.text}[{duration(window)}]"
    return f"{inner.enclosed}[{duration(window)}:]"


def _aggregate(operation: str, inner: Expr, labels: tuple[str, ...]) -> Expr:
    _require(labels, inner, operation)
    by = f" by ({', '.join(labels)})" if labels else ""
    return Expr(f"{operation}{by} ({inner.text})", frozenset(labels), inner.reads)


def _set_operation(left: Expr, operator: str, right: Expr, on: tuple[str, ...]) -> Expr:
    _require(on, left, operator)
    _require(on, right, operator)
    text = f"{left.enclosed} {operator} on ({', '.join(on)}) {right.enclosed}"
    return Expr(text, left.labels, _reads(left, right), left.maybe, is_operation=True)


def _require(labels: tuple[str, ...], inner: Expr, operation: str) -> None:
    lost = [label for label in labels if label not in inner.labels]
    if lost:
        raise PromqlError(
            f"{operation} needs the label {', '.join(lost)}, which {inner.text} has not; "
            f"it has {', '.join(sorted(inner.labels)) or 'none'}"
        )


def _operand(value: Operand) -> Expr:
    return value if isinstance(value, Expr) else number(value)


def _reads(left: Expr, right: Expr) -> frozenset[Series]:
    return left.reads | right.reads
