"""Cases of the burn-rate pairs, a sample and an evaluation a minute: their windows are days."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.external import PROBE_SUCCESS
from gx.telemetry.catalogue import edge, read_path, write_path
from tests.rules.cases import Case, Kind, Lines, Trap, line, more, trap

STEP_S: Final = 60
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
        ]
    over = 14.4 * budget * 1.05
    hot = write((400, 1_000, 0), (65, 1_000, over))
    return [
        *cases,
        more(fast, "14.4 times too fast for an hour, after a good morning", hot, (463, 1)),
    ]


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
            more(
                alert,
                "too few slices to mean anything",
                write((40, False), (5, True), after),
                (47, 0),
            ),
        ]
    return cases


BURN_CASES: Final = tuple(
    replace(case, step_s=STEP_S)
    for case in (
        *_by_counts("TransactionSuccess", _commands, 0.001),
        *_by_counts("APIResponseTime", _requests, 0.05),
        *_by_samples("ProjectionLag", _lag, 0.001),
        *_by_samples("Availability", _probe, 0.0005),
    )
)
