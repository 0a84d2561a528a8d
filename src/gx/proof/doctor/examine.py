"""The examination: whatever is at hand is asked, and what it says is put together."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gx.monitoring.live import PrometheusError
from gx.proof.causes import Finding
from gx.proof.doctor.alerting import examine_routes
from gx.proof.doctor.configuration import read_jobs
from gx.proof.doctor.dashboards import (
    PlacedDashboard,
    dashboards_of_grafana,
    examine_datasources,
    examine_variables,
)
from gx.proof.doctor.delivery import examine_delivery
from gx.proof.doctor.differing import examine_differences
from gx.proof.doctor.manifests import Reach
from gx.proof.doctor.monitors import examine_monitors
from gx.proof.doctor.processes import examine_processes
from gx.proof.doctor.rules import (
    describe_samples,
    examine_one,
    examine_queries,
    examine_rules,
    name_readers,
    rate_window_of,
    recorded_rules,
)
from gx.proof.doctor.targets import Surroundings, examine_targets
from gx.proof.emptiness import Explainer
from gx.proof.excuses import excuse_by_jobs, silence_by_targets
from gx.proof.expected import expected_environments
from gx.proof.grafana import Datasource, Grafana, GrafanaError
from gx.proof.prometheus import Prometheus
from gx.proof.reachability.inventory import Inventory
from gx.telemetry.metric import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What there is to ask. At least one is given.

    `processes` are addresses of metrics; `query` narrows the examination to one expression.
    `dashboards` are examined beside those of `grafana`, against its datasources.
    """

    prometheus_url: str | None = None
    alertmanager_url: str | None = None
    processes: tuple[str, ...] = ()
    inventory: Inventory | None = None
    query: str | None = None
    conditions: Collection[Condition] = ()
    dashboards: tuple[PlacedDashboard, ...] = ()
    grafana: Grafana | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found; `unasked` are the sources that could not be asked, each with why.

    `notes` say what is there, where nothing is missing.
    """

    findings: tuple[Finding, ...]
    unasked: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong, without what merely explains."""
        return tuple(each for each in self.findings if not each.is_healthy)


def examine(sources: Sources) -> Diagnosis:
    """Ask every source and say what is wrong. Nothing is changed anywhere."""
    findings: list[Finding] = []
    unasked: list[str] = []
    notes: list[str] = []
    is_whole = sources.query is None
    reach = Reach(sources.inventory) if sources.inventory is not None else None
    dashboards, datasources = _dashboards(sources, unasked) if is_whole else ((), None)
    for each in dashboards:
        findings += examine_datasources(each, datasources)
    # What Prometheus scrapes is judged by its scrapes.
    scraped: set[str] = set()
    if sources.prometheus_url is not None:
        try:
            with Prometheus(sources.prometheus_url) as prometheus:
                scraped |= {each.scrape_url for each in prometheus.targets().active_targets}
                findings += _by_prometheus(prometheus, sources, reach, notes)
                findings += _variables(dashboards, prometheus)
        except PrometheusError as error:
            unasked.append(str(error))
    if is_whole:
        findings += examine_processes(url for url in sources.processes if url not in scraped)
    if is_whole and sources.alertmanager_url is not None:
        findings += examine_routes(sources.alertmanager_url)
    if is_whole and reach is not None:
        findings += reach.rest()
    if is_whole and sources.inventory is not None:
        findings += examine_monitors(sources.inventory)
    return Diagnosis(findings=tuple(findings), unasked=tuple(unasked), notes=tuple(notes))


def _dashboards(
    sources: Sources, unasked: list[str]
) -> tuple[tuple[PlacedDashboard, ...], list[Datasource] | None]:
    """Return the dashboards at hand, and the datasources of their Grafana if it can be asked."""
    if sources.grafana is None:
        return sources.dashboards, None
    try:
        known = sources.grafana.datasources()
        stored = tuple(dashboards_of_grafana(sources.grafana))
    except GrafanaError as error:
        unasked.append(str(error))
        return sources.dashboards, None
    return sources.dashboards + stored, known


def _variables(dashboards: Iterable[PlacedDashboard], prometheus: Prometheus) -> Iterator[Finding]:
    for each in dashboards:
        yield from examine_variables(each, prometheus)


def _by_prometheus(
    prometheus: Prometheus, sources: Sources, reach: Reach | None, notes: list[str]
) -> Iterator[Finding]:
    jobs = read_jobs(prometheus.configuration())
    groups = prometheus.groups()
    explainer = Explainer(
        prometheus,
        recorded=recorded_rules(groups),
        excuse=excuse_by_jobs(jobs, sources.conditions),
        silence=silence_by_targets(prometheus.targets().active_targets),
    )
    if sources.query is not None:
        found = examine_one(explainer, sources.query)
        if found is None:
            notes.append(describe_samples(prometheus.ask(sources.query)))
        else:
            yield found
        return
    around = Surroundings(reach=reach, processes=sources.processes)
    about_targets = tuple(examine_targets(prometheus, jobs, around))
    about_queries = examine_queries(
        explainer,
        groups,
        environments=expected_environments(prometheus),
        rate_window=rate_window_of(prometheus),
    )
    yield from (_with_readers(each, about_queries.silenced) for each in about_targets)
    yield from examine_rules(groups)
    yield from examine_differences(groups)
    yield from examine_delivery(prometheus)
    yield from about_queries.findings


def _with_readers(found: Finding, silenced: Mapping[str, Sequence[str]]) -> Finding:
    """Add to what is said of a target who reads what it does not say: one cause, one finding."""
    job = found.where.partition(":")[0]
    readers = [each for jobs, names in silenced.items() if job in jobs.split() for each in names]
    if not readers:
        return found
    text = f"nothing to read for {name_readers(readers)}"
    return replace(found, evidence=(*found.evidence, text))
