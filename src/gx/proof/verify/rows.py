"""One line of the verification's table."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What is verified."""

    TARGET = "target"
    METRIC = "metric"
    EXPOSITION = "exposition"
    RECORDING = "recording rule"
    ALERT = "alert"
    PANEL = "panel"
    DASHBOARD = "dashboard"
    ALERTMANAGER = "alertmanager"


class State(StrEnum):
    """How it is. Only the last two fail a verification."""

    DATA = "data"
    QUIET = "quiet"
    FIRING = "firing"
    IDLE = "idle"
    NOT_YET = "not yet"
    EXCUSED = "excused"
    EQUAL = "equal"
    VALID = "valid"
    UP = "up"
    BROKEN = "broken"
    UNSEEN = "unseen"


FAILING: Final = frozenset({State.BROKEN, State.UNSEEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was verified; `why` says what is wrong, or why it has no number.

    `cause` is the doctor's word for what is wrong. UNSEEN: it could not be looked at.
    """

    kind: Kind
    name: str
    state: State
    why: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = field(default=())

    @property
    def is_failing(self) -> bool:
        """Whether it fails the verification."""
        return self.state in FAILING
