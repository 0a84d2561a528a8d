"""Every dashboard, for whoever draws them: Grafana's files and the console.

Grafana's model of a dashboard is an extra of the package; nothing here needs it.
"""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.dashboards.alerting import ALERTING
from gx.monitoring.dashboards.backend import BACKEND
from gx.monitoring.dashboards.capacity import CAPACITY
from gx.monitoring.dashboards.environment import environment_dashboard
from gx.monitoring.dashboards.fabric.chain import CHAIN
from gx.monitoring.dashboards.fabric.orderers import ORDERERS
from gx.monitoring.dashboards.fabric.peers import PEERS
from gx.monitoring.dashboards.index import index_dashboard
from gx.monitoring.dashboards.model import Dashboard
from gx.monitoring.dashboards.objectives import OBJECTIVES
from gx.monitoring.dashboards.postgresql import POSTGRESQL
from gx.monitoring.model import ENVIRONMENTS

FABRIC_DASHBOARDS: Final = (CHAIN, ORDERERS, PEERS)


def dashboards_of(environments: Sequence[str]) -> tuple[Dashboard, ...]:
    """List every dashboard where these environments are deployed, the index first."""
    return (
        index_dashboard(environments),
        BACKEND,
        OBJECTIVES,
        CAPACITY,
        POSTGRESQL,
        *FABRIC_DASHBOARDS,
        *(environment_dashboard(name) for name in environments),
        ALERTING,
    )


DASHBOARDS: Final[tuple[Dashboard, ...]] = dashboards_of(ENVIRONMENTS)
