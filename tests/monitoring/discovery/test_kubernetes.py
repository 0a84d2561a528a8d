"""Discovery on Kubernetes: exactly the expected targets, with exactly their labels.

Two programs judge the rendered configuration: vmagent asks an API server's double; Prometheus is
told over HTTP what discovery would find. Each way in which a cluster can be wrong loses its target.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.jobs import DISCOVERED_JOBS, scope_namespaces
from gx.monitoring.kubernetes_scrape import prometheus_config
from gx.monitoring.render import PROMETHEUS_FOLDER
from gx.monitoring.scrape import PodPort, ScrapeJob
from gx.runtime.tools import Program, Tool
from tests.monitoring.conftest import ROOT
from tests.monitoring.discovery.api_double import ApiDouble
from tests.monitoring.discovery.cluster import Cluster, Pod, Service
from tests.monitoring.discovery.example import ENVIRONMENTS, MONITORING, build_cluster
from tests.monitoring.discovery.expected import expected_targets
from tests.monitoring.discovery.programs import (
    check_with_vmagent,
    dropped_jobs,
    find_vmagent,
    prometheus,
    targets_of,
    until,
    vmagent,
)

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

GRANTED: Final = (*(f"backend-{name}" for name in ENVIRONMENTS), "fabric", MONITORING)
Json = dict[str, object]


@pytest.fixture(scope="session")
def agent() -> Path:
    """Debian's vmagent."""
    return find_vmagent(ROOT / ".cache")


def committed() -> Json:
    """Return the configuration inside the committed ConfigMap."""
    text = (ROOT / PROMETHEUS_FOLDER / "02-configmap.yaml").read_text(encoding="utf-8")
    configuration: Json = yaml.safe_load(yaml.safe_load(text)["data"]["prometheus.yml"])
    return configuration


def for_vmagent(configuration: Json, api: str | None = None) -> Json:
    """Return the part that vmagent reads: it has no rules, and asks the API where we say.

    Outside a cluster nobody knows one's own namespace, so it is named.
    """
    text = yaml.safe_dump(configuration["scrape_configs"])
    jobs = yaml.safe_load(text)
    for job in jobs if api else ():
        for discovery in job.get("kubernetes_sd_configs", ()):
            discovery["api_server"] = api
            if discovery["namespaces"].pop("own_namespace", False):
                discovery["namespaces"]["names"] = [MONITORING]
    return {"global": {"scrape_interval": "15s"}, "scrape_configs": jobs}


def for_prometheus(configuration: Json, api: str) -> Json:
    """Return the same jobs, told over HTTP what Kubernetes' discovery would find."""
    jobs = yaml.safe_load(yaml.safe_dump(configuration["scrape_configs"]))
    for job in jobs:
        for discovery in job.pop("kubernetes_sd_configs", ()):
            names = ",".join(discovery["namespaces"].get("names", [MONITORING]))
            url = f"{api}/sd/{discovery['role']}/{names}"
            job["http_sd_configs"] = [{"url": url, "refresh_interval": "1s"}]
    return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}


def test_the_committed_file_is_what_these_tests_prove() -> None:
    """Its configuration is the rendered one for the three environments."""
    assert committed() == prometheus_config(ENVIRONMENTS, "gx")


def test_vmagent_reads_every_key_and_refuses_a_misspelt_one(agent: Path, tmp_path: Path) -> None:
    """Strictly: a key that no discovery has would be ignored in silence."""
    good = for_vmagent(committed())
    assert check_with_vmagent(agent, good, tmp_path).returncode == 0

    wrong = yaml.safe_load(yaml.safe_dump(good).replace("own_namespace", "own_namspace"))
    answer = check_with_vmagent(agent, wrong, tmp_path)
    assert answer.returncode != 0
    assert "own_namspace" in answer.stdout


@pytest.mark.slow
def test_vmagent_finds_exactly_the_expected_targets(agent: Path, tmp_path: Path) -> None:
    """Three environments, two replicas, pods of several ports; nothing more, nothing less.

    Only what a Role in each of the namespaces allows is asked for.
    """
    cluster = build_cluster()
    with ApiDouble(cluster, GRANTED).running() as api:
        configuration = for_vmagent(committed(), api.url)
        with vmagent(agent, configuration, api.url, tmp_path) as url:
            until(targets_of(url), expected_targets(cluster))
        assert api.refused == []


