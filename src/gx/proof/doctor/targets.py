"""Targets that fail, deliver nothing, or were never found."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.discovery import find_lost
from gx.proof.doctor.look import is_open, look_at
from gx.proof.doctor.manifests import Reach
from gx.proof.doctor.relabelling import ScrapeConfig
from gx.proof.doctor.remedies import ADVICE
from gx.proof.doctor.scrape_errors import classify
from gx.proof.prometheus import Prometheus, Target, Targets

_USUAL_PATH: Final = "/metrics"
_EXCERPT_CHARS: Final = 80
# Samples further back than this were stamped by the target: a scrape's own are newer.
_OLD_S: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known beside Prometheus: manifests, and addresses of processes that run."""

    reach: Reach | None = None
    processes: tuple[str, ...] = ()


def examine_targets(
    prometheus: Prometheus, jobs: Mapping[str, ScrapeConfig], around: Surroundings
) -> Iterator[Finding]:
    """Yield what is wrong with targets: those that fail, those without samples, those not found."""
    targets = prometheus.targets()
    for target in targets.active_targets:
        if target.health == "down":
            yield explain_down(target, targets, around)
    yield from _without_samples(prometheus, jobs)
    yield from _old(prometheus)
    yield from find_lost(prometheus, targets, jobs)


def explain_down(target: Target, targets: Targets, around: Surroundings) -> Finding:
    """Say why a scrape fails: by its error, the manifests, and a look from here."""
    cause = classify(target.last_error)
    if cause in {Cause.PROCESS_DOWN, Cause.NO_ANSWER}:
        return _unreached(target, cause, targets, around)
    if cause in {Cause.PATH, Cause.NOT_METRICS, Cause.TLS}:
        return _elsewhere(target, cause)
    return _down(target, cause)


def _down(target: Target, cause: Cause, *, evidence: Sequence[str] = (), fix: str = "") -> Finding:
    advice = ADVICE[cause]
    return Finding(
        cause=cause,
        where=_where(target),
        what=advice.what,
        evidence=(f"lastError: {target.last_error}", *evidence),
        fix=fix or advice.fix,
    )


def _where(target: Target) -> str:
    return f"{target.scrape_pool}: {target.scrape_url}"


def _unreached(target: Target, cause: Cause, targets: Targets, around: Surroundings) -> Finding:
    """Tell a policy, a wrong port and a process that is down apart."""
    seen = (f"lastError: {target.last_error}",)
    # A process that answers next door is seen; what manifests say of the way is a conclusion.
    if cause is Cause.PROCESS_DOWN and (moved := _moved(target, targets, around)) is not None:
        return moved
    if around.reach is not None:
        found = around.reach.of_scrape(target, is_refused=cause is Cause.PROCESS_DOWN)
        if found is not None:
            return Finding(
                cause=found.cause,
                where=_where(target),
                what=found.what,
                evidence=(*seen, *found.evidence),
                fix=found.fix,
            )
    # A process that hangs takes connections, too: only one that answers proves what is between.
    is_refused = cause is Cause.PROCESS_DOWN
    url = target.scrape_url
    if is_open(url) if is_refused else look_at(url).status is not None:
        between = Cause.POLICY_REJECT if is_refused else Cause.POLICY_DROP
        return Finding(
            cause=between,
            where=_where(target),
            what="it is reached from here, and not by Prometheus: something in between",
            evidence=(*seen, "from here, it answers"),
            fix="give `gx doctor` the manifests: they name the policy, and the rule that opens it",
        )
    if not is_refused and is_open(url):
        return _hanging(target)
    return _moved(target, targets, around) or _down(target, cause)


def _hanging(target: Target) -> Finding:
    return Finding(
        cause=Cause.NO_ANSWER,
        where=_where(target),
        what="the process takes connections and answers nothing: it hangs",
        evidence=(f"lastError: {target.last_error}", "from here it is the same"),
        fix="see in its log what it waits for, and start it again",
    )


def _moved(target: Target, targets: Targets, around: Surroundings) -> Finding | None:
    """Look for a process that answers on the same host, and that nobody scrapes."""
    host = urlsplit(target.scrape_url).hostname
    scraped = {urlsplit(each.scrape_url).netloc for each in targets.active_targets}
    for url in around.processes:
        parts = urlsplit(url)
        if parts.hostname != host or parts.netloc in scraped or not look_at(url).is_metrics:
            continue
        return Finding(
            cause=Cause.WRONG_PORT,
            where=_where(target),
            what=f"nobody listens there, and {url} answers with metrics that nobody scrapes",
            evidence=(f"lastError: {target.last_error}", f"{url} answers with metrics"),
            fix=f"scrape {parts.netloc}",
        )
    return None


