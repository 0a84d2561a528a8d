"""What is wrong with a dashboard is said before it is rendered, and by name."""

from dataclasses import replace
from typing import Final

import pytest

from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import HIGH_MEMORY, QUEUE_BUILDS_UP
from gx.monitoring.dashboards import files
from gx.monitoring.dashboards.backend import BACKEND, QUEUE
from gx.monitoring.dashboards.checks import find_dashboard_faults
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.files import render_dashboards
from gx.monitoring.dashboards.model import Dashboard, Panel, Query, Row
from gx.monitoring.errors import MonitoringError
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.external import EXTERNAL, UP
from gx.monitoring.model import Alert
from gx.monitoring.promql import max_by, select
from gx.monitoring.recording import COMMAND_SUCCESS
from gx.monitoring.rules import all_groups
from gx.telemetry.catalogue.write_path import OUTBOX_PENDING_COMMANDS, OUTBOX_QUEUE_DEPTH

RECORDED: Final = {rule.name for group in all_groups(()) for rule in group.recordings}
RENAMED: Final = select(replace(OUTBOX_PENDING_COMMANDS, name="outbox_pending"))
UNDECLARED: Final = select(replace(UP, name="up_since"))


def a_dashboard(panel: Panel) -> Dashboard:
    """The smallest dashboard with this panel."""
    return replace(BACKEND, rows=(Row("Row", (panel,)),))


def faults_of(panel: Panel, *alerts: Alert) -> tuple[str, ...]:
    """Check a dashboard with this panel alone."""
    return find_dashboard_faults([a_dashboard(panel)], alerts, RECORDED)


def asking(query: Query) -> Panel:
    """A panel with this query."""
    return replace(QUEUE, queries=(query,), runbooks=())


def test_the_dashboards_have_no_faults() -> None:
    """Neither have they, nor do alerts name one that is not there."""
    assert find_dashboard_faults(DASHBOARDS, ALERTS, RECORDED) == ()


@pytest.mark.parametrize(
    ("panel", "fault"),
    [
        (replace(QUEUE, title="", runbooks=()), "a panel: it has no title"),
        (replace(QUEUE, description="", runbooks=()), "its description is no sentence"),
        (replace(QUEUE, description="Commands", runbooks=()), "its description is no sentence"),
        (replace(QUEUE, measure="", runbooks=()), "it has no unit"),  # type: ignore[arg-type]  # that is what is tested
        (replace(QUEUE, queries=(), runbooks=()), "it asks nothing"),
        (replace(QUEUE, runbooks=("Gone",)), "it links the runbook Gone, and no alert has that"),
        (replace(QUEUE, runbooks=(), opens="gone"), "it opens gone, which is not rendered"),
        (asking(Query(expr=max_by(RENAMED), legend="x")), "it reads outbox_pending, which the"),
        (asking(Query(expr=max_by(UNDECLARED), legend="x")), "it reads up_since, which no expo"),
        (
            asking(Query(expr=select(OUTBOX_QUEUE_DEPTH), legend="x")),
            "which repeats outbox_pending_commands: use that",
        ),
        (asking(Query(expr=select(UP), legend="")), "a query has no legend"),
    ],
)
def test_a_fault_of_a_panel_is_named(panel: Panel, fault: str) -> None:
    """Negative controls: the dashboard, the panel and what is wrong with it."""
    (said,) = faults_of(panel)

    assert said.startswith(f"{BACKEND.uid}: {panel.title or 'a panel'}: ")
    assert fault in said


def test_a_rule_that_nobody_records_is_named() -> None:
    """A panel may read a recording rule only where it is evaluated."""
    panel = asking(Query(expr=select(COMMAND_SUCCESS), legend="x"))

    assert faults_of(panel) == ()
    assert find_dashboard_faults([a_dashboard(panel)], (), ()) == (
        f"{BACKEND.uid}: {QUEUE.title}: it reads {COMMAND_SUCCESS.name}, which no rule records",
    )


def test_an_alert_must_lead_to_a_dashboard_and_a_dashboard_to_its_runbook() -> None:
    """Both ways: a notification's link, and a panel's."""
    lost = replace(QUEUE_BUILDS_UP, dashboard="gone")
    panel = replace(QUEUE, runbooks=(lost.name,))

    assert faults_of(panel, lost) == ("OutboxQueueBuildup: its dashboard gone is not rendered",)
    assert faults_of(replace(panel, runbooks=()), HIGH_MEMORY) == (
        "BackendHighMemory: no panel links its runbook",
    )


def test_names_are_used_once() -> None:
    """A dashboard's address is its file; a finding means a panel by its title."""
    twice = replace(BACKEND, rows=(Row("Row", (asking(QUEUE.queries[0]),) * 2),))

    assert find_dashboard_faults([twice], (), RECORDED) == (
        f"{BACKEND.uid}: two panels are called {QUEUE.title}",
    )
    assert f"{BACKEND.uid}: two dashboards have this address" in find_dashboard_faults(
        [BACKEND, BACKEND], ALERTS, RECORDED
    )


def test_what_is_kept_of_an_exporter_is_shown_or_watched() -> None:
    """A declared metric is scraped and stored; one that nobody reads is thrown away for money."""
    rules = [rule.expr for group in all_groups(()) for rule in group.recordings]
    asked = [query.expr for dashboard in DASHBOARDS for _, query in dashboard.queries()]
    read = {
        series
        for expr in (*rules, *asked, *(alert.expr for alert in ALERTS))
        for series in expr.reads
    }

    assert [
        each.name for each in EXTERNAL if each.exporter in set(Exporter) if each not in read
    ] == []


def test_nothing_is_rendered_while_something_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The build fails, and says which."""
    monkeypatch.setattr(files, "ALERTS", (replace(QUEUE_BUILDS_UP, dashboard="gone"), *ALERTS))

    with pytest.raises(MonitoringError, match="its dashboard gone is not rendered"):
        render_dashboards()


def test_only_named_environments_have_a_page() -> None:
    """Their figures on the index follow."""
    rendered = render_dashboards(environments=["mainnet"])
    pages = {path.rpartition("/")[2] for path in rendered if "-environment" in path}

    assert pages == {"mainnet-environment.json"}
    assert "testnet" not in "".join(text for path, text in rendered.items() if "index" in path)
