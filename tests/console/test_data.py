"""The numbers of dashboards: which questions are asked, and what becomes of the answers."""

import httpx
import msgspec
import pytest

from gx.console.data import build_frame, legend_of
from gx.console.panels import wire_dashboards
from gx.console.wire import WireData
from gx.domain.codec import JsonObject, JsonValue
from gx.monitoring.dashboards.backend import BACKEND
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.model import Drawing
from tests.console.fake_sources import NOW_S, PROMETHEUS, FakeSources, success, vector

PATH = f"/api/dashboards/{BACKEND.uid}/data"
QUERY = f"{PROMETHEUS}/api/v1/query"
RANGE = f"{PROMETHEUS}/api/v1/query_range"
NAMESPACE = {"namespace": "backend-devnet"}


async def data_of(browser: httpx.AsyncClient, **parameters: str | int) -> WireData:
    """Ask for the backend's numbers."""
    answer = await browser.get(PATH, params=parameters)
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=WireData)


def test_points_of_time_stay_when_the_page_is_refreshed() -> None:
    """Two questions within a step get the same grid, so that no line trembles."""
    one, other = (
        build_frame(now_ms=(NOW_S + extra) * 1_000, span_s=86_400, scrape_interval_s=15)
        for extra in (0, 100)
    )

    assert one == other
    assert one.end_s % one.step_s == 0
    assert one.count <= 241


@pytest.mark.parametrize("span_s", [60, 900, 3_600, 86_400, 2_592_000])
def test_a_rate_spans_several_scrapes(span_s: int) -> None:
    """At any zoom the window holds four scrapes and more than one step."""
    frame = build_frame(now_ms=NOW_S * 1_000, span_s=span_s, scrape_interval_s=15)

    assert frame.rate_window_s >= 60
    assert frame.rate_window_s > frame.step_s
    assert frame.start_s + (frame.count - 1) * frame.step_s == frame.end_s


def test_namespaces_are_names_and_no_expressions() -> None:
    """What a browser sends cannot become another query."""
    names = ["backend-devnet", 'x"} or up{a=~".+']
    frame = build_frame(now_ms=0, span_s=900, scrape_interval_s=15, namespaces=names)

    assert frame.namespace.startswith("backend-devnet|")
    assert ".+" not in frame.namespace.replace("\\.\\+", "")


async def test_only_the_catalogue_s_queries_are_asked(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Every panel is asked with its declared expression, and nothing else can be."""
    sources.answer(QUERY, vector())
    sources.answer(RANGE, success({"resultType": "matrix", "result": []}))

    await data_of(browser, span=900, query="up", expr="up")

    expected = {query.resolve(namespace=".+", rate_window="60s") for _, query in BACKEND.queries()}
    assert set(sources.queries()) == expected
    assert (await browser.get("/api/v1/query", params={"query": "up"})).status_code == 404


async def test_values_stand_on_the_grid(sources: FakeSources, browser: httpx.AsyncClient) -> None:
    """A gap is None, NaN is None, and each sample is at its own time."""

    def matrix(request: httpx.Request) -> httpx.Response:
        start_s = int(request.url.params["start"])
        at = ((15, "1.5"), (45, "NaN"), (60, "+Inf"))
        values: list[JsonValue] = [[start_s + after_s, text] for after_s, text in at]
        labels: JsonObject = {"namespace": "backend-devnet"}
        return success({"result": [{"metric": labels, "values": values}]})

    sources.answer(QUERY, vector((NAMESPACE, "99.5")))
    sources.answer(RANGE, matrix)

    data = await data_of(browser, span=900)

    panels = dict(zip((panel.title for panel in BACKEND.panels), data.panels, strict=True))
    gauge = panels["Transaction Success Rate"].series[0]
    line = panels["Outbox Command Queue Status"].series[0]
    assert (gauge.legend, gauge.values) == ("backend-devnet", (99.5,))
    assert line.values[:5] == (None, 1.5, None, None, None)
    assert len(line.values) == data.count == 61


async def test_a_prometheus_that_is_away_is_a_sentence(browser: httpx.AsyncClient) -> None:
    """The answer is good, says who is away and where, and has no panels."""
    data = await data_of(browser)

    assert data.problem == f"Prometheus at {PROMETHEUS} does not answer: nobody listens there"
    assert data.panels == ()


async def test_a_refused_query_is_the_trouble_of_its_panel_alone(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """The others are drawn."""
    sources.answer(QUERY, vector((NAMESPACE, "1")))
    sources.answer(RANGE, httpx.Response(400, json={"error": "query is too large"}))

    data = await data_of(browser)

    assert data.problem is None
    for panel, drawn in zip(BACKEND.panels, data.panels, strict=True):
        is_chart = panel.drawing in {Drawing.LINES, Drawing.STACKED}
        assert ("too large" in (drawn.problem or "")) is is_chart


async def test_somebody_else_on_that_port_is_told(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """An answer that Prometheus would not give is not drawn."""
    sources.answer(QUERY, httpx.Response(200, text="<html>"))
    sources.answer(RANGE, httpx.Response(200, text="<html>"))

    assert "is not Prometheus" in ((await data_of(browser)).problem or "")


@pytest.mark.parametrize(
    "parameters", [{"span": 1}, {"span": 10**9}, {"span": "x"}, {"namespace": ["a"] * 21}]
)
async def test_what_makes_no_sense_is_refused(
    browser: httpx.AsyncClient, parameters: dict[str, int | str | list[str]]
) -> None:
    """Nobody can make Prometheus read years."""
    assert (await browser.get(PATH, params=parameters)).status_code == 422


async def test_an_unknown_dashboard_is_not_found(browser: httpx.AsyncClient) -> None:
    """As data and as a page."""
    assert (await browser.get("/api/dashboards/nope/data")).status_code == 404
    assert (await browser.get("/dashboards/nope")).status_code == 404


def test_every_dashboard_is_described_as_it_is_declared() -> None:
    """Titles, queries, bands and runbooks are the catalogue's own, panel by panel."""
    for declared, wired in zip(DASHBOARDS, wire_dashboards(), strict=True):
        panels = [panel for row in wired.rows for panel in row.panels]
        assert (wired.uid, len(panels)) == (declared.uid, len(declared.panels))
        for panel, drawn in zip(declared.panels, panels, strict=True):
            assert (drawn.title, drawn.runbooks) == (panel.title, panel.runbooks)
            assert [q.expr for q in drawn.queries] == [q.expr.text for q in panel.queries]
            assert [b.start for b in drawn.bands] == [b.start for b in panel.bands]


def test_a_legend_is_filled_in_as_grafana_does() -> None:
    """A label that a series lacks is left out."""
    assert legend_of("P95 {{namespace}} {{ gone }}", NAMESPACE) == "P95 backend-devnet"
