"""Burn-rate alerts: the error budget of an objective is being spent too fast.

Beside the alerts on the objective's own threshold: these stay silent about a short blip and speak
of a small fault that lasts, which would use up the month's budget.
"""

from functools import reduce
from typing import Final

from gx.monitoring.model import Alert, Fault, Objective, Severity
from gx.monitoring.promql import Expr, both, either, select
from gx.monitoring.recording import NAMESPACE
from gx.monitoring.slos import EVENTS_MIN, FAST_PAIRS, SLOS, SLOW_PAIRS, BurnPair, Slo

_DRILLS: Final = {
    Objective.TRANSACTION_SUCCESS: Fault.POISON_COMMANDS,
    Objective.PROJECTION_LAG: Fault.STALL_PROJECTOR,
    Objective.API_LATENCY: Fault.SLOW_API,
    Objective.AVAILABILITY: Fault.STOP_API,
}
SLO_DASHBOARD: Final = "slo-executive"


def _burns(slo: Slo, pair: BurnPair) -> Expr:
    """Say where both windows burn too fast and the long one has events enough."""
    limit = round(pair.factor * slo.budget, 6)
    both_windows = both(
        select(slo.ratio_rule(pair.long_s)) > limit,
        select(slo.ratio_rule(pair.short_s)) > limit,
        on=[NAMESPACE],
    )
    enough = select(slo.events_rule(pair.long_s)) >= EVENTS_MIN
    return both(both_windows, enough, on=[NAMESPACE])


def _alert(slo: Slo, pairs: tuple[BurnPair, ...], severity: Severity) -> Alert:
    is_fast = severity is Severity.CRITICAL
    days = "two days" if is_fast else "the month"
    budget = f"error budget of {slo.title.lower()} ({slo.target_percent:g} % over 30 days)"
    return Alert(
        name=f"{slo.name}BudgetBurn{'Fast' if is_fast else 'Slow'}",
        expr=reduce(either, (_burns(slo, pair) for pair in pairs)),
        # A complete failure crosses the long window's limit after this share of it.
        crossing_s=round(min(pair.long_s * min(pair.factor * slo.budget, 1) for pair in pairs)),
        severity=severity,
        component=slo.component,
        family=f"{slo.objective}_burn",
        slo=slo.objective,
        summary=f"The {budget} is being spent so fast that it does not last {days}.",
        description=(
            "{{ $value | humanizePercentage }} of the events in {{ $labels.namespace }} were bad "
            f"over the long window; the objective allows {slo.budget * 100:g} %."
        ),
        dashboard=SLO_DASHBOARD,
        drill=_DRILLS[slo.objective],
    )


BURN_ALERTS: Final = tuple(
    _alert(slo, pairs, severity)
    for slo in SLOS
    for pairs, severity in ((FAST_PAIRS, Severity.CRITICAL), (SLOW_PAIRS, Severity.WARNING))
)
