"""What should be there, as the rules that Prometheus has loaded expect it."""

from collections.abc import Mapping

from gx.monitoring.jobs import PROBE_JOB
from gx.monitoring.recording import EXPECTED_TARGET
from gx.monitoring.thresholds import BACKEND_NAMESPACE
from gx.proof.prometheus import Prometheus
from gx.telemetry.metric import Process


def expected_processes(prometheus: Prometheus) -> Mapping[str, frozenset[Process]]:
    """Return which processes should be in which namespace."""
    found: dict[str, set[Process]] = {}
    for sample in prometheus.ask(EXPECTED_TARGET.name):
        service = sample.labels.get("service", "")
        if sample.labels.get("job") != PROBE_JOB and service in set(Process):
            namespace = sample.labels.get("namespace", "")
            found.setdefault(namespace, set()).add(Process(service))
    return {namespace: frozenset(processes) for namespace, processes in found.items()}


def expected_environments(prometheus: Prometheus) -> tuple[str, ...]:
    """Return the environments that should be there: pages of others are rightly empty."""
    return tuple(
        name.removeprefix(BACKEND_NAMESPACE) for name in sorted(expected_processes(prometheus))
    )
