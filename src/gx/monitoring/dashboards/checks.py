"""What is wrong with the dashboards as declared: said before anything is rendered."""

from collections.abc import Collection, Iterable, Iterator

from gx.monitoring.dashboards.model import Dashboard, Panel, Query
from gx.monitoring.external import EXTERNAL
from gx.monitoring.model import Alert
from gx.monitoring.recording import ExpectedTargets, Recording
from gx.monitoring.selectors import ExternalMetric, Series
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import Metric


def find_dashboard_faults(
    dashboards: Iterable[Dashboard], alerts: Collection[Alert], recorded: Collection[str]
) -> tuple[str, ...]:
    """Say what is wrong, naming the dashboard and the panel, or the alert; empty when nothing is.

    `recorded` are the names of the recording rules that there are.
    """
    kept = tuple(dashboards)
    uids = [dashboard.uid for dashboard in kept]
    names = {alert.name for alert in alerts}
    linked = {name for each in kept for panel in each.panels for name in panel.runbooks}
    return (
        *(f"{uid}: two dashboards have this address" for uid in _repeated(uids)),
        *(
            f"{dashboard.uid}: {fault}"
            for dashboard in kept
            for fault in _dashboard_faults(dashboard, uids, names, recorded)
        ),
        *(
            f"{alert.name}: its dashboard {alert.dashboard} is not rendered"
            for alert in alerts
            if alert.dashboard not in uids
        ),
        *(f"{name}: no panel links its runbook" for name in sorted(names - linked)),
    )


def _dashboard_faults(
    dashboard: Dashboard, uids: Collection[str], alerts: Collection[str], recorded: Collection[str]
) -> Iterator[str]:
    for title in _repeated([panel.title for panel in dashboard.panels]):
        yield f"two panels are called {title}"
    for panel in dashboard.panels:
        faults = [*_panel_faults(panel), *_link_faults(panel, uids, alerts)]
        faults += [fault for query in panel.queries for fault in _query_faults(query, recorded)]
        yield from (f"{panel.title or 'a panel'}: {fault}" for fault in faults)


def _link_faults(panel: Panel, uids: Collection[str], alerts: Collection[str]) -> Iterator[str]:
    for name in panel.runbooks:
        if name not in alerts:
            yield f"it links the runbook {name}, and no alert has that name"
    if panel.opens is not None and panel.opens not in uids:
        yield f"it opens {panel.opens}, which is not rendered"


def _panel_faults(panel: Panel) -> Iterator[str]:
    if not panel.title:
        yield "it has no title"
    if not panel.description.endswith("."):
        yield "its description is no sentence"
    if not panel.measure:
        yield "it has no unit"
    if not panel.queries:
        yield "it asks nothing"


def _query_faults(query: Query, recorded: Collection[str]) -> Iterator[str]:
    if not query.legend:
        yield "a query has no legend"
    for series in query.expr.reads:
        if fault := _series_fault(series, recorded):
            yield f"it reads {series.name}, {fault}"


def _series_fault(series: Series, recorded: Collection[str]) -> str | None:
    """Say why nobody has data of a series; None where somebody exports or records it."""
    match series:
        case Metric() if series not in CATALOGUE:
            return "which the metric catalogue does not have"
        case Metric(alias_of=Metric() as primary):
            return f"which repeats {primary.name}: use that"
        case ExternalMetric() if series not in EXTERNAL:
            return "which no exporter is declared to have"
        case Recording() | ExpectedTargets() if series.name not in recorded:
            return "which no rule records"
        case _:
            return None


def _repeated(values: Collection[str]) -> list[str]:
    seen = list(values)
    return sorted({each for each in seen if seen.count(each) > 1})
