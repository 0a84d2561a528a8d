"""Every scrape job, once: the local stack, Kubernetes and the Operator all read this list.

Jobs of our own processes begin with `gx-`, which the alerts select by; those of other programs
never do.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import EXTERNAL
from gx.monitoring.scrape import (
    LEDGER_NAMESPACE,
    PodPort,
    Relabel,
    Scope,
    ScrapeJob,
    Selection,
    ServicePort,
    TargetGroup,
    TargetLabels,
    has_service_label,
    keep_external,
    keep_pattern,
)
from gx.telemetry.metric import Process

PROBE_JOB: Final = "gx-blackbox"
PROBE_MODULE: Final = "http_ready"
READY_PATH: Final = "/readyz"

SCRAPE_TIMEOUT_MAX_S: Final = 10

# The full system's API and submitter deliver about 3,000 samples each (tests/telemetry/test_speed).
# A label that runs away fails the scrape at three times that, before it fills the disk.
SAMPLES_MAX: Final = 10_000
PROBE_SAMPLES_MAX: Final = 200

_TIER: Final = ("tier", "backend")


def _backend_service(app: str, service: str) -> Selection:
    return ServicePort(scope=Scope.ENVIRONMENTS, app=app, service=service)


def _backend_pods(component: str) -> Selection:
    return PodPort(
        scope=Scope.ENVIRONMENTS, labels=(_TIER, ("component", component)), is_annotated=True
    )


# The workers are found through their Services: with two replicas, every pod behind one is a target.
_PROCESS_SELECTIONS: Final[Mapping[Process, tuple[str, Selection | None]]] = {
    Process.SUBMITTER: (
        "gx-outbox-submitter",
        _backend_service("outbox-submitter", "outbox-submitter-metrics"),
    ),
    Process.PROJECTOR: ("gx-projector", _backend_service("projector", "projector-metrics")),
    Process.API: ("gx-backend-services", _backend_pods("api")),
    Process.LEDGER: ("gx-ledger", None),  # on this machine alone: elsewhere the ledger is Fabric
    Process.CHAINCODE: ("gx-chaincode", _backend_pods("chaincode")),
}


def _process_job(process: Process) -> ScrapeJob:
    name, selection = _PROCESS_SELECTIONS[process]
    return ScrapeJob(
        name=name,
        service=process.value,
        selection=selection,
        keeps=keep_pattern(process),
        samples_max=SAMPLES_MAX,
        # The API names its service too; the target's label says the same and is authoritative.
        drops=("exported_service",) if has_service_label(process) else (),
    )


def _exporter_job(exporter: Exporter, selection: Selection, service: str) -> ScrapeJob:
    """Make the job of a program of others; of what it says, what rules and panels read is kept."""
    return ScrapeJob(
        name=EXPORTER_JOBS[exporter],
        service=service,
        selection=selection,
        keeps=_declared(exporter),
        samples_max=SAMPLES_MAX,
        # The exporter of PostgreSQL says where it connects to; here, that is a path of the machine.
        drops=("server",) if exporter is Exporter.POSTGRES else (),
    )


def _declared(exporter: str) -> str:
    return keep_external(metric for metric in EXTERNAL if metric.exporter == exporter)


def _beside_prometheus(app: str, *, is_per_node: bool = False) -> Selection:
    return ServicePort(scope=Scope.OWN, app=app, is_per_node=is_per_node)


def _fabric_pods(component: str) -> Selection:
    labels = (("app.kubernetes.io/component", component),)
    return PodPort(scope=Scope.LEDGER, labels=labels, port="operations")


PROCESS_JOBS: Final[Mapping[Process, ScrapeJob]] = {
    process: _process_job(process) for process in _PROCESS_SELECTIONS
}
JOBS: Final[Mapping[Process, str]] = {process: job.name for process, job in PROCESS_JOBS.items()}

FABRIC_PEER_JOB: Final = _exporter_job(Exporter.PEER, _fabric_pods("peer"), "peer")
FABRIC_ORDERER_JOB: Final = _exporter_job(Exporter.ORDERER, _fabric_pods("orderer"), "orderer")
POSTGRES_JOB: Final = _exporter_job(
    Exporter.POSTGRES, _beside_prometheus("postgres-exporter"), "postgres-exporter"
)
REDIS_JOB: Final = _exporter_job(
    Exporter.REDIS, _beside_prometheus("redis-exporter"), "redis-exporter"
)
NODE_JOB: Final = _exporter_job(
    Exporter.NODE, _beside_prometheus("node-exporter", is_per_node=True), "node-exporter"
)
# What it says is about other objects: their namespace and pod are theirs, not its own.
KUBE_STATE_JOB: Final = ScrapeJob(
    name="kube-state-metrics",
    service="kube-state-metrics",
    selection=_beside_prometheus("kube-state-metrics"),
    keeps=_declared("kube-state-metrics"),
    samples_max=5 * SAMPLES_MAX,
    honors_labels=True,
)
ALERTMANAGER_JOB: Final = ScrapeJob(
    name="alertmanager",
    service="alertmanager",
    selection=ServicePort(scope=Scope.OWN, app="alertmanager", port="http"),
    keeps=None,
    samples_max=SAMPLES_MAX,
)
# It asks itself over loopback: no discovery can lose it.
PROMETHEUS_JOB: Final = ScrapeJob(
    name="prometheus",
    service="prometheus",
    selection=None,
    keeps=None,
    samples_max=SAMPLES_MAX,
)

DISCOVERED_JOBS: Final[tuple[ScrapeJob, ...]] = (
    *(job for job in PROCESS_JOBS.values() if job.selection is not None),
    FABRIC_PEER_JOB,
    FABRIC_ORDERER_JOB,
    POSTGRES_JOB,
    REDIS_JOB,
    NODE_JOB,
    KUBE_STATE_JOB,
    ALERTMANAGER_JOB,
)
"""Those whose targets Kubernetes finds."""

ALL_JOBS: Final[tuple[ScrapeJob, ...]] = (
    *PROCESS_JOBS.values(),
    *(job for job in DISCOVERED_JOBS if job not in PROCESS_JOBS.values()),
    PROMETHEUS_JOB,
)
"""Every job but the probes'."""

