"""The dashboard of one environment: is it well, and which part of it is not.

Generated for every environment, the same but for its name.
"""

from typing import Final

from gx.monitoring.dashboards.model import (
    NAMESPACE,
    Band,
    Color,
    Dashboard,
    Drawing,
    Measure,
    Panel,
    Query,
    Row,
)
from gx.monitoring.dashboards.parts import (
    AWAY_BANDS,
    HOUR_S,
    chart,
    falls,
    limit,
    or_zero,
    percent,
    rates,
    rises,
    stacked,
    tile,
)
from gx.monitoring.exporters.host import (
    REDIS_EVICTED,
    REDIS_MEMORY_MAX,
    REDIS_MEMORY_USED,
    REDIS_PROCESSED,
    REDIS_UP,
)
from gx.monitoring.external import ALERT_STATES, UP
from gx.monitoring.promql import (
    Expr,
    changes,
    count_by,
    max_by,
    min_by,
    now,
    select,
    sum_by,
)
from gx.monitoring.recording import AVAILABILITY, COMMAND_SUCCESS
from gx.monitoring.selectors import Matcher, is_, is_not, matches
from gx.monitoring.thresholds import (
    BACKEND_NAMESPACE,
    CERTIFICATE_CRITICAL,
    CERTIFICATE_WARNING,
    CPU,
    MEMORY,
    RECONCILIATION_OVERDUE,
    SUCCESS_SLO,
)
from gx.telemetry.catalogue.client_library import (
    PROCESS_CPU,
    PROCESS_RESIDENT_MEMORY,
    PROCESS_START_TIME,
)
from gx.telemetry.catalogue.every_process import (
    BUILD_INFO,
    CERTIFICATE_EXPIRY,
    DATABASE_POOL_ACTIVE,
    DATABASE_POOL_MAX,
    DATABASE_UP,
    LEDGER_UP,
    PROCESS_CPU_LIMIT,
    PROCESS_MEMORY_LIMIT,
    RECONCILIATION_AGE,
    RECONCILIATION_DURATION,
)
from gx.telemetry.catalogue.read_path import (
    LEDGER_BLOCKCHAIN_HEIGHT,
    PROJECTOR_CHECKPOINT,
    PROJECTOR_WORKER_ACTIVE,
    RECONCILIATION_DIFFERENCE,
)
from gx.telemetry.catalogue.write_path import OUTBOX_DIFFERENCES, OUTBOX_WORKER_ACTIVE
from gx.telemetry.metric import Condition

_OURS: Final = matches("job", "gx-.+")
_TARGET: Final = ("service", "instance")
_TARGET_LEGEND: Final = "{{service}} {{instance}}"


def environment_uid(name: str) -> str:
    """Return the address of an environment's dashboard."""
    return f"{name}-environment"


def environment_dashboard(name: str) -> Dashboard:
    """Make the dashboard of one environment."""
    here = is_("environment", name)
    namespace = is_(NAMESPACE, BACKEND_NAMESPACE + name)
    return Dashboard(
        uid=environment_uid(name),
        title=f"GX Protocol - Environment {name}",
        description=f"Health, processes and dependencies of {name}.",
        tags=("gx-protocol", "environment", name),
        variables=(),
        rows=(
            Row("Health", _health(here, namespace)),
            Row("Processes", (*_processes(here), _workers(here))),
            Row("What they depend on", _dependencies(here)),
            Row("Ledger and release", _ledger(here)),
        ),
        refresh_s=10,
        span="3h",
    )


def _health(here: Matcher, namespace: Matcher) -> tuple[Panel, ...]:
    return (
        tile(
            "Targets down",
            "Processes that did not answer their last scrape.",
            Query(expr=or_zero(1 - select(UP, here)), legend="down"),
            runbooks=("BackendServiceDown",),
            bands=limit(1),
        ),
        _gauge(
            "Success rate",
            "Commands of the last 5 minutes that took effect, of those that did or were given up. "
            "Without traffic it reads idle.",
            Query(expr=select(COMMAND_SUCCESS, namespace), legend="success", needs_traffic=True),
            runbooks=("TransactionSuccessRateBelowSLO", "CommandFailuresAtLowVolume"),
            bands=falls(99, SUCCESS_SLO.default),
        ),
        _gauge(
            "Availability",
            "Readiness probes of the last hour that succeeded.",
            Query(expr=select(AVAILABILITY, namespace), legend="available"),
            runbooks=("ProbeFailing",),
            bands=falls(99.9, 99.95),
        ),
        _alerts(namespace),
    )


