"""What every event has in common: its type and schema version, its time, its accounts.

An event carries every account that it changes with its delta, so that a fold needs nothing
but the event. An event type's `SCHEMA_VERSION` rises when a field changes its meaning or goes;
whoever raises it goes on reading every version before it, for blocks are for ever. A reader stops
at a version that it does not know (`gx.domain.versions`). A new field needs no new version: older
readers pass over it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from gx.domain.amounts import Delta
from gx.domain.codec import JsonObject, Record
from gx.domain.identifiers import AccountId, EpochSeconds

SCHEMA_VERSION: Final = 1


class AccountStatus(StrEnum):
    """Whether an account's holder, or a treasury, may send."""

    ACTIVE = "Active"
    LOCKED = "Locked"


class TaxTimer(StrEnum):
    """What a change of balance did to the account's velocity-tax timer."""

    STARTED = "started"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange(Record):
    """One account's part in an event; `delta` is 0 when its balance stays what it is."""

    account_id: AccountId
    delta: Delta
    tax_timer: TaxTimer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """What every event says. `timestamp` is the transaction's, in seconds."""

    WIRE_NAME: ClassVar[str] = ""
    SCHEMA_VERSION: ClassVar[int] = SCHEMA_VERSION
    WIRE_CONSTANTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("eventType", "WIRE_NAME"),
        ("schemaVersion", "SCHEMA_VERSION"),
    )

    timestamp: EpochSeconds
    changes: tuple[AccountChange, ...] = ()

    def to_payload(self) -> JsonObject:
        """Return the event's wire form, its type and schema version included."""
        return self.to_wire()