def _elsewhere(target: Target, cause: Cause) -> Finding:
    """Look whether the usual path, or the other scheme, has the metrics."""
    parts = urlsplit(target.scrape_url)
    if cause is Cause.TLS:
        other = "http" if parts.scheme == "https" else "https"
        seen = look_at(urlunsplit(parts._replace(scheme=other)))
        if seen.status is not None:
            evidence = (f"{other} answers with {seen.status}",)
            return _down(target, cause, evidence=evidence, fix=f"scheme: {other}")
        return _down(target, cause)
    usual = look_at(urlunsplit(parts._replace(path=_USUAL_PATH, query="")))
    if parts.path != _USUAL_PATH and usual.is_metrics:
        evidence = (f"{_USUAL_PATH} of the same address answers with metrics",)
        return _down(target, cause, evidence=evidence, fix=f"metrics_path: {_USUAL_PATH}")
    seen = look_at(target.scrape_url)
    if seen.status is None:
        return _down(target, cause)
    beginning = seen.beginning.lstrip()[:_EXCERPT_CHARS]
    text = f"from here: {seen.status}, {seen.content_type or 'no content type'}, {beginning!r}"
    return _down(target, cause, evidence=(text,))


def _without_samples(prometheus: Prometheus, jobs: Mapping[str, ScrapeConfig]) -> Iterator[Finding]:
    """Yield the targets that answer, and of which nothing is kept."""
    kept = {
        (each.labels.get("job", ""), each.labels.get("instance", "")): each.value
        for each in prometheus.ask("scrape_samples_scraped and on (job, instance) up == 1")
    }
    empty = prometheus.ask(
        "scrape_samples_post_metric_relabeling == 0 and on (job, instance) up == 1"
    )
    for each in empty:
        job, instance = each.labels.get("job", ""), each.labels.get("instance", "")
        scraped = kept.get((job, instance), 0.0)
        yield _kept_nothing(job, instance, scraped, jobs.get(job))


def _kept_nothing(job: str, instance: str, scraped: float, config: ScrapeConfig | None) -> Finding:
    where = f"{job}: {instance}"
    evidence = (f"scrape_samples_scraped is {scraped:.0f}, kept after relabelling are 0",)
    if not scraped:
        return Finding(
            cause=Cause.EXPORTS_NOTHING,
            where=where,
            what="it answers, with no sample at all",
            evidence=evidence,
            fix="see that the process registers its metrics on the port that is scraped",
        )
    rules = config.metric_relabel_configs if config else []
    keeps = [f"{each.action} {each.source_labels} {each.regex!r}" for each in rules]
    return Finding(
        cause=Cause.FILTER_KEEPS_NOTHING,
        where=where,
        what="it answers, and the job's metric_relabel_configs drop every sample",
        evidence=(*evidence, *(f"rule: {text}" for text in keeps)),
        fix="correct the `keep` of metric_relabel_configs; `gx monitoring render` writes ours",
    )


def _old(prometheus: Prometheus) -> Iterator[Finding]:
    """Yield the targets whose samples are stamped with a time long past.

    Prometheus looks back five minutes only: what is older is not seen at all.
    """
    answered = prometheus.ask("up == 1 and on (job, instance) scrape_samples_scraped > 0")
    for each in answered:
        job, instance = each.labels.get("job", ""), each.labels.get("instance", "")
        series = f'{{job="{job}",instance="{instance}",__name__!~"up|scrape_.+"}}'
        age_s = _age_s(prometheus, series)
        kept = prometheus.ask(
            f'scrape_samples_post_metric_relabeling{{job="{job}",instance="{instance}"}} > 0'
        )
        if not kept or (age_s is not None and age_s < _OLD_S):
            continue
        age = "more than five minutes" if age_s is None else f"{age_s:.0f} s"
        yield Finding(
            cause=Cause.OLD_TIMESTAMPS,
            where=f"{job}: {instance}",
            what="it answers, and its samples are stamped with a time long past",
            evidence=(f"the newest sample is {age} old, by the target's own timestamps",),
            fix="let the target leave timestamps out, or set `honor_timestamps: false`",
        )


def _age_s(prometheus: Prometheus, series: str) -> float | None:
    """Return how old the newest sample of one of some series is; None if none is in sight."""
    for sample in prometheus.ask(f"topk(1, {series})"):
        labels = ",".join(
            f"{name}={json.dumps(value)}"
            for name, value in sample.labels.items()
            if name != "__name__"
        )
        stamped = prometheus.ask(f"timestamp({sample.labels['__name__']}{{{labels}}})")
        return prometheus.now_s() - stamped[0].value if stamped else None
    return None
