"""Every dashboard, for whoever draws them: Grafana's files and the console.

Grafana's model of a dashboard is an extra of the package; nothing here needs it.
"""

from typing import Final

from gx.monitoring.dashboards.alerting import ALERTING
from gx.monitoring.dashboards.backend import BACKEND
from gx.monitoring.dashboards.model import Dashboard
from gx.monitoring.dashboards.objectives import OBJECTIVES

DASHBOARDS: Final[tuple[Dashboard, ...]] = (BACKEND, OBJECTIVES, ALERTING)
