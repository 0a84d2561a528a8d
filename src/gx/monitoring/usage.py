"""Who uses what: which alerts, rules and panels read a metric, through recording rules, too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import EXTERNAL
from gx.monitoring.jobs import ALERTMANAGER_JOB, JOBS, KUBE_STATE_JOB, PROBE_JOB, PROMETHEUS_JOB
from gx.monitoring.model import Alert
from gx.monitoring.recording import Recording
from gx.monitoring.selectors import ExternalMetric, Series
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is made of one metric; `panels` are written `dashboard: panel`."""

    metric: Metric | ExternalMetric
    alerts: tuple[str, ...]
    panels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One series that an expression needs, and who delivers it."""

    name: str
    help: str
    exported_by: tuple[str, ...]
    jobs: tuple[str, ...]


def uses() -> tuple[Use, ...]:
    """List every metric of the catalogue and of other programs with what uses it."""
    metrics: tuple[Metric | ExternalMetric, ...] = (*CATALOGUE, *EXTERNAL)
    return tuple(_use(metric) for metric in metrics)


def needs_of(alert: Alert) -> tuple[Need, ...]:
    """List what an alert needs: its recording rules, and the metrics at the bottom of them."""
    found = {series.name: series for series in _depths(alert.expr.reads)}
    return tuple(_need(found[name]) for name in sorted(found))


def _use(metric: Metric | ExternalMetric) -> Use:
    return Use(
        metric=metric,
        alerts=tuple(alert.name for alert in ALERTS if _reads(alert.expr.reads, metric)),
        panels=tuple(
            f"{dashboard.uid}: {panel.title}"
            for dashboard in DASHBOARDS
            for panel in dashboard.panels
            if any(_reads(query.expr.reads, metric) for query in panel.queries)
        ),
    )


def _reads(reads: Iterable[Series], metric: Metric | ExternalMetric) -> bool:
    return any(each == metric for each in _depths(reads))


def _depths(reads: Iterable[Series]) -> Iterator[Series]:
    for each in reads:
        yield each
        if isinstance(each, Recording):
            yield from _depths(each.expr.reads)


def _need(series: Series) -> Need:
    match series:
        case Metric():
            processes = sorted(series.processes)
            exported_by = tuple(process.value for process in processes)
            jobs = tuple(JOBS[process] for process in processes if process in JOBS)
            return Need(name=series.name, help=series.help, exported_by=exported_by, jobs=jobs)
        case ExternalMetric():
            jobs = external_jobs(series)
            return Need(
                name=series.name, help=series.help, exported_by=(series.exporter,), jobs=jobs
            )
        case Recording():
            return Need(name=series.name, help=series.help, exported_by=("a rule",), jobs=())
        case _:
            help_text = "1 for a target that there should be."
            return Need(name=series.name, help=help_text, exported_by=("a rule",), jobs=())


def external_jobs(metric: ExternalMetric) -> tuple[str, ...]:
    """Return the scrape jobs that bring another program's metric; none if Prometheus makes it."""
    if metric.exporter in set(Exporter):
        return (EXPORTER_JOBS[Exporter(metric.exporter)],)
    return {
        "blackbox_exporter": (PROBE_JOB,),
        "kube-state-metrics": (KUBE_STATE_JOB.name,),
        "alertmanager": (ALERTMANAGER_JOB.name,),
        # What Prometheus says of every scrape is not scraped from anybody.
        "prometheus": (PROMETHEUS_JOB.name,) if metric.name.startswith("prometheus_") else (),
    }.get(metric.exporter, ())
