"""Which series are absent for a known reason: nobody scrapes them there, or no target answers."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from gx.monitoring.external import EXTERNAL
from gx.monitoring.jobs import ALL_JOBS, JOBS, PROBE_JOB
from gx.monitoring.usage import external_jobs
from gx.proof.emptiness import Excuse, Silence
from gx.proof.prometheus import Target
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
        metric = _OURS.get(name)
        if metric is not None and metric.condition is not None and metric.condition not in held:
            return str(metric.condition)
        wanted = jobs_of(name)
        if wanted and not there & wanted:
            return f"nobody scrapes {' or '.join(sorted(wanted))} here"
        return None

    return excuse


def silence_by_targets(targets: Iterable[Target]) -> Silence:
    """Make a silence from what became of the last scrapes.

    A series is silenced where its matchers leave some targets, and all of those fail.
    """
    known = tuple(targets)

    def silence(name: str, matched: Mapping[str, str]) -> str | None:
        asked = [
            each
            for each in known
            if each.scrape_pool in jobs_of(name)
            and all(matched.get(label, value) == value for label, value in each.labels.items())
        ]
        if asked and all(each.health == "down" for each in asked):
            return " and ".join(sorted({each.scrape_pool for each in asked}))
        return None

    return silence


def jobs_of(name: str) -> frozenset[str]:
    """Return the scrape jobs that bring a series of the catalogue; none of any other."""
    if (metric := _OURS.get(name)) is not None:
        return frozenset(JOBS[each] for each in metric.processes if each in JOBS)
    if (external := _OTHERS.get(name)) is not None:
        return frozenset(external_jobs(external))
    return frozenset()
