"""The first page: one number of each dashboard, which opens it."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts.burn import SLO_DASHBOARD
from gx.monitoring.alerts.fabric import CHAIN_DASHBOARD, ORDERER_DASHBOARD, PEER_DASHBOARD
from gx.monitoring.alerts.watching import MONITORING_DASHBOARD
from gx.monitoring.dashboards.environment import environment_uid
from gx.monitoring.dashboards.model import Dashboard, Measure, Panel, Query, Row
from gx.monitoring.dashboards.objectives import BUDGET_RECORDED_EVERY_S
from gx.monitoring.dashboards.parts import falls, limit, or_zero, rates, rises, tile
from gx.monitoring.exporters.fabric import IS_LEADER, PROPOSALS_RECEIVED, on_nodes
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import ALERT_STATES, PG_UP, UP
from gx.monitoring.model import BACKEND_DASHBOARD, CAPACITY_DASHBOARD, POSTGRES_DASHBOARD
from gx.monitoring.promql import Expr, max_by, min_by, select
from gx.monitoring.selectors import is_, is_not
from gx.monitoring.slos import SLOS
from gx.monitoring.thresholds import QUEUE_CRITICAL, QUEUE_WARNING
from gx.telemetry.catalogue.write_path import OUTBOX_COMMANDS_PROCESSED, OUTBOX_PENDING_COMMANDS

INDEX_DASHBOARD: Final = "index"

FIRING: Final = tile(
    "Alerts that fire",
    "In all environments. Opens the page of the alerts.",
    Query(
        expr=or_zero(select(ALERT_STATES, is_("alertstate", "firing"), is_not("severity", "none"))),
        legend="firing",
    ),
    runbooks=("Watchdog",),
    bands=limit(1),
    opens=MONITORING_DASHBOARD,
)
BUDGET: Final = tile(
    "Smallest error budget left",
    "Of all objectives and environments, over 30 days. Opens the objectives.",
    Query(
        expr=100 * min_by(select(SLOS[0].budget_rule)),
        legend="left",
        recorded_every_s=BUDGET_RECORDED_EVERY_S,
    ),
    bands=falls(0, 50),
    measure=Measure.PERCENT,
    opens=SLO_DASHBOARD,
)
COMMANDS: Final = tile(
    "Commands that took effect",
    "Per second, in all environments. Opens the backend.",
    Query(
        expr=or_zero(rates(select(OUTBOX_COMMANDS_PROCESSED, is_("status", "success")))),
        legend="commands",
    ),
    measure=Measure.PER_SECOND,
    opens=BACKEND_DASHBOARD,
)
WAITING: Final = tile(
    "Commands that wait",
    "In the fullest queue. Opens growth and forecasts.",
    Query(expr=max_by(select(OUTBOX_PENDING_COMMANDS)), legend="waiting"),
    runbooks=("OutboxQueueBuildup", "OutboxQueueCritical"),
    bands=rises(QUEUE_WARNING.default, QUEUE_CRITICAL.default),
    opens=CAPACITY_DASHBOARD,
)
DATABASES: Final = tile(
    "PostgreSQL out of reach",
    "Servers that their exporter cannot connect to. Opens PostgreSQL.",
    Query(expr=or_zero(1 - select(PG_UP)), legend="out of reach"),
    runbooks=("PostgresDown",),
    bands=limit(1),
    opens=POSTGRES_DASHBOARD,
)


def _peers_up() -> Expr:
    return or_zero(select(UP, is_("job", EXPORTER_JOBS[Exporter.PEER])))


FABRIC: Final = (
    tile(
        "Fabric: peers up",
        "0 where the ledger is the embedded one. Opens the chain.",
        Query(expr=_peers_up(), legend="peers"),
        opens=CHAIN_DASHBOARD,
    ),
    tile(
        "Fabric: channels with a leader",
        "0 where the ledger is the embedded one. Opens the orderers.",
        Query(expr=or_zero(max_by(on_nodes(IS_LEADER), "channel")), legend="channels"),
        runbooks=("NoLeader",),
        opens=ORDERER_DASHBOARD,
    ),
    tile(
        "Fabric: proposals",
        "Per second, at all peers. Opens the peers.",
        Query(expr=or_zero(rates(on_nodes(PROPOSALS_RECEIVED))), legend="proposals"),
        measure=Measure.PER_SECOND,
        opens=PEER_DASHBOARD,
    ),
)


def _environment(name: str) -> Panel:
    here = is_("environment", name)
    return tile(
        f"{name}: targets up",
        f"Processes of {name} that answered their last scrape; 0 is an environment that is gone. "
        "Opens the environment.",
        Query(expr=or_zero(select(UP, here)), legend="up"),
        runbooks=("BackendServiceDown",),
        bands=falls(1, 1),
        opens=environment_uid(name),
    )


def index_dashboard(environments: Sequence[str]) -> Dashboard:
    """Make the page that leads to all others."""
    return Dashboard(
        uid=INDEX_DASHBOARD,
        title="GX Protocol - Index",
        description="One number of each dashboard; a click on it opens the dashboard.",
        tags=("gx-protocol", "index"),
        variables=(),
        rows=(
            Row("Promises", (FIRING, BUDGET)),
            Row("The system", (COMMANDS, WAITING, DATABASES)),
            Row("Fabric", FABRIC),
            Row("Environments", tuple(_environment(name) for name in environments)),
        ),
        refresh_s=30,
        span="1h",
    )
