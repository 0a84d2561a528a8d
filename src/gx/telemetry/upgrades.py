"""What of a newer release an older process may meet, and then waits for its own upgrade."""

from enum import StrEnum


class UpgradeReason(StrEnum):
    """What it met. The value is the metric's label."""

    BLOCK = "block"
    COMMAND = "command"
    ENVELOPE = "envelope"
    EVENT = "event"
    OUTCOME = "outcome"
    SCHEMA = "schema"
