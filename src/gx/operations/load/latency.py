"""Latencies as percentiles."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gx.domain.codec import JsonObject

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySummary:
    """Percentiles of `count` measurements, in microseconds; all 0 without any."""

    count: int
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int

    def to_wire(self) -> JsonObject:
        """Return the JSON object that stands for this summary."""
        return {
            "count": self.count,
            "p50Us": self.p50_us,
            "p95Us": self.p95_us,
            "p99Us": self.p99_us,
            "maxUs": self.max_us,
        }


class Latencies:
    """Collects durations in seconds: 8 bytes each."""

    def __init__(self) -> None:
        self._durations_s = array("d")

    def __len__(self) -> int:
        return len(self._durations_s)

    def add(self, duration_s: float) -> None:
        """Take in one measurement."""
        self._durations_s.append(duration_s)

    def summary(self) -> LatencySummary:
        """Summarise what was collected so far."""
        return summarize(self._durations_s)


def summarize(durations_s: Iterable[float]) -> LatencySummary:
    """Summarise durations: each percentile is a value that was measured (nearest rank)."""
    ordered = sorted(durations_s)

    def rank(percent: int) -> int:
        position = -(-len(ordered) * percent // 100)  # ceiling division
        return round(ordered[max(0, position - 1)] * _US) if ordered else 0

    return LatencySummary(
        count=len(ordered), p50_us=rank(50), p95_us=rank(95), p99_us=rank(99), max_us=rank(100)
    )
