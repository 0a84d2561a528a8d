"""What the time is, as a collaborator: nothing in this project asks the system clock by itself."""

from typing import Protocol


class Clock(Protocol):
    """Tells wall-clock time. `gx.runtime.clock.SystemClock` is the real one; tests stop it."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        ...
