"""What the panels ask for exists: each metric, each label, each value of a label."""

import json
import re
from collections.abc import Sequence
from typing import Final

import pytest

from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.backend import BACKEND
from gx.monitoring.dashboards.environment import environment_dashboard, environment_uid
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.files import FOLDER, render_dashboards
from gx.monitoring.dashboards.model import IN_NAMESPACE, Dashboard, Query
from gx.monitoring.dashboards.objectives import BUDGET_RECORDED_EVERY_S, OBJECTIVES
from gx.monitoring.dashboards.queries import QuerySyntaxError, read_query
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.external import EXTERNAL, UP
from gx.monitoring.model import ENVIRONMENTS
from gx.monitoring.promql import RATE_INTERVAL, rate, select, sum_by
from gx.monitoring.rules import all_groups
from gx.monitoring.selectors import TARGET_LABELS, Series, kind_of
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.catalogue.write_path import OUTBOX_COMMANDS_PROCESSED
from gx.telemetry.metric import HISTOGRAM_SUFFIXES, Kind

RECORDINGS: Final = [rule for group in all_groups(()) for rule in group.recordings]
SERIES: Final[tuple[Series, ...]] = (*CATALOGUE, *EXTERNAL, *RECORDINGS)
KNOWN: Final = {
    series.name + suffix: frozenset(series.label_names) | TARGET_LABELS | {"le"}
    for series in SERIES
    for suffix in (HISTOGRAM_SUFFIXES if kind_of(series) is Kind.HISTOGRAM else ("",))
}
_LEGEND_LABEL: Final = re.compile(r"{{(\w+)}}")
EXPRESSIONS: Final = [
    pytest.param(target["expr"], id=f"{dashboard['uid']}: {panel['title']} {target['refId']}")
    for dashboard in map(json.loads, render_dashboards().values())
    for panel in dashboard["panels"]
    for target in panel.get("targets", ())
]

# A machine and Prometheus itself belong to no environment.
NOBODYS: Final = tuple(
    metric.name for metric in EXTERNAL if metric.exporter in {Exporter.NODE, "prometheus"}
)


def unknown(query: str) -> set[str]:
    """Name what a query reads that nobody exports."""
    reading = read_query(query)
    missing = {each.name for each in reading.selectors if each.name not in KNOWN}
    for selection in reading.selectors:
        # What Prometheus says of a target is matched by the target's own labels.
        grouped = frozenset[str]() if selection.name == UP.name else reading.grouped_by
        labels = {label for label, _, _ in selection.matchers} | grouped
        missing |= {
            f"{selection.name}.{label}"
            for label in labels
            if selection.name in KNOWN and label not in KNOWN[selection.name]
        }
    return missing


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_panel_reads_only_what_is_exported(expression: str) -> None:
    """Read from the rendered text by another parser than the one who wrote it."""
    assert unknown(expression) == set()


def wide_selections(dashboard: Dashboard, narrowed: Sequence[tuple[str, str, str]]) -> set[str]:
    """Name the series that a dashboard selects without any of these matchers."""
    return {
        selection.name
        for _, query in dashboard.queries()
        for selection in read_query(query.expr.text).selectors
        if not set(narrowed) & set(selection.matchers)
    }


@pytest.mark.parametrize(
    "dashboard", [each for each in DASHBOARDS if each.variables], ids=lambda each: each.uid
)
def test_a_panel_keeps_to_the_chosen_namespaces(dashboard: Dashboard) -> None:
    """Every series is narrowed by the variable: no busy environment hides a failing one."""
    wide = wide_selections(dashboard, [("namespace", "=~", "$namespace")])

    assert wide <= set(NOBODYS) - {"up"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_page_of_an_environment_shows_no_other(name: str) -> None:
    """Every series is narrowed to it, by label or by namespace."""
    narrowed = [("environment", "=", name), ("namespace", "=", f"backend-{name}")]

    assert wide_selections(environment_dashboard(name), narrowed) == set()


@pytest.mark.parametrize("dashboard", [BACKEND, OBJECTIVES], ids=lambda each: each.uid)
def test_a_promise_is_never_averaged_over_environments(dashboard: Dashboard) -> None:
    """Each keeps the namespace as a label of what it shows."""
    for panel, query in dashboard.queries():
        assert "namespace" in read_query(query.expr.text).grouped_by, panel.title


def test_the_environments_pages_differ_in_their_name_alone() -> None:
    """What is proved on one that runs holds for the others."""
    files = render_dashboards()
    texts = {
        files[f"{FOLDER}/{environment_uid(name)}.json"].replace(name, "NAME")
        for name in ENVIRONMENTS
    }

    assert len(texts) == 1


@pytest.mark.parametrize(
    ("query", "lacks"),
    [
        ("sum by (namespace) (outbox_pending)", {"outbox_pending"}),
        ("sum by (eventType) (outbox_pending_commands)", {"outbox_pending_commands.eventType"}),
        ('outbox_pending_commands{status="x"}', {"outbox_pending_commands.status"}),
    ],
)
def test_what_nobody_exports_is_named(query: str, lacks: set[str]) -> None:
    """A renamed metric and a dropped label are seen in the rendered text."""
    assert unknown(query) == lacks


def test_a_query_without_end_is_refused_with_its_place() -> None:
    """The reader's error says what it could not read."""
    with pytest.raises(QuerySyntaxError, match="is no PromQL"):
        read_query("sum(up")


def test_variables_are_replaced_as_grafana_does_it() -> None:
    """What stands in quotes becomes the namespace, the range becomes a duration."""
    counter = select(OUTBOX_COMMANDS_PROCESSED, IN_NAMESPACE)
    query = Query(expr=sum_by(rate(counter, RATE_INTERVAL), "namespace"), legend="")

    assert query.resolve(namespace="backend-(devnet|testnet)", rate_window="2m") == (
        "sum by (namespace) (rate(outbox_commands_processed_total"
        '{namespace=~"backend-(devnet|testnet)"}[2m]))'
    )


def test_a_legend_names_only_labels_that_the_series_have() -> None:
    """What it asked for in vain would stand empty in the legend."""
    for dashboard in DASHBOARDS:
        for panel, query in dashboard.queries():
            assert set(_LEGEND_LABEL.findall(query.legend)) <= query.expr.labels, panel.title


def test_no_two_panels_of_a_dashboard_share_a_title() -> None:
    """An exemption and a finding mean one panel by its title."""
    for dashboard in DASHBOARDS:
        titles = [panel.title for panel in dashboard.panels]
        assert len(titles) == len(set(titles))


def test_every_runbook_that_a_panel_links_to_is_an_alerts() -> None:
    """A link to an alert that was renamed would lead nowhere."""
    names = {alert.name for alert in ALERTS}
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            assert set(panel.runbooks) <= names, panel.title


def test_budgets_are_recorded_as_often_as_their_panels_believe() -> None:
    """Until the rule has run once, a fresh Prometheus rightly has no budget."""
    (group,) = (each for each in all_groups(()) if each.name == "gx_slo_budgets")

    assert group.interval_s == BUDGET_RECORDED_EVERY_S
