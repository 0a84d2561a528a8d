"""The verification: every part of it against one running system."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from gx.monitoring.dashboards.every import dashboards_of
from gx.proof.doctor.configuration import read_jobs
from gx.proof.doctor.rules import rate_window_of, recorded_rules
from gx.proof.emptiness import Explainer
from gx.proof.excuses import excuse_by_jobs, silence_by_targets
from gx.proof.expected import expected_environments
from gx.proof.grafana import Grafana
from gx.proof.prometheus import Prometheus
from gx.proof.verify.exposition import Judge, verify_expositions
from gx.proof.verify.expressions import verify_panels, verify_rules
from gx.proof.verify.grafana import verify_dashboards
from gx.proof.verify.rows import Row
from gx.proof.verify.targets import verify_alertmanagers, verify_metrics, verify_targets
from gx.telemetry.metric import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is verified. `dashboards` are the committed texts by uid, for a Grafana to have."""

    prometheus_url: str
    judge: Judge
    conditions: Collection[Condition] = ()
    grafana: Grafana | None = None
    dashboards: Mapping[str, str] = field(default_factory=dict)


def verify(subject: Subject) -> Iterator[Row]:
    """Yield a row for everything that is verified; nothing is changed.

    Raises:
        PrometheusError: Prometheus cannot be asked.
        GrafanaError: Grafana cannot be asked.
    """
    with Prometheus(subject.prometheus_url) as prometheus:
        groups = prometheus.groups()
        explainer = Explainer(
            prometheus,
            recorded=recorded_rules(groups),
            excuse=excuse_by_jobs(read_jobs(prometheus.configuration()), subject.conditions),
            silence=silence_by_targets(prometheus.targets().active_targets),
        )
        yield from verify_targets(prometheus)
        yield from verify_alertmanagers(prometheus)
        yield from verify_expositions(prometheus.targets().active_targets, subject.judge)
        yield from verify_metrics(prometheus, subject.conditions)
        yield from verify_rules(explainer, groups)
        yield from verify_panels(
            explainer,
            dashboards_of(expected_environments(prometheus)),
            rate_window=rate_window_of(prometheus),
            conditions=subject.conditions,
        )
    if subject.grafana is not None:
        yield from verify_dashboards(subject.grafana, subject.dashboards)
