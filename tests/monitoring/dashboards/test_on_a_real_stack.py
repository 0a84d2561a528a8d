"""Each panel has data on a system that works, and an honest `idle` on one that rests."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
import pytest_asyncio

from gx.monitoring.dashboards.alerting import (
    ALERTING,
    ALIVE,
    FIRING_OVER_TIME,
    RULE_FAILURES,
    TARGETS_DOWN,
    TARGETS_UP,
)
from gx.monitoring.dashboards.backend import BACKEND, BREAKER
from gx.monitoring.dashboards.every import dashboards_of
from gx.monitoring.dashboards.live import LiveQuery, ask_queries, find_empty_panels, without_data
from gx.monitoring.dashboards.model import ALL, Dashboard
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.external import EXTERNAL
from gx.monitoring.live import PrometheusError
from gx.monitoring.slos import SLOS
from gx.telemetry.metric import Condition
from tests.end_to_end.loop import Loop, running_loop, traffic
from tests.ports import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("dashboards-on-a-stack"),
    pytest.mark.asyncio(loop_scope="module"),
]

WITHIN_S: Final = 180.0
"""How long a loaded machine may take to scrape and show what happens."""

NAMESPACE: Final = "backend-devnet"
OF_EVERY_SCRAPE: Final = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_post_metric_relabeling",
    "scrape_samples_scraped",
    "scrape_series_added",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loop() -> AsyncIterator[Loop]:
    """The whole loop with its monitoring, scraped every second."""
    environment = {"GX_STACK_SCRAPE_INTERVAL_S": "1"}
    async with running_loop(environment=environment) as running:
        yield running


def prometheus_of(loop: Loop) -> str:
    """Return the address of the loop's own Prometheus."""
    return f"http://127.0.0.1:{loop.environment['GX_STACK_PROMETHEUS_PORT']}"


def open_client(loop: Loop) -> httpx.AsyncClient:
    """Open a client of the loop's own Prometheus, which waits as long as a busy machine needs."""
    return httpx.AsyncClient(base_url=prometheus_of(loop), trust_env=False, timeout=30)


async def ask(loop: Loop, dashboard: Dashboard, namespace: str) -> tuple[LiveQuery, ...]:
    """Run a dashboard's queries against the loop's Prometheus."""
    return await asyncio.to_thread(
        ask_queries, prometheus_of(loop), dashboard, namespace=namespace, rate_window="1m"
    )


async def until_all_have_data(loop: Loop, namespace: str, *, is_busy: bool) -> None:
    """Ask until every query of every dashboard has what it should."""
    lacking: tuple[str, ...] = ()
    for _ in range(round(WITHIN_S / 2)):
        lacking = await asyncio.to_thread(
            find_empty_panels,
            prometheus_of(loop),
            dashboards_of(["devnet"]),
            namespace=namespace,
            is_busy=is_busy,
            conditions={Condition.REDIS},
        )
        if not lacking:
            return
        await asyncio.sleep(2)
    pytest.fail(f"without data in {namespace}: {lacking}")


async def test_every_query_has_data_under_traffic(loop: Loop) -> None:
    """Of one namespace, of several and of all; at rest only what needs traffic may be idle."""
    await until_all_have_data(loop, NAMESPACE, is_busy=False)

    async with traffic(loop, rate_per_s=20):
        for namespace in (NAMESPACE, ALL, f"({NAMESPACE}|backend-mainnet)"):
            await until_all_have_data(loop, namespace, is_busy=True)
        await assert_the_numbers_are_healthy(loop)
    await assert_every_budget_can_be_computed(loop)


async def assert_the_numbers_are_healthy(loop: Loop) -> None:
    """Success and availability are percentages, and the breaker of a working ledger is closed."""
    rows = {row.panel.title: row.values for row in await ask(loop, BACKEND, NAMESPACE)}

    assert rows["Transaction Success Rate"] == (100.0,)
    assert 0 < rows["System Availability"][0] <= 100
    assert 0 < rows["API Response Time P95"][0] <= 10_000
    assert rows[BREAKER.title] == (0.0,)


