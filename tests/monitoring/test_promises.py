"""What fails the build, and says which: a missing drill, a needless one, and what they expect.

Renamed metrics and dropped labels are in `test_rules`, missing runbooks in `test_runbooks`, missing
cases in `tests/rules`, panels without unit in `dashboards`; all of them meet in one gate.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import QUEUE_BUILDS_UP
from gx.monitoring.dashboards.backend import BACKEND
from gx.monitoring.dashboards.grafana import render
from gx.monitoring.dashboards.lint import lint
from gx.monitoring.drills import DRILLS, drill_of, find_drill_faults
from gx.monitoring.errors import MonitoringError
from gx.monitoring.faults import find_declaration_faults
from gx.monitoring.model import Fault
from gx.monitoring.render import Deployment, render_files
from gx.monitoring.runbooks import FOLDER
from gx.monitoring.usage import needs_of, uses
from gx.telemetry.metric import Metric
from tests.monitoring.conftest import ROOT


def test_nothing_is_missing() -> None:
    """The gate is open for what is committed."""
    assert find_declaration_faults(["devnet"], ROOT / FOLDER) == ()


def test_every_alert_has_a_drill_that_proves_it() -> None:
    """The drill plays the alert's fault, and expects the alert itself."""
    for alert in ALERTS:
        assert alert in drill_of(alert).proves
    assert len({drill.name for drill in DRILLS}) == len(DRILLS)


def test_a_missing_drill_names_its_alerts() -> None:
    """Negative control: without the drill of its fault an alert is unproven."""
    left = [drill for drill in DRILLS if drill.fault is not Fault.OVERDRAW]

    assert find_drill_faults(ALERTS, left) == (
        'CommandsRefusedInBulk: no drill plays its fault "send commands that the contract refuses"',
    )


def test_a_drill_that_proves_nothing_and_one_that_expects_nobody_are_named() -> None:
    """Negative control: an alert was removed, or renamed, and its drill was not."""
    left = [alert for alert in ALERTS if alert.drill is not Fault.OVERDRAW]
    assert "the drill refusals proves no alert" in find_drill_faults(left)

    (api, *_) = (drill for drill in DRILLS if drill.fault is Fault.STOP_API)
    wrong = replace(api, collateral=api.collateral | {"Gone"})
    others = [drill for drill in DRILLS if drill is not api]
    assert find_drill_faults(ALERTS, [*others, wrong]) == (
        "the drill api-outage expects Gone, and there is no such alert",
    )


def test_the_gate_stops_the_rendering(tmp_path: Path) -> None:
    """What is missing is missing before any file is written."""
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    (tmp_path / FOLDER / f"{QUEUE_BUILDS_UP.name}.md").unlink()

    with pytest.raises(MonitoringError, match=r"^OutboxQueueBuildup: it has no runbook"):
        render_files(Deployment(), tmp_path)


def test_a_panel_without_unit_is_named() -> None:
    """The linter says which panel of the rendered page has none."""
    text = render(BACKEND, runbooks="http://127.0.0.1/runbooks")
    without = text.replace('"unit": "ms"', '"unit": ""', 1)
    assert without != text

    found = {finding.panel for finding in lint(without) if finding.rule == "panel-units-rule"}
    assert found == {"Projection Lag"}


def test_what_an_alert_needs_goes_down_to_the_metrics() -> None:
    """Through its recording rule an alert needs the metric, its process and its job."""
    alert = next(each for each in ALERTS if each.name == "TransactionSuccessRateBelowSLO")
    needs = {need.name: need for need in needs_of(alert)}

    assert set(needs) == {
        "namespace:gx_command_success:percent5m",
        "outbox_commands_processed_total",
    }
    metric = needs["outbox_commands_processed_total"]
    assert (metric.exported_by, metric.jobs) == (("outbox-submitter",), ("gx-outbox-submitter",))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_whatever_an_alert_needs_is_delivered_by_somebody(alert: object) -> None:
    """Each metric at the bottom of an alert has an exporter, and a job that scrapes it."""
    found = next(each for each in ALERTS if each is alert)
    for need in needs_of(found):
        assert need.exported_by, need.name
        is_made_by_prometheus = need.exported_by in {("a rule",), ("prometheus",)}
        assert need.jobs or is_made_by_prometheus, need.name


def test_what_is_used_is_found_through_the_rules() -> None:
    """The table says of a metric which alerts would be blind without it; an alias has none."""
    table = {use.metric.name: use for use in uses() if isinstance(use.metric, Metric)}

    duration = table["http_request_duration_ms"]
    assert {"APIResponseTimeSlow", "APIResponseTimeBudgetBurnFast"} <= set(duration.alerts)
    assert any("API Response Time P95" in panel for panel in duration.panels)
    assert table["outbox_queue_depth"].alerts == ()
