"""Prometheus' configuration for Kubernetes: a ConfigMap, and the Operator's objects beside it.

Both are made from the jobs that the local stack runs with. Nothing here names the namespace that
Prometheus itself is in: the files apply to whichever `kubectl apply -n` says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gx.monitoring.jobs import (
    ALERTMANAGER_JOB,
    DISCOVERED_JOBS,
    PROBE_FILTER,
    PROBE_JOB,
    PROBE_MODULE,
    PROBE_SAMPLES_MAX,
    PROMETHEUS_JOB,
    SCRAPE_TIMEOUT_MAX_S,
    build_probe_job,
    probe_groups,
    scope_namespaces,
)
from gx.monitoring.model import EVALUATION_INTERVAL_S, SCRAPE_INTERVAL_S
from gx.monitoring.scrape import Relabel, ScrapeJob, Selection, ServicePort, TargetGroup

BLACKBOX: Final = "blackbox-exporter:9115"
OWN_ADDRESS: Final = "localhost:9090"
RULES_GLOB: Final = "/etc/prometheus/rules/*.yml"
REPLICA_LABEL: Final = "prometheus_replica"

# The Operator labels targets with these, too. `endpoint` would meet the label by which the API
# says which route was asked, and push it aside.
_OPERATORS_OWN: Final = Relabel(action="labeldrop", regex="endpoint|container")


def prometheus_config(environments: Sequence[str], cluster: str) -> dict[str, object]:
    """Return the configuration of a Prometheus that watches these environments.

    Two replicas differ by one label, which no alert carries: Alertmanager takes theirs for one.
    """
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_INTERVAL_S}s",
            "evaluation_interval": f"{EVALUATION_INTERVAL_S}s",
            "scrape_timeout": f"{SCRAPE_TIMEOUT_MAX_S}s",
            "external_labels": {"cluster": cluster, REPLICA_LABEL: "${POD_NAME}"},
        },
        "rule_files": [RULES_GLOB],
        "alerting": {
            "alert_relabel_configs": [Relabel(action="labeldrop", regex=REPLICA_LABEL).to_yaml()],
            "alertmanagers": [
                {
                    **discovery(ALERTMANAGER_JOB, environments),
                    "relabel_configs": [rule.to_yaml() for rule in ALERTMANAGER_JOB.choice],
                }
            ],
        },
        "scrape_configs": scrape_configs(environments),
    }


def scrape_configs(environments: Sequence[str]) -> list[dict[str, object]]:
    """Return every job, each with its discovery."""
    return [
        *(job.to_yaml(discovery(job, environments)) for job in DISCOVERED_JOBS),
        build_probe_job(BLACKBOX, probe_groups(environments)),
        PROMETHEUS_JOB.to_yaml({"static_configs": [{"targets": [OWN_ADDRESS]}]}),
    ]


def discovery(job: ScrapeJob, environments: Sequence[str]) -> dict[str, object]:
    """Return how Kubernetes finds a job's targets; nothing for a job that has none there."""
    if job.selection is None:
        return {}
    names = list(scope_namespaces(job.selection.scope, environments))
    namespaces: dict[str, object] = {"names": names} if names else {"own_namespace": True}
    role = "endpointslice" if isinstance(job.selection, ServicePort) else "pod"
    return {"kubernetes_sd_configs": [{"role": role, "namespaces": namespaces}]}


def operator_objects(environments: Sequence[str], release: str) -> tuple[dict[str, object], ...]:
    """Return the same jobs as objects that the Prometheus Operator reads."""
    monitors = (
        _monitor(job, job.selection, environments, release)
        for job in DISCOVERED_JOBS
        if job.selection is not None
    )
    return (*monitors, *_probes(probe_groups(environments), release))


def _monitor(
    job: ScrapeJob, chosen: Selection, environments: Sequence[str], release: str
) -> dict[str, object]:
    endpoint: dict[str, object] = {
        "interval": f"{SCRAPE_INTERVAL_S}s",
        "scrapeTimeout": f"{SCRAPE_TIMEOUT_MAX_S}s",
        **({"honorLabels": True} if job.honors_labels else {}),
        "relabelings": [
            rule.to_operator()
            for rule in (
                *job.relabelling,
                Relabel(target="job", replacement=job.name),
                _OPERATORS_OWN,
            )
        ],
        **_metric_relabelings(job.metric_relabelling),
    }
    if isinstance(chosen, ServicePort):
        kind, key = "ServiceMonitor", "endpoints"
        selects = {"app.kubernetes.io/name": chosen.app}
    else:
        kind, key = "PodMonitor", "podMetricsEndpoints"
        selects = dict(chosen.labels)
    names = list(scope_namespaces(chosen.scope, environments))
    spec: dict[str, object] = {
        "selector": {"matchLabels": selects},
        **({"namespaceSelector": {"matchNames": names}} if names else {}),
        "sampleLimit": job.samples_max,
        key: [{"port": chosen.port, **endpoint}],
    }
    return _object(kind, job.name, spec, release)


def _probes(groups: Iterable[TargetGroup], release: str) -> Iterable[dict[str, object]]:
    for group in groups:
        spec: dict[str, object] = {
            "jobName": PROBE_JOB,
            "interval": f"{SCRAPE_INTERVAL_S}s",
            "scrapeTimeout": f"{SCRAPE_TIMEOUT_MAX_S}s",
            "sampleLimit": PROBE_SAMPLES_MAX,
            "module": PROBE_MODULE,
            "prober": {"url": BLACKBOX, "path": "/probe"},
            "targets": {
                "staticConfig": {"static": list(group.targets), "labels": group.labels.to_yaml()}
            },
            **_metric_relabelings((PROBE_FILTER,)),
        }
        name = f"{PROBE_JOB}-{group.labels.environment}-{group.labels.service}"
        yield _object("Probe", name, spec, release)


def _metric_relabelings(rules: Iterable[Relabel]) -> dict[str, object]:
    spelt = [rule.to_operator() for rule in rules]
    return {"metricRelabelings": spelt} if spelt else {}


def _object(kind: str, name: str, spec: Mapping[str, object], release: str) -> dict[str, object]:
    labels = {"app.kubernetes.io/part-of": "gx-backend", "app.kubernetes.io/name": "prometheus"}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {**labels, "release": release}},
        "spec": dict(spec),
    }
