"""What became of drills: of each alert, and of the run."""

from dataclasses import dataclass, field
from enum import StrEnum

from gx.monitoring.model import Alert
from gx.monitoring.scaling import Scale, is_own_time
from gx.proof.drills.notifications import Notice
from gx.proof.drills.observer import Sighting
from gx.proof.drills.onsets import ALLOWANCE_S, Onset, expected_real_s, limit_s, onset_of
from gx.proof.drills.scenarios import Scenario


class Phase(StrEnum):
    """Where an alert is in its drill."""

    WAITING = "waiting"
    INJECTED = "fault made"
    PENDING = "pending"
    FIRING = "firing"
    NOTIFIED = "notified"
    MUTED = "muted"
    RECOVERING = "fault ended"
    RESOLVED = "resolved"
    LATE = "late"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(slots=True, kw_only=True)
class AlertRun:
    """What became of one alert in its drill. Seconds of the monotonic clock; None: not so far."""

    alert: Alert
    scenario: Scenario
    phase: Phase = Phase.WAITING
    injected_s: float | None = None
    ended_s: float | None = None
    sighting: Sighting | None = None
    muting: Sighting | None = None
    resolved_s: float | None = None
    has_open_group: bool = False
    notices: tuple[Notice, ...] = ()
    muted_by: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)

    @property
    def told_s(self) -> float | None:
        """When the first receiver was told that it fires."""
        return min((each.at_s for each in self.notices if each.is_firing), default=None)

    @property
    def untold_s(self) -> float | None:
        """When the last receiver was told that it is over."""
        return max((each.at_s for each in self.notices if not each.is_firing), default=None)

    @property
    def detected_s(self) -> float | None:
        """The seconds from the fault to the first receiver, or to firing where it was muted."""
        moment_s = self._spoken_s
        if self.injected_s is None or moment_s is None:
            return None
        return moment_s - self.injected_s

    @property
    def over_s(self) -> float | None:
        """The seconds from the fault's end to the last word about it."""
        moment_s = self.untold_s or self.resolved_s
        if self.ended_s is None or moment_s is None:
            return None
        return max(moment_s - self.ended_s, 0.0)

    @property
    def onset(self) -> Onset:
        """What the fault takes before the budget begins to count."""
        return onset_of(self.scenario.name, self.alert)

    @property
    def budget_real_s(self) -> float:
        """What the declaration computes, in true time."""
        return expected_real_s(self.alert, is_silence=self.scenario.is_silence)

    @property
    def is_good(self) -> bool:
        """Whether it did all that it should."""
        return self.phase is Phase.RESOLVED and not self.faults

    def limit_s(self, scale: Scale) -> float:
        """Return how many seconds on the wall its detection may take."""
        return limit_s(
            self.alert,
            self.onset,
            scale,
            is_silence=self.scenario.is_silence,
            has_open_group=self.has_open_group,
        )

    def is_late(self, scale: Scale) -> bool:
        """Say whether whoever should know learnt of it later than that."""
        return self.detected_s is not None and self.detected_s > self.limit_s(scale)

    def lateness(self, scale: Scale) -> str:
        """Say in true time what it took, and what would have been in time."""
        took_s = self.real_s(self.detected_s or 0.0, scale)
        most_s = self.real_s(self.limit_s(scale), scale)
        interval = ", an interval of its group" if self.has_open_group else ""
        return (
            f"detected after {took_s:.0f} s, and more than {most_s:.0f} s is late: "
            f"{self.budget_real_s:.0f} s of budget{interval}, "
            f"{scale.real(ALLOWANCE_S):.0f} s for a busy machine, and {self.onset.why}"
        )

    def real_s(self, seconds: float, scale: Scale) -> float:
        """Return what a detection of so many seconds would have taken at the true pace."""
        is_own = is_own_time(self.alert) and not self.scenario.is_silence
        own_s = min(self.alert.crossing_s, seconds) if is_own else 0.0
        return own_s + scale.real(seconds - own_s)

    @property
    def _spoken_s(self) -> float | None:
        firing_s = self.sighting.firing_s if self.sighting else None
        told_s, muted_s = self.told_s, self.muting.muted_s if self.muting else None
        was_muted_first = muted_s is not None and (told_s is None or muted_s < told_s)
        return firing_s if told_s is None or was_muted_first else told_s


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """An alert that no drill in progress explains."""

    sighting: Sighting
    during: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class DrillRun:
    """Everything that happened; `began_s` is its zero."""

    scale: Scale
    began_s: float
    alerts: list[AlertRun]
    false_alarms: list[FalseAlarm] = field(default_factory=list)
    shape_faults: tuple[str, ...] = ()
    ended_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether every alert did what it should, and no other fired."""
        return (
            all(each.is_good for each in self.alerts)
            and not self.false_alarms
            and not self.shape_faults
        )
