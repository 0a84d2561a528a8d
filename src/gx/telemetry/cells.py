"""The numbers themselves: what the hot path increments, sets and observes.

Leaner twins of prometheus_client's values, exported through its registry (`gx.telemetry.families`).
Measured side by side (CPython 3.11): `inc` 0.29 against 0.40 µs, `observe` 0.42 against 1.15 µs.
All are safe to use from any thread.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

import structlog

_log: Final = structlog.get_logger(__name__)

Reading = Callable[[], float | None]
"""Asked at each scrape, from another thread than the event loop's: it must not block or await."""


class Counter:
    """A number that only grows while the process lives."""

    __slots__ = ("_lock", "_value")

    def __init__(self) -> None:
        self._lock = Lock()
        self._value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`.

        Raises:
            ValueError: The amount is negative.
        """
        if amount < 0:
            raise ValueError(f"a counter cannot shrink, got {amount}")
        with self._lock:
            self._value += amount

    def read(self) -> float:
        """Return the count so far."""
        return self._value


class Gauge:
    """A number that is now so, or absent while nobody knows it."""

    __slots__ = (
        "_lock",
        "_monotonic_s",
        "_name",
        "_reading",
        "_set_at_s",
        "_stale_after_s",
        "_value",
    )

    def __init__(
        self, name: str, *, stale_after_s: float | None, monotonic_s: Callable[[], float]
    ) -> None:
        self._lock = Lock()
        self._monotonic_s = monotonic_s
        self._name = name
        self._reading: Reading | None = None
        self._set_at_s = 0.0
        self._stale_after_s = stale_after_s
        self._value: float | None = None

    def set(self, value: float) -> None:
        """Say what the number is; it is exported until it is cleared or stale."""
        with self._lock:
            self._value = value
            self._set_at_s = self._monotonic_s()

    def add(self, amount: float) -> None:
        """Add `amount`, which may be negative, to the number; an absent one counts as 0."""
        with self._lock:
            self._value = (self._value or 0.0) + amount
            self._set_at_s = self._monotonic_s()

    def clear(self) -> None:
        """Make the number absent: its source cannot be read."""
        with self._lock:
            self._value = None

    def read_with(self, reading: Reading) -> None:
        """Ask `reading` at each scrape from now on; None, or an error, makes the number absent."""
        self._reading = reading

    def read(self) -> float | None:
        """Return the number that a scrape would export now, None if it is absent."""
        if self._reading is not None:
            return self._ask(self._reading)
        with self._lock:
            if self._stale_after_s is None or self._value is None:
                return self._value
            age_s = self._monotonic_s() - self._set_at_s
            return self._value if age_s <= self._stale_after_s else None

    def _ask(self, reading: Reading) -> float | None:
        try:
            return reading()
        except Exception as error:  # noqa: BLE001 - one broken source must not hide every other metric
            _log.warning("gauge_reading_failed", metric=self._name, error=repr(error))
            return None


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram held at one moment: cumulative counts, the last one for +Inf."""

    cumulative: tuple[int, ...]
    total: float


class Histogram:
    """Counts of observations within fixed bounds."""

    __slots__ = ("_bounds", "_counts", "_lock", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._lock = Lock()
        self._total = 0.0

    def observe(self, amount: float, times: int = 1) -> None:
        """Count `times` observations of `amount`, in the metric's unit."""
        index = bisect_left(self._bounds, amount)
        with self._lock:
            self._counts[index] += times
            self._total += amount * times

    def read(self) -> Distribution:
        """Return counts and sum as of one moment."""
        with self._lock:
            counts, total = tuple(self._counts), self._total
        running = 0
        cumulative = []
        for count in counts:
            running += count
            cumulative.append(running)
        return Distribution(tuple(cumulative), total)
