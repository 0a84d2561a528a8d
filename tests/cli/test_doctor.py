"""`gx doctor` and `gx verify`: how they end, and what scripts read."""

import json
from pathlib import Path
from typing import Final

import pytest
import yaml
from typer.testing import CliRunner

from gx.cli.main import app
from tests.monitoring.kubernetes.manifests import MONITORING, build
from tests.ports import free_port
from tests.proof.incident import manifests_of_the_incident

pytestmark = pytest.mark.xdist_group("kubernetes")
RUN: Final = CliRunner()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Everything of devnet and the monitoring in a file, as committed."""
    file = tmp_path / "whole.yaml"
    texts = [build(path).text for path in ("k8s/overlays/devnet", MONITORING)]
    file.write_text("\n---\n".join(texts), encoding="utf-8")
    return file


def nobody() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_manifests_in_order_end_with_0(whole: Path) -> None:
    """Nothing is wrong, and the report says so."""
    done = RUN.invoke(app, ["doctor", "--manifests", str(whole), "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"healthy": True, "unasked": [], "findings": []}


def test_a_fault_ends_with_1_and_is_told_to_scripts() -> None:
    """The policy that forgot Prometheus, by manifests alone: its cause, evidence and patch."""
    text = yaml.safe_dump_all(manifests_of_the_incident())
    done = RUN.invoke(app, ["doctor", "--manifests", "-", "--json"], input=text)
    report = json.loads(done.stdout)

    assert done.exit_code == 1
    assert report["healthy"] is False
    assert {each["cause"] for each in report["findings"]} == {"policy"}
    assert {each["healthy"] for each in report["findings"]} == {False}
    fixes = [each["fix"] for each in report["findings"]]
    assert any(fix.startswith("kubectl patch networkpolicy allow-internal") for fix in fixes)


def test_a_fault_is_told_to_people() -> None:
    """The same as a paragraph, with a line that sums up."""
    text = yaml.safe_dump_all(manifests_of_the_incident())
    done = RUN.invoke(app, ["doctor", "--manifests", "-"], input=text)

    assert done.exit_code == 1
    assert "FAULT  policy  gx-projector: monitoring/prometheus -> backend-devnet/" in done.stdout
    assert "  fix: kubectl patch networkpolicy allow-internal-backend" in done.stdout
    assert "faults" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("option", ["--manifests", "--dashboards"])
def test_what_cannot_be_read_ends_with_2(tmp_path: Path, option: str) -> None:
    """A file that is not there is no clean bill of health."""
    missing = tmp_path / "missing.yaml"
    done = RUN.invoke(app, ["doctor", option, str(missing)])

    assert done.exit_code == 2
    assert str(missing) in done.stderr


def test_manifests_without_a_namespace_end_with_2(tmp_path: Path) -> None:
    """Files that only a kustomization puts into a namespace cannot be judged: no false faults."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "projector-metrics"}}
    (tmp_path / "service.yaml").write_text(yaml.safe_dump({**service, "spec": {}}))
    done = RUN.invoke(app, ["doctor", "--manifests", str(tmp_path)])

    assert done.exit_code == 2
    assert "k8s/overlays/devnet" in done.stderr


@pytest.mark.parametrize(
    "typed",
    [
        ["reachability", "/nowhere/at-all"],
        ["baseline", "--incidents", "/nowhere/at-all"],
        ["backtest", "--incidents", "/nowhere/at-all"],
    ],
    ids=lambda typed: typed[0],
)
def test_a_file_that_is_not_there_ends_with_2(typed: list[str]) -> None:
    """It was typed wrong, which is not the same as a check that failed."""
    done = RUN.invoke(app, typed)

    assert done.exit_code == 2
    assert "/nowhere/at-all" in done.stderr


def test_a_test_alert_to_nobody_ends_with_3() -> None:
    """Nothing was tested."""
    url = nobody()
    done = RUN.invoke(app, ["alert", "test", "--alertmanager", url])

    assert done.exit_code == 3
    assert url in done.stderr


def test_a_query_without_a_prometheus_ends_with_2(whole: Path) -> None:
    """There is nobody to put it to."""
    done = RUN.invoke(app, ["doctor", "--manifests", str(whole), "--query", "up"])

    assert done.exit_code == 2


@pytest.mark.parametrize("option", ["--prometheus", "--grafana"])
def test_a_source_that_does_not_answer_ends_with_3(option: str) -> None:
    """Scripts are told which one was not asked."""
    url = nobody()
    done = RUN.invoke(app, ["doctor", option, url, "--json"])
    report = json.loads(done.stdout)

    assert done.exit_code == 3
    assert report["healthy"] is False
    assert url in report["unasked"][0]


def test_a_verification_of_nobody_ends_with_3() -> None:
    """The address that does not answer is named."""
    url = nobody()
    done = RUN.invoke(app, ["verify", "--prometheus", url])

    assert done.exit_code == 3
    assert url in done.stderr


def test_a_condition_that_nobody_knows_ends_with_2() -> None:
    """And is told with those that there are."""
    done = RUN.invoke(app, ["verify", "--prometheus", nobody(), "--condition", "rediss"])

    assert done.exit_code == 2
    assert "rediss; there is redis" in done.stderr


@pytest.mark.parametrize("name", ["doctor", "verify"])
def test_without_a_stack_they_end_with_3(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And say what to start, or to name."""
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path))
    done = RUN.invoke(app, [name])

    assert done.exit_code == 3
    assert "gx up" in done.stderr
