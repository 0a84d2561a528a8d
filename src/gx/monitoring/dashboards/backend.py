"""The dashboard of the command and the query side, as operators of the original know it.

Titles, rows and order are the original's. Its expressions were corrected where they hid an outage:
each keeps the namespaces apart, and a ratio without traffic has no value and is neither 0 nor 100.
"""

from typing import Final

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
    State,
)
from gx.monitoring.external import PROBE_SUCCESS, UP
from gx.monitoring.jobs import PROBE_JOB
from gx.monitoring.model import BACKEND_DASHBOARD
from gx.monitoring.promql import (
    RATE_INTERVAL,
    Expr,
    avg_by,
    avg_over,
    buckets_of,
    histogram_quantile,
    max_by,
    rate,
    select,
    sum_by,
)
from gx.monitoring.recording import AVAILABILITY_WINDOW_S, RATIO_WINDOW_S, percent_of
from gx.monitoring.selectors import Matcher, is_, is_not, matches, one_of
from gx.monitoring.thresholds import (
    DEAD_LETTERS_CRITICAL,
    FABRIC_WARNING,
    LAG_CRITICAL,
    LAG_SLO,
    LATENCY_CRITICAL,
    LATENCY_SLO,
    SUCCESS_SLO,
)
from gx.telemetry.catalogue.edge import HTTP_REQUEST_DURATION
from gx.telemetry.catalogue.read_path import (
    PROJECTION_LAG,
    PROJECTOR_EVENTS_PROCESSED,
    PROJECTOR_PROCESSING_DURATION_MS,
)
from gx.telemetry.catalogue.write_path import (
    CIRCUIT_BREAKER_STATE,
    FABRIC_TRANSACTION_DURATION,
    FABRIC_TRANSACTION_SUBMISSIONS,
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_DLQ_COMMANDS,
    OUTBOX_PENDING_COMMANDS,
    OUTBOX_PROCESSING_COMMANDS,
)
from gx.telemetry.metric import Metric

_OURS: Final = matches("job", "gx-.+")
# Environments of one chain: their percentages stack to 100 each, not to 300 together.
_ENVIRONMENTS: Final = ("devnet", "testnet", "mainnet")
_LAG_RUNBOOKS: Final = ("ProjectionLagExceedsSLO", "ProjectionLagCritical")
_QUEUE_RUNBOOKS: Final = ("OutboxQueueBuildup", "OutboxQueueCritical")
_DEAD_LETTER_RUNBOOKS: Final = ("DeadLetterQueueAccumulating", "DeadLetterQueueCritical")
_FABRIC_RUNBOOKS: Final = ("FabricTransactionFailureRate", "FabricTransactionFailureCritical")
_IDLE_WITHOUT_TRAFFIC: Final = "Without traffic there is no value: it reads idle."


def _gauge(metric: Metric) -> Expr:
    """Take the largest of the replicas, which all export the same number."""
    return max_by(select(metric, IN_NAMESPACE), NAMESPACE)


def _rates(counter: Metric, window: int | str, *matchers: Matcher) -> Expr:
    return sum_by(rate(select(counter, *matchers, IN_NAMESPACE), window), NAMESPACE)


def _quantile(histogram: Metric, quantile: float, window: int | str, *labels: str) -> Expr:
    """Estimate a quantile; without observations it has no value, where Prometheus says NaN."""
    buckets = rate(buckets_of(histogram, IN_NAMESPACE), window)
    return histogram_quantile(quantile, sum_by(buckets, NAMESPACE, *labels, "le")) >= 0


def _quantiles(histogram: Metric, *percents: int) -> tuple[Query, ...]:
    return tuple(
        Query(
            expr=_quantile(histogram, percent / 100, RATE_INTERVAL),
            legend=f"P{percent} {{{{namespace}}}}",
            needs_traffic=True,
        )
        for percent in percents
    )


def _stacked_rates(counter: Metric, *labels: str) -> Query:
    """Show what happens now: the many series that stand still would only fill the legend."""
    rates = rate(select(counter, IN_NAMESPACE), RATE_INTERVAL)
    return Query(
        expr=sum_by(rates, NAMESPACE, *labels) > 0,
        legend=" ".join(f"{{{{{label}}}}}" for label in (NAMESPACE, *labels)),
        needs_traffic=True,
    )


def _upward(yellow: float, orange: float, red: float) -> tuple[Band, ...]:
    """Colour what is better small."""
    return (
        Band(None, Color.GREEN),
        Band(yellow, Color.YELLOW),
        Band(orange, Color.ORANGE),
        Band(red, Color.RED),
    )


def _downward(orange: float, yellow: float, green: float) -> tuple[Band, ...]:
    """Colour what is better large."""
    return (
        Band(None, Color.RED),
        Band(orange, Color.ORANGE),
        Band(yellow, Color.YELLOW),
        Band(green, Color.GREEN),
    )


