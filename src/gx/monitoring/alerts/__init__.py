"""Every alert, in the groups in which Prometheus evaluates them."""

from typing import Final

from gx.monitoring.alerts.backend import BACKEND_ALERTS
from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.alerts.companions import COMPANION_ALERTS
from gx.monitoring.alerts.fabric import FABRIC_ALERTS
from gx.monitoring.alerts.storage import STORAGE_ALERTS
from gx.monitoring.alerts.watching import WATCHING_ALERTS
from gx.monitoring.alerts.workers import WORKER_ALERTS
from gx.monitoring.model import Alert, RuleGroup

BACKEND_GROUP: Final = "gx_backend_cqrs_alerts"

ALERT_GROUPS: Final = (
    RuleGroup(name=BACKEND_GROUP, alerts=BACKEND_ALERTS),
    RuleGroup(name="gx_backend_companion_alerts", alerts=(*COMPANION_ALERTS, *WORKER_ALERTS)),
    RuleGroup(name="gx_slo_burn_alerts", alerts=BURN_ALERTS),
    RuleGroup(name="gx_storage_alerts", alerts=STORAGE_ALERTS),
    RuleGroup(name="gx_fabric_network_alerts", alerts=FABRIC_ALERTS),
    RuleGroup(name="gx_monitoring_alerts", alerts=WATCHING_ALERTS),
)
ALERTS: Final[tuple[Alert, ...]] = tuple(alert for group in ALERT_GROUPS for alert in group.alerts)
