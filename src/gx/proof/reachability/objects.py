"""Kubernetes' objects as far as reachability depends on them, and how a selector matches labels.

A field that is missing and one that is empty are told apart wherever Kubernetes does.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec
from typing_extensions import override

SERVICE_LABEL: Final = "kubernetes.io/service-name"
"""On an EndpointSlice: the Service whose pods it lists."""
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
DEFAULT_NAMESPACE: Final = "default"
POLICY_API: Final = "networking.k8s.io/"

Labels: TypeAlias = Mapping[str, str]


class _Object(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A part of an object; what nothing here reads is not listed."""


class OwnerReference(_Object, frozen=True, kw_only=True):
    """Who made an object."""

    kind: str
    name: str


class Metadata(_Object, frozen=True, kw_only=True):
    """Who an object is. A live cluster writes `null` where a manifest leaves out."""

    name: str = ""
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None


class Requirement(_Object, frozen=True, kw_only=True):
    """One of a selector's `matchExpressions`."""

    key: str
    operator: str
    values: list[str] | None = None

    def matches(self, labels: Labels) -> bool:
        """Say whether labels meet it; one that is missing is not in any list."""
        values = self.values or []
        match self.operator:
            case "In":
                return labels.get(self.key) in values
            case "NotIn":
                return labels.get(self.key) not in values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
            case _:
                return False  # the API server takes no other

    @override
    def __str__(self) -> str:
        values = f" ({', '.join(self.values)})" if self.values else ""
        return f"{self.key} {self.operator}{values}"


class Selector(_Object, frozen=True, kw_only=True):
    """Labels that something must have; an empty one is met by everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None

    def matches(self, labels: Labels) -> bool:
        """Say whether labels meet all of it."""
        wanted = (self.match_labels or {}).items()
        return wanted <= labels.items() and all(
            each.matches(labels) for each in self.match_expressions or []
        )

    @override
    def __str__(self) -> str:
        pairs = [f"{key}={value}" for key, value in (self.match_labels or {}).items()]
        return ", ".join([*pairs, *map(str, self.match_expressions or [])]) or "everything"


class IpBlock(_Object, frozen=True, kw_only=True):
    """A range of addresses, less some."""

    cidr: str
    except_: list[str] | None = msgspec.field(name="except", default=None)


class Peer(_Object, frozen=True, kw_only=True):
    """Somebody at the other end: pods by two selectors that must both match, or addresses."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IpBlock | None = None


class PolicyPort(_Object, frozen=True, kw_only=True):
    """Ports of one protocol: all, one by number or name, or a range."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class Rule(_Object, frozen=True, kw_only=True):
    """One rule of a policy, of either direction; a missing list and an empty one allow all."""

    from_: list[Peer] | None = msgspec.field(name="from", default=None)
    to: list[Peer] | None = None
    ports: list[PolicyPort] | None = None

    @property
    def peers(self) -> list[Peer]:
        """Who may be at the other end; nobody named is everybody."""
        return self.from_ or self.to or []


class PolicySpec(_Object, frozen=True, kw_only=True):
    """Which pods a policy isolates, and what it lets through nevertheless."""

    pod_selector: Selector | None = None
    policy_types: list[str] | None = None
    ingress: list[Rule] | None = None
    egress: list[Rule] | None = None


class Policy(_Object, frozen=True, kw_only=True):
    """A NetworkPolicy of networking.k8s.io."""

    metadata: Metadata
    spec: PolicySpec = PolicySpec()


class ContainerPort(_Object, frozen=True, kw_only=True):
    """A port that a container declares."""

    container_port: int
    name: str | None = None
    protocol: str | None = None


class Container(_Object, frozen=True, kw_only=True):
    """A container; one that starts first and stays (`restartPolicy: Always`) serves, too."""

    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class PodSpec(_Object, frozen=True, kw_only=True):
    """What a pod is."""

    containers: list[Container] = []
    init_containers: list[Container] | None = None
    host_network: bool | None = None


class Template(_Object, frozen=True, kw_only=True):
    """What a workload makes pods from."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()


class WorkloadSpec(_Object, frozen=True, kw_only=True):
    """What a workload makes, and how many."""

    template: Template = Template()
    replicas: int | None = None


class Workload(_Object, frozen=True, kw_only=True):
    """Whatever has a template of pods."""

    kind: str
    metadata: Metadata
    spec: WorkloadSpec


class JobTemplate(_Object, frozen=True, kw_only=True):
    """What a CronJob makes jobs from."""

    spec: WorkloadSpec


class CronJobSpec(_Object, frozen=True, kw_only=True):
    """What a CronJob makes."""

    job_template: JobTemplate


class CronJob(_Object, frozen=True, kw_only=True):
    """A CronJob."""

    metadata: Metadata
    spec: CronJobSpec


class PodStatus(_Object, frozen=True, kw_only=True):
    """How a live pod is."""

    phase: str | None = None


class Pod(_Object, frozen=True, kw_only=True):
    """A pod by itself, or one of a live cluster."""

    metadata: Metadata
    spec: PodSpec
    status: PodStatus = PodStatus()


class ServicePort(_Object, frozen=True, kw_only=True):
    """A Service's port; `targetPort` is where its pods listen, by number or name."""

    port: int
    name: str | None = None
    target_port: int | str | None = None
    protocol: str | None = None


class ServiceSpec(_Object, frozen=True, kw_only=True):
    """What a Service leads to."""

    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None


class Service(_Object, frozen=True, kw_only=True):
    """A Service."""

    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()


class EndpointConditions(_Object, frozen=True, kw_only=True):
    """What the cluster thinks of an endpoint; what it does not say counts as ready."""

    ready: bool | None = None


class Endpoint(_Object, frozen=True, kw_only=True):
    """A pod behind a Service."""

    conditions: EndpointConditions = EndpointConditions()


class EndpointSlice(_Object, frozen=True, kw_only=True):
    """Some of the pods behind a Service, as a live cluster lists them."""

    metadata: Metadata
    endpoints: list[Endpoint] | None = None


class NamespaceChoice(_Object, frozen=True, kw_only=True):
    """Where an operator's object looks; with neither, in its own namespace."""

    any: bool = False
    match_names: list[str] | None = None


class MonitorEndpoint(_Object, frozen=True, kw_only=True):
    """Which of a Service's ports is scraped, by its name."""

    port: str | None = None


class MonitorSpec(_Object, frozen=True, kw_only=True):
    """What a ServiceMonitor selects."""

    selector: Selector = Selector()
    namespace_selector: NamespaceChoice = NamespaceChoice()
    endpoints: list[MonitorEndpoint] | None = None


class ServiceMonitor(_Object, frozen=True, kw_only=True):
    """A scrape job as the Prometheus Operator reads it."""

    metadata: Metadata
    spec: MonitorSpec = MonitorSpec()


class Namespace(_Object, frozen=True, kw_only=True):
    """A namespace."""

    metadata: Metadata
