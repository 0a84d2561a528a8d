"""Rules that fail, are not loaded, or read what is not there; panels that read the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.every import dashboards_of
from gx.monitoring.rules import all_groups
from gx.proof.causes import Cause, Finding
from gx.proof.emptiness import Explainer, Explanation, Verdict
from gx.proof.prometheus import LoadedGroup, LoadedRule, Prometheus, Sample

_RECORDING: Final = "recording"
_READERS_SHOWN: Final = 4


def recorded_rules(groups: Iterable[LoadedGroup]) -> Mapping[str, Sequence[LoadedRule]]:
    """Return the recording rules that are loaded, by name."""
    found: dict[str, list[LoadedRule]] = {}
    for group in groups:
        for rule in group.rules:
            if rule.type == _RECORDING:
                found.setdefault(rule.name, []).append(rule)
    return found


def examine_rules(groups: Sequence[LoadedGroup]) -> Iterator[Finding]:
    """Yield rules whose evaluation fails, and rules of the catalogue that are not loaded."""
    for group in groups:
        for rule in group.rules:
            if rule.health == "err":
                yield Finding(
                    cause=Cause.RULE_ERROR,
                    where=f"{group.name}: {rule.name}",
                    what="its evaluation fails, and it neither records nor alerts",
                    evidence=(f"lastError: {rule.last_error}", f"expr: {rule.query}"),
                    fix="correct the expression; two samples on one side want `max by (…)`",
                )
    loaded = {rule.name for group in groups for rule in group.rules}
    declared = [rule.name for group in all_groups(()) for rule in group.recordings]
    missing = [name for name in [*declared, *(each.name for each in ALERTS)] if name not in loaded]
    if missing:
        names = list(dict.fromkeys(missing))
        yield Finding(
            cause=Cause.RULE_MISSING,
            where="Prometheus' rules",
            what=f"{len(names)} rules of the catalogue are not loaded",
            evidence=(
                ", ".join(names[:_READERS_SHOWN]) + (" …" if names[_READERS_SHOWN:] else ""),
            ),
            fix="mount what `gx monitoring render` writes where `rule_files` looks, and reload",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFindings:
    """What empties rules and panels; `silenced` has those that a silent scrape job empties."""

    findings: tuple[Finding, ...]
    silenced: Mapping[str, Sequence[str]]


def examine_queries(
    explainer: Explainer,
    groups: Sequence[LoadedGroup],
    *,
    environments: Sequence[str],
    rate_window: str,
) -> QueryFindings:
    """Find, once each, the parts of rules and panels that empty them, with who reads them."""
    found: dict[tuple[Cause, str], tuple[Explanation, list[str]]] = {}
    silenced: dict[str, list[str]] = {}
    idle: list[str] = []
    readers = [*_rules(groups), *_panels(environments, rate_window)]
    explanations = explainer.explain_all(query for _, query in readers)
    for (reader, _), explained in zip(readers, explanations, strict=True):
        if explained.cause is not None:
            key = (explained.cause, explained.where)
            found.setdefault(key, (explained, []))[1].append(reader)
        elif explained.silent_job:
            silenced.setdefault(explained.silent_job, []).append(reader)
        elif explained.verdict is Verdict.IDLE:
            idle.append(reader)
    findings = [_emptied(*each) for each in found.values()]
    if idle:
        findings.append(_idle(idle))
    return QueryFindings(findings=tuple(findings), silenced=silenced)


def _emptied(explained: Explanation, readers: Sequence[str]) -> Finding:
    return Finding(
        cause=explained.cause or Cause.UNKNOWN,
        where=explained.where,
        what=explained.what,
        evidence=(*explained.evidence, f"read by {name_readers(readers)}"),
        fix=explained.fix,
    )


def _idle(readers: Sequence[str]) -> Finding:
    return Finding(
        cause=Cause.IDLE,
        where=name_readers(readers),
        what="nothing happened in their windows: they have no number, and nothing is wrong",
        evidence=("the counters are there, and stand still",),
        is_healthy=True,
    )


def describe_samples(samples: Sequence[Sample]) -> str:
    """Say in a line what a query that has data gives now."""
    counted = "1 series" if len(samples) == 1 else f"{len(samples)} series"
    return f"data: {counted}" + (f", the first is {samples[0].value:g} now" if samples else "")


def examine_one(explainer: Explainer, query: str) -> Finding | None:
    """Say of one query why it has no samples; None where it has some."""
    found = explainer.explain(query)
    if found.verdict is Verdict.DATA:
        return None
    return Finding(
        cause=found.cause or Cause.IDLE,
        where=found.where or query,
        what=found.what,
        evidence=found.evidence,
        fix=found.fix,
        is_healthy=found.cause is None,
    )


def _rules(groups: Sequence[LoadedGroup]) -> Iterator[tuple[str, str]]:
    for group in groups:
        for rule in group.rules:
            if rule.health != "err":
                yield f"rule {rule.name}", rule.query


def _panels(environments: Sequence[str], rate_window: str) -> Iterator[tuple[str, str]]:
    for dashboard in dashboards_of(environments):
        for panel, query in dashboard.queries():
            yield f"panel {dashboard.uid}: {panel.title}", query.resolve(rate_window=rate_window)


def name_readers(readers: Sequence[str]) -> str:
    """Name some rules or panels, the first few by name."""
    unique = list(dict.fromkeys(readers))
    more = len(unique) - _READERS_SHOWN
    return ", ".join(unique[:_READERS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def rate_window_of(prometheus: Prometheus) -> str:
    """Return a window that holds some scrapes, as Grafana's rate interval does."""
    found = prometheus.ask('max(prometheus_target_interval_length_seconds{quantile="0.5"})')
    scrape_s = max((each.value for each in found if each.value == each.value), default=15.0)
    return f"{max(60, round(4 * scrape_s))}s"
