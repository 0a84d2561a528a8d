"""Dashboards keep the linter's rules; each rule finds what breaks it."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Final, TypeAlias

import pytest

from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.files import FOLDER, exemptions_of, render_dashboards
from gx.monitoring.dashboards.lint import RULES, Exemption, Finding, lint
from gx.monitoring.dashboards.model import Dashboard

FILES: Final = render_dashboards()
Json: TypeAlias = dict[str, object]
Break: TypeAlias = Callable[[Json, Json, Json], None]

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
GOOD_QUERY: Final = (
    'sum(rate(http_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))'
)


def good_dashboard() -> Json:
    """A dashboard with one panel that keeps every rule."""
    targets = [
        {
            "name": name,
            "type": "query",
            "label": name.capitalize(),
            "query": f"label_values(up, {name})",
            "refresh": 2,
            "multi": True,
            "allValue": ".+",
            "datasource": SOURCE,
        }
        for name in ("job", "instance")
    ]
    source = {
        "name": "datasource",
        "type": "datasource",
        "query": "prometheus",
        "label": "Data source",
    }
    panel = {
        "type": "timeseries",
        "title": "Requests",
        "description": "Requests per second.",
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": "reqps"}},
        "targets": [{"refId": "A", "expr": GOOD_QUERY, "datasource": SOURCE}],
    }
    return {
        "title": "Good",
        "editable": False,
        "templating": {"list": [source, *targets]},
        "panels": [{"type": "row", "title": "Row"}, panel],
    }


def asking(query: str) -> Break:
    """Break a dashboard by another query."""
    return lambda _dashboard, _panel, target: target.update(expr=query)


def asking_loki(query: str) -> Break:
    """Break a dashboard by a query of logs."""
    source = {"type": "loki", "uid": "${datasource}"}
    return lambda _dashboard, _panel, target: target.update(expr=query, datasource=source)


def panel_with(**values: object) -> Break:
    """Break a dashboard by its panel."""
    return lambda _dashboard, panel, _target: panel.update(values)


def variable_with(name: str, **values: object) -> Break:
    """Break a dashboard by one of its variables; without values it loses it."""

    def apply(dashboard: Json, _panel: Json, _target: Json) -> None:
        templating = deepcopy(dashboard["templating"])
        assert isinstance(templating, dict)
        kept = [each for each in templating["list"] if values or each["name"] != name]
        for each in kept:
            if each["name"] == name:
                each.update(values)
        dashboard["templating"] = {"list": kept}

    return apply


def without_description(_dashboard: Json, panel: Json, _target: Json) -> None:
    """Say nothing about a panel."""
    panel["description"] = ""


def editable(dashboard: Json, _panel: Json, _target: Json) -> None:
    """Let people edit it in Grafana."""
    dashboard["editable"] = True


BROKEN: Final[tuple[tuple[str, Break], ...]] = (
    ("template-datasource-rule", variable_with("datasource")),
    ("template-datasource-rule", variable_with("datasource", query="graphite")),
    ("template-datasource-rule", variable_with("datasource", label="Source")),
    ("template-job-rule", variable_with("job")),
    ("template-job-rule", variable_with("job", allValue=".*")),
    ("template-job-rule", variable_with("job", label="Work")),
    ("template-instance-rule", variable_with("instance")),
    ("template-instance-rule", variable_with("instance", datasource={"uid": "abc"})),
    ("template-label-promql-rule", variable_with("job", query="label_values(up{, job)")),
    ("template-label-promql-rule", variable_with("job", query="metrics(up)")),
    ("template-on-time-change-reload-rule", variable_with("job", refresh=1)),
    ("panel-datasource-rule", panel_with(datasource={"type": "prometheus", "uid": "abc"})),
    ("panel-title-description-rule", without_description),
    ("panel-title-description-rule", panel_with(title="")),
    ("panel-units-rule", panel_with(fieldConfig={"defaults": {"unit": "millis"}})),
    ("panel-units-rule", panel_with(fieldConfig={})),
    ("panel-no-targets-rule", panel_with(targets=[])),
    ("target-logql-rule", asking_loki('{app="gx"}')),
    ("target-logql-auto-rule", asking_loki('rate({app="gx"}[5m])')),
    ("target-promql-rule", asking("sum(up")),
    ("target-rate-interval-rule", asking(GOOD_QUERY.replace("$__rate_interval", "5m"))),
    ("target-job-rule", asking(GOOD_QUERY.replace('job=~"$job",', ""))),
    ("target-instance-rule", asking(GOOD_QUERY.replace("$instance", "a:1"))),
    (
        "target-counter-agg-rule",
        asking('sum(http_requests_total{job=~"$job",instance=~"$instance"})'),
    ),
    ("uneditable-dashboard-rule", editable),
)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.uid)
def test_a_dashboard_keeps_the_rules_but_for_its_declared_exemptions(
    dashboard: Dashboard,
) -> None:
    """What may break a rule is declared with a reason, and is really needed."""
    exemptions = exemptions_of(dashboard)

    assert lint(FILES[f"{FOLDER}/{dashboard.uid}.json"], exemptions) == ()
    assert all(exemption.reason for exemption in exemptions)


def test_a_good_dashboard_has_no_findings() -> None:
    """The example below differs from this one in one thing only."""
    assert lint(json.dumps(good_dashboard())) == ()


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [pytest.param(*each, id=f"{each[0]} {number}") for number, each in enumerate(BROKEN)],
)
def test_a_rule_finds_what_breaks_it(rule: str, break_it: Break) -> None:
    """One change to a good dashboard is a finding of that rule."""
    dashboard = deepcopy(good_dashboard())
    panels = dashboard["panels"]
    assert isinstance(panels, list)
    break_it(dashboard, panels[1], panels[1]["targets"][0])

    assert rule in {finding.rule for finding in lint(json.dumps(dashboard))}


def test_every_rule_of_the_linter_is_there_and_shown_to_fail() -> None:
    """Seventeen rules, as the original tool has them."""
    assert len(RULES) == 17
    assert {rule for rule, _ in BROKEN} == set(RULES)


def test_panels_of_a_collapsed_row_are_looked_at_too() -> None:
    """They show data once somebody opens the row."""
    dashboard = good_dashboard()
    panels = dashboard["panels"]
    assert isinstance(panels, list)
    dashboard["panels"] = [{"type": "row", "panels": [{**panels[1], "description": ""}]}]

    assert [finding.rule for finding in lint(json.dumps(dashboard))] == [
        "panel-title-description-rule"
    ]


def test_an_exemption_that_nothing_needs_is_a_finding() -> None:
    """Else it would one day hide something."""
    exemption = Exemption("target-promql-rule", "Requests", "no reason")

    assert lint(json.dumps(good_dashboard()), [exemption]) == (
        Finding("target-promql-rule", "Requests", "is exempted and kept: drop it"),
    )
