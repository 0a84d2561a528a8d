"""The rendered files: fresh, complete, applicable to any namespace; the backend's stand alone."""

import re
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.alerts.backend import BACKEND_ALERTS
from gx.monitoring.cases.catalogue import CASES
from gx.monitoring.cases.model import Kind
from gx.monitoring.errors import MonitoringError
from gx.monitoring.model import Links
from gx.monitoring.render import (
    Deployment,
    render_files,
    stale_files,
    write_files,
)
from gx.monitoring.rules import deployed_targets
from gx.monitoring.runbooks import FOLDER
from gx.runtime.tools import Program
from tests.monitoring.conftest import ROOT, RunTool

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

BACKEND: Final = Path("k8s/monitoring/prometheus/alerts-backend.yaml")


def rules_in(text: str) -> str:
    """Return the rule file inside a ConfigMap."""
    data: dict[str, str] = yaml.safe_load(text)["data"]
    (rules,) = data.values()
    return rules


def test_the_committed_files_are_fresh() -> None:
    """What is committed is what the declarations say."""
    assert stale_files(render_files(Deployment(), ROOT), ROOT) == ()


def test_a_stale_file_is_noticed_and_written_anew(tmp_path: Path) -> None:
    """Changed or missing, it is listed; writing repairs it."""
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    files = render_files(Deployment(), tmp_path)
    write_files(files, tmp_path)
    assert stale_files(files, tmp_path) == ()

    (tmp_path / BACKEND).write_text("")
    (tmp_path / FOLDER / "Watchdog.md").unlink()
    assert set(stale_files(files, tmp_path)) == {BACKEND, Path(FOLDER, "Watchdog.md")}


def test_without_a_runbook_nothing_is_rendered(tmp_path: Path) -> None:
    """The error names every alert that lacks one."""
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    (tmp_path / FOLDER / "OutboxQueueCritical.md").unlink()

    with pytest.raises(MonitoringError, match=r"^OutboxQueueCritical: it has no runbook"):
        render_files(Deployment(), tmp_path)


def test_config_maps_have_no_namespace_and_operator_rules_have_the_release() -> None:
    """The same ConfigMap applies to any namespace; the operator selects by label."""
    for path, text in render_files(Deployment(operator_release="mine"), ROOT).items():
        if path.suffix != ".yaml":
            continue
        for document in yaml.safe_load_all(text):
            assert "namespace" not in document["metadata"]
            if document["apiVersion"].startswith("monitoring.coreos.com/"):
                assert document["metadata"]["labels"]["release"] == "mine"
            if document["kind"] == "PrometheusRule":
                twin = yaml.safe_load(rules_in((ROOT / path.parent.parent / path.name).read_text()))
                assert document["spec"] == twin


def test_only_named_environments_are_expected() -> None:
    """An environment that nobody deployed is not in the rules at all."""
    files = render_files(Deployment(environments=("testnet",)), ROOT)
    expected = set(re.findall(r"namespace: (backend-\w+)", rules_in(files[BACKEND])))

    assert expected == {"backend-testnet"}


def test_links_come_from_the_deployment() -> None:
    """Runbooks and dashboards are where the deployment has them."""
    links = Links(runbooks="https://wiki/runbooks", dashboards="https://grafana/d")
    text = render_files(Deployment(links=links), ROOT)[BACKEND]

    assert "runbook_url: https://wiki/runbooks/OutboxQueueCritical" in text
    assert "dashboard: https://grafana/d/07-cqrs-backend-monitoring" in text
    assert {field.name for field in fields(links)} == {"runbooks", "dashboards"}


def test_the_backend_file_alone_fires_all_eighteen(tmp_path: Path, run_tool: RunTool) -> None:
    """Loaded without any other file, each of its alerts has what it reads."""
    rules = rules_in((ROOT / BACKEND).read_text(encoding="utf-8"))
    (tmp_path / "rules.yml").write_text(rules)
    answer = run_tool(Program.PROMTOOL, "check", "rules", str(tmp_path / "rules.yml"))
    total = len(re.findall(r"- (?:record|alert): ", rules))
    assert f"SUCCESS: {total} rules found" in answer.stdout

    first = {case.alert.name: case for case in reversed(CASES) if case.kind is Kind.FIRES}
    deployed = len(deployed_targets(["devnet", "testnet", "mainnet"]))
    tests = []
    for alert in BACKEND_ALERTS:
        case = first[alert.name]
        minute, count = case.checks[-1]
        # The committed file expects three environments; this case has one of them.
        firing = deployed - len(case.lines) + 1 if alert.name == "BackendServiceDown" else count
        query = f'count(ALERTS{{alertname="{alert.name}",alertstate="firing"}})'
        tests.append(
            {
                "interval": "15s",
                "input_series": [{"series": s, "values": v} for s, v in case.lines],
                "promql_expr_test": [
                    {
                        "expr": query,
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": firing}],
                    }
                ],
            }
        )
    assert len(tests) == 18
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": tests}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    answer = run_tool(Program.PROMTOOL, "test", "rules", str(tmp_path / "test.yml"))

    assert answer.returncode == 0, answer.stdout
