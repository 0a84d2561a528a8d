"""Latencies over load, as lines: what the tables say in rows."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.figures import Percentiles, spread
from benchmarks.lines import Panel, render_panels
from benchmarks.questions import OpenLoop

PERCENTILES: Final = {"p50": "p50_ms", "p95": "p95_ms", "p99": "p99_ms"}


def render_latencies(found: Sequence[OpenLoop]) -> str:
    """Return a panel for each stage and way in, medians of the rounds."""
    return render_panels(list(_panels(found)))


def _panels(found: Sequence[OpenLoop]) -> Iterator[Panel]:
    for over_http, way in ((True, "over HTTP"), (False, "driver inside")):
        levels = [one for one in found if one.over_http == over_http]
        for stage in ("accept", "committed", "projected"):
            told = [(one.percent, getattr(one, stage)) for one in levels]
            measured = [(percent, one) for percent, one in told if one is not None]
            if measured:
                yield Panel(
                    title=f"{stage}, {way}",
                    x_unit="% of the ceiling",
                    y_unit="ms",
                    lines={name: _line(measured, field) for name, field in PERCENTILES.items()},
                )


def _line(measured: Sequence[tuple[int, Percentiles]], field: str) -> Sequence[tuple[float, float]]:
    return [
        (
            float(percent),
            spread([getattr(one, field) for at, one in measured if at == percent]).median,
        )
        for percent in sorted({at for at, _ in measured})
    ]
