"""Time that stands still until a test moves it."""


class StoppedClock:
    """A wall clock and a monotonic clock that advance together, by hand."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.start_ms = now_ms
        self.elapsed_ms = 0

    def now_ms(self) -> int:
        """Return the wall clock's milliseconds."""
        return self.start_ms + self.elapsed_ms

    def monotonic_s(self) -> float:
        """Return the monotonic clock's seconds."""
        return self.elapsed_ms / 1000

    def advance(self, *, seconds: float) -> None:
        """Let time pass."""
        self.elapsed_ms += round(seconds * 1000)
