"""Who is told of each contract function that ran. Contracts have no clock; the host has one."""

from enum import StrEnum
from typing import Protocol


class Ending(StrEnum):
    """How one call of a contract function ended."""

    SUCCESS = "success"
    REFUSED = "refused"
    ERROR = "error"
    """A defect of the contract, or the host's failure."""


class CallObserver(Protocol):
    """Sees calls begin and end, in any thread. It must not raise, and nothing depends on it."""

    def begin(self) -> float:
        """Return the moment, in the observer's own measure; `end` gets it back."""
        ...

    def end(self, function: str, ending: Ending, begun: float) -> None:
        """Take note of a call; `function` is the caller's word, not necessarily a known one."""
        ...


class Unobserved:
    """Where nobody counts calls."""

    def begin(self) -> float:
        """See `CallObserver`."""
        return 0.0

    def end(self, function: str, ending: Ending, begun: float) -> None:
        """See `CallObserver`."""
