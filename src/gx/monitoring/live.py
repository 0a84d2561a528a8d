"""Has every declared metric data in a running Prometheus? Asked of Prometheus, not of us."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

import httpx
import msgspec

from gx.domain.errors import GxError
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.catalogue.usage import MOVED_BY_WORK, Moved
from gx.telemetry.metric import Condition, Kind, Metric, Process

LOCAL_PROCESSES: Final = frozenset(
    {Process.SUBMITTER, Process.PROJECTOR, Process.API, Process.LEDGER}
)
_TIMEOUT_S: Final = 10.0


class PrometheusError(GxError):
    """Prometheus did not answer the question; the text has its address and its reason."""


class Verdict(StrEnum):
    """What the check makes of one metric."""

    LIVE = "live"
    EXCUSED = "excused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMetric:
    """One metric of the catalogue as Prometheus has it.

    `series` counts label combinations (a histogram's, not its buckets); `sample` is their largest
    value (a histogram's count). `missing_from` are processes that should export it and do not.
    """

    metric: Metric
    series: int
    sample: float | None
    missing_from: frozenset[Process] = field(default=frozenset())
    excuse: Condition | None = None

    @property
    def verdict(self) -> Verdict:
        """Say whether its data is there, rightly absent, or missing somewhere."""
        if not self.missing_from:
            return Verdict.LIVE
        return Verdict.MISSING if self.excuse is None else Verdict.EXCUSED


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Vector(msgspec.Struct):
    result: list[_Sample]


class _Answer(msgspec.Struct):
    data: _Vector


def check_live(
    prometheus_url: str,
    *,
    namespace: str,
    conditions: Collection[Condition] = (),
    processes: Collection[Process] = LOCAL_PROCESSES,
) -> tuple[LiveMetric, ...]:
    """Ask a Prometheus for every metric of the catalogue that `processes` should export.

    `conditions` are those that hold there; a metric whose condition does not is excused.

    Raises:
        PrometheusError: It cannot be reached or refuses the query.
    """
    running, held = frozenset(processes), frozenset(conditions)
    wanted = [metric for metric in CATALOGUE if metric.processes & running]
    with httpx.Client(base_url=prometheus_url, timeout=_TIMEOUT_S, trust_env=False) as client:
        selector = _selector(wanted, namespace)
        found = _Found(
            counts=_ask(client, f"count by (__name__, service) ({selector})"),
            largest=_ask(client, f"max by (__name__, service) ({selector})"),
        )
    return tuple(
        _judge(metric, found, expected=metric.processes & running, conditions=held)
        for metric in wanted
    )


def missing(rows: Iterable[LiveMetric]) -> tuple[LiveMetric, ...]:
    """List the rows whose data should be there and is not."""
    return tuple(row for row in rows if row.verdict is Verdict.MISSING)


def check_used(
    prometheus_url: str,
    *,
    namespace: str,
    conditions: Collection[Condition] = (),
    processes: Collection[Process] = LOCAL_PROCESSES,
) -> tuple[Moved, ...]:
    """List what work should have moved and what is not above 0 in each of its processes.

    For a system that has carried out commands; an idle one has every reason to stand at 0.

    Raises:
        PrometheusError: It cannot be reached or refuses the query.
    """
    running, held = frozenset(processes), frozenset(conditions)
    with httpx.Client(base_url=prometheus_url, timeout=_TIMEOUT_S, trust_env=False) as client:
        return tuple(
            moved
            for moved in MOVED_BY_WORK
            if moved.metric.condition is None or moved.metric.condition in held
            if moved.metric.processes & running - _moving(client, moved, namespace)
        )


def _moving(client: httpx.Client, moved: Moved, namespace: str) -> frozenset[Process]:
    """Return the processes in which the number is above 0."""
    labels = {"namespace": namespace, **moved.labels}
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    query = f"sum by (service) ({_counted_series(moved.metric)}{{{matchers}}}) > 0"
    services = {service for _, service in _ask(client, query)}
    return frozenset(process for process in Process if process.value in services)


_Numbers: TypeAlias = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What Prometheus has, by series name and service."""

    counts: _Numbers
    largest: _Numbers


def _judge(
    metric: Metric,
    found: _Found,
    *,
    expected: frozenset[Process],
    conditions: frozenset[Condition],
) -> LiveMetric:
    name = _counted_series(metric)
    excused = metric.condition is not None and metric.condition not in conditions
    samples = [value for (each, _), value in found.largest.items() if each == name]
    return LiveMetric(
        metric=metric,
        series=round(sum(value for (each, _), value in found.counts.items() if each == name)),
        sample=max(samples, default=None),
        missing_from=frozenset(
            process for process in expected if (name, process.value) not in found.counts
        ),
        excuse=metric.condition if excused else None,
    )


def _counted_series(metric: Metric) -> str:
    return f"{metric.name}_count" if metric.kind is Kind.HISTOGRAM else metric.name


def _selector(metrics: Iterable[Metric], namespace: str) -> str:
    names = "|".join(_counted_series(metric) for metric in metrics)
    return f'{{__name__=~"{names}",namespace="{namespace}"}}'


def _ask(client: httpx.Client, query: str) -> _Numbers:
    try:
        response = client.post("/api/v1/query", data={"query": query})
    except httpx.HTTPError as error:
        raise PrometheusError(
            f"no answer from Prometheus at {client.base_url}: {error}. Is it running (`gx status`)?"
        ) from error
    if response.status_code != httpx.codes.OK:
        raise PrometheusError(
            f"Prometheus at {client.base_url} refused the query with {response.status_code}: "
            f"{response.text[:500]}"
        )
    answer = msgspec.json.decode(response.content, type=_Answer)
    return {
        (sample.metric.get("__name__", ""), sample.metric.get("service", "")): float(
            sample.value[1]
        )
        for sample in answer.data.result
    }
