"""The panels in a real browser: what they show is what Prometheus says."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import expect

from gx.monitoring.dashboards.backend import BACKEND, BREAKER, SUCCESS_RATE
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.model import Drawing, Panel
from tests.browser.living import NAMESPACE, PATIENCE_S, SCRAPE_INTERVAL_S, Living
from tests.browser.visit import Visit, visiting
from tests.end_to_end.loop import traffic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # the first test of a machine installs the browser
    pytest.mark.xdist_group("browser-dashboards"),
    pytest.mark.asyncio(loop_scope="module"),
]

RATE_PER_S: Final = 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy(stack: Living) -> AsyncIterator[Living]:
    """The stack while commands of every outcome go through it."""
    async with traffic(stack.loop, rate_per_s=RATE_PER_S):
        yield stack


PAGE: Final = f"/dashboards/{BACKEND.uid}"
INSTANT: Final = [p for p in BACKEND.panels if p.drawing in {Drawing.GAUGE, Drawing.STAT}]
CHARTS: Final = [p for p in BACKEND.panels if p.drawing in {Drawing.LINES, Drawing.STACKED}]


SETTLED: Final = 3
"""So many steps ago no scrape is on its way any more."""


class Drawn(msgspec.Struct):
    """A series as the page got it."""

    legend: str
    values: list[float | None]


class DrawnPanel(msgspec.Struct):
    """A panel's series as the page got them."""

    series: list[Drawn]


class Answered(msgspec.Struct, rename="camel"):
    """What the page got from the console."""

    start_s: int
    step_s: int
    count: int
    panels: list[DrawnPanel]


class Shown(msgspec.Struct):
    """What one panel shows: the values of its pictures, or of its series now."""

    title: str
    values: list[str]


_SHOWN: Final = """() => JSON.stringify({
  at: document.querySelector(".updated time")?.getAttribute("datetime") ?? "",
  panels: [...document.querySelectorAll("[data-panel]")].map((panel) => ({
    title: panel.dataset.panel,
    values: [...panel.querySelectorAll("[data-value]")].map((each) => each.dataset.value),
  })),
})"""


class Page(msgspec.Struct):
    """What the whole page shows, and of which moment."""

    at: str
    panels: list[Shown]

    @property
    def at_s(self) -> int:
        """The moment in seconds."""
        return int(datetime.fromisoformat(self.at).timestamp())

    def values(self, panel: Panel) -> list[float]:
        """The numbers of a panel; none where it is idle or not drawn yet."""
        texts = [text for each in self.panels if each.title == panel.title for text in each.values]
        return [float(text) for text in texts if text]


async def look(visit: Visit) -> Page:
    """Read what the page shows now, all of it of one moment."""
    return msgspec.convert(json.loads(str(await visit.page.evaluate(_SHOWN))), type=Page)


async def until_all_have_values(visit: Visit) -> None:
    """Wait until every panel shows a number."""
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        idle = [panel.title for panel in BACKEND.panels if not (await look(visit)).values(panel)]
        if not idle:
            return
        assert time.monotonic() < give_up_s, f"still idle: {idle}"
        await asyncio.sleep(1)


async def differences(stack: Living, page: Page) -> list[str]:
    """Compare what pictures of one value show with Prometheus' own answer for that moment."""
    found = []
    for panel in INSTANT:
        query = panel.queries[0].resolve(namespace=NAMESPACE)
        answer = await stack.ask(query, at_s=page.at_s)
        if page.values(panel) != list(answer.values()):
            found.append(f"{panel.title}: {page.values(panel)} is not {answer}")
    return found


async def test_every_panel_shows_what_prometheus_answers(busy: Living) -> None:
    """All eleven have numbers under traffic, each equal to what is asked directly.

    A scrape may arrive between the page's question and ours: then both are asked again.
    """
    async with visiting(busy.browser, busy.console) as visit:
        await visit.open(f"{PAGE}?span=900")
        await expect(visit.page.locator("[data-panel]")).to_have_count(11)
        await until_all_have_values(visit)
        give_up_s = time.monotonic() + PATIENCE_S
        while found := await differences(busy, await look(visit)):
            assert time.monotonic() < give_up_s, found
            await asyncio.sleep(1)
        await expect(visit.page.locator(".tile strong")).to_have_text("CLOSED")


