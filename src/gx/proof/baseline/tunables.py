"""Which thresholds can be measured: the first of each alert, found in its expression.

An alert's further thresholds are guards (how many events make a share meaningful); they and the
objectives, which are promises and not observations, are measured but never proposed anew.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import promql_parser as ast

from gx.monitoring import thresholds
from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import Alert
from gx.monitoring.thresholds import LAG_SLO, LATENCY_SLO, SUCCESS_SLO, Threshold

_PROMISES: Final = (SUCCESS_SLO, LAG_SLO, LATENCY_SLO)
_COMPARISONS: Final = frozenset({">", ">=", "<", "<="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable:
    """One threshold of the catalogue's parameters, in the alert that compares with it.

    `measure` is the expression that is compared, `is_promise` says that it is an objective.
    """

    name: str
    threshold: Threshold
    alert: Alert
    operator: str
    measure: str
    is_promise: bool

    @property
    def fires_above(self) -> bool:
        """Say whether larger numbers are worse."""
        return self.operator.startswith(">")

    def expression(self, value: float) -> str:
        """Return the alert's expression with another number in the threshold's place."""
        return _comparison(self.operator, self.threshold.default).sub(
            f"{self.operator} {value:.12g}", self.alert.expr.text
        )


def tunables() -> tuple[Tunable, ...]:
    """List what can be measured, in the alerts' order."""
    names = {id(value): name for name, value in vars(thresholds).items()}
    return tuple(
        found
        for alert in ALERTS
        if alert.thresholds and id(alert.thresholds[0]) in names
        for found in _tunable(alert, names[id(alert.thresholds[0])])
    )


def bounds(tunable: Tunable, others: Iterable[Tunable]) -> tuple[float, float]:
    """Return the thresholds next to it on the same measure: a warning stays below its critical."""
    current = tunable.threshold.default
    values = [each.threshold.default for each in others if each.measure == tunable.measure]
    below = max((value for value in values if value < current), default=-math.inf)
    above = min((value for value in values if value > current), default=math.inf)
    return below, above


def _tunable(alert: Alert, name: str) -> Iterator[Tunable]:
    threshold, *guards = alert.thresholds
    if any(guard.default == threshold.default for guard in guards):
        return  # the two cannot be told apart in the expression
    found = list(_compared(ast.parse(alert.expr.text), threshold.default))
    if len({operator for operator, _ in found}) == 1:
        yield Tunable(
            name=name,
            threshold=threshold,
            alert=alert,
            operator=found[0][0],
            measure=" or ".join(dict.fromkeys(measure for _, measure in found)),
            is_promise=any(threshold is promise for promise in _PROMISES),
        )


def _compared(root: ast.Expr, value: float) -> Iterator[tuple[str, str]]:
    """Find what is compared with the number, as (operator, expression)."""
    found: list[tuple[str, str]] = []

    def visit(node: ast.Expr) -> None:
        if (
            isinstance(node, ast.BinaryExpr)
            and str(node.op) in _COMPARISONS
            and isinstance(node.rhs, ast.NumberLiteral)
            and node.rhs.val == value
        ):
            found.append((str(node.op), node.lhs.prettify()))

    ast.walk(root, visit)
    yield from found


def _comparison(operator: str, value: float) -> re.Pattern[str]:
    return re.compile(rf"(?<![<>=!]){re.escape(operator)}\s*{re.escape(f'{value:.12g}')}(?![\w.])")
