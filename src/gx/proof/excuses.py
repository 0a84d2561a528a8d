"""Which series are rightly absent: those of programs that nobody scrapes there."""

from collections.abc import Collection
from typing import Final

from gx.monitoring.external import EXTERNAL
from gx.monitoring.jobs import JOBS
from gx.monitoring.usage import external_jobs
from gx.proof.emptiness import Excuse
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import HISTOGRAM_SUFFIXES, Condition, Kind

_BY_SERIES: Final = {
    name: metric
    for metric in CATALOGUE
    for name in (
        [f"{metric.name}{suffix}" for suffix in HISTOGRAM_SUFFIXES]
        if metric.kind is Kind.HISTOGRAM
        else [metric.name]
    )
}
_EXTERNAL: Final = {metric.name: metric for metric in EXTERNAL}


def excuse_by_jobs(jobs: Collection[str], conditions: Collection[Condition]) -> Excuse:
    """Make an excuse from the jobs that Prometheus has, and the conditions that hold there."""
    there, held = frozenset(jobs), frozenset(conditions)

    def excuse(name: str) -> str | None:
        if (metric := _BY_SERIES.get(name)) is not None:
            if metric.condition is not None and metric.condition not in held:
                return f"only where {metric.condition}"
            wanted = [JOBS[each] for each in metric.processes if each in JOBS]
        elif (external := _EXTERNAL.get(name)) is not None:
            wanted = list(external_jobs(external))
        else:
            return None
        if wanted and not there.intersection(wanted):
            return f"nobody scrapes {' or '.join(sorted(wanted))} here"
        return None

    return excuse