# Who is asked whether it is ready, and where: the Service, as its users reach it. A listening
# metrics port would not say that the API's own answers.
PROBED_SERVICES: Final[Mapping[Process, str]] = {
    Process.API: "api:8000",
    Process.SUBMITTER: "outbox-submitter-metrics:9090",
    Process.PROJECTOR: "projector-metrics:9091",
}

PROBE_RELABELLING: Final = (
    Relabel(sources=("__address__",), target="__param_target"),
    Relabel(sources=("__param_target",), target="instance"),
)
PROBE_FILTER: Final = Relabel(action="keep", sources=("__name__",), regex="probe_.+")


def scope_namespaces(scope: Scope, environments: Sequence[str]) -> tuple[str, ...]:
    """Return the namespaces in which a scope's jobs look; none for Prometheus' own."""
    match scope:
        case Scope.ENVIRONMENTS:
            return tuple(TargetLabels.of(name, "").namespace for name in environments)
        case Scope.LEDGER:
            return (LEDGER_NAMESPACE,)
        case Scope.OWN:
            return ()


def probe_groups(environments: Sequence[str]) -> tuple[TargetGroup, ...]:
    """Return the readiness addresses of every environment's Services.

    They are listed rather than discovered: a Service that was deleted must fail its probe, and
    not vanish from the average.
    """
    return tuple(
        TargetGroup(
            targets=(_ready_url(where, labels.namespace),),
            labels=labels,
        )
        for name in environments
        for process, where in PROBED_SERVICES.items()
        for labels in (TargetLabels.of(name, process.value),)
    )


def build_probe_job(exporter: str, groups: Sequence[TargetGroup]) -> dict[str, object]:
    """Build the job that has the blackbox exporter at `exporter` probe the groups' URLs."""
    return {
        "job_name": PROBE_JOB,
        "metrics_path": "/probe",
        "params": {"module": [PROBE_MODULE]},
        "sample_limit": PROBE_SAMPLES_MAX,
        "static_configs": [group.to_yaml() for group in groups],
        "relabel_configs": [
            *(rule.to_yaml() for rule in PROBE_RELABELLING),
            Relabel(target="__address__", replacement=exporter).to_yaml(),
        ],
        "metric_relabel_configs": [PROBE_FILTER.to_yaml()],
    }


def _ready_url(where: str, namespace: str) -> str:
    service, _, port = where.partition(":")
    return f"http://{service}.{namespace}.svc:{port}{READY_PATH}"
