"""Are the targets those that there should be, and does each deliver all of its metrics?"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from gx.monitoring.jobs import JOBS, PROBE_JOB
from gx.monitoring.live import Verdict, check_live
from gx.monitoring.recording import EXPECTED_TARGET
from gx.proof.causes import Cause
from gx.proof.doctor.scrape_errors import classify
from gx.proof.expected import expected_processes
from gx.proof.prometheus import Prometheus, Target
from gx.proof.verify.rows import Kind, Row, State
from gx.telemetry.metric import Condition

_OURS: Final = frozenset({*JOBS.values(), PROBE_JOB})
_STATES: Final = {
    Verdict.LIVE: State.DATA,
    Verdict.EXCUSED: State.EXCUSED,
    Verdict.MISSING: State.BROKEN,
}


def verify_targets(prometheus: Prometheus) -> Iterator[Row]:
    """Yield a row for each target that is there, that should be, or that should not."""
    active = prometheus.targets().active_targets
    expected = {_key(each.labels) for each in prometheus.ask(EXPECTED_TARGET.name)}
    for target in active:
        yield _active(target, expected)
    there = {_key(target.labels) for target in active}
    for job, namespace, service in sorted(expected - there):
        yield Row(
            kind=Kind.TARGET,
            name=f"{job}: {service} in {namespace}",
            state=State.BROKEN,
            why="it is expected, and Prometheus has no such target",
            cause=Cause.DISCOVERY_EMPTY,
        )


def verify_alertmanagers(prometheus: Prometheus) -> Iterator[Row]:
    """Yield a row for each Alertmanager that alerts are sent to; having none is broken."""
    known = prometheus.alertmanagers().active_alertmanagers
    for each in known:
        yield Row(kind=Kind.ALERTMANAGER, name=each.url, state=State.UP)
    if not known:
        yield Row(
            kind=Kind.ALERTMANAGER,
            name=prometheus.url,
            state=State.BROKEN,
            why="Prometheus knows no Alertmanager: alerts fire, and nobody is told",
            cause=Cause.NO_ALERTMANAGER,
        )


def verify_metrics(prometheus: Prometheus, conditions: Collection[Condition]) -> Iterator[Row]:
    """Yield a row for each metric of the catalogue in each namespace."""
    for namespace, processes in sorted(expected_processes(prometheus).items()):
        rows = check_live(
            prometheus.url, namespace=namespace, conditions=conditions, processes=processes
        )
        for row in rows:
            lost = ", ".join(sorted(row.missing_from))
            yield Row(
                kind=Kind.METRIC,
                name=f"{namespace}: {row.metric.name}",
                state=_STATES[row.verdict],
                why=str(row.excuse or "") if not lost or row.excuse else f"missing from {lost}",
                cause=Cause.METRIC_RENAMED if row.verdict is Verdict.MISSING else "",
            )


def _active(target: Target, expected: Collection[tuple[str, str, str]]) -> Row:
    name = f"{target.scrape_pool}: {target.scrape_url}"
    if target.health == "down":
        cause = classify(target.last_error)
        return Row(
            kind=Kind.TARGET, name=name, state=State.BROKEN, why=target.last_error, cause=cause
        )
    if target.health != "up":
        return Row(kind=Kind.TARGET, name=name, state=State.NOT_YET, why="not scraped yet")
    if target.scrape_pool in _OURS and _key(target.labels) not in expected:
        why = f"nobody expects it: {EXPECTED_TARGET.name} has no such target"
        return Row(
            kind=Kind.TARGET, name=name, state=State.BROKEN, why=why, cause=Cause.LABEL_DRIFT
        )
    return Row(kind=Kind.TARGET, name=name, state=State.UP)


def _key(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return (labels.get("job", ""), labels.get("namespace", ""), labels.get("service", ""))
