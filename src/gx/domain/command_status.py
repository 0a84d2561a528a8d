"""Where a command stands, as its sender sees it."""

from enum import StrEnum


class CommandStatus(StrEnum):
    """Where a command stands; derived from what is stored, never written."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMMITTED = "COMMITTED"
    PROJECTED = "PROJECTED"
    REJECTED = "REJECTED"
    DEAD = "DEAD"
    DISCARDED = "DISCARDED"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing will change any more without an operator."""
        return self in _FINAL


_FINAL = frozenset(
    {
        CommandStatus.PROJECTED,
        CommandStatus.REJECTED,
        CommandStatus.DEAD,
        CommandStatus.DISCARDED,
    }
)
