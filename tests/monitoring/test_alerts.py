"""Each alert fires just over its threshold and is silent just under it, says promtool.

One file for each alert, because promtool does not say which test of a file failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.alerts import (
    COMPANION_ALERTS,
    LAG_EXCEEDS_SLO,
    NO_ACTIVE_PROJECTOR,
    NO_ACTIVE_SUBMITTER,
    SERVICE_DOWN,
    SLO_ALERTS,
    WATCHDOG,
    Alert,
)
from gx.monitoring.local import LocalStack, render_rules
from gx.runtime.tools import Program
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.catalogue.read_path import PROJECTION_LAG, PROJECTOR_WORKER_ACTIVE
from gx.telemetry.catalogue.write_path import OUTBOX_WORKER_ACTIVE
from tests.monitoring.conftest import RunTool

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

NAMESPACE: Final = 'namespace="backend-devnet"'
LAG: Final = f"{PROJECTION_LAG.name}{{{NAMESPACE}}}"
OTHER_LAG: Final = f'{PROJECTION_LAG.name}{{{NAMESPACE},instance="b"}}'
SUBMITTER: Final = f"{OUTBOX_WORKER_ACTIVE.name}{{{NAMESPACE}"
PROJECTOR: Final = f"{PROJECTOR_WORKER_ACTIVE.name}{{{NAMESPACE}"

EVERY_TARGET: Final = tuple(
    f'up{{job="{job}",{NAMESPACE},environment="devnet",service="{service}",instance="{service}:1"}}'
    for job, service in (
        ("gx-outbox-submitter", "outbox-submitter"),
        ("gx-projector", "projector"),
        ("gx-backend-services", "api"),
        ("gx-ledger", "ledger"),
        ("gx-blackbox", "api"),
        ("gx-blackbox", "outbox-submitter"),
        ("gx-blackbox", "projector"),
    )
)
ALL_UP: Final = tuple((target, "1x40") for target in EVERY_TARGET)


@dataclass(frozen=True)
class Case:
    """Series over ten minutes at 15 s, and how many times the alert fires at the end."""

    name: str
    alert: Alert
    series: Sequence[tuple[str, str]]
    fires: int


CASES: Final = (
    Case("always", WATCHDOG, (), 1),
    Case("all up", SERVICE_DOWN, ALL_UP, 0),
    Case("one down", SERVICE_DOWN, (*ALL_UP[1:], (EVERY_TARGET[0], "1x30 0x10")), 1),
    Case(
        "one down for less than a minute",
        SERVICE_DOWN,
        (*ALL_UP[1:], (EVERY_TARGET[0], "1x37 0x3")),
        0,
    ),
    Case("one vanished from the configuration", SERVICE_DOWN, ALL_UP[1:], 1),
    Case("nothing there at all", SERVICE_DOWN, (), 7),
    Case("just over", LAG_EXCEEDS_SLO, ((LAG, "5001x40"),), 1),
    Case("just under", LAG_EXCEEDS_SLO, ((LAG, "5000x40"),), 0),
    Case("over for less than two minutes", LAG_EXCEEDS_SLO, ((LAG, "0x33 9000x7"),), 0),
    Case(
        "a standby that knows nothing hides nothing",
        LAG_EXCEEDS_SLO,
        ((LAG, "9000x40"), (OTHER_LAG, "0x40")),
        1,
    ),
    Case("no lease", NO_ACTIVE_SUBMITTER, ((f"{SUBMITTER}}}", "0x40"),), 1),
    Case(
        "one of two holds it",
        NO_ACTIVE_SUBMITTER,
        ((f'{SUBMITTER},instance="a"}}', "0x40"), (f'{SUBMITTER},instance="b"}}', "1x40")),
        0,
    ),
    Case(
        "a take-over within a minute", NO_ACTIVE_SUBMITTER, ((f"{SUBMITTER}}}", "1x30 0x3 1x7"),), 0
    ),
    Case("no lease", NO_ACTIVE_PROJECTOR, ((f"{PROJECTOR}}}", "0x40"),), 1),
    Case("the lease is held", NO_ACTIVE_PROJECTOR, ((f"{PROJECTOR}}}", "1x40"),), 0),
)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.alert.name}: {case.name}") for case in CASES]
)
def test_an_alert_fires_when_it_should_and_only_then(
    case: Case, tmp_path: Path, run_tool: RunTool
) -> None:
    """Counted as ALERTS in state firing after ten minutes, on both sides of each threshold."""
    (tmp_path / "rules.yml").write_text(render_rules(LocalStack()))
    expected = [{"labels": "{}", "value": case.fires}] if case.fires else []
    query = f'count(ALERTS{{alertname="{case.alert.name}",alertstate="firing"}})'
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": series, "values": values} for series, values in case.series
                ],
                "promql_expr_test": [{"expr": query, "eval_time": "10m", "exp_samples": expected}],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(test))
    answer = run_tool(Program.PROMTOOL, "test", "rules", str(path))

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("alert", [*SLO_ALERTS, *COMPANION_ALERTS], ids=lambda alert: alert.name)
def test_every_alert_is_tested_and_reads_what_it_says(alert: Alert) -> None:
    """Its metrics are the catalogue's, stand in its expression, and some case makes it fire."""
    assert any(case.alert is alert and case.fires for case in CASES)
    assert all(metric in CATALOGUE and metric.name in alert.expr for metric in alert.reads)
    mentioned = {metric.name for metric in CATALOGUE if metric.name in alert.expr}
    assert mentioned == {metric.name for metric in alert.reads}
