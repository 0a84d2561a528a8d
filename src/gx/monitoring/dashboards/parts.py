"""Pieces that several dashboards are made of: bands, quantiles, shares, tiles of one number."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gx.monitoring.dashboards.model import (
    Band,
    Color,
    Drawing,
    Measure,
    Panel,
    Query,
    State,
)
from gx.monitoring.promql import (
    RATE_INTERVAL,
    Expr,
    Selector,
    combine,
    either,
    histogram_quantile,
    rate,
    sum_by,
    vector,
)

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
AWAY_OR_THERE: Final = (State(0, "AWAY", Color.RED), State(1, "THERE", Color.GREEN))
AWAY_BANDS: Final = (Band(None, Color.RED), Band(1, Color.GREEN))


def rises(yellow: float, red: float) -> tuple[Band, ...]:
    """Colour what is better small."""
    return (Band(None, Color.GREEN), Band(yellow, Color.YELLOW), Band(red, Color.RED))


def falls(red: float, yellow: float) -> tuple[Band, ...]:
    """Colour what is better large: red below the first number, yellow below the second."""
    return (Band(None, Color.RED), Band(red, Color.YELLOW), Band(yellow, Color.GREEN))


def limit(red: float) -> tuple[Band, ...]:
    """Draw a line where somebody is told."""
    return (Band(None, Color.GREEN), Band(red, Color.RED))


def quantile(buckets: Selector, share: float, *labels: str) -> Expr:
    """Estimate a quantile; without observations it has no value, where Prometheus says NaN."""
    return histogram_quantile(share, sum_by(rate(buckets, RATE_INTERVAL), *labels, "le")) >= 0


def rates(counter: Selector, *labels: str) -> Expr:
    """Return how much a counter grows per second, added up by these labels."""
    return sum_by(rate(counter, RATE_INTERVAL), *labels)


def percent(part: Expr, whole: Expr, on: Sequence[str]) -> Expr:
    """Return how many percent of the whole a part is; nothing where the whole is 0."""
    return 100 * combine(part, "/", whole > 0, on=on)


def or_zero(expr: Expr) -> Expr:
    """Add up, and say 0 where Prometheus has no series because there is nothing to count."""
    return either(sum_by(expr), vector(0))


def tile(
    title: str,
    description: str,
    query: Query,
    *,
    runbooks: tuple[str, ...] = (),
    bands: tuple[Band, ...] = (),
    measure: Measure = Measure.COUNT,
    opens: str | None = None,
) -> Panel:
    """Make a panel of the newest number alone."""
    return Panel(
        title=title,
        description=description,
        drawing=Drawing.STAT,
        measure=measure,
        queries=(query,),
        runbooks=runbooks,
        bands=bands,
        opens=opens,
    )


def chart(
    title: str,
    description: str,
    queries: tuple[Query, ...],
    *,
    measure: Measure,
    runbooks: tuple[str, ...] = (),
    bands: tuple[Band, ...] = (),
    most: float | None = None,
) -> Panel:
    """Make a chart that begins at 0."""
    return Panel(
        title=title,
        description=description,
        drawing=Drawing.LINES,
        measure=measure,
        queries=queries,
        runbooks=runbooks,
        bands=bands,
        least=0,
        most=most,
    )


def stacked(panel: Panel) -> Panel:
    """Pile a chart's series up."""
    return replace(panel, drawing=Drawing.STACKED)
