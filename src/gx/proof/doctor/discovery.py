"""Targets that should be there and were not found, or were dropped: by which rule, and on what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from gx.monitoring.recording import EXPECTED_TARGET
from gx.proof.causes import Cause, Finding
from gx.proof.doctor.relabelling import Drop, RelabelRule, ScrapeConfig, replay
from gx.proof.prometheus import DroppedTarget, Prometheus, Targets

_NAMESPACE: Final = "__meta_kubernetes_namespace"
_EXPECTED: Final = f"{EXPECTED_TARGET.name} unless on (job, namespace, service) up"
_SHOWN: Final = 3


def find_lost(
    prometheus: Prometheus, targets: Targets, jobs: Mapping[str, ScrapeConfig]
) -> Iterator[Finding]:
    """Yield jobs without a target, and expected targets that are not among a job's."""
    active = {each.scrape_pool for each in targets.active_targets}
    empty = [job for job in jobs.values() if job.job_name not in active]
    for job in empty:
        yield explain_lost(job, targets.dropped_targets)
    told = {job.job_name for job in empty}
    for sample in prometheus.ask(_EXPECTED):
        name = sample.labels.get("job", "")
        if name not in told:
            yield _expected(jobs.get(name), targets, sample.labels)


def explain_lost(job: ScrapeConfig, dropped: Iterable[DroppedTarget]) -> Finding:
    """Say why a job has no target: nothing was discovered, or a rule dropped all of it."""
    found = _drops(job, (each for each in dropped if each.job == job.job_name))
    if found:
        return _dropped(job.job_name, found)
    return Finding(
        cause=Cause.DISCOVERY_EMPTY,
        where=job.job_name,
        what="its discovery finds nothing at all",
        evidence=("no target of this job is active, and none was dropped",),
        fix="see that Services or pods are there in the namespaces of its discovery, and that "
        "Prometheus may list them (`kubectl auth can-i list pods --as …`)",
    )


def _expected(job: ScrapeConfig | None, targets: Targets, labels: Mapping[str, str]) -> Finding:
    name, namespace = labels.get("job", ""), labels.get("namespace", "")
    where = f"{name}: {labels.get('service', '')} in {namespace}"
    if job is None:
        return Finding(
            cause=Cause.NO_SUCH_JOB,
            where=where,
            what="Prometheus has no such scrape job",
            evidence=(f"{EXPECTED_TARGET.name} wants it",),
            fix="load the configuration that `gx monitoring render` writes",
        )
    there = (
        each
        for each in targets.dropped_targets
        if each.job == name and each.discovered_labels.get(_NAMESPACE, namespace) == namespace
    )
    if found := _drops(job, there):
        return _dropped(where, found)
    actual = sorted(
        {
            each.labels.get("namespace", "")
            for each in targets.active_targets
            if each.scrape_pool == name
        }
    )
    return Finding(
        cause=Cause.DISCOVERY_EMPTY,
        where=where,
        what="an expected target is not among the job's, and none was dropped",
        evidence=(f"targets of {name} are labelled namespace {', '.join(actual) or 'nothing'}",),
        fix=f"deploy it in {namespace}, or take the environment out of GX_ENVIRONMENTS",
    )


def _drops(
    job: ScrapeConfig, dropped: Iterable[DroppedTarget]
) -> Sequence[tuple[DroppedTarget, Drop]]:
    """Replay the job's rules; those that came furthest first, for they are the near misses."""
    found = [
        (each, drop)
        for each in dropped
        if (drop := replay(job.relabel_configs, each.discovered_labels)[1]) is not None
    ]
    return sorted(found, key=lambda pair: -pair[1].place)


def _dropped(where: str, found: Sequence[tuple[DroppedTarget, Drop]]) -> Finding:
    _, nearest = found[0]
    compared = list(dict.fromkeys(drop.compared for _, drop in found if drop.rule == nearest.rule))
    return Finding(
        cause=Cause.DISCOVERY_DROPPED,
        where=where,
        what=f"discovered, and dropped by relabel_configs[{nearest.place}]: "
        + _rule_text(nearest.rule),
        evidence=tuple(
            f"{each.discovered_labels.get('__address__', '?')}: "
            f"{_sources_text(drop.rule)} is {drop.compared!r}"
            for each, drop in found[:_SHOWN]
        ),
        fix=f"give the object what the rule asks for ({_sources_text(nearest.rule)} matching "
        f"{nearest.rule.regex!r}), or let the rule accept {compared[0]!r}",
    )


def _rule_text(rule: RelabelRule) -> str:
    return f"{rule.action} where {_sources_text(rule)} matches {rule.regex!r}"


def _sources_text(rule: RelabelRule) -> str:
    return rule.separator.join(rule.source_labels) or "nothing"
