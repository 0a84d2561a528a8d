"""Prometheus' answers as values; only questions that the catalogue has are ever asked."""

import math
from typing import TypeVar

import msgspec

from gx.console.sources import Source, SourceAwayError

T = TypeVar("T")


class VectorSample(msgspec.Struct, frozen=True):
    """One series with its value now."""

    metric: dict[str, str]
    value: tuple[float, str]


class MatrixSample(msgspec.Struct, frozen=True):
    """One series with its values over time."""

    metric: dict[str, str]
    values: list[tuple[float, str]]


class ActiveAlert(msgspec.Struct, frozen=True, rename="camel"):
    """An alert of a rule that is pending or fires."""

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str
    active_at: str
    value: str


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """An alerting rule."""

    name: str
    query: str
    duration: float
    labels: dict[str, str]
    annotations: dict[str, str]
    alerts: list[ActiveAlert]
    health: str
    state: str
    last_error: str = ""


class RuleGroup(msgspec.Struct, frozen=True):
    """Rules that are evaluated together."""

    name: str
    rules: list[Rule]


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """An address that is scraped."""

    labels: dict[str, str]
    health: str
    last_error: str
    last_scrape: str
    last_scrape_duration: float
    scrape_url: str


class _Vector(msgspec.Struct, frozen=True):
    result: list[VectorSample]


class _Matrix(msgspec.Struct, frozen=True):
    result: list[MatrixSample]


class _Groups(msgspec.Struct, frozen=True):
    groups: list[RuleGroup]


class _Targets(msgspec.Struct, frozen=True, rename="camel"):
    active_targets: list[Target]


class _VectorAnswer(msgspec.Struct, frozen=True):
    data: _Vector


class _MatrixAnswer(msgspec.Struct, frozen=True):
    data: _Matrix


class _NamesAnswer(msgspec.Struct, frozen=True):
    data: list[str]


class _GroupsAnswer(msgspec.Struct, frozen=True):
    data: _Groups


class _TargetsAnswer(msgspec.Struct, frozen=True):
    data: _Targets


class Prometheus:
    """Asks one Prometheus; every method raises `SourceError` as `Source.get` does."""

    def __init__(self, source: Source) -> None:
        self.source = source

    async def instant(self, query: str, *, at_s: int) -> list[VectorSample]:
        """Evaluate a query at one moment."""
        body = await self.source.get("/api/v1/query", {"query": query, "time": str(at_s)})
        return self._read(body, _VectorAnswer).data.result

    async def over(
        self, query: str, *, start_s: int, end_s: int, step_s: int
    ) -> list[MatrixSample]:
        """Evaluate a query at each step from start to end."""
        body = await self.source.get(
            "/api/v1/query_range",
            {"query": query, "start": str(start_s), "end": str(end_s), "step": str(step_s)},
        )
        return self._read(body, _MatrixAnswer).data.result

    async def label_values(self, label: str, series: str) -> list[str]:
        """List a label's values in the series of a selector."""
        body = await self.source.get(f"/api/v1/label/{label}/values", {"match[]": series})
        return self._read(body, _NamesAnswer).data

    async def rule_groups(self) -> list[RuleGroup]:
        """List the alerting rules with what is active of them."""
        body = await self.source.get("/api/v1/rules", {"type": "alert"})
        return self._read(body, _GroupsAnswer).data.groups

    async def targets(self) -> list[Target]:
        """List what is scraped."""
        body = await self.source.get("/api/v1/targets", {"state": "active"})
        return self._read(body, _TargetsAnswer).data.active_targets

    def _read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceAwayError(
                f"what answers at {self.source.url} is not Prometheus: {error}"
            ) from error


def number(text: str) -> float | None:
    """Read a sample; what is no number on a chart (NaN, infinity) is None."""
    value = float(text)
    return value if math.isfinite(value) else None
