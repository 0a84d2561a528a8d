"""Service level objectives: what counts, what is good, how much may be bad, how fast it burns.

Ratios over a window divide the increase of what was bad by the increase of everything; the average
of short ratios would weigh a quiet minute like a busy one. Windows and factors are those of
sre.google/workbook/alerting-on-slos; each pair also needs events enough to mean something.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gx.monitoring.durations import duration
from gx.monitoring.external import PROBE_SUCCESS
from gx.monitoring.jobs import PROBE_JOB
from gx.monitoring.model import Component, Objective
from gx.monitoring.promql import (
    Expr,
    Selector,
    at_most,
    avg_by,
    avg_over,
    combine,
    count_of,
    count_over,
    either,
    increase,
    max_by,
    select,
    sum_by,
)
from gx.monitoring.recording import FAILED_COMMANDS, FINISHED_COMMANDS, NAMESPACE, Recording
from gx.monitoring.selectors import is_
from gx.monitoring.thresholds import LAG_SLO, LATENCY_SLO
from gx.telemetry.catalogue.edge import HTTP_REQUEST_DURATION
from gx.telemetry.catalogue.read_path import PROJECTION_LAG

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
BUDGET_WINDOW_S: Final = 30 * DAY_S
EVENTS_MIN: Final = 100


@dataclass(frozen=True, slots=True)
class BurnPair:
    """Burning `factor` times too fast, over the long window and still over the short one."""

    factor: float
    long_s: int
    short_s: int


FAST_PAIRS: Final = (
    BurnPair(14.4, HOUR_S, 5 * MINUTE_S),
    BurnPair(6, 6 * HOUR_S, 30 * MINUTE_S),
)
SLOW_PAIRS: Final = (
    BurnPair(3, DAY_S, 2 * HOUR_S),
    BurnPair(1, 3 * DAY_S, 6 * HOUR_S),
)
_PAIRS: Final = (*FAST_PAIRS, *SLOW_PAIRS)
WINDOWS_S: Final = tuple(sorted({w for pair in _PAIRS for w in (pair.long_s, pair.short_s)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One objective over 30 days.

    `bad_ratio` and `events` take a window in seconds: the bad share of its events by namespace,
    without a value when there were none, and how many there were.
    """

    objective: Objective
    title: str
    name: str
    component: Component
    target_percent: float
    bad_ratio: Callable[[int], Expr]
    events: Callable[[int], Expr]

    @property
    def budget(self) -> float:
        """The share of the events that may be bad."""
        return round(1 - self.target_percent / 100, 6)

    def ratio_rule(self, window_s: int) -> Recording:
        """Make the rule that records the bad share over a window."""
        return Recording(
            name=f"namespace:gx_slo_{self.objective}_bad:ratio{duration(window_s)}",
            expr=self.bad_ratio(window_s),
            help=f"{self.title}: bad share of the last {duration(window_s)}.",
        )

    def events_rule(self, window_s: int) -> Recording:
        """Make the rule that records how many events a window had."""
        return Recording(
            name=f"namespace:gx_slo_{self.objective}_events:count{duration(window_s)}",
            expr=self.events(window_s),
            help=f"{self.title}: events of the last {duration(window_s)}.",
        )

    @property
    def budget_rule(self) -> Recording:
        """The rule that records which share of the 30 days' error budget is left."""
        spent = self.bad_ratio(BUDGET_WINDOW_S) / self.budget
        return Recording(
            name="namespace:gx_slo_budget_left:ratio30d",
            expr=1 - spent,
            labels=(("slo", self.objective.value),),
            help="Share of the error budget of 30 days that is left; below 0 it is overspent.",
        )


def _counted(
    failures: Selector, everything: Selector
) -> tuple[Callable[[int], Expr], Callable[[int], Expr]]:
    """Return bad share and number of events where both are counters."""

    def events(window_s: int) -> Expr:
        return sum_by(increase(everything, window_s), NAMESPACE)

    def bad_ratio(window_s: int) -> Expr:
        bad, busy = sum_by(increase(failures, window_s), NAMESPACE), events(window_s) > 0
        return combine(either(bad, 0 * busy, on=[NAMESPACE]), "/", busy, on=[NAMESPACE])

    return bad_ratio, events


def _slow_ratio(window_s: int) -> Expr:
    fast = at_most(HTTP_REQUEST_DURATION, LATENCY_SLO.default)
    good = sum_by(increase(fast, window_s), NAMESPACE)
    return 1 - combine(good, "/", _requests(window_s) > 0, on=[NAMESPACE])


def _requests(window_s: int) -> Expr:
    return sum_by(increase(count_of(HTTP_REQUEST_DURATION), window_s), NAMESPACE)


LAG_SLICE: Final = Recording(
    name="namespace:gx_projection_lag:bad_slice",
    expr=combine(max_by(select(PROJECTION_LAG), NAMESPACE), ">= bool", LAG_SLO.default),
    help="1 in an evaluation in which the projection lagged 5 s or more, else 0.",
)
_SLICE: Final = select(LAG_SLICE)
_PROBE: Final = select(PROBE_SUCCESS, is_("job", PROBE_JOB))


def _probes(window_s: int) -> Expr:
    return sum_by(count_over(_PROBE, window_s), NAMESPACE)


def _failed_probes(window_s: int) -> Expr:
    return 1 - avg_by(avg_over(_PROBE, window_s), NAMESPACE)


_COMMAND_RATIO, _COMMANDS = _counted(FAILED_COMMANDS, FINISHED_COMMANDS)

TRANSACTION_SUCCESS: Final = Slo(
    objective=Objective.TRANSACTION_SUCCESS,
    title="Transaction success",
    name="TransactionSuccess",
    component=Component.OUTBOX,
    target_percent=99.9,
    bad_ratio=_COMMAND_RATIO,
    events=_COMMANDS,
)
PROJECTION_FRESHNESS: Final = Slo(
    objective=Objective.PROJECTION_LAG,
    title="Projection lag",
    name="ProjectionLag",
    component=Component.PROJECTOR,
    target_percent=99.9,
    bad_ratio=lambda window_s: avg_over(_SLICE, window_s),
    events=lambda window_s: count_over(_SLICE, window_s),
)
API_LATENCY: Final = Slo(
    objective=Objective.API_LATENCY,
    title="API response time",
    name="APIResponseTime",
    component=Component.API,
    target_percent=95,
    bad_ratio=_slow_ratio,
    events=_requests,
)
AVAILABILITY: Final = Slo(
    objective=Objective.AVAILABILITY,
    title="Availability",
    name="Availability",
    component=Component.INFRASTRUCTURE,
    target_percent=99.95,
    bad_ratio=_failed_probes,
    events=_probes,
)
SLOS: Final = (TRANSACTION_SUCCESS, PROJECTION_FRESHNESS, API_LATENCY, AVAILABILITY)
