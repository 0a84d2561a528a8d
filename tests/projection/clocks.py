"""Time that a test owns."""


class StoppedClock:
    """A clock that moves when it is told to."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """Return the time that the test set."""
        return self.ms

    def advance(self, *, s: float) -> None:
        """Move on."""
        self.ms += round(s * 1000)