def _success_rate() -> Expr:
    failed = _rates(OUTBOX_COMMANDS_PROCESSED, RATIO_WINDOW_S, is_("status", "failed"))
    ended = _rates(OUTBOX_COMMANDS_PROCESSED, RATIO_WINDOW_S, one_of("status", "success", "failed"))
    return 100 - percent_of(failed, ended)


def _availability() -> Expr:
    probes = select(PROBE_SUCCESS, is_("job", PROBE_JOB), IN_NAMESPACE)
    return 100 * avg_by(avg_over(probes, AVAILABILITY_WINDOW_S), NAMESPACE)


def _fabric_share(matcher: Matcher) -> Expr:
    every = _rates(FABRIC_TRANSACTION_SUBMISSIONS, RATE_INTERVAL)
    return percent_of(_rates(FABRIC_TRANSACTION_SUBMISSIONS, RATE_INTERVAL, matcher), every)


SUCCESS_RATE: Final = Panel(
    title="Transaction Success Rate",
    description=(
        "Commands of the last 5 minutes that took effect, of those that did or were given up. "
        "Refusals by the contract and retries count as neither. Objective: 99.9 %. "
        + _IDLE_WITHOUT_TRAFFIC
    ),
    drawing=Drawing.GAUGE,
    measure=Measure.PERCENT,
    queries=(Query(expr=_success_rate(), legend="{{namespace}}", needs_traffic=True),),
    runbooks=("TransactionSuccessRateBelowSLO", "CommandFailuresAtLowVolume"),
    bands=_downward(95, 99, SUCCESS_SLO.default),
    least=90,
    most=100,
    decimals=2,
)
LAG: Final = Panel(
    title="Projection Lag",
    description=(
        "Age of the oldest block that readers do not see yet; 0 when caught up. "
        "Objective: below 5 s. It reads idle only when no projector answers."
    ),
    drawing=Drawing.GAUGE,
    measure=Measure.MILLISECONDS,
    queries=(Query(expr=_gauge(PROJECTION_LAG), legend="{{namespace}}"),),
    runbooks=(*_LAG_RUNBOOKS, "ProjectorStalled"),
    bands=_upward(3_000, LAG_SLO.default, LAG_CRITICAL.default),
    least=0,
    most=15_000,
)
RESPONSE_TIME: Final = Panel(
    title="API Response Time P95",
    description=(
        "Time in which 95 % of the requests of the last 5 minutes were answered, for the slowest "
        "service. Objective: below 500 ms. Probes, waits and event streams are not in it. "
        + _IDLE_WITHOUT_TRAFFIC
    ),
    drawing=Drawing.GAUGE,
    measure=Measure.MILLISECONDS,
    queries=(
        Query(
            expr=max_by(
                _quantile(HTTP_REQUEST_DURATION, 0.95, RATIO_WINDOW_S, "service"), NAMESPACE
            ),
            legend="{{namespace}}",
            needs_traffic=True,
        ),
    ),
    runbooks=("APIResponseTimeSlow", "APIResponseTimeCritical", "APIErrorRate"),
    bands=_upward(300, LATENCY_SLO.default, LATENCY_CRITICAL.default),
    least=0,
    most=1_500,
)
AVAILABILITY: Final = Panel(
    title="System Availability",
    description=(
        "Readiness probes of the last hour that succeeded, over api, submitter and projector. "
        "Objective: 99.95 %. It reads idle only when nobody probes."
    ),
    drawing=Drawing.GAUGE,
    measure=Measure.PERCENT,
    queries=(Query(expr=_availability(), legend="{{namespace}}"),),
    runbooks=("BackendServiceDown", "ProbeFailing"),
    bands=_downward(99, 99.9, 99.95),
    least=98,
    most=100,
    decimals=3,
)
QUEUE: Final = Panel(
    title="Outbox Command Queue Status",
    description=(
        "Commands that wait, that are inside a ledger transaction, and that were given up (DLQ). "
        "The line is where the dead letters page: 50."
    ),
    drawing=Drawing.LINES,
    measure=Measure.COUNT,
    queries=(
        Query(expr=_gauge(OUTBOX_PENDING_COMMANDS), legend="pending {{namespace}}"),
        Query(expr=_gauge(OUTBOX_PROCESSING_COMMANDS), legend="processing {{namespace}}"),
        Query(expr=_gauge(OUTBOX_DLQ_COMMANDS), legend="DLQ {{namespace}}"),
    ),
    runbooks=(*_QUEUE_RUNBOOKS, *_DEAD_LETTER_RUNBOOKS),
    bands=(Band(None, Color.GREEN), Band(DEAD_LETTERS_CRITICAL.default, Color.RED)),
    least=0,
)
PROCESSING_RATE: Final = Panel(
    title="Command Processing Rate by Status",
    description=(
        "Commands per second by outcome and type: success, failed (given up), rejected (refused "
        "by the contract); retry counts attempts. " + _IDLE_WITHOUT_TRAFFIC
    ),
    drawing=Drawing.STACKED,
    measure=Measure.PER_SECOND,
    queries=(_stacked_rates(OUTBOX_COMMANDS_PROCESSED, "status", "commandType"),),
    runbooks=("TransactionSuccessRateBelowSLO", "CommandsRefusedInBulk"),
    least=0,
)
LAG_AND_TIME: Final = Panel(
    title="Projection Lag & Processing Time",
    description=(
        "How old the oldest unprojected block is, and how long an event's fold takes with its "
        "share of the commit. The line is the objective of the lag: 5 s."
    ),
    drawing=Drawing.LINES,
    measure=Measure.MILLISECONDS,
    queries=(
        Query(expr=_gauge(PROJECTION_LAG), legend="lag {{namespace}}"),
        *_quantiles(PROJECTOR_PROCESSING_DURATION_MS, 95, 99),
    ),
    runbooks=(*_LAG_RUNBOOKS, "ProjectorStalled"),
    bands=(Band(None, Color.GREEN), Band(LAG_SLO.default, Color.RED)),
    least=0,
)
EVENT_RATE: Final = Panel(
    title="Event Processing Rate by Type",
    description="Events per second folded into the read models. " + _IDLE_WITHOUT_TRAFFIC,
    drawing=Drawing.STACKED,
    measure=Measure.PER_SECOND,
    queries=(_stacked_rates(PROJECTOR_EVENTS_PROCESSED, "eventType"),),
    runbooks=(
        "EventProcessingFailures",
        "NoActiveProjector",
        "ProjectionEventsParked",
        "UpgradeNeeded",
    ),
    least=0,
)
BREAKER: Final = Panel(
    title="Circuit Breaker State",
    description=(
        "CLOSED: calls go to the ledger. OPEN: they are refused at once, and commands wait in the "
        "queue. HALF-OPEN: one call tries. The worst of the replicas."
    ),
    drawing=Drawing.STAT,
    measure=Measure.STATE,
    queries=(Query(expr=_gauge(CIRCUIT_BREAKER_STATE), legend="{{namespace}}"),),
    runbooks=("FabricCircuitBreakerOpen", "CircuitBreakerRejecting"),
    bands=(Band(None, Color.GREEN), Band(0.5, Color.YELLOW), Band(1, Color.RED)),
    states=(
        State(0, "CLOSED", Color.GREEN),
        State(0.5, "HALF-OPEN", Color.YELLOW),
        State(1, "OPEN", Color.RED),
    ),
)
FABRIC_SUCCESS: Final = Panel(
    title="Fabric Transaction Success Rate",
    description=(
        "Ledger transactions by how they ended, in percent: errors below, success above. An error "
        "is an end without a valid verdict. The line is 5 % errors. " + _IDLE_WITHOUT_TRAFFIC
    ),
    drawing=Drawing.STACKED,
    measure=Measure.PERCENT,
    queries=(
        Query(
            expr=_fabric_share(is_not("status", "success")),
            legend="error {{namespace}}",
            needs_traffic=True,
        ),
        Query(
            expr=_fabric_share(is_("status", "success")),
            legend="success {{namespace}}",
            needs_traffic=True,
        ),
    ),
    runbooks=_FABRIC_RUNBOOKS,
    bands=(Band(None, Color.GREEN), Band(FABRIC_WARNING.default, Color.RED)),
    least=0,
    most=100,
    stack_groups=_ENVIRONMENTS,
)
FABRIC_DURATION: Final = Panel(
    title="Fabric Transaction Duration",
    description=(
        "Time from preparing a ledger transaction to its verdict; a transaction carries a batch "
        "of commands. " + _IDLE_WITHOUT_TRAFFIC
    ),
    drawing=Drawing.LINES,
    measure=Measure.MILLISECONDS,
    queries=_quantiles(FABRIC_TRANSACTION_DURATION, 50, 95, 99),
    runbooks=(*_QUEUE_RUNBOOKS, "FabricCircuitBreakerOpen"),
    least=0,
)

BACKEND: Final = Dashboard(
    uid=BACKEND_DASHBOARD,
    title="GX Protocol - CQRS Backend Monitoring (Enterprise)",
    description="Service levels, the write path, the read path and the ledger of each environment.",
    tags=("gx-protocol", "cqrs", "slo"),
    variables=(LabelVariable(NAMESPACE, "Namespace", select(UP, _OURS), NAMESPACE),),
    rows=(
        Row("SLO/SLA Overview", (SUCCESS_RATE, LAG, RESPONSE_TIME, AVAILABILITY)),
        Row("CQRS Write Path - Outbox Pattern", (QUEUE, PROCESSING_RATE)),
        Row("CQRS Read Path - Event Projection", (LAG_AND_TIME, EVENT_RATE)),
        Row("Fabric Integration", (BREAKER, FABRIC_SUCCESS, FABRIC_DURATION)),
    ),
    refresh_s=10,
)
