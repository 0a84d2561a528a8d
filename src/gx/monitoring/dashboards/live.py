"""Has every query of a dashboard data? Asked of a running Prometheus."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx
import msgspec

from gx.monitoring.dashboards.model import ALL, Dashboard, Panel, Query
from gx.monitoring.live import PrometheusError

_TIMEOUT_S: Final = 10.0

# How long the Prometheus that is asked has been running, if it scrapes itself.
_UPTIME: Final = 'time() - max(process_start_time_seconds{job="prometheus"})'


class Verdict(StrEnum):
    """What a query's answer means."""

    DATA = "data"
    IDLE = "idle"
    NOT_YET = "not yet"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuery:
    """One query of a panel and the numbers that it has now; NaN is none.

    `up_s` is how long Prometheus has been running.
    """

    panel: Panel
    query: Query
    values: tuple[float, ...]
    up_s: float

    @property
    def verdict(self) -> Verdict:
        """Tell an idle system, and a rule that has not run yet, from a broken panel."""
        if self.values:
            return Verdict.DATA
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
    prometheus_url: str, dashboard: Dashboard, *, namespace: str = ALL, rate_window: str = "1m"
) -> tuple[LiveQuery, ...]:
    """Run every query of a dashboard now, with these values of its variables.

    `rate_window` must hold at least two scrapes, or no rate has a value.

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
                values=_ask(client, query.resolve(namespace=namespace, rate_window=rate_window)),
            )
            for panel, query in dashboard.queries()
        )


def without_data(rows: Iterable[LiveQuery], *, is_busy: bool) -> tuple[str, ...]:
    """Name the queries whose data should be there; on a busy system none may be idle."""
    excused = {Verdict.DATA, Verdict.NOT_YET} | (set() if is_busy else {Verdict.IDLE})
    return tuple(
        f"{row.panel.title}: {row.query.legend}" for row in rows if row.verdict not in excused
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
