"""What those who hurt a run wrote down of it, for the judge."""

from pathlib import Path

import msgspec


class ExpectedAlert(msgspec.Struct, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """An alert that must fire at some moment between two times, in seconds since the epoch."""

    alert: str
    from_s: float
    to_s: float


class AlertNotes(msgspec.Struct, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """Which alerts belong to a run. `collateral` may fire; whatever else fires is a fault."""

    prometheus: str
    from_s: float
    to_s: float
    expected: list[ExpectedAlert] = []
    collateral: list[str] = []


class Notes(msgspec.Struct, frozen=True):
    """A run as its clients and its faults saw it."""

    accepted: dict[str, str]
    """The idempotency key of each command that a client was told is accepted."""
    prior: list[str] | None = None
    """What was stored before the clients began; None if nobody looked, then nothing is unasked."""
    poison: list[str] = []
    """Commands that must end as dead letters; no others may."""
    repeats_allowed: bool = False
    """Whether the ledger may have had to answer a command again: PostgreSQL lost its memory."""
    alerts: AlertNotes | None = None


def read_notes(path: Path) -> Notes:
    """Read what was written down."""
    return msgspec.json.decode(path.read_bytes(), type=Notes)
