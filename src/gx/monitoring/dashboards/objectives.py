"""The dashboard of the service level objectives, for those who ask whether promises are kept.

Budgets are those of 30 days, computed from what was counted. Everything here is recorded by rules:
a page that looks back a month must not read a month of samples.
"""

from functools import partial
from typing import Final

from gx.monitoring.alerts.burn import SLO_DASHBOARD
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Band,
    Color,
    Dashboard,
    Drawing,
    LabelVariable,
    Measure,
    Panel,
    Query,
    Row,
)
from gx.monitoring.durations import duration
from gx.monitoring.model import Objective
from gx.monitoring.promql import Expr, max_by, select
from gx.monitoring.selectors import is_
from gx.monitoring.slos import AVAILABILITY, FAST_PAIRS, HOUR_S, SLOS, SLOW_PAIRS, Slo

# The budgets' rules read a month of samples; they run every five minutes.
BUDGET_RECORDED_EVERY_S: Final = 300
_NEEDS_TRAFFIC: Final = frozenset({Objective.TRANSACTION_SUCCESS, Objective.API_LATENCY})
_BURN_WINDOWS_S: Final = (FAST_PAIRS[0].long_s, FAST_PAIRS[1].long_s, SLOW_PAIRS[-1].long_s)


def _runbooks(slo: Slo) -> tuple[str, ...]:
    return (f"{slo.name}BudgetBurnFast", f"{slo.name}BudgetBurnSlow")


def _budget_left(slo: Slo) -> Expr:
    left = select(slo.budget_rule, is_("slo", slo.objective.value), IN_NAMESPACE)
    return 100 * max_by(left, NAMESPACE)


def _budget_query(slo: Slo, legend: str) -> Query:
    return Query(
        expr=_budget_left(slo),
        legend=legend,
        needs_traffic=slo.objective in _NEEDS_TRAFFIC,
        recorded_every_s=BUDGET_RECORDED_EVERY_S,
    )


def _budget_panel(slo: Slo) -> Panel:
    return Panel(
        title=f"{slo.title}: budget left",
        description=(
            f"What is left of the error budget of the last 30 days; the objective of "
            f"{slo.target_percent:g} % allows {slo.budget * 100:g} % to be bad. Below 0 the "
            "promise is broken. Without a single event in 30 days it reads idle."
        ),
        drawing=Drawing.GAUGE,
        measure=Measure.PERCENT,
        queries=(_budget_query(slo, "{{namespace}}"),),
        runbooks=_runbooks(slo),
        bands=(
            Band(None, Color.RED),
            Band(0, Color.ORANGE),
            Band(25, Color.YELLOW),
            Band(50, Color.GREEN),
        ),
        least=-25,
        most=100,
        decimals=1,
    )


def _burn_query(slo: Slo, window_s: int) -> Query:
    ratio = max_by(select(slo.ratio_rule(window_s), IN_NAMESPACE), NAMESPACE)
    return Query(
        expr=ratio / slo.budget,
        legend=f"{duration(window_s)} {{{{namespace}}}}",
        needs_traffic=slo.objective in _NEEDS_TRAFFIC,
    )


def _burn_panel(slo: Slo) -> Panel:
    fast, lasting = FAST_PAIRS[0], SLOW_PAIRS[-1]
    return Panel(
        title=f"{slo.title}: burn rate",
        description=(
            "How many times faster than allowed the budget is being spent, over three windows. "
            f"At {lasting.factor:g} it lasts exactly 30 days; at {fast.factor:g} for an hour "
            "somebody is paged."
        ),
        drawing=Drawing.LINES,
        measure=Measure.COUNT,
        queries=tuple(map(partial(_burn_query, slo), _BURN_WINDOWS_S)),
        runbooks=_runbooks(slo),
        bands=(
            Band(None, Color.GREEN),
            Band(lasting.factor, Color.YELLOW),
            Band(fast.factor, Color.RED),
        ),
        least=0,
    )


HISTORY: Final = Panel(
    title="Error budgets over time",
    description=(
        "What was left of each budget of 30 days at each moment. A fall is an incident; a slope "
        "is a fault that nobody repairs."
    ),
    drawing=Drawing.LINES,
    measure=Measure.PERCENT,
    queries=tuple(_budget_query(slo, f"{slo.title} {{{{namespace}}}}") for slo in SLOS),
    runbooks=tuple(name for slo in SLOS for name in _runbooks(slo)),
    bands=(Band(None, Color.RED), Band(0, Color.GREEN)),
    most=100,
)

OBJECTIVES: Final = Dashboard(
    uid=SLO_DASHBOARD,
    title="GX Protocol - Service Level Objectives (Executive)",
    description="Error budgets of 30 days, how fast they burn, and how they got there.",
    tags=("gx-protocol", "slo", "executive"),
    variables=(
        LabelVariable(NAMESPACE, "Namespace", select(AVAILABILITY.ratio_rule(HOUR_S)), NAMESPACE),
    ),
    rows=(
        Row("Error budgets of 30 days", tuple(_budget_panel(slo) for slo in SLOS)),
        Row("Burn rates", tuple(_burn_panel(slo) for slo in SLOS)),
        Row("The last 30 days", (HISTORY,)),
    ),
    refresh_s=60,
    span="30d",
)
