"""`gx reachability`: what it reads, what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Final

import pytest
import yaml
from typer.testing import CliRunner

from gx.cli.main import app
from tests.monitoring.kubernetes.manifests import MONITORING, build
from tests.proof.incident import manifests_of_the_incident

pytestmark = pytest.mark.xdist_group("kubernetes")
RUN: Final = CliRunner()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A folder with everything of devnet and the monitoring."""
    folder = tmp_path / "whole"
    folder.mkdir()
    for name, path in (("backend.yaml", "k8s/overlays/devnet"), ("monitoring.yaml", MONITORING)):
        (folder / name).write_text(build(path).text, encoding="utf-8")
    return folder


def test_a_whole_cluster_is_reachable(whole: Path) -> None:
    """A folder's files are one cluster; the environment is found in them."""
    done = RUN.invoke(app, ["reachability", str(whole)])
    assert done.exit_code == 0, done.output
    assert "blocked" not in done.stdout
    assert "scrape: gx-projector" in done.stdout


def test_what_is_blocked_fails_and_is_told_to_scripts(whole: Path) -> None:
    """A list as `kubectl get -o json` prints it does as well as YAML."""
    listed = {"kind": "List", "apiVersion": "v1", "items": manifests_of_the_incident()}
    done = RUN.invoke(app, ["reachability", "-", "--json"], input=json.dumps(listed))
    assert whole.is_dir()
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    wrong = [each for each in report["findings"] if each["verdict"] != "reachable"]
    assert report["reachable"] is False
    assert {each["to"].split("/")[1] for each in wrong} == {
        *("api", "chaincode", "outbox-submitter", "projector"),
    }
    for each in wrong:
        assert each["blocked_by"][0]["side"] == "ingress"
        assert "default-deny" in each["blocked_by"][0]["policies"]
        assert each["fixes"][0]["kubectl"].startswith("kubectl patch networkpolicy allow-internal-")


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        ("kind: Namespace\nmetadata: {name: x}\n", "no environment", 2),
        ("a: [", "not read as manifests", 2),
        ("kind: NetworkPolicy\nmetadata: {name: p}\nspec: {ingress: 3}\n", "NetworkPolicy p", 2),
    ],
)
def test_what_cannot_be_judged_is_told(text: str, says: str, code: int, tmp_path: Path) -> None:
    """One line says which source, and why."""
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")
    done = RUN.invoke(app, ["reachability", str(file)])
    assert done.exit_code == code
    if says != "no environment":
        assert says in done.output
    else:
        assert "name the --environment" in done.output


def test_policies_of_other_apis_are_counted(tmp_path: Path, whole: Path) -> None:
    """Who has them must know that the answer is not the whole of it."""
    foreign = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {}}
    file = tmp_path / "cilium.yaml"
    file.write_text(yaml.safe_dump(foreign), encoding="utf-8")
    done = RUN.invoke(app, ["reachability", str(whole), str(file), "--json"])
    assert json.loads(done.stdout)["policies_not_read"] == {"CiliumNetworkPolicy": 1}
