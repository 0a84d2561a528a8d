"""Scrape jobs: whom Prometheus asks, how the answers are labelled, and which series are kept.

Values only; `gx.monitoring.local` writes them down for one machine. What is kept follows from the
metric catalogue, so a metric cannot be exported and then lost by a filter that nobody renewed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gx.telemetry.catalogue import metrics_of
from gx.telemetry.metric import Kind, Metric, Process

PROBE_JOB: Final = "gx-blackbox"
PROBE_MODULE: Final = "http_ready"

SCRAPE_TIMEOUT_MAX_S: Final = 10

# The full system's API and submitter deliver about 3,000 samples each (tests/telemetry/test_speed).
# A label that runs away fails the scrape at three times that, before it fills the disk.
SAMPLES_MAX: Final = 10_000
PROBE_SAMPLES_MAX: Final = 200

JOBS: Final[Mapping[Process, str]] = {
    Process.SUBMITTER: "gx-outbox-submitter",
    Process.PROJECTOR: "gx-projector",
    Process.API: "gx-backend-services",
    Process.LEDGER: "gx-ledger",
    Process.CHAINCODE: "gx-chaincode",
}

# prometheus_client's own; whatever a later version of it adds is worth having.
_LIBRARY_PREFIXES: Final = ("process_.+", "python_.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLabels:
    """What a target is: set by the scrape alone, never by the application."""

    namespace: str
    environment: str
    service: str

    def to_yaml(self) -> dict[str, object]:
        """Return them as a scrape configuration spells them."""
        return {
            "namespace": self.namespace,
            "environment": self.environment,
            "service": self.service,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Addresses that carry the same labels; for a probe, URLs."""

    targets: tuple[str, ...]
    labels: TargetLabels

    def to_yaml(self) -> dict[str, object]:
        """Return it as a static configuration."""
        return {"targets": list(self.targets), "labels": self.labels.to_yaml()}


def keep_pattern(process: Process) -> str:
    """Build the anchored expression that matches every series a process is to deliver."""
    ours = [metric for metric in metrics_of(process) if not metric.by_client_library]
    return "|".join([*(_series_pattern(metric) for metric in ours), *_LIBRARY_PREFIXES])


def build_process_job(process: Process, groups: Sequence[TargetGroup]) -> dict[str, object]:
    """Build the job that scrapes one kind of process."""
    relabelling: list[dict[str, object]] = [
        {"source_labels": ["__name__"], "regex": keep_pattern(process), "action": "keep"}
    ]
    if _has_service_label(process):
        # The API names its service too; the target's label says the same and is authoritative.
        relabelling.append({"regex": "exported_service", "action": "labeldrop"})
    return {
        "job_name": JOBS[process],
        "sample_limit": SAMPLES_MAX,
        "static_configs": [group.to_yaml() for group in groups],
        "metric_relabel_configs": relabelling,
    }


def build_probe_job(exporter: str, groups: Sequence[TargetGroup]) -> dict[str, object]:
    """Build the job that has the blackbox exporter at `exporter` probe the groups' URLs."""
    return {
        "job_name": PROBE_JOB,
        "metrics_path": "/probe",
        "params": {"module": [PROBE_MODULE]},
        "sample_limit": PROBE_SAMPLES_MAX,
        "static_configs": [group.to_yaml() for group in groups],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": exporter},
        ],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "probe_.+", "action": "keep"}
        ],
    }


def _series_pattern(metric: Metric) -> str:
    return metric.name + ("_(bucket|count|sum)" if metric.kind is Kind.HISTOGRAM else "")


def _has_service_label(process: Process) -> bool:
    return any("service" in metric.label_names for metric in metrics_of(process))