def _alerts(namespace: Matcher) -> Panel:
    counted = chart(
        "Alerts",
        "How many are pending and how many fire; their page names them.",
        tuple(
            Query(
                expr=or_zero(
                    select(
                        ALERT_STATES,
                        is_("alertstate", state),
                        is_not("severity", "none"),
                        namespace,
                    )
                ),
                legend=state,
            )
            for state in ("firing", "pending")
        ),
        measure=Measure.COUNT,
        runbooks=("Watchdog",),
    )
    return stacked(counted)


def _processes(here: Matcher) -> tuple[Panel, ...]:
    return (
        _share_chart(
            "CPU of each process",
            "Percent of the CPUs that it may use.",
            rates(select(PROCESS_CPU, _OURS, here), *_TARGET),
            max_by(select(PROCESS_CPU_LIMIT, here), *_TARGET),
            runbook="BackendHighCPU",
            red=CPU.default,
        ),
        _share_chart(
            "Memory of each process",
            "Percent of the memory that it may use.",
            max_by(select(PROCESS_RESIDENT_MEMORY, _OURS, here), *_TARGET),
            max_by(select(PROCESS_MEMORY_LIMIT, here), *_TARGET),
            runbook="BackendHighMemory",
            red=MEMORY.default,
        ),
        chart(
            "Restarts in an hour",
            "How often a process has started anew within the last hour.",
            (
                Query(
                    expr=max_by(changes(select(PROCESS_START_TIME, _OURS, here), HOUR_S), *_TARGET),
                    legend=_TARGET_LEGEND,
                ),
            ),
            measure=Measure.COUNT,
            runbooks=("BackendPodRestartLoop",),
        ),
    )


def _workers(here: Matcher) -> Panel:
    return chart(
        "Active workers",
        "One submitter and one projector hold their lease; others stand by. 0 is nobody, 2 is one "
        "that has not noticed that it lost its lease.",
        (
            Query(expr=sum_by(select(OUTBOX_WORKER_ACTIVE, here)), legend="submitters"),
            Query(expr=sum_by(select(PROJECTOR_WORKER_ACTIVE, here)), legend="projectors"),
        ),
        measure=Measure.COUNT,
        runbooks=("NoActiveSubmitter", "NoActiveProjector", "TwoActiveWorkers", "WorkerStopped"),
    )


def _dependencies(here: Matcher) -> tuple[Panel, ...]:
    return (
        _reachable(here),
        _share_chart(
            "Pool connections in use",
            "Busy connections, of those that each process may open.",
            max_by(select(DATABASE_POOL_ACTIVE, here), *_TARGET),
            max_by(select(DATABASE_POOL_MAX, here), *_TARGET),
            runbook="DatabaseConnectionPoolExhausted",
            red=100,
        ),
        *_cache(here),
    )


def _reachable(here: Matcher) -> Panel:
    return chart(
        "Database, ledger and cache reachable",
        "1 where the last use succeeded, 0 where it failed; the worst replica of each service.",
        (
            *(
                Query(
                    expr=min_by(select(metric, here), "service"),
                    legend=f"{what} from {{{{service}}}}",
                )
                for what, metric in (("database", DATABASE_UP), ("ledger", LEDGER_UP))
            ),
            Query(
                expr=min_by(select(REDIS_UP, here)),
                legend="cache from its exporter",
                condition=Condition.REDIS,
            ),
        ),
        measure=Measure.STATE,
        runbooks=("DatabaseUnreachable", "LedgerUnreachable"),
        bands=AWAY_BANDS,
        most=1,
    )


