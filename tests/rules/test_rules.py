"""Every alert fires just over, is silent just under, resolves, and passes its traps: promtool.

One file for each alert, generated from the cases, with the rules that the alert needs and no
others; promtool does not say which test of a file failed, so a failing file is tried case by case.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import Alert, Links
from gx.monitoring.rules import deployed_targets, groups_needed_by, groups_to_yaml
from gx.runtime.tools import Program
from tests.monitoring.conftest import RunTool
from tests.rules.cases import Case, Kind, Trap
from tests.rules.catalogue import CASES, TRAPS

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

TARGETS: Final = deployed_targets(["devnet"])
REQUIRED: Final = frozenset({Kind.FIRES, Kind.SILENT, Kind.RESOLVES})


def write_tests(alert: Alert, cases: Sequence[Case], folder: Path) -> Path:
    """Write an alert's rules and its cases as promtool reads them."""
    rules = groups_to_yaml(groups_needed_by(alert, TARGETS), Links())
    (folder / "rules.yml").write_text(yaml.safe_dump(rules))
    step_s = cases[0].step_s
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step_s}s",
        "tests": [_test(case, step_s) for case in cases],
    }
    path = folder / f"{alert.name}.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _test(case: Case, step_s: int) -> dict[str, object]:
    query = f'count(ALERTS{{alertname="{case.alert.name}",alertstate="firing"}})'
    return {
        "name": case.name,
        "interval": f"{step_s}s",
        "input_series": [{"series": series, "values": values} for series, values in case.lines],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
            for minute, count in case.checks
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_fires_when_it_should_and_only_then(
    alert: Alert, tmp_path: Path, run_tool: RunTool
) -> None:
    """Real promtool agrees with every case of the alert."""
    cases = [case for case in CASES if case.alert is alert]
    path = write_tests(alert, cases, tmp_path)
    if run_tool(Program.PROMTOOL, "test", "rules", str(path)).returncode == 0:
        return
    wrong = []
    for case in cases:
        answer = run_tool(
            Program.PROMTOOL, "test", "rules", str(write_tests(alert, [case], tmp_path))
        )
        if answer.returncode:
            wrong.append(f"{case.name}\n{answer.stdout}")
    pytest.fail("\n".join(wrong))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_its_cases(alert: Alert) -> None:
    """It fires, is silent, resolves, and meets each trap that it is exposed to."""
    cases = [case for case in CASES if case.alert is alert]
    kinds = {case.kind for case in cases}
    traps = {case.trap for case in cases if case.trap is not None}
    required = REQUIRED - ({Kind.SILENT, Kind.RESOLVES} if alert.name == "Watchdog" else set())

    assert required <= kinds, f"{alert.name} has no case that it {required - kinds}"
    assert TRAPS.get(alert.name, frozenset()) <= traps
    assert any(count > 0 for case in cases for _, count in case.checks)


def test_every_trap_is_met() -> None:
    """No named trap is without a case, and none is required of an alert that does not exist."""
    assert {case.trap for case in CASES} - {None} == set(Trap)
    assert set(TRAPS) <= {alert.name for alert in ALERTS}
    assert {each for traps in TRAPS.values() for each in traps} == set(Trap)


def test_a_wrong_case_is_noticed(tmp_path: Path, run_tool: RunTool) -> None:
    """Negative control: promtool fails where a case expects the opposite."""
    case = next(case for case in CASES if case.kind is Kind.FIRES)
    opposite = Case(
        alert=case.alert,
        kind=Kind.SILENT,
        lines=case.lines,
        checks=[(minute, 0) for minute, _ in case.checks],
        step_s=case.step_s,
    )
    path = write_tests(case.alert, [opposite], tmp_path)

    assert run_tool(Program.PROMTOOL, "test", "rules", str(path)).returncode != 0