async def test_a_chart_is_drawn_from_what_prometheus_answers(busy: Living) -> None:
    """A point that has settled equals Prometheus' own; the legend has the newest values."""
    async with visiting(busy.browser, busy.console) as visit:
        async with visit.page.expect_response(lambda answer: "/data?" in answer.url) as waiting:
            await visit.open(f"{PAGE}?span=900")
        data = msgspec.json.decode(await (await waiting.value).body(), type=Answered)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        page, at_s = await look(visit), data.start_s + (data.count - 1 - SETTLED) * data.step_s

        for panel, drawn in zip(BACKEND.panels, data.panels, strict=True):
            if panel not in CHARTS:
                continue
            newest = [each.values[-1] for each in drawn.series if each.values[-1] is not None]
            assert sorted(page.values(panel)) == sorted(newest), panel.title
            query = panel.queries[0].resolve(rate_window=f"{data.step_s + SCRAPE_INTERVAL_S}s")
            answer = await busy.ask(f"sum by (namespace) ({query})", at_s=at_s)
            legend = panel.queries[0].legend.split("{{")[0]
            mine = [each for each in drawn.series if each.legend.startswith(legend)]
            total = sum(each.values[-1 - SETTLED] or 0 for each in mine)
            assert total == pytest.approx(sum(answer.values()), rel=1e-6), panel.title


async def test_colours_say_what_the_objective_says(busy: Living) -> None:
    """A good value is drawn in the green of its band, and says so to whoever cannot see it."""
    async with visiting(busy.browser, busy.console) as visit:
        await visit.open(PAGE)
        await until_all_have_values(visit)
        gauge = visit.page.get_by_role("img", name=f"{SUCCESS_RATE.title}, {NAMESPACE}: 100 %")
        await expect(gauge).to_have_attribute(
            "aria-label", f"{SUCCESS_RATE.title}, {NAMESPACE}: 100 %, green"
        )
        await expect(gauge.locator("path.band")).to_have_count(len(SUCCESS_RATE.bands))
        await expect(
            visit.page.locator(f"[data-panel='{BREAKER.title}'] .tile.green")
        ).to_be_visible()


async def test_an_environment_without_traffic_reads_idle(stack: Living) -> None:
    """Nothing is broken where nothing happens: no panel says "No data"."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open(f"{PAGE}?namespace=backend-nowhere")
        await expect(visit.page.locator("svg.gauge.idle")).to_have_count(4)
        await expect(visit.page.locator(".chart.empty .nothing").first).to_have_text("idle")
        assert "No data" not in await visit.page.inner_text("body")


async def test_one_namespace_or_all_can_be_chosen(stack: Living) -> None:
    """The choice stands in the address, so that a link shows the same to somebody else."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open(PAGE)
        await visit.page.get_by_label("Namespace").select_option(NAMESPACE)
        await visit.page.get_by_label("Time range").select_option("900")
        await expect(visit.page).to_have_url(
            f"{stack.console}{PAGE}?span=900&namespace={NAMESPACE}"
        )
        await expect(visit.page.locator("svg.gauge").first).to_be_visible()


async def test_every_dashboard_of_the_catalogue_is_drawn(stack: Living) -> None:
    """Whatever the catalogue declares has a page with all of its panels, none of them refused."""
    async with visiting(stack.browser, stack.console) as visit:
        for dashboard in DASHBOARDS:
            await visit.open(f"/dashboards/{dashboard.uid}")
            await expect(visit.page.locator("h1")).to_have_text(dashboard.title)
            panels = visit.page.locator("[data-panel]")
            await expect(panels).to_have_count(len(dashboard.panels))
            await expect(visit.page.locator(".panel.loading")).to_have_count(0)
            await expect(visit.page.locator(".panel .fault")).to_have_count(0)
