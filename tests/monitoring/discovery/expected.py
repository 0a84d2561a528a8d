"""What should be scraped in the example cluster, target by target, with its labels.

Written down by hand: it must not follow from the rules that it judges.
"""

from collections.abc import Iterator
from typing import Final

from tests.monitoring.discovery.cluster import Cluster, Pod
from tests.monitoring.discovery.example import ENVIRONMENTS, MONITORING
from tests.monitoring.discovery.programs import Target

# Job, service label, and the pods of each environment.
_IN_EVERY_ENVIRONMENT: Final = (
    ("gx-outbox-submitter", "outbox-submitter", ("outbox-submitter-a", "outbox-submitter-b")),
    ("gx-projector", "projector", ("projector-a", "projector-b")),
    ("gx-backend-services", "api", ("api-a", "api-b")),
    ("gx-chaincode", "chaincode", ("chaincode-0",)),
)
_ONE_FOR_EACH: Final = (("postgres", "postgres-exporter"), ("redis", "redis-exporter"))
_PROBED: Final = (
    ("api", "api", 8000),
    ("outbox-submitter", "outbox-submitter-metrics", 9090),
    ("projector", "projector-metrics", 9091),
)


def expected_targets(cluster: Cluster) -> set[Target]:
    """List every target of the example cluster."""
    return {*_ours(cluster), *_exporters(cluster), *_others(cluster), *_probes(), _itself()}


def _pod(cluster: Cluster, namespace: str, name: str) -> Pod:
    return next(pod for pod in cluster.pods if (pod.namespace, pod.name) == (namespace, name))


def _target(pod: Pod, port: str, **labels: str) -> Target:
    address = f"{pod.ip}:{dict(pod.ports)[port]}"
    named = {"instance": address, "pod": pod.name} | labels
    return Target(f"http://{address}/metrics", frozenset(named.items()))


def _ours(cluster: Cluster) -> Iterator[Target]:
    for environment in ENVIRONMENTS:
        namespace = f"backend-{environment}"
        for job, service, names in _IN_EVERY_ENVIRONMENT:
            for name in names:
                yield _target(
                    _pod(cluster, namespace, name),
                    "metrics",
                    job=job,
                    service=service,
                    namespace=namespace,
                    environment=environment,
                )


def _exporters(cluster: Cluster) -> Iterator[Target]:
    """An exporter beside Prometheus speaks of the environment that its Service names."""
    for job, app in _ONE_FOR_EACH:
        for environment in ENVIRONMENTS:
            yield _target(
                _pod(cluster, MONITORING, f"{app}-{environment}"),
                "metrics",
                job=job,
                service=app,
                namespace=f"backend-{environment}",
                environment=environment,
            )


def _others(cluster: Cluster) -> Iterator[Target]:
    for kind in ("peer", "orderer"):
        pod = _pod(cluster, "fabric", f"{kind}0")
        yield _target(pod, "operations", job=f"fabric-{kind}", service=kind, namespace="fabric")
    for number in range(3):
        pod = _pod(cluster, MONITORING, f"alertmanager-{number}")
        yield _target(pod, "http", job="alertmanager", service="alertmanager", namespace=MONITORING)
    name = "kube-state-metrics"
    pod = _pod(cluster, MONITORING, f"{name}-0")
    yield _target(pod, "metrics", job=name, service=name, namespace=MONITORING)
    pod = _pod(cluster, MONITORING, "node-exporter-0")
    yield _target(
        pod,
        "metrics",
        job="node",
        service="node-exporter",
        namespace=MONITORING,
        instance="node-1",
    )


def _probes() -> Iterator[Target]:
    for environment in ENVIRONMENTS:
        namespace = f"backend-{environment}"
        for service, name, port in _PROBED:
            url = f"http://{name}.{namespace}.svc:{port}/readyz"
            labels = {
                "job": "gx-blackbox",
                "instance": url,
                "namespace": namespace,
                "environment": environment,
                "service": service,
            }
            asked = url.replace(":", "%3A").replace("/", "%2F")
            yield Target(
                f"http://blackbox-exporter:9115/probe?module=http_ready&target={asked}",
                frozenset(labels.items()),
            )


def _itself() -> Target:
    labels = {"job": "prometheus", "instance": "localhost:9090", "service": "prometheus"}
    return Target("http://localhost:9090/metrics", frozenset(labels.items()))
