"""The rules of Grafana's dashboard-linter, applied to rendered dashboards.

The tool itself is a Go program; its seventeen rules are kept here under their names, read from the
JSON and not from what it was made of. What a dashboard may break is declared with a reason, and
an exemption that nothing needs is a finding too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from grafana_foundation_sdk.models import units

from gx.monitoring.dashboards.queries import (
    QuerySyntaxError,
    Reading,
    read_query,
)

_VALID_UNITS: Final = frozenset(value for value in vars(units).values() if isinstance(value, str))
_DATA_PANELS: Final = frozenset({"gauge", "stat", "timeseries", "table", "bargauge", "barchart"})
_DATASOURCE_UIDS: Final = ("$datasource", "${datasource}")
_ON_TIME_RANGE_CHANGED: Final = 2
_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<query>.+),\s*)?(?P<label>\w+)\)")
_LOG_RANGE: Final = re.compile(r"\[(?!\$__auto\])[^\]]*\]")
_RATES: Final = frozenset({"rate", "irate"})


class DataSource(msgspec.Struct):
    """Where a panel asks."""

    type: str = ""
    uid: str = ""


class Target(msgspec.Struct):
    """One query of a panel."""

    expr: str = ""
    ref_id: str = msgspec.field(name="refId", default="")
    datasource: DataSource | None = None


class Defaults(msgspec.Struct):
    """What a panel says of its fields."""

    unit: str = ""


class FieldConfig(msgspec.Struct):
    """What a panel says of its fields, and of single ones."""

    defaults: Defaults = msgspec.field(default_factory=Defaults)


class DrawnPanel(msgspec.Struct):
    """A panel or a row."""

    type: str = ""
    title: str = ""
    description: str = ""
    datasource: DataSource | None = None
    fields: FieldConfig = msgspec.field(name="fieldConfig", default_factory=FieldConfig)
    targets: list[Target] = []
    panels: list["DrawnPanel"] = []


class Variable(msgspec.Struct):
    """A variable of a dashboard."""

    name: str = ""
    type: str = ""
    label: str = ""
    query: str = ""
    refresh: int = 0
    multi: bool = False
    all_value: str = msgspec.field(name="allValue", default="")
    datasource: DataSource | None = None


class Templating(msgspec.Struct):
    """The variables of a dashboard."""

    variables: list[Variable] = msgspec.field(name="list", default_factory=list)


class DrawnDashboard(msgspec.Struct):
    """The parts of Grafana's JSON that the rules look at."""

    title: str = ""
    editable: bool = True
    templating: Templating = msgspec.field(default_factory=Templating)
    panels: list[DrawnPanel] = []

    def data_panels(self) -> Iterator[DrawnPanel]:
        """Yield the panels that show data, those of collapsed rows too."""
        for panel in (*self.panels, *(inner for row in self.panels for inner in row.panels)):
            if panel.type in _DATA_PANELS:
                yield panel

    def variable(self, name: str) -> Variable | None:
        """Find a variable."""
        return next((each for each in self.templating.variables if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule; `panel` is the title of the panel that breaks it, or None."""

    rule: str
    panel: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """What may break a rule: one panel, or with None the whole dashboard; and why."""

    rule: str
    panel: str | None
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Say whether the finding is what was exempted."""
        return finding.rule == self.rule and self.panel in {None, finding.panel}


def lint(text: str, exemptions: Sequence[Exemption] = ()) -> tuple[Finding, ...]:
    """List what a rendered dashboard breaks, and the exemptions that it does not need.

    Raises:
        msgspec.DecodeError: It is no JSON, or no dashboard.
    """
    dashboard = msgspec.json.decode(text, type=DrawnDashboard)
    found = [
        Finding(rule, panel, fault)
        for rule, check in RULES.items()
        for panel, fault in check(dashboard)
    ]
    unneeded = (each for each in exemptions if not any(each.covers(finding) for finding in found))
    return (
        *(each for each in found if not any(exempt.covers(each) for exempt in exemptions)),
        *(Finding(each.rule, each.panel, "is exempted and kept: drop it") for each in unneeded),
    )


_Fault: TypeAlias = tuple[str | None, str]
_Rule: TypeAlias = Callable[[DrawnDashboard], Iterable[_Fault]]


def _template_datasource(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    variable = dashboard.variable("datasource")
    if variable is None or variable.type != "datasource":
        yield None, "has no variable `datasource` of type datasource"
        return
    if variable.query != "prometheus":
        yield None, f"its data source variable offers {variable.query}, not prometheus"
    if variable.label != "Data source":
        yield None, f"its data source variable is labelled {variable.label!r}, not 'Data source'"


def _template_of_target(name: str) -> _Rule:
    """Make the rule that there is a variable for a label of the target."""

    def check(dashboard: DrawnDashboard) -> Iterator[_Fault]:
        variable = dashboard.variable(name)
        if variable is None:
            yield None, f"has no variable `{name}`"
            return
        if variable.type != "query" or not _is_templated(variable.datasource):
            yield None, f"its variable `{name}` does not ask the chosen data source"
        if variable.label != name.capitalize():
            yield None, f"its variable `{name}` is labelled {variable.label!r}"
        if not variable.multi or variable.all_value != ".+":
            yield None, f"its variable `{name}` does not take several values and all (.+)"

    return check


def _template_label_promql(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for variable in _query_variables(dashboard):
        found = _LABEL_VALUES.fullmatch(variable.query)
        if found is None:
            yield None, f"the variable {variable.name} is no label_values(query, label)"
        elif found["query"] and (fault := _syntax_fault(found["query"])):
            yield None, f"the variable {variable.name}: {fault}"


def _template_reload(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for variable in _query_variables(dashboard):
        if variable.refresh != _ON_TIME_RANGE_CHANGED:
            yield None, f"the variable {variable.name} is not read anew when the time range changes"


def _panel_datasource(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel in dashboard.data_panels():
        sources = (panel.datasource, *(target.datasource for target in panel.targets))
        if not all(_is_templated(source) for source in sources):
            yield panel.title, "does not ask the chosen data source (${datasource})"


def _panel_title_description(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel in dashboard.data_panels():
        if not panel.title or not panel.description:
            yield panel.title, "has no title or no description"


def _panel_units(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel in dashboard.data_panels():
        unit = panel.fields.defaults.unit
        if unit not in _VALID_UNITS:
            yield panel.title, f"its unit {unit!r} is none of Grafana's"


def _panel_no_targets(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel in dashboard.data_panels():
        if not panel.targets:
            yield panel.title, "asks nothing"


def _target_logql(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    """Refuse log queries: nothing here can check one."""
    for panel, target in _targets(dashboard, kind="loki"):
        yield panel.title, f"{target.ref_id} asks Loki, whose language nobody checks here"


def _target_logql_auto(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel, target in _targets(dashboard, kind="loki"):
        for window in _LOG_RANGE.findall(target.expr):
            yield panel.title, f"{target.ref_id} has the range {window}, not [$__auto]"


def _target_promql(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel, target in _targets(dashboard):
        if fault := _syntax_fault(target.expr):
            yield panel.title, f"{target.ref_id}: {fault}"


def _target_rate_interval(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel, target, reading in _readings(dashboard):
        if any(each in _RATES for each in reading.fixed_windows):
            yield (
                panel.title,
                f"{target.ref_id} takes a rate over another range than the interval's",
            )


def _target_has_matcher(label: str) -> _Rule:
    """Make the rule that every selector is narrowed by a variable."""

    def check(dashboard: DrawnDashboard) -> Iterator[_Fault]:
        for panel, target, reading in _readings(dashboard):
            if any((label, "=~", f"${label}") not in each.matchers for each in reading.selectors):
                yield panel.title, f'{target.ref_id} does not select {label}=~"${label}"'

    return check


def _target_counter_agg(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    for panel, target, reading in _readings(dashboard):
        for name in reading.bare_counters:
            yield panel.title, f"{target.ref_id} shows the counter {name} without a rate"


def _uneditable(dashboard: DrawnDashboard) -> Iterator[_Fault]:
    if dashboard.editable:
        yield None, "can be edited where it is shown, and would differ from its file"


RULES: Final[dict[str, _Rule]] = {
    "template-datasource-rule": _template_datasource,
    "template-job-rule": _template_of_target("job"),
    "template-instance-rule": _template_of_target("instance"),
    "template-label-promql-rule": _template_label_promql,
    "template-on-time-change-reload-rule": _template_reload,
    "panel-datasource-rule": _panel_datasource,
    "panel-title-description-rule": _panel_title_description,
    "panel-units-rule": _panel_units,
    "panel-no-targets-rule": _panel_no_targets,
    "target-logql-rule": _target_logql,
    "target-logql-auto-rule": _target_logql_auto,
    "target-promql-rule": _target_promql,
    "target-rate-interval-rule": _target_rate_interval,
    "target-job-rule": _target_has_matcher("job"),
    "target-instance-rule": _target_has_matcher("instance"),
    "target-counter-agg-rule": _target_counter_agg,
    "uneditable-dashboard-rule": _uneditable,
}


def _query_variables(dashboard: DrawnDashboard) -> Iterator[Variable]:
    return (each for each in dashboard.templating.variables if each.type == "query")


def _targets(
    dashboard: DrawnDashboard, *, kind: str = "prometheus"
) -> Iterator[tuple[DrawnPanel, Target]]:
    for panel in dashboard.data_panels():
        for target in panel.targets:
            source = target.datasource or panel.datasource
            if source is not None and source.type == kind:
                yield panel, target


def _readings(dashboard: DrawnDashboard) -> Iterator[tuple[DrawnPanel, Target, Reading]]:
    """Yield the queries that can be read; what cannot is another rule's finding."""
    for panel, target in _targets(dashboard):
        try:
            yield panel, target, read_query(target.expr)
        except QuerySyntaxError:
            continue


def _syntax_fault(query: str) -> str | None:
    try:
        read_query(query)
    except QuerySyntaxError as error:
        return str(error)
    return None


def _is_templated(source: DataSource | None) -> bool:
    return source is not None and source.uid in _DATASOURCE_UIDS
