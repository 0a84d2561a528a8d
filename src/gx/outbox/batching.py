"""Whether commands share ledger transactions: a setting, so this imports nothing heavy."""

from enum import StrEnum


class Batching(StrEnum):
    """Whether many commands ride in one ledger transaction."""

    AUTO = "auto"
    """Yes, unless the chaincode turns out not to know `Batch:Execute`."""
    OFF = "off"
