"""The worked example's ground: a forgotten rule, real packets, the patch, targets up."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gx.proof.laboratory.tools import NetworkTools
from gx.proof.reachability.findings import Verdict
from gx.runtime.tools import Program, find_tools
from tests.proof.incident import Incident, apply_patch, open_incident

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 60


def _wait(is_so: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s, what()
        time.sleep(0.2)


def _healths(incident: Incident) -> set[str]:
    return {each.health for each in incident.prometheus.targets()}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("packets")
def test_the_patch_brings_every_target_up(network_tools: NetworkTools, tmp_path: Path) -> None:
    """Down with the error of dropped packets; one patch later up, with data."""
    toolbox = find_tools(ROOT / ".cache")
    assert toolbox.advice is None, toolbox.advice
    with open_incident(network_tools, toolbox.tools[Program.PROMETHEUS], tmp_path) as incident:
        _wait(incident.prometheus.is_ready, lambda: "Prometheus is not ready")
        _wait(lambda: _healths(incident) == {"down"}, incident.prometheus.targets)
        down = incident.prometheus.targets()
        before = incident.findings

        incident.apply(apply_patch(incident.documents, before[0], tmp_path))
        _wait(lambda: _healths(incident) == {"up"}, incident.prometheus.targets)
        _wait(
            lambda: len(incident.prometheus.value("sum by (job) (laboratory_up)")) == len(down),
            lambda: "no data",
        )

    assert [each.service for each in down] == ["api", "chaincode", "outbox-submitter", "projector"]
    for target in down:
        # Which of the two, is a race of Go's clocks.
        assert target.error.endswith(("context deadline exceeded", "i/o timeout")), target
    for finding in before:
        assert finding.verdict is Verdict.BLOCKED
        (remedy,) = finding.remedies
        assert remedy.patched == "allow-internal-backend"
        assert remedy.kubectl == before[0].remedies[0].kubectl, "one line mends all of them"
    assert {each.verdict for each in incident.findings} == {Verdict.REACHABLE}
