"""The real clock. Everything else takes a `gx.domain.clock.Clock`."""

import time


class SystemClock:
    """Tells this machine's wall-clock time."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000
