"""In time, or late: what an alert may take, and what a fault takes to become what it looks for.

A budget counts from a complete failure. Some faults are not complete at once: a lease has to run
out first, a flood to arrive, a share of a window to fail. Each of those is declared here, out of
what it follows from, and only that much is added to the budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alertmanager.routing import Pace
from gx.monitoring.deadman.watch import PERIODS_MAX
from gx.monitoring.model import Alert
from gx.monitoring.scaling import LOOKBACK_S, Scale, budget_s

ALLOWANCE_S: Final = 10.0
"""What this machine may add by being busy: seconds on the wall, at any pace."""
FORGET_S: Final = 30.0
"""How seldom Alertmanager looks for groups that are empty: a time of its own."""
_DEADMAN_TURN_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """How long a fault takes, at most, to be what an alert looks for, beyond the alert's budget.

    `scaled_s` is divided by the factor, as every duration of rules is; `own_s` is not: time-outs of
    processes, starts, floods. `why` completes "it takes so long, because ...".
    """

    why: str
    scaled_s: float = 0.0
    own_s: float = 0.0

    def seconds(self, scale: Scale) -> float:
        """Return how long that is on the wall."""
        return self.own_s + self.scaled_s / scale.factor


NO_ONSET: Final = Onset(why="the fault is complete at once")
_SLOW_SHARE: Final = Onset(
    why="one request of ten is slow, not all: a twentieth of the window of 5 minutes takes 150 s, "
    "of which the budget has 30",
    scaled_s=120,
)
_LEASE: Final = Onset(why="a worker is active until its lease of 5 s has run out", own_s=5)

ONSETS: Final[Mapping[str, Mapping[str, Onset]]] = {
    "slow-api": {"APIResponseTimeSlow": _SLOW_SHARE, "APIResponseTimeCritical": _SLOW_SHARE},
    "ledger-outage": {
        "OutboxQueueCritical": Onset(
            why="the API takes 5 s for the first 500 of 650 commands", own_s=5
        ),
        "FabricCircuitBreakerOpen": Onset(
            why="5 calls have to fail, each by a time-out of 1 s", own_s=5
        ),
    },
    "ledger-in-bursts": {
        "FabricTransactionFailureRate": Onset(
            why="a fifth of the calls fails, not all: 5 % of the window of 5 minutes take 75 s, of "
            "which the budget has 30",
            scaled_s=45,
        ),
        "FabricTransactionFailureCritical": Onset(
            why="a fifth of the calls fails, not all: it takes the whole window of 5 minutes, of "
            "which the budget has 75 s",
            scaled_s=225,
        ),
    },
    "restarts": {
        "BackendPodRestartLoop": Onset(
            why="a process takes 3 s to start at any pace, and has to twice", own_s=6
        )
    },
    "falsified-record": {
        "OutboxDiffersFromLedger": Onset(
            why="compared is, every 5 s, what was there 5 s before", own_s=10
        )
    },
    "newer-schema": {
        "UpgradeNeeded": Onset(why="a process reads every 30 s whether the schema fits", own_s=30)
    },
    "parked-event": {
        "ProjectionEventsParked": Onset(
            why="the projector that was killed leaves a lease of 5 s, for which the next one asks "
            "every 1.7 s",
            own_s=6.7,
        )
    },
    "used-up-connections": {
        "ConnectionsNearLimit": Onset(
            why="150 connections are opened one after another, in 30 ms each", own_s=4.5
        )
    },
    "removed-target": {
        "BackendServiceDown": Onset(
            why="the samples of a job that was removed are current for 5 minutes more",
            scaled_s=LOOKBACK_S,
        )
    },
    "database-outage": {
        "NoActiveSubmitter": _LEASE,
        "NoActiveProjector": _LEASE,
        "DatabaseUnreachable": Onset(
            why="a process asks twice a turn, waits 2 s for each answer and 1 s for its next turn",
            own_s=5,
        ),
    },
}
"""By drill and alert; where there is none, the fault is complete at once."""


def onset_of(drill: str, alert: Alert) -> Onset:
    """Return what is declared of an alert in a drill."""
    return ONSETS.get(drill, {}).get(alert.name, NO_ONSET)


def expected_real_s(alert: Alert, *, is_silence: bool) -> float:
    """Return the budget in true time; when alerts cannot speak, it is the dead-man's receiver's."""
    return Pace().beat_s * PERIODS_MAX + _DEADMAN_TURN_S if is_silence else alert.detection_s


def limit_s(
    alert: Alert, onset: Onset, scale: Scale, *, is_silence: bool, has_open_group: bool
) -> float:
    """Return how many seconds on the wall an alert may take from the fault; later is late.

    Where Alertmanager has told of the same alert a moment ago, it waits for its group's interval.
    """
    silence_s = scale.seconds(expected_real_s(alert, is_silence=True))
    expected_s = silence_s if is_silence else budget_s(alert, scale)
    waits_s = scale.seconds(Pace().interval_s) if has_open_group else 0.0
    return expected_s + onset.seconds(scale) + waits_s + ALLOWANCE_S