@pytest.mark.slow
def test_prometheus_finds_exactly_the_expected_targets(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """The same rules in Prometheus proper make the same targets of the same discovery."""
    cluster = build_cluster()
    with ApiDouble(cluster, GRANTED).running() as api:
        configuration = for_prometheus(committed(), api.url)
        with prometheus(tools[Program.PROMETHEUS], configuration, tmp_path) as url:
            until(targets_of(url), expected_targets(cluster))


def _pods(cluster: Cluster, change: Callable[[Pod], Pod | None]) -> Cluster:
    changed = [change(pod) for pod in cluster.pods]
    return replace(cluster, pods=[pod for pod in changed if pod is not None])


def _services(cluster: Cluster, change: Callable[[Service], Service]) -> Cluster:
    return replace(cluster, services=[change(each) for each in cluster.services])


def _port_renamed(pod: Pod) -> Pod:
    ports = tuple(("prom" if name == "metrics" else name, number) for name, number in pod.ports)
    return replace(pod, ports=ports)


def _not_asking(pod: Pod) -> Pod:
    return replace(pod, annotations={})


def _relabelled(pod: Pod) -> Pod:
    return replace(pod, labels={**pod.labels, "component": "backend"})


def _ended(pod: Pod) -> Pod:
    return replace(pod, phase="Failed")


def _elsewhere(pod: Pod) -> Pod:
    return replace(pod, namespace=pod.namespace.replace("backend-", "staging-"))


def _service_renamed(service: Service) -> Service:
    return replace(service, name=service.name.replace("-metrics", "-service"))


def _service_port_renamed(service: Service) -> Service:
    return replace(service, ports=tuple((f"{name}-2", target) for name, target in service.ports))


def _service_unlabelled(service: Service) -> Service:
    return replace(service, labels={})


WORKERS: Final = ("gx-outbox-submitter", "gx-projector")
PODS: Final = ("gx-backend-services", "gx-chaincode")
EXPORTERS: Final = ("postgres", "redis", "node", "kube-state-metrics", "alertmanager")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("break_it", "lost"),
    [
        pytest.param(
            lambda cluster: _pods(cluster, _port_renamed),
            (*WORKERS, *PODS, "postgres", "redis", "node", "kube-state-metrics"),
            id="the container port is renamed",
        ),
        pytest.param(lambda cluster: _pods(cluster, _not_asking), PODS, id="no annotation"),
        pytest.param(
            lambda cluster: _pods(cluster, _relabelled), PODS, id="another component label"
        ),
        pytest.param(
            lambda cluster: _services(cluster, _service_renamed),
            WORKERS,
            id="the Service is renamed",
        ),
        pytest.param(
            lambda cluster: _services(cluster, _service_port_renamed),
            (*WORKERS, *EXPORTERS),
            id="the Service's port is renamed",
        ),
        pytest.param(
            lambda cluster: _services(cluster, _service_unlabelled),
            EXPORTERS,
            id="the Service lost its labels",
        ),
        pytest.param(
            lambda cluster: _pods(cluster, _ended),
            [job.name for job in DISCOVERED_JOBS],
            id="every pod has ended",
        ),
        pytest.param(
            lambda cluster: _pods(cluster, _elsewhere),
            (*WORKERS, *PODS),
            id="in a namespace that is not deployed",
        ),
    ],
)
def test_what_is_wrong_in_the_cluster_loses_its_targets_and_no_others(
    break_it: Callable[[Cluster], Cluster],
    lost: Sequence[str],
    agent: Path,
    tmp_path: Path,
) -> None:
    """Negative controls: the proof above would notice each of these."""
    cluster = break_it(build_cluster())
    left = {target for target in expected_targets(build_cluster()) if target.job not in lost}
    told = {job.name for job in DISCOVERED_JOBS if job.name in lost and finds(job, cluster)}
    with ApiDouble(cluster, GRANTED).running() as api:
        configuration = for_vmagent(committed(), api.url)
        with vmagent(agent, configuration, api.url, tmp_path) as url:
            until(targets_of(url), left, and_then=lambda: told <= dropped_jobs(url))


def finds(job: ScrapeJob, cluster: Cluster) -> bool:
    """Say whether discovery finds anything at all where a job looks."""
    chosen = job.selection
    assert chosen is not None
    names = scope_namespaces(chosen.scope, ENVIRONMENTS) or (MONITORING,)
    role = "pod" if isinstance(chosen, PodPort) else "endpointslice"
    return any(cluster.discover(role, names))
