"""What a query of a dashboard reads, found by a parser that is not ours."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import promql_parser as ast

from gx.domain.errors import GxError
from gx.monitoring.promql import RATE_INTERVAL

# No query is written with this range, so where it stands the variable stood.
_INTERVAL: Final = "57m13s"
_INTERVAL_LENGTH: Final = timedelta(minutes=57, seconds=13)
_COUNTER_FUNCTIONS: Final = frozenset({"rate", "irate", "increase"})
_OPERATORS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_COUNTER_SUFFIX: Final = "_total"


class QuerySyntaxError(GxError):
    """A query is no PromQL; the text says where."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A series as a query selects it; a matcher is (label, operator, value)."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in a query.

    `grouped_by` are the labels of its aggregations. `fixed_windows` names the functions over
    another range than the rate interval; `bare_counters` the counters outside of any rate.
    """

    selectors: tuple[Selection, ...]
    grouped_by: frozenset[str]
    fixed_windows: tuple[str, ...]
    bare_counters: tuple[str, ...]


def read_query(query: str) -> Reading:
    """Parse a query; its variables may stand in quotes and as `$__rate_interval`.

    Raises:
        QuerySyntaxError: It cannot be parsed.
    """
    try:
        root = ast.parse(query.replace(RATE_INTERVAL, _INTERVAL))
    except ValueError as error:
        raise QuerySyntaxError(f"{query} is no PromQL: {error}") from error
    visit = _Visit()
    ast.walk(root, visit.enter)
    return visit.reading()


class _Visit:
    """Collects while the tree is walked."""

    def __init__(self) -> None:
        self._selectors: list[Selection] = []
        self._labels: set[str] = set()
        self._fixed: list[str] = []
        self._counted: list[str] = []

    def enter(self, node: ast.Expr) -> None:
        """Take down what a node says."""
        match node:
            case ast.VectorSelector():
                self._selectors.append(_selection(node))
            case ast.AggregateExpr() if node.modifier is not None:
                self._labels.update(node.modifier.labels)
            case ast.Call():
                self._enter_call(node)
            case _:
                pass

    def _enter_call(self, call: ast.Call) -> None:
        for argument in call.args:
            if isinstance(argument, ast.MatrixSelector):
                if argument.range != _INTERVAL_LENGTH:
                    self._fixed.append(call.func.name)
                if call.func.name in _COUNTER_FUNCTIONS:
                    self._counted.append(argument.vector_selector.name or "")

    def reading(self) -> Reading:
        """Return what was collected."""
        names = [each.name for each in self._selectors if each.name.endswith(_COUNTER_SUFFIX)]
        for name in self._counted:
            if name in names:
                names.remove(name)
        return Reading(
            selectors=tuple(self._selectors),
            grouped_by=frozenset(self._labels),
            fixed_windows=tuple(self._fixed),
            bare_counters=tuple(names),
        )


def _selection(node: ast.VectorSelector) -> Selection:
    matchers = tuple(
        (each.name, _OPERATORS[str(each.op)], each.value) for each in node.matchers.matchers
    )
    return Selection(node.name or "", matchers)
