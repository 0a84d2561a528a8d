"""Dashboards as the JSON that Grafana provisions.

Written with Grafana's own typed SDK. What it leaves to its server is said here: ids of panels and
rows, which value a gauge takes of a range, where its scale starts and ends.
"""

import json
from collections.abc import Mapping
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import common as common_build
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import gauge, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as schema

from gx.monitoring.dashboards.model import (
    ALL,
    IDLE,
    Band,
    Dashboard,
    Drawing,
    LabelVariable,
    Measure,
    Panel,
    Query,
    Row,
)

GENERATOR: Final = "gx monitoring render"
GENERATED_TAG: Final = "generated"
FAMILY_TAG: Final = "gx-protocol"
DATASOURCE: Final = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
_ON: Final = True
_COLUMNS: Final = 24
_ROW_HEIGHT: Final = 1
_PANEL_HEIGHT: Final = 9
_REFRESHES: Final = ("5s", "10s", "30s", "1m", "5m")

UNITS: Final[Mapping[Measure, str]] = {
    Measure.PERCENT: units.Percent,
    Measure.MILLISECONDS: units.Milliseconds,
    Measure.COUNT: units.Short,
    Measure.PER_SECOND: units.CountsPerSecond,
    Measure.SECONDS: units.Seconds,
    Measure.BYTES: units.BytesIEC,
    Measure.BYTES_PER_SECOND: units.BytesPerSecondIEC,
    Measure.STATE: units.NoUnit,
}
_Drawn: TypeAlias = gauge.Panel | stat.Panel | timeseries.Panel


def render(dashboard: Dashboard, *, runbooks: str) -> str:
    """Render a dashboard; `runbooks` is the address below which the alerts' pages are.

    The same dashboard yields the same text.
    """
    built = _build(dashboard, runbooks.rstrip("/"))
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _build(dashboard: Dashboard, runbooks: str) -> schema.Dashboard:
    builder = (
        build.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(f"{dashboard.description} Written by `{GENERATOR}`; changes here are lost.")
        .tags([*dashboard.tags, GENERATED_TAG])
        .readonly()
        .tooltip(schema.DashboardCursorSync.CROSSHAIR)
        .time(f"now-{dashboard.span}", "now")
        .timepicker(build.TimePicker().refresh_intervals(list(_REFRESHES)))
        .refresh(f"{dashboard.refresh_s}s")
        .link(_all_dashboards())
        .with_variable(_datasource_variable())
    )
    for variable in dashboard.variables:
        builder = builder.with_variable(_label_variable(variable))
    number, top = 1, 0
    for row in dashboard.rows:
        builder = _add_row(builder, row, number=number, top=top, runbooks=runbooks)
        number += 1 + len(row.panels)
        top += _ROW_HEIGHT + _PANEL_HEIGHT
    return builder.build()


def _add_row(
    builder: build.Dashboard, row: Row, *, number: int, top: int, runbooks: str
) -> build.Dashboard:
    """Place a row and below it its panels, as wide as the page together."""
    place = schema.GridPos(h=_ROW_HEIGHT, w=_COLUMNS, x=0, y=top)
    builder = builder.with_row(build.Row(row.title).id(number).grid_pos(place))
    width = _COLUMNS // len(row.panels)
    for index, panel in enumerate(row.panels):
        place = schema.GridPos(h=_PANEL_HEIGHT, w=width, x=index * width, y=top + _ROW_HEIGHT)
        drawn = _draw(panel, runbooks).id(number + 1 + index).grid_pos(place)
        builder = builder.with_panel(drawn)
    return builder


