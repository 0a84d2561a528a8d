"""Has every query of a dashboard data? Asked of a running Prometheus."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx
import msgspec

from gx.monitoring.dashboards.model import ALL, Dashboard, Panel, Query
from gx.monitoring.live import PrometheusError
from gx.telemetry.metric import Condition

_TIMEOUT_S: Final = 10.0

# How long the Prometheus that is asked has been running, if it scrapes itself.
_UPTIME: Final = 'time() - max(process_start_time_seconds{job="prometheus"})'


class Verdict(StrEnum):
    """What a query's answer means."""

    DATA = "data"
    IDLE = "idle"
    NOT_YET = "not yet"
    EXCUSED = "excused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuery:
    """One query of a panel and the numbers that it has now; NaN is none.

    `up_s` is how long Prometheus has been running; `conditions` are those that hold there.
    """

    panel: Panel
    query: Query
    values: tuple[float, ...]
    up_s: float
    conditions: frozenset[Condition] = frozenset()

    @property
    def verdict(self) -> Verdict:
        """Tell an idle system, and a rule that has not run yet, from a broken panel."""
        if self.values:
            return Verdict.DATA
        if self.query.condition is not None and self.query.condition not in self.conditions:
            return Verdict.EXCUSED
        if self.query.recorded_every_s and self.up_s <= 2 * self.query.recorded_every_s:
            return Verdict.NOT_YET
        return Verdict.IDLE if self.query.needs_traffic else Verdict.MISSING


class _Sample(msgspec.Struct):
    value: tuple[float, str]


class _Vector(msgspec.Struct):
    result: list[_Sample]


class _Answer(msgspec.Struct):
    data: _Vector


def ask_queries(
    prometheus_url: str,
    dashboard: Dashboard,
    *,
    namespace: str = ALL,
    rate_window: str = "1m",
    conditions: Collection[Condition] = (),
) -> tuple[LiveQuery, ...]:
    """Run every query of a dashboard now, with these values of its variables.

    `rate_window` must hold at least two scrapes, or no rate has a value. `conditions` are those
    that hold there: a query that depends on another is excused.

    Raises:
        PrometheusError: It cannot be reached, or refuses a query.
    """
    with httpx.Client(base_url=prometheus_url, timeout=_TIMEOUT_S, trust_env=False) as client:
        up_s = sum(_ask(client, _UPTIME))
        return tuple(
            LiveQuery(
                panel=panel,
                query=query,
                up_s=up_s,
                conditions=frozenset(conditions),
                values=_ask(client, query.resolve(namespace=namespace, rate_window=rate_window)),
            )
            for panel, query in dashboard.queries()
        )


def without_data(rows: Iterable[LiveQuery], *, is_busy: bool) -> tuple[str, ...]:
    """Name the queries whose data should be there; on a busy system none may be idle."""
    excused = {Verdict.DATA, Verdict.NOT_YET, Verdict.EXCUSED} | (
        set() if is_busy else {Verdict.IDLE}
    )
    return tuple(
        f"{row.panel.title}: {row.query.legend}" for row in rows if row.verdict not in excused
    )


def find_empty_panels(
    prometheus_url: str,
    dashboards: Iterable[Dashboard],
    *,
    namespace: str = ALL,
    is_busy: bool,
    conditions: Collection[Condition] = (),
) -> tuple[str, ...]:
    """Run every query of some dashboards and name those without the data that should be there.

    Raises:
        PrometheusError: It cannot be reached, or refuses a query.
    """
    return tuple(
        f"{dashboard.uid}: {name}"
        for dashboard in dashboards
        for name in without_data(
            ask_queries(prometheus_url, dashboard, namespace=namespace, conditions=conditions),
            is_busy=is_busy,
        )
    )


def _ask(client: httpx.Client, query: str) -> tuple[float, ...]:
    try:
        response = client.post("/api/v1/query", data={"query": query})
    except httpx.HTTPError as error:
        raise PrometheusError(
            f"no answer from Prometheus at {client.base_url}: {error}. Is it running (`gx status`)?"
        ) from error
    if response.status_code != httpx.codes.OK:
        raise PrometheusError(
            f"Prometheus at {client.base_url} refused {query} with {response.status_code}: "
            f"{response.text[:500]}"
        )
    samples = msgspec.json.decode(response.content, type=_Answer).data.result
    numbers = (float(sample.value[1]) for sample in samples)
    return tuple(number for number in numbers if not math.isnan(number))
