"""The numbers of a dashboard: what to ask Prometheus, and the answers on one time grid."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gx.console.prometheus import MatrixSample, Prometheus, number
from gx.console.sources import SourceAwayError, SourceRefusedError
from gx.console.wire import WireData, WirePanelData, WireSeries
from gx.monitoring.dashboards.model import ALL, Dashboard, Drawing, Panel, Query
from gx.monitoring.selectors import escape

POINTS_MAX: Final = 240
"""How many values a line has at most: about one for three pixels of a wide chart."""

SCRAPES_PER_RATE: Final = 4
"""A rate over fewer scrapes has gaps as soon as one scrape is late; Grafana's own rule."""

_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_INSTANT: Final = (Drawing.GAUGE, Drawing.STAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Which part of the past is shown, of which namespaces."""

    start_s: int
    end_s: int
    step_s: int
    rate_window_s: int
    namespace: str = ALL

    @property
    def count(self) -> int:
        """How many points of time it has."""
        return (self.end_s - self.start_s) // self.step_s + 1


def build_frame(
    *, now_ms: int, span_s: int, scrape_interval_s: int, namespaces: Sequence[str] = ()
) -> Frame:
    """Choose the step as Grafana would, and points of time that stay when the page is refreshed.

    `namespaces` are exact names; none means all.
    """
    step_s = max(scrape_interval_s, -(-span_s // POINTS_MAX))
    end_s = now_ms // 1_000 // step_s * step_s
    return Frame(
        start_s=end_s - span_s // step_s * step_s,
        end_s=end_s,
        step_s=step_s,
        rate_window_s=max(step_s + scrape_interval_s, SCRAPES_PER_RATE * scrape_interval_s),
        namespace="|".join(escape(each) for each in namespaces) or ALL,
    )


async def read_dashboard(
    prometheus: Prometheus, dashboard: Dashboard, frame: Frame, *, now_ms: int
) -> WireData:
    """Ask for every panel at once; a Prometheus that is away is the answer's `problem`."""
    panels: Sequence[WirePanelData]
    problem = None
    try:
        panels = await asyncio.gather(
            *(_read_panel(prometheus, panel, frame, now_ms // 1_000) for panel in dashboard.panels)
        )
    except SourceAwayError as error:
        problem, panels = str(error), ()
    return WireData(
        problem=problem,
        at_ms=now_ms,
        start_s=frame.start_s,
        step_s=frame.step_s,
        count=frame.count,
        panels=tuple(panels),
    )


async def _read_panel(
    prometheus: Prometheus, panel: Panel, frame: Frame, now_s: int
) -> WirePanelData:
    """Ask for one panel; a refused query is this panel's problem alone."""
    is_instant = panel.drawing in _INSTANT
    try:
        answers = await asyncio.gather(
            *(
                _instant(prometheus, query, frame, now_s)
                if is_instant
                else _over(prometheus, query, frame)
                for query in panel.queries
            )
        )
    except SourceRefusedError as error:
        return WirePanelData(series=(), problem=str(error))
    return WirePanelData(series=tuple(series for answer in answers for series in answer))


async def _instant(
    prometheus: Prometheus, query: Query, frame: Frame, now_s: int
) -> list[WireSeries]:
    samples = await prometheus.instant(_text(query, frame), at_s=now_s)
    series = [_series(query, sample.metric, (number(sample.value[1]),)) for sample in samples]
    return sorted(series, key=lambda each: each.legend)


async def _over(prometheus: Prometheus, query: Query, frame: Frame) -> list[WireSeries]:
    samples = await prometheus.over(
        _text(query, frame), start_s=frame.start_s, end_s=frame.end_s, step_s=frame.step_s
    )
    series = [_series(query, sample.metric, _on_grid(sample, frame)) for sample in samples]
    return sorted(series, key=lambda each: each.legend)


def _text(query: Query, frame: Frame) -> str:
    return query.resolve(namespace=frame.namespace, rate_window=f"{frame.rate_window_s}s")


def _on_grid(sample: MatrixSample, frame: Frame) -> tuple[float | None, ...]:
    values: list[float | None] = [None] * frame.count
    for at_s, text in sample.values:
        values[round((at_s - frame.start_s) / frame.step_s)] = number(text)
    return tuple(values)


def _series(query: Query, labels: dict[str, str], values: tuple[float | None, ...]) -> WireSeries:
    return WireSeries(legend=legend_of(query.legend, labels), labels=labels, values=values)


def legend_of(legend: str, labels: dict[str, str]) -> str:
    """Put the labels' values in the places of a legend, as Grafana does."""
    return _LABEL.sub(lambda match: labels.get(match[1], ""), legend).strip()
