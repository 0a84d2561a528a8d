"""The worked example with real packets: no data, the doctor's patch, targets up."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.examine import Sources, examine
from gx.proof.laboratory.filters import Refusal
from gx.proof.laboratory.tools import NetworkTools
from gx.proof.reachability.inventory import take_stock
from gx.runtime.tools import Program, Tool
from tests.proof.incident import Incident, apply_patch, open_incident

PATIENCE_S: Final = 60
JOBS: Final = {"gx-backend-services", "gx-chaincode", "gx-outbox-submitter", "gx-projector"}


def said_of_targets(incident: Incident) -> tuple[Finding, ...]:
    """What the doctor says of the backend's targets, from Prometheus and the manifests in force.

    The laboratory's Prometheus has no rules and no Alertmanager, of which it is silent here.
    """
    sources = Sources(
        prometheus_url=incident.prometheus.url, inventory=take_stock(incident.documents)
    )
    diagnosis = examine(sources)
    assert not diagnosis.unasked
    return tuple(each for each in diagnosis.faults if each.where.partition(":")[0] in JOBS)


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.2)


def healths(incident: Incident) -> set[str]:
    """How Prometheus sees its targets."""
    return {each.health for each in incident.prometheus.targets()}


def all_refused(incident: Incident) -> bool:
    """Whether every target's last scrape was refused rather than left waiting."""
    return all("connection refused" in each.error for each in incident.prometheus.targets())


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("packets")
def test_the_doctor_s_patch_brings_the_data_back(
    network_tools: NetworkTools, tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """The policy is named, whether it drops or rejects; after its patch, nothing is found."""
    with open_incident(network_tools, tools[Program.PROMETHEUS], tmp_path) as incident:
        until(incident.prometheus.is_ready, "Prometheus is not ready")
        until(lambda: healths(incident) == {"down"}, "targets are not down")
        ill = said_of_targets(incident)
        incident.apply(incident.documents, Refusal.REJECT)
        until(lambda: all_refused(incident), "packets are not rejected")
        refused = said_of_targets(incident)
        patch = incident.findings[0]

        incident.apply(apply_patch(incident.documents, patch, tmp_path))
        until(lambda: healths(incident) == {"up"}, "the patch did not help")
        until(lambda: bool(incident.prometheus.value("laboratory_up")), "there is no data")
        healed = said_of_targets(incident)

    assert {each.where.partition(":")[0] for each in ill} == JOBS
    assert {each.cause for each in ill} == {Cause.POLICY_DROP}
    for each in ill:
        assert each.evidence[0].startswith("lastError: Get "), each
        assert "`default-deny`" in " ".join(each.evidence)
        assert each.fix.startswith(patch.remedies[0].kubectl)
    assert {each.cause for each in refused} == {Cause.POLICY_REJECT}
    assert [each.fix for each in refused] == [each.fix for each in ill]
    assert not healed
