"""What watches the cluster is deployed as it was decided, and finds whom it has to watch."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from gx.monitoring.jobs import (
    DISCOVERED_JOBS,
    PROBED_SERVICES,
    PROCESS_JOBS,
    scope_namespaces,
)
from gx.monitoring.kubernetes.access import DISCOVERY, STATE
from gx.monitoring.kubernetes.cluster import Cluster, Parties, Party
from gx.monitoring.kubernetes.flows import declare_flows
from gx.monitoring.kubernetes_scrape import BLACKBOX, RULES_GLOB
from gx.monitoring.scrape import PodPort, Scope, ScrapeJob, ServicePort
from tests.monitoring.kubernetes.manifests import (
    BACKENDS,
    ENVIRONMENTS,
    MONITORING,
    OPTIONS,
    ROOT,
    Built,
    Container,
    Service,
    Workload,
    build,
    metadata_of,
)

pytestmark = [
    pytest.mark.xdist_group("kubernetes"),
    pytest.mark.timeout(600),  # the analyser and kubectl take their time on a machine under load
]

CONFIG_MAP_BYTES_MAX: Final = 1_000_000  # Kubernetes takes 1 MiB, all keys together
OWN: Final = Cluster().monitoring
OURS: Final = [job for job in DISCOVERED_JOBS if not job.name.startswith("fabric-")]
THEIRS: Final = [job for job in DISCOVERED_JOBS if job.name.startswith("fabric-")]


def _everything() -> list[Built]:
    return [build(path) for path in (*BACKENDS, MONITORING)]


def _workload(built: Built, name: str) -> Workload:
    (found,) = [each for each in built.workloads if each.metadata.name == name]
    return found


def _container(built: Built, name: str) -> Container:
    return next(each for each in _workload(built, name).pod.containers if each.name == name)


def _namespaces(job: ScrapeJob) -> set[str]:
    assert job.selection is not None
    names = scope_namespaces(job.selection.scope, ENVIRONMENTS)
    return set(names) if job.selection.scope is not Scope.OWN else {OWN}


def _found_by(job: ScrapeJob) -> Iterator[tuple[str, str, int]]:
    """List namespace, workload and port of what a job's selection finds in the built manifests."""
    for built in _everything():
        if build(built.path).names("Namespace") & _namespaces(job):
            match job.selection:
                case ServicePort() as chosen:
                    yield from _behind_services(built, chosen)
                case PodPort() as chosen:
                    yield from _pods(built, chosen)
                case None:
                    raise AssertionError(job.name)


def _behind_services(built: Built, chosen: ServicePort) -> Iterator[tuple[str, str, int]]:
    for service in built.services:
        if not _is_chosen(service, chosen):
            continue
        (port,) = [each for each in service.spec.ports if each.name == chosen.port]
        for workload in built.workloads:
            if service.spec.selector.items() <= workload.labels.items():
                yield from _ports(workload, str(port.target_port))


def _is_chosen(service: Service, chosen: ServicePort) -> bool:
    if chosen.service is not None:
        return service.metadata.name == chosen.service
    return service.metadata.labels.get("app.kubernetes.io/name") == chosen.app


def _pods(built: Built, chosen: PodPort) -> Iterator[tuple[str, str, int]]:
    for workload in built.workloads:
        if dict(chosen.labels).items() <= workload.labels.items():
            yield from _ports(workload, chosen.port)


def _ports(workload: Workload, name: str) -> Iterator[tuple[str, str, int]]:
    for container in workload.pod.containers:
        for port in container.ports:
            if port.name == name:
                yield str(workload.metadata.namespace), workload.metadata.name, port.container_port


@pytest.mark.parametrize("job", OURS, ids=[job.name for job in OURS])
def test_every_job_finds_its_targets_and_may_reach_them(job: ScrapeJob) -> None:
    """Its Services, pods, labels and ports are in the manifests, and a flow leads to each."""
    found = set(_found_by(job))
    allowed = {
        (flow.target.namespace, flow.target.name, flow.target.port(name).number)
        for flow in declare_flows(Parties())
        if flow.source.name == "prometheus" and isinstance(flow.target, Party)
        for name in flow.ports
    }

    assert len(found) == (1 if job.name in _ONCE else len(ENVIRONMENTS))
    assert found <= allowed


_ONCE: Final = ("node", "kube-state-metrics", "alertmanager")


