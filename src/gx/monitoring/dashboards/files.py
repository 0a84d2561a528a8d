"""The dashboards' files: where each belongs in the repository, and its text."""

from collections.abc import Mapping, Sequence
from typing import Final

from gx.monitoring.alerts import ALERTS
from gx.monitoring.dashboards.alerting import ALERTING
from gx.monitoring.dashboards.backend import BACKEND, RESPONSE_TIME, SUCCESS_RATE
from gx.monitoring.dashboards.checks import find_dashboard_faults
from gx.monitoring.dashboards.every import dashboards_of
from gx.monitoring.dashboards.grafana import render
from gx.monitoring.dashboards.index import INDEX_DASHBOARD
from gx.monitoring.dashboards.lint import Exemption
from gx.monitoring.dashboards.model import Dashboard
from gx.monitoring.errors import MonitoringError
from gx.monitoring.model import ENVIRONMENTS, Links
from gx.monitoring.rules import all_groups

FOLDER: Final = "k8s/monitoring/grafana/dashboards"

_NAMESPACES_DECIDE: Final = "an environment is one namespace; its replicas are shown together"
_WHOLE_SYSTEM: Final = "an alert may be about anything; whoever looks here must see all of them"
_ONE_ENVIRONMENT: Final = "the page is about one environment, whose name is in every query"
_SLO_WINDOW: Final = "the objective is about 5 minutes, however far the page looks back"
_TARGET_RULES: Final = (
    *("template-job-rule", "template-instance-rule"),
    *("target-job-rule", "target-instance-rule"),
)


def _target_rules(reason: str) -> tuple[Exemption, ...]:
    return tuple(Exemption(rule, None, reason) for rule in _TARGET_RULES)


def exemptions_of(dashboard: Dashboard) -> tuple[Exemption, ...]:
    """List what a dashboard may break of the linter's rules, and why."""
    if dashboard.uid in _EXEMPTIONS:
        return _EXEMPTIONS[dashboard.uid]
    return _target_rules(_NAMESPACES_DECIDE if dashboard.variables else _ONE_ENVIRONMENT)


_EXEMPTIONS: Final[Mapping[str, tuple[Exemption, ...]]] = {
    BACKEND.uid: (
        *_target_rules(_NAMESPACES_DECIDE),
        Exemption("target-rate-interval-rule", SUCCESS_RATE.title, _SLO_WINDOW),
        Exemption("target-rate-interval-rule", RESPONSE_TIME.title, _SLO_WINDOW),
    ),
    ALERTING.uid: _target_rules(_WHOLE_SYSTEM),
    INDEX_DASHBOARD: _target_rules(_WHOLE_SYSTEM),
}


def render_dashboards(
    *, runbooks: str = Links().runbooks, environments: Sequence[str] = ENVIRONMENTS
) -> Mapping[str, str]:
    """Render every dashboard: its path from the repository's root, and its text.

    `runbooks` is the address that the panels' links to the alerts' pages start with.

    Raises:
        MonitoringError: A panel lacks something or shows what nobody exports, or an alert names
            a dashboard that is not there; the text names each.
    """
    dashboards = dashboards_of(environments)
    recorded = {rule.name for group in all_groups(()) for rule in group.recordings}
    if faults := find_dashboard_faults(dashboards, ALERTS, recorded):
        raise MonitoringError("\n".join(faults))
    return {
        f"{FOLDER}/{dashboard.uid}.json": render(dashboard, runbooks=runbooks)
        for dashboard in dashboards
    }