def _datasource_variable() -> build.DatasourceVariable:
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _label_variable(variable: LabelVariable) -> build.QueryVariable:
    """Offer a label's values, several or all; all are chosen at first."""
    query = f"label_values({variable.source.text}, {variable.label})"
    return (
        build.QueryVariable(variable.name)
        .label(variable.title)
        .datasource(DATASOURCE)
        .query(query)
        .definition(query)
        .refresh(schema.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(schema.VariableSort.ALPHABETICAL_ASC)
        .multi(_ON)
        .include_all(_ON)
        .all_value(ALL)
        .current(schema.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _draw(panel: Panel, runbooks: str) -> _Drawn:
    match panel.drawing:
        case Drawing.GAUGE:
            return _describe(_gauge(panel), panel, runbooks)
        case Drawing.STAT:
            return _describe(_stat(panel), panel, runbooks)
        case Drawing.LINES:
            return _describe(_chart(panel), panel, runbooks)
        case Drawing.STACKED:
            return _describe(_stack(_chart(panel), panel), panel, runbooks)


def _describe(drawn: _Drawn, panel: Panel, runbooks: str) -> _Drawn:
    """Say what every kind of panel says: what it is, in which unit, and what to do about it."""
    drawn = (
        drawn.title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .unit(UNITS[panel.measure])
        .no_value(IDLE)
        .links([*_opened(panel), *(_link(name, runbooks) for name in panel.runbooks)])
    )
    if panel.least is not None:
        drawn = drawn.min(panel.least)
    if panel.most is not None:
        drawn = drawn.max(panel.most)
    if panel.decimals is not None:
        drawn = drawn.decimals(panel.decimals)
    if panel.bands:
        drawn = drawn.thresholds(_thresholds(panel.bands))
    is_instant = isinstance(drawn, gauge.Panel | stat.Panel)
    for index, query in enumerate(panel.queries):
        drawn = drawn.with_target(_target(query, index, is_instant=is_instant))
    return drawn


def _gauge(panel: Panel) -> gauge.Panel:
    drawn = gauge.Panel().reduce_options(_last_value()).show_threshold_markers(_ON)
    return drawn.color_scheme(_by_threshold()).mappings(_states(panel))


def _stat(panel: Panel) -> stat.Panel:
    drawn = stat.Panel().reduce_options(_last_value()).graph_mode(common.BigValueGraphMode.NONE)
    drawn = drawn.color_mode(common.BigValueColorMode.BACKGROUND)
    return drawn.color_scheme(_by_threshold()).mappings(_states(panel))


def _chart(panel: Panel) -> timeseries.Panel:
    drawn = (
        timeseries.Panel()
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .legend(
            common_build.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(_ON)
        )
        .tooltip(common_build.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )
    if not panel.bands:
        return drawn
    line = common_build.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.LINE)
    return drawn.thresholds_style(line)


def _stack(drawn: timeseries.Panel, panel: Panel) -> timeseries.Panel:
    """Pile the series up; those of a stack group only on their own kind."""
    stacking = common_build.StackingConfig().mode(common.StackingMode.NORMAL).group("A")
    drawn = drawn.stacking(stacking).fill_opacity(40)
    for group in panel.stack_groups:
        apart = schema.DynamicConfigValue(
            id_val="custom.stacking",
            value={"mode": common.StackingMode.NORMAL.value, "group": group},
        )
        drawn = drawn.override_by_regexp(f".*{group}.*", [apart])
    return drawn


def _target(query: Query, index: int, *, is_instant: bool) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .ref_id(chr(ord("A") + index))
        .datasource(DATASOURCE)
        .expr(query.expr.text)
        .legend_format(query.legend)
    )
    return target.instant() if is_instant else target.range()


def _opened(panel: Panel) -> list[build.DashboardLink]:
    """Lead to the dashboard behind a figure; Grafana puts its own address before the path."""
    if panel.opens is None:
        return []
    link = build.DashboardLink(f"Dashboard: {panel.opens}").type(schema.DashboardLinkType.LINK)
    return [link.url(f"/d/{panel.opens}")]


def _all_dashboards() -> build.DashboardLink:
    """Offer the other pages from every page."""
    link = build.DashboardLink("GX Protocol").type(schema.DashboardLinkType.DASHBOARDS)
    return link.tags([FAMILY_TAG]).as_dropdown(_ON).include_vars(_ON).keep_time(_ON)


def _link(alert: str, runbooks: str) -> build.DashboardLink:
    link = build.DashboardLink(f"Runbook: {alert}").type(schema.DashboardLinkType.LINK)
    return link.url(f"{runbooks}/{alert}").target_blank(_ON)


def _thresholds(bands: tuple[Band, ...]) -> build.ThresholdsConfig:
    steps = [schema.Threshold(value=band.start, color=band.color.value) for band in bands]
    return build.ThresholdsConfig().mode(schema.ThresholdsMode.ABSOLUTE).steps(steps)


def _states(panel: Panel) -> list[schema.ValueMapping]:
    if not panel.states:
        return []
    options = {
        f"{state.value:g}": schema.ValueMappingResult(
            text=state.word, color=state.color.value, index=index
        )
        for index, state in enumerate(panel.states)
    }
    return [schema.ValueMap(options=options)]


def _last_value() -> common_build.ReduceDataOptions:
    return common_build.ReduceDataOptions().calcs(["lastNotNull"])


def _by_threshold() -> build.FieldColor:
    return build.FieldColor().mode(schema.FieldColorModeId.THRESHOLDS)