@pytest.mark.parametrize("job", THEIRS, ids=[job.name for job in THEIRS])
def test_the_nodes_of_fabric_are_known_by_the_same_labels_to_jobs_and_policies(
    job: ScrapeJob,
) -> None:
    """What Prometheus looks for is what the policies open."""
    assert isinstance(job.selection, PodPort)
    nodes = (Parties().fabric.peer, Parties().fabric.orderer)
    (node,) = [each for each in nodes if dict(each.labels) == dict(job.selection.labels)]
    assert job.selection.port in {port.name for port in node.ports}
    assert _namespaces(job) == {node.namespace}


def test_probed_addresses_are_services() -> None:
    """A probe of a name that no Service has would call the API away."""
    for path in BACKENDS:
        ports = {
            f"{service.metadata.name}:{port.port}"
            for service in build(path).services
            for port in service.spec.ports
        }
        assert set(PROBED_SERVICES.values()) <= ports
    own = {
        f"{service.metadata.name}:{port.port}"
        for service in build(MONITORING).services
        for port in service.spec.ports
    }
    assert BLACKBOX in own


@pytest.mark.parametrize("path", BACKENDS)
def test_the_backends_pods_say_where_their_metrics_are(path: str) -> None:
    """The annotations, the labels and the number of replicas that the source documents name."""
    processes = {process.value for process in PROCESS_JOBS} - {"ledger"}
    deployments = [each for each in build(path).workloads if each.kind == "Deployment"]
    assert {each.metadata.name for each in deployments} == processes
    for each in deployments:
        metrics = next(
            port.container_port
            for container in each.pod.containers
            for port in container.ports
            if port.name == "metrics"
        )
        assert each.spec.template.metadata.annotations == {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(metrics),
            "prometheus.io/path": "/metrics",
        }
        assert each.labels["tier"] == "backend"
        assert each.spec.replicas == (None if each.metadata.name == "api" else 2)


def test_prometheus_loads_every_rule_and_what_changes_later() -> None:
    """Whole folders, watched by a sidecar; a rule file that nobody mounts protects nobody."""
    built = build(MONITORING)
    workload, prometheus = _workload(built, "prometheus"), _container(built, "prometheus")
    mounts = {mount.mount_path: mount for mount in prometheus.volume_mounts}
    volumes = {volume.name: volume for volume in workload.pod.volumes}
    rules = volumes[mounts[str(Path(RULES_GLOB).parent)].name].projected
    assert rules is not None
    mounted = {source.config_map.name for source in rules.sources if source.config_map}

    with_rules = {name for name in built.names("ConfigMap") if name.startswith("prometheus-alerts")}
    assert mounted == with_rules
    assert with_rules == {f"prometheus-{path.stem}" for path in _rule_files()}
    reloader = _container_of(workload, "config-reloader")
    for folder in (mount for mount in mounts if mount.startswith("/etc/")):
        assert f"--watched-dir={folder}" in reloader.args
    assert not prometheus.command, "another process would be number 1, whom `kill -HUP 1` tells"


def _rule_files() -> Iterable[Path]:
    return (ROOT / MONITORING / "prometheus").glob("alerts-*.yaml")


def _container_of(workload: Workload, name: str) -> Container:
    return next(each for each in workload.pod.containers if each.name == name)


def test_prometheus_keeps_what_the_budgets_need() -> None:
    """Forty-five days, for budgets of thirty, on a disk of its own; one pod, prometheus-0."""
    built = build(MONITORING)
    workload = _workload(built, "prometheus")
    arguments = _container(built, "prometheus").args

    assert workload.kind == "StatefulSet"
    assert workload.spec.replicas == 1
    assert "--storage.tsdb.retention.time=45d" in arguments
    assert "--web.enable-lifecycle" in arguments
    configuration: dict[str, dict[str, object]] = yaml.safe_load(
        built.config_map("prometheus-config")["prometheus.yml"]
    )
    assert configuration["global"]["external_labels"]
    (claims,) = [
        msgspec.convert(each["spec"], _Claiming).volume_claim_templates
        for each in built.of("StatefulSet")
        if metadata_of(each).name == "prometheus"
    ]
    assert [claim.metadata.name for claim in claims] == ["data"]


class _Claim(msgspec.Struct):
    metadata: "_Named"


class _Named(msgspec.Struct):
    name: str


class _Claiming(msgspec.Struct, rename="camel"):
    volume_claim_templates: list[_Claim]


