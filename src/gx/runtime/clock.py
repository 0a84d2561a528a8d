"""The real clock. Everything else takes a `gx.domain.clock.Clock`."""

import time

from gx.domain.clock import Clock


class SystemClock:
    """Tells this machine's wall-clock time."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


class ShiftedClock:
    """Tells another clock's time, `offset_s` seconds later: to try out what takes weeks."""

    def __init__(self, clock: Clock, *, offset_s: int) -> None:
        self._clock = clock
        self._offset_ms = offset_s * 1_000

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch, as they will be."""
        return self._clock.now_ms() + self._offset_ms
