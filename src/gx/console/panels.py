"""The catalogue's dashboards as the page draws them."""

import re
from typing import Final

from gx.console.wire import (
    WireBand,
    WireDashboard,
    WirePanel,
    WireQuery,
    WireRow,
    WireState,
)
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.model import NAMESPACE_VARIABLE, Dashboard, Panel

_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]+)([smhdw])")

BY_UID: Final = {dashboard.uid: dashboard for dashboard in DASHBOARDS}


def wire_dashboards() -> tuple[WireDashboard, ...]:
    """Return every dashboard's definition, without numbers."""
    return tuple(_dashboard(each) for each in DASHBOARDS)


def span_of(dashboard: Dashboard) -> int:
    """Return how many seconds a dashboard looks back at first.

    Raises:
        ValueError: Its span is none that Prometheus would understand.
    """
    match = _SPAN.fullmatch(dashboard.span)
    if match is None:
        raise ValueError(f"the dashboard {dashboard.uid} looks back {dashboard.span!r}")
    return int(match[1]) * _UNIT_S[match[2]]


def _dashboard(dashboard: Dashboard) -> WireDashboard:
    return WireDashboard(
        uid=dashboard.uid,
        title=dashboard.title,
        description=dashboard.description,
        tags=dashboard.tags,
        rows=tuple(
            WireRow(title=row.title, panels=tuple(_panel(panel) for panel in row.panels))
            for row in dashboard.rows
        ),
        has_namespaces=any(
            NAMESPACE_VARIABLE in query.expr.text for _, query in dashboard.queries()
        ),
        refresh_s=dashboard.refresh_s,
        span_s=span_of(dashboard),
    )


def _panel(panel: Panel) -> WirePanel:
    return WirePanel(
        title=panel.title,
        description=panel.description,
        drawing=panel.drawing.value,
        measure=panel.measure.value,
        queries=tuple(
            WireQuery(expr=query.expr.text, legend=query.legend, needs_traffic=query.needs_traffic)
            for query in panel.queries
        ),
        runbooks=panel.runbooks,
        bands=tuple(WireBand(start=band.start, color=band.color.value) for band in panel.bands),
        states=tuple(
            WireState(value=state.value, word=state.word, color=state.color.value)
            for state in panel.states
        ),
        least=panel.least,
        most=panel.most,
        decimals=panel.decimals,
        stack_groups=panel.stack_groups,
        opens=panel.opens,
    )
