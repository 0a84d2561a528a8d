"""Cases of the burn-rate pairs, a sample and an evaluation a minute: their windows are days."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.cases.model import NAMESPACE, OTHER, Case, Kind, Lines, Trap, line, more, trap
from gx.monitoring.external import PROBE_SUCCESS
from gx.telemetry.catalogue import edge, read_path, write_path

STEP_S: Final = 60
COARSE_STEP_S: Final = 600
DAY: Final = 144
"""Samples of a day at the coarse step."""
_Traffic: TypeAlias = tuple[int, float, float]
_Slice: TypeAlias = tuple[int, bool]


class _WriteTraffic(Protocol):
    def __call__(self, *phases: _Traffic) -> Lines: ...


class _WriteSlices(Protocol):
    def __call__(self, *phases: _Slice) -> Lines: ...


_ALERTS: Final = {alert.name: alert for alert in BURN_ALERTS}


def _commands(*phases: _Traffic) -> Lines:
    """Write phases of so many minutes with so many commands a minute, of which a share fails."""
    return [
        line(
            write_path.OUTBOX_COMMANDS_PROCESSED,
            _counted(phases, good=good),
            status=status,
            commandType="t",
        )
        for status, good in (("success", True), ("failed", False))
    ]


def _requests(*phases: _Traffic) -> Lines:
    """Write the same of requests, of which a share takes longer than 500 ms."""
    labels = {"service": "api", "endpoint": "/x", "method": "GET"}
    everything = [(minutes, each, 0.0) for minutes, each, _ in phases]
    metric = edge.HTTP_REQUEST_DURATION
    return [
        line(metric, _counted(phases, good=True), "_bucket", le="500.0", **labels),
        line(metric, _counted(everything, good=True), "_count", **labels),
    ]


def _counted(phases: Sequence[_Traffic], *, good: bool) -> str:
    """Write a counter over the phases."""
    parts, total = [], 0.0
    for minutes, each, bad in phases:
        step = each * ((1 - bad) if good else bad)
        parts.append(f"{total:.9g}+{step:.9g}x{minutes - 1}")
        total += step * minutes
    return " ".join(parts)


def _by_counts(name: str, write: _WriteTraffic, budget: float) -> list[Case]:
    """Make the cases of an objective that counts events."""
    fast, slow = _ALERTS[f"{name}BudgetBurnFast"], _ALERTS[f"{name}BudgetBurnSlow"]
    cases: list[Case] = []
    for alert, factor, clean in ((fast, 6, 40), (slow, 1, 380)):
        over, under = factor * budget * 1.05, factor * budget * 0.95
        cases += [
            Case(alert=alert, kind=Kind.FIRES, lines=write((90, 1_000, over)), checks=[(80, 1)]),
            Case(alert=alert, kind=Kind.SILENT, lines=write((90, 1_000, under)), checks=[(80, 0)]),
            Case(
                alert=alert,
                kind=Kind.RESOLVES,
                lines=write((90, 1_000, over), (clean, 1_000, 0)),
                checks=[(80, 1), (90 + clean - 2, 0)],
            ),
            trap(
                alert,
                Trap.ONE_FAILURE,
                write((60, 0.2, 0), (5, 0.2, 1), (20, 0.2, 0)),
                (66, 0),
                (80, 0),
            ),
            trap(alert, Trap.NO_TRAFFIC, write((90, 0, 0)), (80, 0)),
            trap(alert, Trap.COUNTER_RESET, _restarted(write((45, 1_000, 0))), (80, 0)),
            trap(
                alert,
                Trap.OTHER_IS_BUSY,
                [*write((90, 1_000, over)), *_elsewhere(write((90, 900_000, 0)))],
                (80, 1),
            ),
        ]
    over = 14.4 * budget * 1.05
    hot = write((400, 1_000, 0), (65, 1_000, over))
    return [
        *cases,
        more(fast, "14.4 times too fast for an hour, after a good morning", hot, (463, 1)),
    ]


def _restarted(lines: Lines) -> Lines:
    """Let every counter begin anew after its phases, and grow as before."""
    return [(series, f"{values} {values}") for series, values in lines]


def _elsewhere(lines: Lines) -> Lines:
    """Move series into the other environment."""
    return [(series.replace(NAMESPACE, OTHER), values) for series, values in lines]


def _lag(*phases: _Slice) -> Lines:
    """Write phases of so many minutes in which the projection is late, or is not."""
    values = " ".join(f"{9_000 if bad else 20}x{minutes - 1}" for minutes, bad in phases)
    return [line(read_path.PROJECTION_LAG, values, instance="a:1")]


def _probe(*phases: _Slice) -> Lines:
    """Write phases of so many minutes in which the probe fails, or does not."""
    values = " ".join(f"{0 if bad else 1}x{minutes - 1}" for minutes, bad in phases)
    return [line(PROBE_SUCCESS, values, job="gx-blackbox", instance="u", service="api")]


def _by_samples(name: str, write: _WriteSlices, budget: float) -> list[Case]:
    """Make the cases of an objective that counts slices of time: one bad one among so many."""
    cases: list[Case] = []
    for suffix, factor, clean in (("Fast", 6, 40), ("Slow", 1, 380)):
        alert = _ALERTS[f"{name}BudgetBurn{suffix}"]
        many = round(1 / (factor * budget))
        few, more_than = round(many * 0.9), round(many * 1.1)
        bad, after = (1, True), (5, False)
        cases += [
            Case(
                alert=alert,
                kind=Kind.FIRES,
                lines=write((few, False), bad, after),
                checks=[(few + 4, 1)],
            ),
            Case(
                alert=alert,
                kind=Kind.SILENT,
                lines=write((more_than, False), bad, after),
                checks=[(more_than + 4, 0)],
            ),
            Case(
                alert=alert,
                kind=Kind.RESOLVES,
                lines=write((few, False), bad, (clean, False)),
                checks=[(few + 4, 1), (few + clean - 1, 0)],
            ),
            trap(
                alert,
                *_beside_a_good_one(name, write((few, False), bad, after)),
                (few + 4, 1),
            ),
            more(
                alert,
                "too few slices to mean anything",
                write((40, False), (5, True), after),
                (47, 0),
            ),
        ]
    return cases


def _beside_a_good_one(name: str, lines: Lines) -> tuple[Trap, Lines]:
    """Put a standby beside the projector, or another environment beside this one."""
    (series, values) = lines[0]
    good = f"{20 if name == 'ProjectionLag' else 1}x900"
    if name == "ProjectionLag":
        return Trap.REPLICAS, [(series, values), (series.replace("a:1", "b:1"), good)]
    return Trap.OTHER_IS_BUSY, [(series, values), *_elsewhere([(series, good)])]


def _slow_pairs_of_counts(name: str, write: _WriteTraffic, budget: float) -> list[Case]:
    """Show each slow pair by itself, a sample every ten minutes.

    Three times too fast for a day is told by the first pair alone when the days before were busy
    and clean; just too fast for three days is told by the second alone.
    """
    alert = _ALERTS[f"{name}BudgetBurnSlow"]
    busy_and_clean = (2 * DAY, 100_000, 0.0)
    # Some samples later than a day, so that the day's window has none of the busy time in it.
    last_day = DAY + 6
    end = _minute(3 * DAY + 4)
    cases = []
    for over, says in ((1.05, "fires"), (0.95, "is silent")):
        lines = write(busy_and_clean, (last_day, 1_000, 3 * budget * over))
        count = int(over > 1)
        cases.append(more(alert, f"3 times, a day and 2 hours: {says}", lines, (end, count)))
        lines = write((2 * DAY + last_day, 1_000, budget * over))
        cases.append(more(alert, f"once, 3 days and 6 hours: {says}", lines, (end, count)))
    return cases


def _slow_pairs_of_samples(name: str, write: _WriteSlices) -> list[Case]:
    """Show the second slow pair by itself: the bad slice is too old for the first one's 2 hours.

    Where every moment counts the same, the first pair never speaks without the second.
    """
    alert = _ALERTS[f"{name}BudgetBurnSlow"]
    fresh, old, gone = 6, 18, 42
    return [
        more(
            alert,
            says,
            write((3 * DAY - after, False), (1, True), (after, False)),
            (_minute(3 * DAY), count),
        )
        for says, after, count in (
            ("both pairs: a bad slice an hour ago", fresh, 1),
            ("the second pair alone: a bad slice 3 hours ago", old, 1),
            ("neither: a bad slice 7 hours ago", gone, 0),
        )
    ]


def _minute(samples: int) -> int:
    return samples * COARSE_STEP_S // 60


BURN_CASES: Final = (
    *(
        replace(case, step_s=STEP_S)
        for case in (
            *_by_counts("TransactionSuccess", _commands, 0.001),
            *_by_counts("APIResponseTime", _requests, 0.05),
            *_by_samples("ProjectionLag", _lag, 0.001),
            *_by_samples("Availability", _probe, 0.0005),
        )
    ),
    *(
        replace(case, step_s=COARSE_STEP_S)
        for case in (
            *_slow_pairs_of_counts("TransactionSuccess", _commands, 0.001),
            *_slow_pairs_of_counts("APIResponseTime", _requests, 0.05),
            *_slow_pairs_of_samples("ProjectionLag", _lag),
            *_slow_pairs_of_samples("Availability", _probe),
        )
    ),
)