def _cache(here: Matcher) -> tuple[Panel, ...]:
    used = percent(
        max_by(select(REDIS_MEMORY_USED, here), "instance"),
        max_by(select(REDIS_MEMORY_MAX, here), "instance"),
        ["instance"],
    )
    work = tuple(
        Query(
            expr=rates(select(counter, here)),
            legend=what,
            condition=Condition.REDIS,
        )
        for what, counter in (("commands", REDIS_PROCESSED), ("evicted keys", REDIS_EVICTED))
    )
    return (
        chart(
            "Memory of the cache",
            "Percent of what Valkey may take.",
            (Query(expr=used, legend="{{instance}}", condition=Condition.REDIS),),
            measure=Measure.PERCENT,
            most=100,
        ),
        chart(
            "Work of the cache",
            "Per second. A key that is evicted is a counter of a rate limit that begins anew: "
            "limits are less strict, and nobody is refused for it.",
            work,
            measure=Measure.PER_SECOND,
        ),
    )


def _comparisons(here: Matcher) -> tuple[Panel, ...]:
    return (
        tile(
            "Difference of the books",
            "How far the ledger and the read models disagree, by kind. Anything but 0 is money.",
            Query(expr=max_by(select(RECONCILIATION_DIFFERENCE, here), "kind"), legend="{{kind}}"),
            runbooks=("ReconciliationDifference",),
            bands=(Band(None, Color.RED), Band(0, Color.GREEN), Band(1, Color.RED)),
        ),
        tile(
            "Commands that differ",
            "Records of commands that contradict the ledger, by how. `gx reconcile` names them.",
            Query(expr=max_by(select(OUTBOX_DIFFERENCES, here), "kind"), legend="{{kind}}"),
            runbooks=("OutboxDiffersFromLedger",),
            bands=rises(1, 1),
        ),
        chart(
            "Age of the comparison",
            "Time since all that was new was last compared with the ledger, and how long the last "
            "comparison of everything took: after so long, a change of old records is seen.",
            (
                Query(
                    expr=max_by(select(RECONCILIATION_AGE, here), "service"),
                    legend="age, {{service}}",
                ),
                Query(
                    expr=max_by(select(RECONCILIATION_DURATION, here), "service"),
                    legend="duration, {{service}}",
                ),
            ),
            measure=Measure.SECONDS,
            runbooks=("ReconciliationOverdue",),
            bands=limit(RECONCILIATION_OVERDUE.default),
        ),
    )


def _ledger(here: Matcher) -> tuple[Panel, ...]:
    return (
        chart(
            "Blocks ordered and projected",
            "The ledger's newest block, and the last one that readers see. The gap should close.",
            (
                Query(
                    expr=max_by(select(LEDGER_BLOCKCHAIN_HEIGHT, _OURS, here)) - 1,
                    legend="newest",
                ),
                Query(expr=max_by(select(PROJECTOR_CHECKPOINT, here)), legend="projected"),
            ),
            measure=Measure.COUNT,
            runbooks=("ProjectorStalled", "ProjectionLagCritical"),
        ),
        *_comparisons(here),
        tile(
            "First certificate to expire",
            "How long it is still valid.",
            Query(
                expr=min_by(select(CERTIFICATE_EXPIRY, here)) - now(),
                legend="left",
                condition=Condition.CERTIFICATES,
            ),
            runbooks=("CertificateExpiring", "CertificateExpiringCritical"),
            bands=falls(CERTIFICATE_CRITICAL.default, CERTIFICATE_WARNING.default),
            measure=Measure.SECONDS,
        ),
        chart(
            "Builds that run",
            "Processes by version. More than one for long is a release that got stuck.",
            (Query(expr=count_by(select(BUILD_INFO, here), "version"), legend="{{version}}"),),
            measure=Measure.COUNT,
        ),
    )


def _share_chart(
    title: str, description: str, used: Expr, most: Expr, *, runbook: str, red: float
) -> Panel:
    """Show how much of a limit each process uses."""
    return chart(
        title,
        description,
        (Query(expr=percent(used, most, _TARGET), legend=_TARGET_LEGEND),),
        measure=Measure.PERCENT,
        runbooks=(runbook,),
        bands=limit(red),
    )


def _gauge(
    title: str,
    description: str,
    query: Query,
    *,
    runbooks: tuple[str, ...],
    bands: tuple[Band, ...],
) -> Panel:
    return Panel(
        title=title,
        description=description,
        drawing=Drawing.GAUGE,
        measure=Measure.PERCENT,
        queries=(query,),
        runbooks=runbooks,
        bands=bands,
        least=90,
        most=100,
        decimals=2,
    )