def test_grafana_asks_for_a_password_and_shows_what_is_provisioned() -> None:
    """Nobody looks without one, nobody changes a dashboard there, and none is left out."""
    built = build(MONITORING)
    grafana = _container(built, "grafana")
    given = {each.name: each.value for each in grafana.env}
    assert given["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert str(given["GF_SECURITY_ADMIN_PASSWORD__FILE"]).startswith("/run/secrets/")
    shown = built.config_map("grafana-dashboards")
    folder = ROOT / MONITORING / "grafana" / "dashboards"
    assert shown.keys() == {path.name for path in folder.glob("*.json")}
    assert sum(len(text.encode()) for text in shown.values()) < CONFIG_MAP_BYTES_MAX
    home = str(given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert Path(home).name in shown
    (name,) = [each for each in built.names("ConfigMap") if each.startswith("grafana-provisioning")]
    files = built.config_map(name)
    (source,) = yaml.safe_load(files["datasources.yaml"])["datasources"]
    assert (source["uid"], source["editable"]) == ("prometheus", False)
    (provider,) = yaml.safe_load(files["providers.yaml"])["providers"]
    assert provider["allowUiUpdates"] is False
    assert all(mount.read_only for mount in grafana.volume_mounts if "grafana/" in mount.mount_path)


def test_the_state_of_objects_is_counted_where_and_what_its_role_allows() -> None:
    """A resource without a Role fills the log with refusals; a Role without need is too much."""
    arguments = dict(
        each.split("=", 1) for each in _container(build(MONITORING), "kube-state-metrics").args
    )
    watched = {OWN, *(f"backend-{name}" for name in ENVIRONMENTS)}
    assert set(arguments["--namespaces"].split(",")) == watched
    allowed = {name for _, names in STATE for name in names}
    assert set(arguments["--resources"].split(",")) == allowed
    assert {name for _, names in DISCOVERY for name in names} == {
        "pods",
        "services",
        "endpointslices",
    }


def test_the_namespace_is_the_declared_one() -> None:
    """Policies and Roles name it too: to move it, change both."""
    for path in (MONITORING, *OPTIONS):
        assert build(path).names("Namespace") == {OWN}


def test_ports_of_nodes_are_opened_by_one_component_with_tls_and_a_password() -> None:
    """Everything else is reachable inside the cluster alone."""
    for path in (*BACKENDS, MONITORING, *OPTIONS):
        opened = {
            (port.node_port, service.metadata.name)
            for service in build(path).services
            for port in service.spec.ports
            if service.spec.type != "ClusterIP"
        }
        gate = {(30090, "web-gate"), (30093, "web-gate"), (30300, "web-gate")}
        assert opened == (gate if path.endswith("nodeport") else set())
    built = build("k8s/overlays/monitoring-nodeport")
    (name,) = [each for each in built.names("ConfigMap") if each.startswith("web-gate")]
    servers = re.split(r"\n  server \{", built.config_map(name)["nginx.conf"])[1:]
    serving = [server for server in servers if "proxy_pass" in server]
    assert len(serving) == 3
    for server in serving:
        assert re.search(r"listen \d+ ssl;", server)
        if "http://grafana:" not in server:
            assert "auth_basic_user_file" in server
            assert "location /-/ { return 403; }" in server, "another site could post to /-/quit"


def test_high_availability_is_two_and_three_that_know_each_other() -> None:
    """Two Prometheus that differ by a label, and a mesh of Alertmanagers."""
    built = build("k8s/overlays/monitoring-ha")
    assert _workload(built, "prometheus").spec.replicas == 2
    alertmanager = _workload(built, "alertmanager")
    assert alertmanager.spec.replicas == 3
    arguments = _container(built, "alertmanager").args
    peers = [each for each in arguments if each.startswith("--cluster.peer=")]
    assert len(peers) == 3
    assert all(f".{alertmanager.spec.service_name}:9094" in peer for peer in peers)
    assert "--cluster.listen-address=" not in arguments
    labels = yaml.safe_load(built.config_map("prometheus-config")["prometheus.yml"])["global"]
    assert "${POD_NAME}" in labels["external_labels"].values()
    assert any(each.name == "POD_NAME" for each in _container(built, "prometheus").env)


def test_a_remote_store_gets_what_the_local_one_has() -> None:
    """The component adds to the configuration, and changes nothing in it."""
    text = build(MONITORING).config_map("prometheus-config")["prometheus.yml"]
    remote = build("k8s/overlays/monitoring-remote-write").config_map("prometheus-config")

    assert remote["prometheus.yml"].startswith(text)
    (store,) = yaml.safe_load(remote["prometheus.yml"])["remote_write"]
    assert store["url"].startswith("https://")
    assert store["authorization"]["credentials_file"].startswith("/etc/prometheus/remote-write/")
