"""What is in a cluster by its manifests: namespaces, pods by workload, Services, policies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar

import msgspec
from typing_extensions import override

from gx.domain.errors import GxError
from gx.proof.reachability.objects import (
    DEFAULT_NAMESPACE,
    NAMESPACE_LABEL,
    POLICY_API,
    SERVICE_LABEL,
    CronJob,
    Endpoint,
    EndpointSlice,
    Labels,
    Metadata,
    Namespace,
    Pod,
    PodSpec,
    Policy,
    Service,
    ServiceMonitor,
    Workload,
)

Document: TypeAlias = dict[str, object]

TCP: Final = "TCP"
_TEMPLATED: Final = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}
)
_ENDED: Final = frozenset({"Succeeded", "Failed"})
_ALWAYS: Final = "Always"
# They decide on connections as well, and are not understood here.
_OTHER_POLICIES: Final = (
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
    "NetworkPolicy",
)


# What a controller writes on the pods that it makes, beside their template's labels.
ADDED_LABELS: Final = frozenset(
    {
        *("pod-template-hash", "controller-revision-hash", "pod-template-generation"),
        *("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"),
        *("controller-uid", "job-name"),
        *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
    }
)
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class ManifestError(GxError):
    """A manifest cannot be read; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class DeclaredPort:
    """A port that a pod declares."""

    number: int
    name: str = ""
    protocol: str = TCP


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """The pods of one workload: policies cannot tell them apart.

    `is_assumed`: no manifest has them; the catalogue says that they are there.
    """

    namespace: str
    name: str
    kind: str = "Pod"
    labels: Labels = field(default_factory=dict)
    ports: tuple[DeclaredPort, ...] = ()
    annotations: Labels = field(default_factory=dict)
    is_on_host_network: bool = False
    is_assumed: bool = False
    is_scaled_to_zero: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @override
    def __hash__(self) -> int:
        return hash((self.namespace, self.name, self.kind))  # labels are no part that can be hashed

    @property
    def lasting_labels(self) -> dict[str, str]:
        """Its labels without those that controllers add to each pod, which change."""
        return {key: value for key, value in self.labels.items() if key not in ADDED_LABELS}

    def named(self, name: str, protocol: str = TCP) -> tuple[DeclaredPort, ...]:
        """Return the ports of this name and protocol."""
        return tuple(each for each in self.ports if each.name == name and each.protocol == protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that decides on connections between pods.

    `unread` counts policies of kinds that Kubernetes itself does not have.
    """

    namespaces: Mapping[str, Labels] = field(default_factory=dict)
    pods: tuple[Pods, ...] = ()
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    monitors: tuple[ServiceMonitor, ...] = ()
    policies: tuple[Policy, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)

    def namespace_labels(self, namespace: str) -> Labels:
        """Return a namespace's labels; its name is one of them, manifest or not."""
        return {**self.namespaces.get(namespace, {}), NAMESPACE_LABEL: namespace}

    def pods_in(self, namespace: str) -> tuple[Pods, ...]:
        """Return the pods of a namespace."""
        return tuple(each for each in self.pods if each.namespace == namespace)

    def services_in(self, namespace: str) -> tuple[Service, ...]:
        """Return the Services of a namespace."""
        return tuple(each for each in self.services if namespace_of(each.metadata) == namespace)

    def endpoints_of(self, namespace: str, service: str) -> tuple[Endpoint, ...] | None:
        """Return what a live cluster lists behind a Service; None where it was not asked."""
        slices = [
            each
            for each in self.slices
            if namespace_of(each.metadata) == namespace
            and (each.metadata.labels or {}).get(SERVICE_LABEL) == service
        ]
        if not slices:
            return None
        return tuple(endpoint for each in slices for endpoint in each.endpoints or ())

    def policies_in(self, namespace: str) -> tuple[Policy, ...]:
        """Return the policies of a namespace."""
        return tuple(each for each in self.policies if namespace_of(each.metadata) == namespace)

    def with_pods(self, pods: Iterable[Pods]) -> "Inventory":
        """Return it with further pods."""
        return replace(self, pods=(*self.pods, *pods))

    def with_policies(self, policies: Iterable[Policy]) -> "Inventory":
        """Return it with these policies instead of its own of the same names."""
        new = {(namespace_of(each.metadata), each.metadata.name): each for each in policies}
        old = {(namespace_of(each.metadata), each.metadata.name): each for each in self.policies}
        return replace(self, policies=tuple({**old, **new}.values()))


def namespace_of(metadata: Metadata) -> str:
    """Return an object's namespace."""
    return metadata.namespace or DEFAULT_NAMESPACE


def take_stock(documents: Iterable[Document]) -> Inventory:
    """Read documents of manifests, lists among them; kinds that do not matter are passed over.

    Raises:
        ManifestError: A document is not what its kind says.
    """
    flat = [each for document in documents for each in _flatten(document)]
    unread: dict[str, int] = {}
    for kind in (str(each.get("kind")) for each in flat if _is_foreign_policy(each)):
        unread[kind] = unread.get(kind, 0) + 1
    return Inventory(
        namespaces={
            each.metadata.name: each.metadata.labels or {} for each in _read(flat, Namespace)
        },
        pods=tuple(_pods(flat)),
        services=tuple(_read(flat, Service)),
        slices=tuple(_read(flat, EndpointSlice)),
        monitors=tuple(_read(flat, ServiceMonitor)),
        policies=tuple(convert(each, Policy) for each in flat if _is_policy(each)),
        unread=unread,
    )


def convert(document: Document, shape: type[_Shape]) -> _Shape:
    """Read a document as what its kind says.

    Raises:
        ManifestError: It is not; the text says where.
    """
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{_title(document)}: {error}") from error


def _title(document: Document) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{document.get('kind', 'a document without kind')} {name or 'without a name'}"


def _flatten(document: Document) -> Iterator[Document]:
    """Yield a document, or the items of a list such as `kubectl get -o json` prints."""
    items = document.get("items")
    if not (str(document.get("kind", "")).endswith("List") and isinstance(items, list)):
        yield document
        return
    of_kind = str(document["kind"]).removesuffix("List")
    for item in items:
        if not isinstance(item, dict):
            raise ManifestError(f"{document['kind']}: an item is no object")
        # A list of one kind leaves it out of its items.
        version = {"apiVersion": document["apiVersion"]} if "apiVersion" in document else {}
        yield from _flatten({"kind": of_kind, **version, **item})


def _read(documents: Iterable[Document], shape: type[_Shape]) -> Iterator[_Shape]:
    for each in documents:
        if each.get("kind") == shape.__name__:
            yield convert(each, shape)


def _is_policy(document: Document) -> bool:
    return document.get("kind") == "NetworkPolicy" and str(
        document.get("apiVersion", POLICY_API)
    ).startswith(POLICY_API)


def _is_foreign_policy(document: Document) -> bool:
    return document.get("kind") in _OTHER_POLICIES and not _is_policy(document)


def _pods(documents: Iterable[Document]) -> Iterator[Pods]:
    """Yield each workload's pods once, though a live cluster lists owners and owned alike."""
    singles: list[Pod] = []
    templated: list[Pods] = []
    for each in documents:
        kind = each.get("kind")
        if kind in _TEMPLATED:
            workload = convert(each, Workload)
            if not workload.metadata.owner_references:
                templated.append(_of_workload(workload))
        elif kind == "CronJob":
            cron = convert(each, CronJob)
            templated.append(
                _of_workload(
                    Workload(
                        kind="CronJob", metadata=cron.metadata, spec=cron.spec.job_template.spec
                    )
                )
            )
        elif kind == "Pod":
            singles.append(convert(each, Pod))
    yield from templated
    yield from _strays(singles, templated)


def _strays(singles: Iterable[Pod], templated: Iterable[Pods]) -> Iterator[Pods]:
    """Yield the running pods that no workload here has made; replicas count as one."""
    known = {(each.namespace, frozenset(each.lasting_labels.items())) for each in templated}
    for pod in singles:
        if pod.status.phase in _ENDED:
            continue
        found = _make(pod.metadata, "Pod", pod.metadata, pod.spec)
        key = (found.namespace, frozenset(found.lasting_labels.items()))
        if pod.metadata.owner_references and key in known:
            continue
        known |= {key} if pod.metadata.owner_references else set()
        yield found


def _of_workload(workload: Workload) -> Pods:
    template = workload.spec.template
    pods = _make(workload.metadata, workload.kind, template.metadata, template.spec)
    return replace(pods, is_scaled_to_zero=workload.spec.replicas == 0)


def _make(owner: Metadata, kind: str, metadata: Metadata, spec: PodSpec) -> Pods:
    return Pods(
        namespace=namespace_of(owner),
        name=owner.name,
        kind=kind,
        labels=metadata.labels or {},
        annotations=metadata.annotations or {},
        ports=tuple(_ports(spec)),
        is_on_host_network=bool(spec.host_network),
    )


def _ports(spec: PodSpec) -> Iterator[DeclaredPort]:
    staying = [each for each in spec.init_containers or [] if each.restart_policy == _ALWAYS]
    for container in (*spec.containers, *staying):
        for port in container.ports or []:
            yield DeclaredPort(port.container_port, port.name or "", port.protocol or TCP)
