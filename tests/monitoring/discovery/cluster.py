"""A small Kubernetes cluster as values: pods and Services, and what its API says of them.

The labels that discovery makes of them are computed here from Prometheus' documentation
(kubernetes_sd_config), not from our rules, and compared with what vmagent makes of the API.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

META: Final = "__meta_kubernetes_"

Json: TypeAlias = dict[str, object]
Discovered: TypeAlias = tuple[str, dict[str, str]]
"""An address, and what discovery says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of one container; `ports` are the names and numbers that it declares."""

    namespace: str
    name: str
    ip: str
    labels: Mapping[str, str]
    ports: tuple[tuple[str, int], ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    phase: str = "Running"
    is_ready: bool = True

    def to_api(self) -> Json:
        """Return it as the API server does."""
        return {
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "uid": f"uid-{self.name}",
                "labels": dict(self.labels),
                "annotations": dict(self.annotations),
            },
            "spec": {
                "nodeName": "node-1",
                "containers": [
                    {
                        "name": "main",
                        "ports": [
                            {"name": name, "containerPort": number, "protocol": "TCP"}
                            for name, number in self.ports
                        ],
                    }
                ],
            },
            "status": {
                "podIP": self.ip,
                "hostIP": "127.0.0.1",
                "phase": self.phase,
                "conditions": [{"type": "Ready", "status": str(self.is_ready)}],
            },
        }

    def meta(self) -> dict[str, str]:
        """Return what discovery says of the pod itself."""
        return {
            META + "namespace": self.namespace,
            META + "pod_name": self.name,
            META + "pod_ip": self.ip,
            META + "pod_phase": self.phase,
            META + "pod_ready": str(self.is_ready).lower(),
            META + "pod_node_name": "node-1",
            **_mapped("pod_label_", self.labels),
            **_mapped("pod_annotation_", self.annotations),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service; `ports` are the names of its ports and of the container ports behind them."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    labels: Mapping[str, str]
    ports: tuple[tuple[str, str], ...]

    def to_api(self) -> Json:
        """Return it as the API server does."""
        return {
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "labels": dict(self.labels),
            },
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "127.0.0.1",
                "selector": dict(self.selector),
                "ports": [
                    {"name": name, "port": 9090, "targetPort": target, "protocol": "TCP"}
                    for name, target in self.ports
                ],
            },
        }

    def selects(self, pod: Pod) -> bool:
        """Say whether the pod is one of its endpoints, ready or not."""
        return (
            pod.namespace == self.namespace
            and pod.phase == "Running"
            and set(self.selector.items()) <= set(pod.labels.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What there is."""

    pods: Sequence[Pod]
    services: Sequence[Service]

    def objects(self, kind: str, namespace: str) -> list[Json]:
        """Return the objects of a kind in a namespace, as the API server lists them."""
        match kind:
            case "pods":
                return [pod.to_api() for pod in self.pods if pod.namespace == namespace]
            case "services":
                return [each.to_api() for each in self.services if each.namespace == namespace]
            case _:
                return [self._slice(each) for each in self.services if each.namespace == namespace]

    def discover(self, role: str, namespaces: Sequence[str]) -> Iterator[Discovered]:
        """Yield what a role finds in these namespaces."""
        if role == "pod":
            for pod in self.pods:
                if pod.namespace in namespaces:
                    yield from _pod_targets(pod)
            return
        for service in self.services:
            if service.namespace in namespaces:
                for pod in self.pods:
                    if service.selects(pod):
                        yield from _endpoint_targets(service, pod)

    def _slice(self, service: Service) -> Json:
        chosen = [pod for pod in self.pods if service.selects(pod)]
        numbers = dict(chosen[0].ports) if chosen else {}
        return {
            "metadata": {
                "namespace": service.namespace,
                "name": f"{service.name}-x1",
                "labels": {"kubernetes.io/service-name": service.name},
                "ownerReferences": [{"kind": "Service", "name": service.name, "controller": True}],
            },
            "addressType": "IPv4",
            "endpoints": [
                {
                    "addresses": [pod.ip],
                    "conditions": {"ready": pod.is_ready},
                    "nodeName": "node-1",
                    "targetRef": {"kind": "Pod", "namespace": pod.namespace, "name": pod.name},
                }
                for pod in chosen
            ],
            "ports": [
                {"name": name, "port": numbers[target], "protocol": "TCP"}
                for name, target in service.ports
                if target in numbers
            ],
        }


def _pod_targets(pod: Pod) -> Iterator[Discovered]:
    for name, number in pod.ports:
        yield (
            f"{pod.ip}:{number}",
            {
                **pod.meta(),
                META + "pod_container_name": "main",
                META + "pod_container_init": "false",
                META + "pod_container_port_name": name,
                META + "pod_container_port_number": str(number),
                META + "pod_container_port_protocol": "TCP",
            },
        )


def _endpoint_targets(service: Service, pod: Pod) -> Iterator[Discovered]:
    """Yield an endpoint's ports; and, as discovery does, the pod's other ports, too."""
    about = {
        **pod.meta(),
        META + "service_name": service.name,
        META + "endpointslice_name": f"{service.name}-x1",
        **_mapped("service_label_", service.labels),
    }
    served = {target: name for name, target in service.ports}
    for name, number in pod.ports:
        slice_port = {META + "endpointslice_port_name": served[name]} if name in served else {}
        yield f"{pod.ip}:{number}", {**about, **slice_port}


def _mapped(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        META + prefix + "".join(each if each.isalnum() else "_" for each in name): value
        for name, value in values.items()
    }
