"""Alerting rules: each one value that takes its metrics from the catalogue.

Thresholds are those of the service level objectives; every expression was tried on Prometheus 2.42.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.telemetry.catalogue.read_path import PROJECTION_LAG, PROJECTOR_WORKER_ACTIVE
from gx.telemetry.catalogue.write_path import OUTBOX_WORKER_ACTIVE
from gx.telemetry.metric import Metric

SLO_GROUP: Final = "gx_backend_cqrs_alerts"
COMPANION_GROUP: Final = "gx_backend_companion_alerts"
EXPECTED_TARGET: Final = "gx:expected_target"
LAG_SLO_MS: Final = 5_000


class Severity(StrEnum):
    """How soon somebody must look; `none` is for the alert that always fires."""

    CRITICAL = "critical"
    WARNING = "warning"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule.

    `reads` are the catalogue's metrics in `expr`. `family` groups alerts about the same thing, so
    that a critical one can mute its warning. `summary` is a sentence, `description` has the value.
    """

    name: str
    expr: str
    reads: tuple[Metric, ...] = ()
    for_s: int = 0
    severity: Severity
    component: str
    family: str
    summary: str
    description: str

    def to_yaml(self) -> dict[str, object]:
        """Return it as a rule file spells it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": f"{self.for_s}s",
            "labels": {
                "severity": self.severity.value,
                "component": self.component,
                "family": self.family,
            },
            "annotations": {"summary": self.summary, "description": self.description},
        }


WATCHDOG: Final = Alert(
    name="Watchdog",
    expr="vector(1)",
    severity=Severity.NONE,
    component="monitoring",
    family="watchdog",
    summary="Alerting works; this alert always fires.",
    description="When it stops arriving, Prometheus or Alertmanager is broken.",
)

# `up` alone is silent once a target has left the configuration, so what should be there is said
# by rules of its own (`gx:expected_target`).
SERVICE_DOWN: Final = Alert(
    name="BackendServiceDown",
    expr=(
        f'(up{{job=~"gx-.+"}} == 0) or ({EXPECTED_TARGET} unless on (job, namespace, service) up)'
    ),
    for_s=60,
    severity=Severity.CRITICAL,
    component="infrastructure",
    family="service_down",
    summary="A process of the backend does not answer its scrapes.",
    description="{{ $labels.service }} ({{ $labels.job }}) in {{ $labels.namespace }} is down.",
)

LAG_EXCEEDS_SLO: Final = Alert(
    name="ProjectionLagExceedsSLO",
    expr=f"max by (namespace) ({PROJECTION_LAG.name}) > {LAG_SLO_MS}",
    reads=(PROJECTION_LAG,),
    for_s=120,
    severity=Severity.WARNING,
    component="projector",
    family="projection_lag",
    summary="Readers see data that is more than 5 s old.",
    description="The projection in {{ $labels.namespace }} lags by {{ $value }} ms.",
)

NO_ACTIVE_SUBMITTER: Final = Alert(
    name="NoActiveSubmitter",
    expr=f"max by (namespace) ({OUTBOX_WORKER_ACTIVE.name}) < 1",
    reads=(OUTBOX_WORKER_ACTIVE,),
    for_s=60,
    severity=Severity.CRITICAL,
    component="outbox",
    family="outbox_lease",
    summary="Accepted commands are not submitted: no submitter holds the lease.",
    description="No outbox-submitter in {{ $labels.namespace }} is active.",
)

NO_ACTIVE_PROJECTOR: Final = Alert(
    name="NoActiveProjector",
    expr=f"max by (namespace) ({PROJECTOR_WORKER_ACTIVE.name}) < 1",
    reads=(PROJECTOR_WORKER_ACTIVE,),
    for_s=60,
    severity=Severity.CRITICAL,
    component="projector",
    family="projector_lease",
    summary="Nothing new becomes visible: no projector holds the lease.",
    description="No projector in {{ $labels.namespace }} is active.",
)

SLO_ALERTS: Final = (SERVICE_DOWN, LAG_EXCEEDS_SLO)
COMPANION_ALERTS: Final = (WATCHDOG, NO_ACTIVE_SUBMITTER, NO_ACTIVE_PROJECTOR)