async def test_the_page_of_the_alerts_says_that_alerting_works(loop: Loop) -> None:
    """The watchdog fires, every target answers, and nothing failed on the way to a person."""
    await until_all_have_data(loop, ALL, is_busy=False)
    values: dict[str, tuple[float, ...]] = {}
    for _ in range(round(WITHIN_S)):
        values = {row.panel.title: row.values for row in await ask(loop, ALERTING, ALL)}
        if values[ALIVE.title] == (1.0,) and values[TARGETS_DOWN.title] == (0.0,):
            break
        await asyncio.sleep(1)

    assert values[ALIVE.title] == (1.0,)
    assert values[TARGETS_DOWN.title] == (0.0,)
    assert values[RULE_FAILURES.title] == (0.0,)
    assert sum(values[FIRING_OVER_TIME.title]) >= 1
    # Four processes, three probes, three exporters, Prometheus and Alertmanager.
    assert sum(values[TARGETS_UP.title]) >= 12


async def test_what_is_declared_of_other_programs_is_what_they_say(loop: Loop) -> None:
    """A name that a rule reads and no program exports would be silent for ever."""
    here = {Exporter.POSTGRES, Exporter.NODE, Exporter.REDIS, "prometheus", "alertmanager"}
    wanted = {metric.name for metric in EXTERNAL if metric.exporter in here | {"blackbox_exporter"}}
    names: set[str] = set()
    async with open_client(loop) as client:
        for _ in range(round(WITHIN_S)):
            answer = await client.get("/api/v1/label/__name__/values")
            names = set(answer.json()["data"])
            if wanted <= names:
                break
            await asyncio.sleep(1)

    assert wanted - names == set()


async def test_of_the_exporters_only_what_is_declared_is_kept(loop: Loop) -> None:
    """A new version's new metrics cost nothing until somebody reads them."""
    await until_all_have_data(loop, NAMESPACE, is_busy=False)
    declared = {metric.name for metric in EXTERNAL} | OF_EVERY_SCRAPE
    async with open_client(loop) as client:
        answer = await client.get(
            "/api/v1/label/__name__/values", params={"match[]": '{job=~"postgres|node|redis"}'}
        )

    assert set(answer.json()["data"]) <= declared


async def assert_every_budget_can_be_computed(loop: Loop) -> None:
    """The rules that run every five minutes would record a number if they ran now."""
    async with open_client(loop) as client:
        for slo in SLOS:
            answer = await client.get("/api/v1/query", params={"query": slo.budget_rule.expr.text})
            (sample,) = answer.json()["data"]["result"]
            assert sample["metric"] == {"namespace": NAMESPACE}
            assert float(sample["value"][1]) <= 1, slo.title


async def test_a_namespace_that_nobody_deployed_shows_nothing(loop: Loop) -> None:
    """No panel falls back to another environment's numbers."""
    rows = await ask(loop, BACKEND, "backend-nowhere")

    assert [row.panel.title for row in rows if row.values] == []
    assert len(without_data(rows, is_busy=True)) == len(rows)


async def test_the_variable_offers_the_namespaces_that_are_scraped(loop: Loop) -> None:
    """Grafana asks for the label's values in the variable's series."""
    await until_all_have_data(loop, NAMESPACE, is_busy=False)
    variable = BACKEND.variables[0]
    async with open_client(loop) as client:
        answer = await client.get(
            f"/api/v1/label/{variable.label}/values", params={"match[]": variable.source.text}
        )

    assert answer.json()["data"] == [NAMESPACE]


async def test_a_prometheus_that_is_away_is_an_error_and_not_an_empty_page() -> None:
    """The error names the address and what to do."""
    with pytest.raises(PrometheusError, match="Is it running"):
        await asyncio.to_thread(ask_queries, f"http://127.0.0.1:{free_port()}", BACKEND)
