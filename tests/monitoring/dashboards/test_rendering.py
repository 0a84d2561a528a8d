"""The committed dashboards are what is declared, complete, and lose nothing in Grafana's model."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanaDashboard

from gx.monitoring.dashboards.backend import BACKEND, BREAKER
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.files import FOLDER, render_dashboards
from gx.monitoring.dashboards.grafana import FAMILY_TAG, GENERATED_TAG, GENERATOR, UNITS
from gx.monitoring.dashboards.index import INDEX_DASHBOARD
from gx.monitoring.dashboards.model import Measure

ROOT: Final = Path(__file__).parents[3]
FILES: Final = render_dashboards()
PANELS: Final = {
    panel["title"]: panel
    for panel in json.loads(FILES[f"{FOLDER}/{BACKEND.uid}.json"])["panels"]
    if panel["type"] != "row"
}


@pytest.mark.parametrize("path", FILES)
def test_the_committed_file_is_what_is_declared(path: str) -> None:
    """A change of a metric, a threshold or a text shows in the file that operators load."""
    assert (ROOT / path).read_text() == FILES[path], f"stale: run `{GENERATOR}`"


def test_no_file_is_left_of_a_dashboard_that_is_not_declared_any_more() -> None:
    """The folder holds the declared dashboards and no others."""
    assert {str(path.relative_to(ROOT)) for path in (ROOT / FOLDER).glob("*.json")} == set(FILES)


@pytest.mark.parametrize("path", FILES)
def test_grafanas_own_model_keeps_every_field(path: str) -> None:
    """A field that its schema does not have would be dropped without a word."""
    assert lost_fields(FILES[path]) == set()


def test_a_misspelt_field_is_found_lost() -> None:
    """The comparison sees what Grafana would ignore."""
    misspelt = FILES[f"{FOLDER}/{BACKEND.uid}.json"].replace('"thresholds":', '"tresholds":', 1)

    assert any(".tresholds." in field for field in lost_fields(misspelt))


def lost_fields(text: str) -> set[str]:
    """Read a dashboard with the SDK, write it again, and name the fields that are gone."""
    register_default_plugins()
    original = json.loads(text)
    again = json.loads(json.dumps(GrafanaDashboard.from_json(original), cls=JSONEncoder))
    return set(fields(original)) - set(fields(again))


def fields(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of everything that a document says."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from fields(inner, f"{path}[{index}]")
    else:
        yield f"{path}={value}"


def test_the_backends_dashboard_has_its_rows_panels_and_refresh() -> None:
    """Eleven panels in four rows, as operators of the original know them."""
    drawn = json.loads(FILES[f"{FOLDER}/07-cqrs-backend-monitoring.json"])

    assert drawn["title"] == "GX Protocol - CQRS Backend Monitoring (Enterprise)"
    assert (drawn["uid"], drawn["refresh"]) == ("07-cqrs-backend-monitoring", "10s")
    rows: dict[str, list[str]] = {}
    for panel in drawn["panels"]:
        if panel["type"] == "row":
            rows[panel["title"]] = []
        else:
            rows[next(reversed(rows))].append(panel["title"])
    assert rows == {
        "SLO/SLA Overview": [
            "Transaction Success Rate",
            "Projection Lag",
            "API Response Time P95",
            "System Availability",
        ],
        "CQRS Write Path - Outbox Pattern": [
            "Outbox Command Queue Status",
            "Command Processing Rate by Status",
        ],
        "CQRS Read Path - Event Projection": [
            "Projection Lag & Processing Time",
            "Event Processing Rate by Type",
        ],
        "Fabric Integration": [
            "Circuit Breaker State",
            "Fabric Transaction Success Rate",
            "Fabric Transaction Duration",
        ],
    }


def test_the_namespace_can_be_one_several_or_all() -> None:
    """All is chosen at first; the data source is a variable too."""
    variables = {
        each["name"]: each
        for each in json.loads(FILES[f"{FOLDER}/{BACKEND.uid}.json"])["templating"]["list"]
    }

    assert set(variables) == {"datasource", "namespace"}
    namespace = variables["namespace"]
    assert (namespace["multi"], namespace["includeAll"], namespace["allValue"]) == (
        True,
        True,
        ".+",
    )
    assert namespace["query"] == 'label_values(up{job=~"gx-.+"}, namespace)'
    assert namespace["current"]["value"] == ["$__all"]


@pytest.mark.parametrize(
    ("title", "unit", "steps"),
    [
        (
            "Transaction Success Rate",
            "percent",
            [(None, "red"), (95, "orange"), (99, "yellow"), (99.9, "green")],
        ),
        (
            "Projection Lag",
            "ms",
            [(None, "green"), (3_000, "yellow"), (5_000, "orange"), (10_000, "red")],
        ),
        (
            "API Response Time P95",
            "ms",
            [(None, "green"), (300, "yellow"), (500, "orange"), (1_000, "red")],
        ),
        (
            "System Availability",
            "percent",
            [(None, "red"), (99, "orange"), (99.9, "yellow"), (99.95, "green")],
        ),
    ],
)
def test_a_gauge_turns_colour_where_its_objective_says(
    title: str, unit: str, steps: list[tuple[float | None, str]]
) -> None:
    """Green within the objective's band; a scale from end to end; the last value that is one."""
    panel = PANELS[title]
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["type"] == "gauge"
    assert defaults["unit"] == unit
    assert [(step["value"], step["color"]) for step in defaults["thresholds"]["steps"]] == steps
    starts = [value for value, _ in steps if value is not None]
    assert defaults["min"] < min(starts) < max(starts) < defaults["max"]
    assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]


