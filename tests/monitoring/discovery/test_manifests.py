"""Our own manifests, discovered: what kustomize builds is what the scrape configuration finds.

Every pod that the workloads make is put into the cluster's double, behind the Services that select
it. A renamed port, label, annotation or Service in the manifests loses its targets here.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.monitoring.conftest import ROOT
from tests.monitoring.discovery.api_double import ApiDouble
from tests.monitoring.discovery.cluster import Cluster, Pod, Service
from tests.monitoring.discovery.example import ENVIRONMENTS
from tests.monitoring.discovery.programs import WITHIN_S, find_vmagent, targets_of, vmagent
from tests.monitoring.discovery.test_kubernetes import GRANTED, committed, for_vmagent
from tests.monitoring.kubernetes import manifests

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches vmagent

# How many targets each job has in each namespace; the ledger's network is not ours to deploy.
_BACKEND: Final = {
    "gx-outbox-submitter": 2,
    "gx-projector": 2,
    "gx-backend-services": 1,  # its replicas are the autoscaler's affair
    "gx-chaincode": 2,
    "postgres": 1,
    "redis": 1,
}
_BESIDE: Final = {"alertmanager": 1, "kube-state-metrics": 1, "node": 1}


def _pods(built: manifests.Built, numbers: Iterator[int]) -> Iterator[Pod]:
    for workload in built.workloads:
        if workload.kind == "Job":
            continue
        metadata = workload.spec.template.metadata
        replicas = 1 if workload.spec.replicas is None else workload.spec.replicas
        for replica in range(replicas):
            number = next(numbers)
            yield Pod(
                namespace=workload.metadata.namespace,
                name=f"{workload.metadata.name}-{replica}",
                ip=f"127.1.{number // 200}.{1 + number % 200}",
                labels=metadata.labels,
                annotations=metadata.annotations,
                ports=tuple(
                    (port.name, port.container_port)
                    for container in workload.pod.containers
                    for port in container.ports
                ),
            )


def _services(built: manifests.Built) -> Iterator[Service]:
    for service in built.services:
        yield Service(
            namespace=service.metadata.namespace,
            name=service.metadata.name,
            selector=service.spec.selector,
            labels=service.metadata.labels,
            ports=tuple((port.name, str(port.target_port)) for port in service.spec.ports),
        )


def deployed() -> Cluster:
    """Build everything that we deploy in three environments, and the monitoring."""
    numbers = iter(range(10_000))
    kustomizations = [manifests.build(path) for path in (*manifests.BACKENDS, manifests.MONITORING)]
    return Cluster(
        pods=[pod for built in kustomizations for pod in _pods(built, numbers)],
        services=[each for built in kustomizations for each in _services(built)],
    )


def until_counted(url: str, expected: Counter[tuple[str, str]]) -> None:
    """Ask until every job has its targets in every namespace, and no others."""
    found: Counter[tuple[str, str]] = Counter()
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = Counter(
            (target.job, dict(target.labels)["namespace"])
            for target in targets_of(url)()
            if target.job not in {"gx-blackbox", "prometheus"}
        )
        if found == expected:
            return
        time.sleep(0.3)
    pytest.fail(f"missing {expected - found}, not expected {found - expected}")


def test_the_manifests_are_what_the_scrape_configuration_finds(tmp_path: Path) -> None:
    """Every job finds its pods in every environment, each under its environment's labels."""
    expected = Counter(
        {
            **{(job, f"backend-{name}"): n for name in ENVIRONMENTS for job, n in _BACKEND.items()},
            **{(job, "monitoring"): n for job, n in _BESIDE.items()},
        }
    )
    with ApiDouble(deployed(), GRANTED).running() as api:
        configuration = for_vmagent(committed(), api.url)
        agent = find_vmagent(ROOT / ".cache")
        with vmagent(agent, configuration, api.url, tmp_path) as url:
            until_counted(url, expected)
        assert api.refused == []
