"""`gx monitoring`: what it prints, what a script reads, and when it exits with 1."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from gx.cli import monitoring
from gx.monitoring.alerts.backend import QUEUE_BUILDS_UP
from gx.monitoring.cases.catalogue import CASES
from gx.monitoring.cases.coverage import cases_of
from gx.monitoring.reference import render_reference
from gx.operations.monitoring_checks import Proof, find_promtool, prove_rules
from gx.runtime.tools import find_tools

ROOT: Final = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs


def run(*arguments: str) -> tuple[int, str]:
    """Run a subcommand in the checkout; return its exit code and what it printed."""
    result = CliRunner().invoke(monitoring.app, arguments)
    return result.exit_code, result.stdout


def test_the_reference_is_fresh_and_has_every_table() -> None:
    """The committed document is what the declarations say."""
    committed = (ROOT / "docs" / "reference" / "monitoring.md").read_text(encoding="utf-8")

    assert committed == render_reference()
    for heading in ("Metrics", "Alerts", "Recording rules", "Scrape jobs", "Panels"):
        assert f"\n## {heading}\n" in committed


def test_metrics_say_who_uses_them() -> None:
    """A script finds type, unit, labels, processes, alerts and panels."""
    code, text = run("metrics", "--json")
    rows = {row["name"]: row for row in json.loads(text)["metrics"]}

    assert code == 0
    state = rows["circuit_breaker_state"]
    assert (state["kind"], state["unit"]) == ("gauge", "state")
    assert state["processes"] == ["outbox-submitter"]
    assert "FabricCircuitBreakerOpen" in state["alerts"]
    assert "07-cqrs-backend-monitoring: Circuit Breaker State" in state["panels"]
    assert rows["pg_up"]["processes"] == ["postgres_exporter"]


def test_explain_says_why_what_and_how_soon() -> None:
    """Expression, thresholds, needs, drill, receivers and the detection budget."""
    code, text = run("explain", "projectionlagcritical", "--json")
    explained = json.loads(text)

    assert code == 0
    assert explained["expression"] == "max by (namespace) (projector_lag_milliseconds) > 10000"
    assert explained["thresholds"] == ["10000 ms"]
    assert explained["detectionSeconds"] == 15 + 15 + 10 + 60 + 10
    assert explained["needs"][0]["jobs"] == ["gx-projector"]
    assert explained["told"]
    assert explained["drill"]["name"] == "stalled-projection"


def test_explain_for_people_has_the_same() -> None:
    """The page names the job, the drill and the runbook."""
    code, text = run("explain", "ProjectionLagCritical")

    assert code == 0
    for words in ("gx-projector", "Drill stalled-projection", "docs/runbooks/ProjectionLagCri"):
        assert words in text


def test_an_unknown_alert_is_refused_with_those_there_are() -> None:
    """Exit code 2, as for every wrong argument."""
    code, _ = run("explain", "Nothing")

    assert code == 2


def test_the_cases_of_one_alert_are_run_and_counted() -> None:
    """The verdict of promtool stands beside what the cases show."""
    code, text = run("test", "OutboxQueueBuildup", "--json")
    (row,) = json.loads(text)["alerts"]

    assert code == 0
    assert (row["fires"], row["silent"], row["resolves"], row["failures"]) == (1, 1, 1, [])
    assert "draining the queue" in row["traps"]


def test_a_case_that_promtool_contradicts_is_named_in_its_proof() -> None:
    """Negative control: a case that expects the opposite fails, and the others are counted."""
    wrong = [
        replace(case, checks=[(minute, 0) for minute, _ in case.checks])
        for case in cases_of(QUEUE_BUILDS_UP, CASES)
    ]
    program, version = find_promtool(find_tools(ROOT / ".cache"))
    seen: list[Proof] = []
    (proof,) = prove_rules([QUEUE_BUILDS_UP], program, seen.append, wrong)

    assert "promtool" in version
    assert seen == [proof]
    assert any(each.startswith("OutboxQueueBuildup fires just over") for each in proof.failures)
    assert proof.coverage.fires == 1


@pytest.mark.slow
def test_lint_finds_nothing_and_says_what_it_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declarations, routing, dashboards, and what promtool and amtool think of the files."""
    monkeypatch.chdir(ROOT)
    code, text = run("lint")

    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == ["ok"] * 5


@pytest.mark.slow
def test_lint_names_what_is_missing(tmp_path: Path) -> None:
    """In a folder without runbooks every alert lacks one."""
    result = CliRunner().invoke(monitoring.app, ["lint", "--root", str(tmp_path)])

    assert result.exit_code == 1
    assert "Watchdog: it has no runbook" in str(result.exception)
