"""Alerts, targets and the strip above every page."""

import httpx
import msgspec
import pytest

from gx.console.wire import WireAlerts, WireStatus, WireTargets
from tests.console.fake_sources import (
    ALERTMANAGER,
    API,
    PROMETHEUS,
    FakeSources,
    an_alert,
    success,
    vector,
)

RULES = f"{PROMETHEUS}/api/v1/rules"
HELD = f"{ALERTMANAGER}/api/v2/alerts"
LATE, EARLY = "2026-11-21T22:00:00.123456789Z", "2026-11-21T21:00:00Z"


@pytest.fixture
def alerting(sources: FakeSources) -> FakeSources:
    """A Prometheus with four alerts and an Alertmanager that mutes one of them."""
    rules = [
        an_alert("ProjectionLagExceedsSLO", "firing", "warning", EARLY),
        an_alert("OutboxQueueCritical", "firing", "critical", LATE),
        an_alert("OutboxQueueBuildup", "pending", "warning", EARLY),
        an_alert("Watchdog", "firing", "none", EARLY),
    ]
    sources.answer(RULES, success({"groups": [{"name": "gx", "rules": list(rules)}]}))
    held = {
        "labels": {
            "alertname": "ProjectionLagExceedsSLO",
            "severity": "warning",
            "namespace": "backend-devnet",
            "prometheus": "monitoring/gx",
        },
        "status": {"state": "suppressed", "silencedBy": [], "inhibitedBy": ["abc"]},
    }
    sources.answer(HELD, httpx.Response(200, json=[held]))
    return sources


async def alerts_of(browser: httpx.AsyncClient) -> WireAlerts:
    """Ask for the page of the alerts."""
    return msgspec.json.decode((await browser.get("/api/alerts")).content, type=WireAlerts)


@pytest.mark.usefixtures("alerting")
async def test_the_most_urgent_stands_first(browser: httpx.AsyncClient) -> None:
    """Firing before pending, critical before warning; the watchdog is no alert but a sign."""
    page = await alerts_of(browser)

    assert [alert.name for alert in page.alerts] == [
        "OutboxQueueCritical",
        "ProjectionLagExceedsSLO",
        "OutboxQueueBuildup",
    ]
    assert page.watchdog
    assert len(page.rules) == 4


@pytest.mark.usefixtures("alerting")
async def test_each_alert_has_its_pages_here(browser: httpx.AsyncClient) -> None:
    """Runbook and dashboard are pages of this console, wherever the annotations point."""
    alert = (await alerts_of(browser)).alerts[0]

    assert alert.runbook == "/runbooks/OutboxQueueCritical"
    assert alert.dashboard == "/dashboards/07-cqrs-backend-monitoring"
    for path in (alert.runbook, alert.dashboard):
        assert (await browser.get(path)).status_code == 200


@pytest.mark.usefixtures("alerting")
async def test_an_alert_that_notifies_nobody_says_so(browser: httpx.AsyncClient) -> None:
    """Alertmanager's labels may be more than Prometheus'; the reason is told."""
    muted = {alert.name: alert.muted for alert in (await alerts_of(browser)).alerts}

    assert muted["ProjectionLagExceedsSLO"] == "inhibited"
    assert muted["OutboxQueueCritical"] is None


async def test_without_alertmanager_the_alerts_are_still_shown(
    alerting: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Prometheus knows what fires; that nobody is notified is said."""
    del alerting.answers[HELD]

    page = await alerts_of(browser)

    assert page.problem is None
    assert len(page.alerts) == 3
    assert "Alertmanager at" in (page.alertmanager_problem or "")


async def test_without_prometheus_nobody_knows_what_fires(browser: httpx.AsyncClient) -> None:
    """An empty list is not taken for a quiet system."""
    page = await alerts_of(browser)

    assert "Prometheus at" in (page.problem or "")
    assert not page.watchdog


async def test_targets_in_trouble_stand_first_and_missing_ones_are_named(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Whoever should be scraped and is not configured has no row of its own."""

    def target(job: str, health: str) -> dict[str, object]:
        return {
            "labels": {"job": job, "instance": "127.0.0.1:1", "namespace": "backend-devnet"},
            "health": health,
            "lastError": "" if health == "up" else "connection refused",
            "lastScrape": LATE,
            "lastScrapeDuration": 0.01,
            "scrapeUrl": "http://127.0.0.1:1/metrics",
        }

    both = [target("gx-api", "up"), target("gx-projector", "down")]
    sources.answer(
        f"{PROMETHEUS}/api/v1/targets",
        httpx.Response(200, json={"status": "success", "data": {"activeTargets": both}}),
    )
    lost = {"job": "gx-ledger", "namespace": "backend-devnet", "service": "ledger"}
    sources.answer(f"{PROMETHEUS}/api/v1/query", vector((lost, "1")))

    page = msgspec.json.decode((await browser.get("/api/targets")).content, type=WireTargets)

    assert [(each.job, each.health) for each in page.targets] == [
        ("gx-projector", "down"),
        ("gx-api", "up"),
    ]
    assert [each.service for each in page.missing] == ["ledger"]


async def status_of(browser: httpx.AsyncClient) -> WireStatus:
    """Ask for the strip above every page."""
    return msgspec.json.decode((await browser.get("/api/status")).content, type=WireStatus)


async def test_the_strip_names_who_is_away_and_goes_on(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """What cannot be counted is unknown, which is not zero."""
    sources.answer(f"{API}/readyz", httpx.Response(503))

    status = await status_of(browser)

    problems = {source.name: source.problem for source in status.sources}
    assert "does not answer" in (problems["Prometheus"] or "")
    assert "it answers 503" in (problems["The API"] or "")
    assert (status.critical, status.targets_up) == (None, None)


async def test_the_strip_counts_what_fires(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """By severity; pending ones apart; namespaces are those that are scraped."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params["query"]
        if "ALERTS" in query:
            return vector(
                ({"alertstate": "firing", "severity": "critical"}, "2"),
                ({"alertstate": "pending", "severity": "warning"}, "3"),
            )
        if "namespace" in query:
            return vector(({"namespace": "backend-testnet"}, "4"), ({"namespace": "a"}, "1"))
        return vector(({}, "1" if "1 -" in query else "9"))

    for path in ("/-/ready", "/api/v1/query"):
        sources.answer(PROMETHEUS + path, answer if "query" in path else httpx.Response(200))

    status = await status_of(browser)

    assert (status.critical, status.warning, status.pending) == (2, 0, 3)
    assert (status.targets_up, status.targets_down) == (9, 1)
    assert status.namespaces == ("a", "backend-testnet")
