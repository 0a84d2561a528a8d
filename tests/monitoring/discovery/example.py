"""The cluster of the tests: three environments, the ledger's network, and monitoring beside them.

With everything that has led discovery astray before: two replicas, pods of several ports, pods
that are not ready, that have ended, or that did not ask to be scraped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from tests.monitoring.discovery.cluster import Cluster, Pod, Service

ENVIRONMENTS: Final = ("devnet", "testnet", "mainnet")
MONITORING: Final = "monitoring"
PART: Final = {"app.kubernetes.io/part-of": "gx-backend"}


@dataclass
class Builder:
    """Makes pods, each at an address of its own."""

    _numbers: Iterator[int] = field(default_factory=count)

    def place(self, app: str, port: str, number: int) -> tuple[str, int]:
        """Return where the n-th pod, one of `app`, listens: on loopback, where nobody does."""
        del app
        ports = {"http": 8000, "grpc": 7000}
        return f"127.0.{10 + number // 200}.{1 + number % 200}", ports.get(port, 9090)

    def pod(
        self,
        namespace: str,
        name: str,
        labels: dict[str, str],
        ports: tuple[str, ...] = ("metrics",),
        *,
        annotations: dict[str, str] | None = None,
        phase: str = "Running",
        is_ready: bool = True,
    ) -> Pod:
        """Make a pod."""
        number = next(self._numbers)
        app = labels.get("app.kubernetes.io/name", "")
        placed = {port: self.place(app, port, number) for port in ports}
        return Pod(
            namespace=namespace,
            name=name,
            ip=next(iter(placed.values()))[0],
            labels={**PART, **labels},
            ports=tuple((port, where[1]) for port, where in placed.items()),
            annotations=annotations or {},
            phase=phase,
            is_ready=is_ready,
        )


def annotated(pod: Pod, port: str = "metrics", **more: str) -> Pod:
    """Let a pod ask to be scraped at one of its ports."""
    prefix = "prometheus.io/"
    asks = {f"{prefix}scrape": "true", f"{prefix}port": str(dict(pod.ports)[port])}
    return Pod(
        namespace=pod.namespace,
        name=pod.name,
        ip=pod.ip,
        labels=pod.labels,
        ports=pod.ports,
        annotations=asks | {prefix + name: value for name, value in more.items()},
        phase=pod.phase,
        is_ready=pod.is_ready,
    )


def _service(namespace: str, name: str, app: str, *ports: str, **labels: str) -> Service:
    selector = {"app.kubernetes.io/name": app}
    return Service(
        namespace=namespace,
        name=name,
        selector=selector,
        labels={**PART, **selector, **labels},
        ports=tuple((port, port) for port in ports),
    )


def _environment(build: Builder, name: str) -> Iterator[Pod]:
    namespace = f"backend-{name}"
    worker, api = (
        {"tier": "backend", "component": "worker"},
        {"tier": "backend", "component": "api"},
    )
    for app in ("outbox-submitter", "projector"):
        for replica in "ab":
            labels = {**worker, "app.kubernetes.io/name": app}
            # The standby of mainnet is not ready: it is scraped all the same.
            is_ready = (name, replica) != ("mainnet", "b")
            yield build.pod(namespace, f"{app}-{replica}", labels, is_ready=is_ready)
    labels = {**api, "app.kubernetes.io/name": "api"}
    for replica in "ab":
        yield annotated(build.pod(namespace, f"api-{replica}", labels, ("http", "metrics")))
    yield build.pod(namespace, "api-silent", labels, ("http", "metrics"))
    yield annotated(build.pod(namespace, "api-ended", labels, phase="Succeeded"))
    chaincode = {"tier": "backend", "component": "chaincode", "app.kubernetes.io/name": "chaincode"}
    yield annotated(build.pod(namespace, "chaincode-0", chaincode, ("grpc", "metrics")))
    yield build.pod(namespace, "stranger", {"app.kubernetes.io/name": "stranger"})


def _beside_prometheus(build: Builder) -> Iterator[Pod]:
    for app in ("kube-state-metrics", "node-exporter"):
        yield build.pod(MONITORING, f"{app}-0", {"app.kubernetes.io/name": app})
    for app in ("postgres-exporter", "redis-exporter"):
        for name in ENVIRONMENTS:
            labels = {"app.kubernetes.io/name": app, "environment": name}
            yield build.pod(MONITORING, f"{app}-{name}", labels)
    for number in range(3):
        labels = {"app.kubernetes.io/name": "alertmanager"}
        yield build.pod(MONITORING, f"alertmanager-{number}", labels, ("http", "mesh"))


def _services() -> Iterator[Service]:
    for name in ENVIRONMENTS:
        namespace = f"backend-{name}"
        yield _service(namespace, "outbox-submitter-metrics", "outbox-submitter", "metrics")
        yield _service(namespace, "projector-metrics", "projector", "metrics")
        yield _service(namespace, "api", "api", "http")
        for app in ("postgres-exporter", "redis-exporter"):
            yield Service(
                namespace=MONITORING,
                name=f"{app}-{name}",
                selector={"app.kubernetes.io/name": app, "environment": name},
                labels={**PART, "app.kubernetes.io/name": app, "environment": name},
                ports=(("metrics", "metrics"),),
            )
    for app in ("kube-state-metrics", "node-exporter"):
        yield _service(MONITORING, app, app, "metrics")
    yield _service(MONITORING, "alertmanager", "alertmanager", "http")


def build_cluster(build: Builder | None = None) -> Cluster:
    """Make the cluster."""
    build = build or Builder()
    fabric = [
        build.pod("fabric", f"{kind}0", {"app.kubernetes.io/component": kind}, ("operations",))
        for kind in ("peer", "orderer")
    ]
    return Cluster(
        pods=[
            *(pod for name in ENVIRONMENTS for pod in _environment(build, name)),
            *fabric,
            *_beside_prometheus(build),
        ],
        services=[*_services()],
    )
