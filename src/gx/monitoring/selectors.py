"""What a PromQL selector may say: which series there are, their labels, and matchers on these."""

import json
import re
from dataclasses import dataclass
from typing import Final, Protocol

from gx.domain.errors import GxError
from gx.telemetry.metric import Kind, Label, Metric

# Set by the scrape on everything that it keeps.
TARGET_LABELS: Final = frozenset({"namespace", "environment", "job", "instance", "service", "pod"})
_SPECIAL: Final = re.compile(r"[.+*?()\[\]{}|^$\\]")


class PromqlError(GxError):
    """An expression asks for what its series do not have; the text says which and what they do."""


class Series(Protocol):
    """What can be selected: a catalogue metric, an exporter's metric, a recording rule."""

    @property
    def name(self) -> str:
        """Its name in Prometheus."""
        ...

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that it is declared with, without its target's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalMetric:
    """A metric that another program exports: Prometheus itself, an exporter, Kubernetes."""

    name: str
    kind: Kind
    exporter: str
    help: str
    label_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. A value with `$` is a dashboard's variable and is not checked."""

    label: str
    operator: str
    value: str
    values: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its text inside the braces."""
        return f"{self.label}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"


def is_(label: str, value: str) -> Matcher:
    """Match one value."""
    return Matcher(label, "=", value, (value,))


def is_not(label: str, value: str) -> Matcher:
    """Match every value but this one."""
    return Matcher(label, "!=", value, (value,))


def one_of(label: str, *values: str) -> Matcher:
    """Match any of these values."""
    return Matcher(label, "=~", "|".join(escape(each) for each in values), values)


def matches(label: str, pattern: str) -> Matcher:
    """Match an anchored regular expression."""
    return Matcher(label, "=~", pattern)


def matches_not(label: str, pattern: str) -> Matcher:
    """Match what an anchored regular expression does not."""
    return Matcher(label, "!~", pattern)


def kind_of(series: Series) -> Kind:
    """Return how a series behaves; a recording rule is a gauge."""
    return series.kind if isinstance(series, Metric | ExternalMetric) else Kind.GAUGE


def labels_of(series: Series) -> frozenset[str]:
    """Return the labels of a series' samples, its target's too."""
    names = frozenset(series.label_names)
    return names | TARGET_LABELS if isinstance(series, Metric | ExternalMetric) else names


def check(matcher: Matcher, series: Series, labels: frozenset[str]) -> None:
    """Refuse a matcher that can never match.

    Raises:
        PromqlError: The series lacks the label, or the label is declared without the value.
    """
    if matcher.label not in labels:
        raise PromqlError(
            f"{series.name} has no label {matcher.label}; it has {', '.join(sorted(labels))}"
        )
    declared: tuple[Label, ...] = series.labels if isinstance(series, Metric) else ()
    known = next((each.values for each in declared if each.name == matcher.label), ())
    strange = [each for each in matcher.values if known and each not in known and "$" not in each]
    if strange:
        raise PromqlError(
            f"{series.name}: {matcher.label} is never {' or '.join(strange)}; "
            f"it is one of {', '.join(known)}"
        )


def escape(value: str) -> str:
    """Write a value as a regular expression that matches it alone."""
    return _SPECIAL.sub(r"\\\g<0>", value)
