"""What a dashboard is: values that a renderer draws, in Grafana or anywhere else.

A query is an expression made of declared series, so a panel cannot show what nobody exports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.monitoring.promql import RATE_INTERVAL, Expr
from gx.monitoring.selectors import matches
from gx.telemetry.metric import Condition

NAMESPACE: Final = "namespace"
NAMESPACE_VARIABLE: Final = f"${NAMESPACE}"
ALL: Final = ".+"
"""What the variable stands for when every namespace is chosen."""

IN_NAMESPACE: Final = matches(NAMESPACE, NAMESPACE_VARIABLE)
IDLE: Final = "idle"


class Drawing(StrEnum):
    """How a panel draws its values."""

    GAUGE = "gauge"
    STAT = "stat"
    LINES = "lines"
    STACKED = "stacked"


class Measure(StrEnum):
    """What the numbers of a panel are."""

    PERCENT = "percent"
    MILLISECONDS = "milliseconds"
    COUNT = "count"
    PER_SECOND = "per second"
    SECONDS = "seconds"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes per second"
    STATE = "state"


class Color(StrEnum):
    """A judgement, worst last; what it looks like is the renderer's affair."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Band:
    """From this value on, up to the next band's, this colour; None is where all values start."""

    start: float | None
    color: Color


@dataclass(frozen=True, slots=True)
class State:
    """The word and the colour for one exact value."""

    value: float
    word: str
    color: Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression; `legend` names its series, with `{{label}}` for a label's value.

    `needs_traffic`: without commands in its window it has no samples, and that is no fault.
    `recorded_every_s`: the rule that it reads runs so seldom that a fresh Prometheus has none yet.
    `condition`: only where this holds does anybody export what it reads.
    """

    expr: Expr
    legend: str
    needs_traffic: bool = False
    recorded_every_s: int = 0
    condition: Condition | None = None

    def resolve(self, *, namespace: str = ALL, rate_window: str = "1m") -> str:
        """Put values in the place of the dashboard's variables, as Grafana does."""
        text = self.expr.text.replace(NAMESPACE_VARIABLE, namespace)
        return text.replace(RATE_INTERVAL, rate_window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. `runbooks` are the alerts about what it shows, by name.

    `opens` is the address of the dashboard that says more, if this is only its figurehead.

    `bands` colour a gauge or a stat; in a chart they are lines. A chart needs no `least` and
    `most`; `stack_groups` are parts of legends whose series stack apart from the others.
    """

    title: str
    description: str
    drawing: Drawing
    measure: Measure
    queries: tuple[Query, ...]
    runbooks: tuple[str, ...]
    bands: tuple[Band, ...] = ()
    states: tuple[State, ...] = ()
    least: float | None = None
    most: float | None = None
    decimals: int | None = None
    stack_groups: tuple[str, ...] = ()
    opens: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side under a title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class LabelVariable:
    """A variable whose values are those of a label in `source`; many or all can be chosen."""

    name: str
    title: str
    source: Expr
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One page of panels. `uid` is its address and its file's name."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    variables: tuple[LabelVariable, ...]
    rows: tuple[Row, ...]
    refresh_s: int
    span: str = "1h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel, in reading order."""
        return tuple(panel for row in self.rows for panel in row.panels)

    def queries(self) -> Iterator[tuple[Panel, Query]]:
        """Yield every query with its panel."""
        for panel in self.panels:
            for query in panel.queries:
                yield panel, query
