"""Labelled instruments: one number for each combination of label values."""

from collections.abc import Callable, Collection, Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from gx.telemetry.cells import Counter, Gauge, Histogram
from gx.telemetry.metric import Label, Metric

Cell = TypeVar("Cell", Counter, Gauge, Histogram)
LabelValues = tuple[str, ...]


class UnknownLabelValueError(ValueError):
    """A label value that nobody declared: one of ours, or one for a label without a fallback."""


class Vector(Generic[Cell]):
    """One instrument for each combination of label values.

    Calling it returns the instrument: a dictionary look-up for the declared combinations, which
    exist from the start. Keep the result where the same one is used often.
    """

    def __init__(
        self, metric: Metric, make: Callable[[], Cell], known: Mapping[Label, Collection[str]]
    ) -> None:
        self._metric = metric
        self._make: Callable[[], Cell] = make
        self._known = {label: frozenset(values) for label, values in known.items()}
        self._lock = Lock()
        self._cells: dict[LabelValues, Cell] = {}

    def __call__(self, *values: str) -> Cell:
        """Return the instrument for these label values, in the catalogue's order.

        For words that are written in this tree: one that the catalogue lacks is a mistake, and
        no fallback hides it. For what a client or a newer peer says there is `foreign`.

        Raises:
            UnknownLabelValueError: A value is not declared, or their number is wrong.
        """
        cell = self._cells.get(values)
        return cell if cell is not None else self._add(self._checked(values, self._require))

    def foreign(self, *values: str) -> Cell:
        """Return the instrument for label values of which some are somebody else's words.

        One that nobody declared counts under its label's fallback, so that it can neither lose
        a count nor grow the number of series.

        Raises:
            UnknownLabelValueError: The label has no fallback, or the number of values is wrong.
        """
        cell = self._cells.get(values)
        return cell if cell is not None else self._add(self._checked(values, self._fold))

    def create(self, combinations: Iterable[LabelValues]) -> None:
        """Make these combinations exist, at 0.

        There may be thousands, of few values: each value is checked once for all of them.

        Raises:
            UnknownLabelValueError: A value is not declared, or their number is wrong.
        """
        wanted = list(combinations)
        for values in {len(values): values for values in wanted}.values():
            self._checked(values, self._require)
        for label, named in zip(self._metric.labels, zip(*wanted, strict=True), strict=False):
            for value in set(named):
                self._require(label, value)
        for values in wanted:
            self._add(values)

    def children(self) -> tuple[tuple[LabelValues, Cell], ...]:
        """List every combination that exists, with its instrument."""
        with self._lock:
            return tuple(self._cells.items())

    def _add(self, values: LabelValues) -> Cell:
        with self._lock:
            cell = self._cells.get(values)
            if cell is None:
                cell = self._cells[values] = self._make()
            return cell

    def _checked(self, values: LabelValues, check: Callable[[Label, str], str]) -> LabelValues:
        labels = self._metric.labels
        if len(values) != len(labels):
            raise UnknownLabelValueError(
                f"{self._metric.name} takes {self._metric.label_names}, got {values}"
            )
        return tuple(check(label, value) for label, value in zip(labels, values, strict=True))

    def _require(self, label: Label, value: str) -> str:
        known = self._known.get(label)
        if known is None or value in known or value == label.fallback:
            return value
        raise UnknownLabelValueError(
            f"{self._metric.name}: {label.name}={value!r} is none of {sorted(known)}"
        )

    def _fold(self, label: Label, value: str) -> str:
        known = self._known.get(label)
        if label.fallback is None or known is None or value in known:
            return self._require(label, value)
        return label.fallback


CounterVector = Vector[Counter]
GaugeVector = Vector[Gauge]
HistogramVector = Vector[Histogram]
