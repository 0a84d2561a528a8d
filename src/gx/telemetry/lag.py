"""How far the projection is behind the ledger, asked at the moment of a scrape.

A lag that is set whenever something is projected stands still exactly when the projector does.
This one is computed from what is known when it is asked, so it grows on its own.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from gx.domain.clock import Clock

HEIGHT_TRUSTED_FOR_S: Final = 10.0
"""After this long without a successful read, the time since then is a lower bound of the lag."""

HEIGHT_KNOWN_FOR_S: Final = 30.0
"""After this long without a successful read, nobody knows how many blocks are missing."""

_SIGHTINGS_MAX: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Sighting:
    """Every block below `height` existed at `at_ms`."""

    height: int
    at_ms: int


class ProjectionLag:
    """Knows the chain's height and the checkpoint, each as last told.

    Safe in any thread: the projector tells, a scrape asks.
    """

    def __init__(self, *, clock: Clock, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._lock = Lock()
        self._checkpoint: int | None = None
        self._height: int | None = None
        self._waiting: list[_Sighting] = []
        self._read_at_s = 0.0

    def chain_read(self, *, height: int, newest_timestamp_ms: int) -> None:
        """Note a successful look at the chain: its height and its newest block's time.

        A received block is such a look too: its number + 1 and its timestamp.
        """
        with self._lock:
            self._read_at_s = self._monotonic_s()
            self._height = max(height, self._height or 0)
            self._keep(_Sighting(height, newest_timestamp_ms))
            self._drop_projected()

    def projected(self, *, checkpoint: int) -> None:
        """Note the last fully projected block, -1 before the first."""
        with self._lock:
            self._checkpoint = checkpoint
            self._drop_projected()

    def forget(self) -> None:
        """Know nothing any more: another process projects, or the ledger was replaced."""
        with self._lock:
            self._checkpoint = self._height = None
            self._waiting.clear()

    def lag_ms(self) -> float | None:
        """Return the age of the oldest block not yet projected; 0 when caught up.

        None while the checkpoint or the chain is unknown. If the chain was not read for
        `HEIGHT_TRUSTED_FOR_S`, at least the time since the last successful read.
        """
        with self._lock:
            if self._checkpoint is None or self._height is None:
                return None
            lag_ms = 0.0
            if self._waiting:
                lag_ms = max(0.0, float(self._clock.now_ms() - self._waiting[0].at_ms))
            unread_s = self._unread_s()
        return lag_ms if unread_s <= HEIGHT_TRUSTED_FOR_S else max(lag_ms, unread_s * 1000)

    def lag_blocks(self) -> float | None:
        """Return how many blocks wait to be projected, None when nobody can know."""
        with self._lock:
            if self._checkpoint is None or self._height is None:
                return None
            if self._unread_s() > HEIGHT_KNOWN_FOR_S:
                return None
            return float(max(0, self._height - 1 - self._checkpoint))

    def _unread_s(self) -> float:
        return self._monotonic_s() - self._read_at_s

    def _keep(self, sighting: _Sighting) -> None:
        at = bisect_left(self._waiting, sighting.height, key=_by_height)
        if at < len(self._waiting) and self._waiting[at].height == sighting.height:
            return
        self._waiting.insert(at, sighting)
        if len(self._waiting) > _SIGHTINGS_MAX:
            # The oldest stays; between the others the lag gets coarser, never forgotten.
            del self._waiting[1:-1:2]

    def _drop_projected(self) -> None:
        if self._checkpoint is not None:
            del self._waiting[: bisect_right(self._waiting, self._checkpoint + 1, key=_by_height)]


def _by_height(sighting: _Sighting) -> int:
    return sighting.height
