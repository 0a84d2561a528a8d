"""Who may look: Roles, in the namespaces that are watched, and in no other.

Roles and not ClusterRoles: what a watcher may list ends at these namespaces.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from gx.monitoring.kubernetes.cluster import Parties, Party
from gx.monitoring.kubernetes.policies import Document

_READ: Final = ["get", "list", "watch"]
_LABELS: Final = {"app.kubernetes.io/part-of": "gx-protocol"}

# What targets are discovered from.
DISCOVERY: Final = (("", ("pods", "services")), ("discovery.k8s.io", ("endpointslices",)))

# What kube-state-metrics is told to export, and nothing else: above all no Secrets.
STATE: Final = (
    ("", ("pods",)),
    ("apps", ("deployments", "statefulsets", "daemonsets", "replicasets")),
    ("batch", ("jobs",)),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("policy", ("poddisruptionbudgets",)),
)


def discovery_access(parties: Parties) -> Iterator[Document]:
    """Let Prometheus find targets in a namespace."""
    yield from _access(parties.monitoring.prometheus, DISCOVERY)


def state_access(parties: Parties) -> Iterator[Document]:
    """Let kube-state-metrics count a namespace's objects."""
    yield from _access(parties.monitoring.state_metrics, STATE)


def _access(reader: Party, resources: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Document]:
    name = f"{reader.name}-reader"
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "rules": [
            {"apiGroups": [group], "resources": list(names), "verbs": list(_READ)}
            for group, names in resources
        ],
    }
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [
            {"kind": "ServiceAccount", "name": reader.name, "namespace": reader.namespace}
        ],
    }
