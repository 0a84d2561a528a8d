"""Which series are rightly absent: those of programs that nobody scrapes there."""

from collections.abc import Collection, Mapping
from typing import Final

from gx.monitoring.external import EXTERNAL
from gx.monitoring.jobs import ALL_JOBS, JOBS, PROBE_JOB
from gx.monitoring.usage import external_jobs
from gx.proof.emptiness import Excuse
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import HISTOGRAM_SUFFIXES, Condition, Kind

_OURS: Final = {name: metric for metric in CATALOGUE for name in metric.series_names}
_OTHERS: Final = {
    name: metric
    for metric in EXTERNAL
    for name in (
        [metric.name + suffix for suffix in HISTOGRAM_SUFFIXES]
        if metric.kind is Kind.HISTOGRAM
        else [metric.name]
    )
}
_KNOWN_JOBS: Final = frozenset({job.name for job in ALL_JOBS} | {PROBE_JOB})


def excuse_by_jobs(jobs: Collection[str], conditions: Collection[Condition]) -> Excuse:
    """Make an excuse from the jobs that Prometheus has, and the conditions that hold there."""
    there, held = frozenset(jobs), frozenset(conditions)

    def excuse(name: str, matched: Mapping[str, str]) -> str | None:
        job = matched.get("job", "")
        if job in _KNOWN_JOBS - there:
            return f"nobody scrapes {job} here"
        if (metric := _OURS.get(name)) is not None:
            if metric.condition is not None and metric.condition not in held:
                return str(metric.condition)
            wanted = [JOBS[each] for each in metric.processes if each in JOBS]
        elif (external := _OTHERS.get(name)) is not None:
            wanted = list(external_jobs(external))
        else:
            return None
        if wanted and not there.intersection(wanted):
            return f"nobody scrapes {' or '.join(sorted(wanted))} here"
        return None

    return excuse
