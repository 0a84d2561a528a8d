"""Medians and spreads over rounds, and percentiles of latencies."""

import statistics
from collections.abc import Iterable, Sequence

import msgspec


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies in milliseconds; each percentile is a value that was measured."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over all rounds."""

    median: float
    min: float
    max: float
    rounds: int


def percentiles_ms(durations_s: Iterable[float]) -> Percentiles:
    """Summarise durations in seconds (nearest rank)."""
    ordered = sorted(durations_s)
    if not ordered:
        raise ValueError("no latency was measured")

    def rank(percent: int) -> float:
        place = -(-len(ordered) * percent // 100)  # ceiling division
        return round(ordered[max(0, place - 1)] * 1_000, 3)

    return Percentiles(
        count=len(ordered), p50_ms=rank(50), p95_ms=rank(95), p99_ms=rank(99), max_ms=rank(100)
    )


def spread(values: Sequence[float]) -> Spread:
    """Summarise one figure of several rounds."""
    return Spread(
        median=statistics.median(values), min=min(values), max=max(values), rounds=len(values)
    )


def middle(rounds: Sequence[Percentiles]) -> Percentiles:
    """Return the round whose 99th percentile is in the middle of all of them."""
    ordered = sorted(rounds, key=lambda one: one.p99_ms)
    return ordered[len(ordered) // 2]