@pytest.mark.parametrize(
    ("title", "line"),
    [("Outbox Command Queue Status", 50), ("Fabric Transaction Success Rate", 5)],
)
def test_a_chart_has_its_line_where_somebody_is_paged(title: str, line: float) -> None:
    """Fifty dead letters; five percent errors, which lie below the successes."""
    panel = PANELS[title]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]

    assert [step["value"] for step in steps] == [None, line]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "line"
    if title.startswith("Fabric"):
        assert panel["targets"][0]["legendFormat"].startswith("error")
        assert panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"


def test_percentages_of_several_environments_do_not_add_up() -> None:
    """Each environment's errors and successes are a stack of their own, up to 100."""
    overrides = PANELS["Fabric Transaction Success Rate"]["fieldConfig"]["overrides"]
    stacks = {
        override["matcher"]["options"]: override["properties"][0]["value"]["group"]
        for override in overrides
    }

    assert stacks == {".*devnet.*": "devnet", ".*testnet.*": "testnet", ".*mainnet.*": "mainnet"}


def test_the_breakers_three_states_read_as_words() -> None:
    """0, 0.5 and 1 are CLOSED, HALF-OPEN and OPEN, in the colours of a traffic light."""
    mappings = PANELS[BREAKER.title]["fieldConfig"]["defaults"]["mappings"]

    assert [
        (value, state["text"], state["color"]) for value, state in mappings[0]["options"].items()
    ] == [("0", "CLOSED", "green"), ("0.5", "HALF-OPEN", "yellow"), ("1", "OPEN", "red")]


def test_every_panel_says_idle_without_a_value_and_where_to_read_on() -> None:
    """A description, a link to a runbook, an id of its own, and a word for nothing."""
    for text in FILES.values():
        drawn = json.loads(text)
        assert GENERATED_TAG in drawn["tags"]
        assert GENERATOR in drawn["description"]
        numbers = [panel["id"] for panel in drawn["panels"]]
        assert numbers == list(range(1, len(numbers) + 1))
        for panel in drawn["panels"]:
            if panel["type"] != "row":
                assert panel["fieldConfig"]["defaults"]["noValue"] == "idle", panel["title"]
                assert panel["description"], panel["title"]


def test_a_panel_leads_to_the_runbooks_of_its_alerts_and_to_its_dashboard() -> None:
    """A click away: what to do about it, and the page behind a figure of the index."""
    for dashboard in DASHBOARDS:
        panels = json.loads(FILES[f"{FOLDER}/{dashboard.uid}.json"])["panels"]
        drawn = {panel["title"]: panel for panel in panels if panel["type"] != "row"}
        for panel in dashboard.panels:
            links = [link["url"] for link in drawn[panel.title].get("links") or ()]
            opened = [f"/d/{panel.opens}"] if panel.opens else []
            assert links[: len(opened)] == opened
            assert [url.rpartition("/runbooks/")[2] for url in links[len(opened) :]] == [
                *panel.runbooks
            ]


def test_the_index_leads_to_every_other_dashboard() -> None:
    """Each has one figure there, and every page a menu of all of them."""
    (index,) = (each for each in DASHBOARDS if each.uid == INDEX_DASHBOARD)
    opened = [panel.opens for panel in index.panels]

    assert sorted(map(str, opened)) == sorted({each.uid for each in DASHBOARDS} - {index.uid})
    for dashboard in DASHBOARDS:
        (menu,) = json.loads(FILES[f"{FOLDER}/{dashboard.uid}.json"])["links"]
        assert (menu["type"], menu["tags"]) == ("dashboards", [FAMILY_TAG])
        assert FAMILY_TAG in dashboard.tags


def test_every_measure_has_a_unit_of_grafanas() -> None:
    """A panel's measure is required; what it is in Grafana's words must be, too."""
    drawn = {panel.measure for dashboard in DASHBOARDS for panel in dashboard.panels}

    assert drawn <= set(UNITS)
    assert set(UNITS) == set(Measure)


def test_the_runbooks_address_is_the_callers() -> None:
    """Where the runbooks are served differs from installation to installation."""
    for text in render_dashboards(runbooks="https://ops.example/rb/").values():
        assert '"url": "https://ops.example/rb/' in text
        assert "127.0.0.1" not in text


def test_panels_lie_side_by_side_and_never_upon_each_other() -> None:
    """Each cell of the page belongs to at most one panel, and every row is full."""
    for text in FILES.values():
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(text)["panels"]:
            place: dict[str, int] = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not taken & cells, panel["title"]
            taken |= cells
        assert {x for x, _ in taken} == set(range(24))


def test_every_declared_dashboard_is_rendered_under_its_own_name() -> None:
    """Two dashboards never share an address or a file."""
    assert len(FILES) == len(DASHBOARDS)
    assert all(len(dashboard.uid) <= 40 for dashboard in DASHBOARDS)  # Grafana's limit
