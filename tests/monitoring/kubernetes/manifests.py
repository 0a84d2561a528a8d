"""Built kustomizations as typed values: the parts of objects that the rules are about."""

import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import yaml

ROOT: Final = Path(__file__).parents[3]
ENVIRONMENTS: Final = ("devnet", "testnet", "mainnet")
BACKENDS: Final = tuple(f"k8s/overlays/{name}" for name in ENVIRONMENTS)
MONITORING: Final = "k8s/monitoring"
OPTIONS: Final = tuple(
    f"k8s/overlays/monitoring-{name}" for name in ("ha", "remote-write", "nodeport")
)
POLICIES_ONLY: Final = ("k8s/fabric", *(f"k8s/stores/{name}" for name in ENVIRONMENTS))
TWO_VERSIONS: Final = "docs/how-to/examples/second-chaincode"
EVERYTHING: Final = (*BACKENDS, MONITORING, *OPTIONS, *POLICIES_ONLY, TWO_VERSIONS)

WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job"})
KUBECTL_TIMEOUT_S: Final = 120


class _Object(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A part of Kubernetes' objects; what the rules do not read is not listed."""


class Metadata(_Object, frozen=True, kw_only=True):
    """Who an object is."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class NamedPort(_Object, frozen=True, kw_only=True):
    """A container's port."""

    name: str
    container_port: int
    protocol: str = "TCP"


class KeyReference(_Object, frozen=True, kw_only=True):
    """A key of a Secret, or of a ConfigMap."""

    name: str
    key: str


class ValueSource(_Object, frozen=True, kw_only=True):
    """Where a variable's value comes from."""

    secret_key_ref: KeyReference | None = None
    config_map_key_ref: KeyReference | None = None


class Variable(_Object, frozen=True, kw_only=True):
    """One environment variable."""

    name: str
    value: str | None = None
    value_from: ValueSource | None = None


class NameReference(_Object, frozen=True, kw_only=True):
    """An object by its name."""

    name: str


class VariableSource(_Object, frozen=True, kw_only=True):
    """An object whose keys are all variables."""

    config_map_ref: NameReference | None = None
    secret_ref: NameReference | None = None


class HttpGet(_Object, frozen=True, kw_only=True):
    """What the kubelet asks."""

    path: str
    port: str | int
    http_headers: list[dict[str, str]] = []


class Probe(_Object, frozen=True, kw_only=True):
    """One probe."""

    http_get: HttpGet | None = None


class Resources(_Object, frozen=True, kw_only=True):
    """What a container may have."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class ContainerSecurity(_Object, frozen=True, kw_only=True):
    """What a container is kept from."""

    allow_privilege_escalation: bool = True
    read_only_root_filesystem: bool = False
    privileged: bool = False
    capabilities: dict[str, list[str]] = {}


class Mount(_Object, frozen=True, kw_only=True):
    """A volume where a container sees it."""

    name: str
    mount_path: str
    read_only: bool = False
    sub_path: str | None = None


class Container(_Object, frozen=True, kw_only=True):
    """One container."""

    name: str
    image: str
    command: list[str] = []
    args: list[str] = []
    ports: list[NamedPort] = []
    env: list[Variable] = []
    env_from: list[VariableSource] = []
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    resources: Resources = Resources()
    security_context: ContainerSecurity = ContainerSecurity()
    volume_mounts: list[Mount] = []

    @property
    def probes(self) -> list[HttpGet]:
        """What it is asked."""
        every = (self.startup_probe, self.liveness_probe, self.readiness_probe)
        return [probe.http_get for probe in every if probe and probe.http_get]


class Item(_Object, frozen=True, kw_only=True):
    """A key of a projected object, and the file that it becomes."""

    key: str
    path: str


class SecretVolume(_Object, frozen=True, kw_only=True):
    """A Secret as files. Projected, it is called `name`."""

    secret_name: str = ""
    name: str = ""
    items: list[Item] = []


class ConfigMapVolume(_Object, frozen=True, kw_only=True):
    """A ConfigMap as files."""

    name: str
    items: list[Item] = []


class Source(_Object, frozen=True, kw_only=True):
    """One of the things that a projected volume is made of."""

    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None


class Projected(_Object, frozen=True, kw_only=True):
    """A folder made of several things."""

    sources: list[Source]


class Volume(_Object, frozen=True, kw_only=True):
    """A folder for a pod's containers."""

    name: str
    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None
    projected: Projected | None = None
    host_path: dict[str, str] | None = None
    empty_dir: dict[str, str] | None = None


class PodSecurity(_Object, frozen=True, kw_only=True):
    """What a pod's processes run as."""

    run_as_non_root: bool = False
    run_as_user: int | None = None
    seccomp_profile: dict[str, str] = {}


class PodSpec(_Object, frozen=True, kw_only=True):
    """What a pod is."""

    containers: list[Container]
    init_containers: list[Container] = []
    service_account_name: str = "default"
    automount_service_account_token: bool = True
    security_context: PodSecurity = PodSecurity()
    volumes: list[Volume] = []
    termination_grace_period_seconds: int = 30
    host_network: bool = False
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    host_ipc: bool = msgspec.field(name="hostIPC", default=False)


class Template(_Object, frozen=True, kw_only=True):
    """What pods are made from."""

    metadata: Metadata = Metadata()
    spec: PodSpec


class Selector(_Object, frozen=True, kw_only=True):
    """Which pods."""

    match_labels: dict[str, str] = {}


class WorkloadSpec(_Object, frozen=True, kw_only=True):
    """What a workload makes."""

    template: Template
    replicas: int | None = None
    selector: Selector | None = None
    service_name: str = ""


class Workload(_Object, frozen=True, kw_only=True):
    """A Deployment, StatefulSet, DaemonSet or Job."""

    kind: str
    metadata: Metadata
    spec: WorkloadSpec

    @property
    def pod(self) -> PodSpec:
        """What its pods are."""
        return self.spec.template.spec

    @property
    def labels(self) -> dict[str, str]:
        """What its pods are called."""
        return self.spec.template.metadata.labels


class ServicePort(_Object, frozen=True, kw_only=True):
    """A Service's port."""

    name: str
    port: int
    target_port: str | int
    node_port: int | None = None


class ServiceSpec(_Object, frozen=True, kw_only=True):
    """What a Service leads to."""

    selector: dict[str, str]
    ports: list[ServicePort]
    type: str = "ClusterIP"


class Service(_Object, frozen=True, kw_only=True):
    """A Service."""

    metadata: Metadata
    spec: ServiceSpec


class Built:
    """One kustomization, built."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.documents: list[dict[str, object]] = list(
            yaml.load_all(text, Loader=yaml.CSafeLoader)  # C: Grafana's dashboards are long
        )

    def of(self, *kinds: str) -> list[dict[str, object]]:
        """Return the documents of these kinds."""
        return [each for each in self.documents if each["kind"] in kinds]

    def names(self, kind: str) -> set[str]:
        """Return what the objects of a kind are called."""
        return {metadata_of(each).name for each in self.of(kind)}

    @property
    def workloads(self) -> list[Workload]:
        """Return everything that makes pods."""
        return [msgspec.convert(each, Workload) for each in self.of(*WORKLOADS)]

    @property
    def services(self) -> list[Service]:
        """Return its Services."""
        return [msgspec.convert(each, Service) for each in self.of("Service")]

    def config_map(self, name: str) -> dict[str, str]:
        """Return the data of a ConfigMap."""
        for each in self.of("ConfigMap"):
            if metadata_of(each).name == name:
                return msgspec.convert(each["data"], dict[str, str])
        raise KeyError(f"{self.path} has no ConfigMap {name}")


def metadata_of(document: Mapping[str, object]) -> Metadata:
    """Return who a document is."""
    return msgspec.convert(document["metadata"], Metadata)


def kubectl(*arguments: str, text: str | None = None) -> str:
    """Run kubectl, which is offline here, and return what it printed."""
    program = Path(sys.executable).with_name("kubectl")
    assert program.is_file(), "kubectl is missing: run `make setup`, it comes with the extra `dev`"
    done = subprocess.run(
        [str(program), *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=KUBECTL_TIMEOUT_S,
    )
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@functools.cache
def build(path: str) -> Built:
    """Build a kustomization, once for all tests."""
    return Built(path, kubectl("kustomize", path))


def containers_of(built: Built) -> Iterator[tuple[Workload, Container]]:
    """List every container with the workload that it is in."""
    for workload in built.workloads:
        for container in (*workload.pod.init_containers, *workload.pod.containers):
            yield workload, container
