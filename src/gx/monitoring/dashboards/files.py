"""The dashboards' files: where each belongs in the repository, and its text."""

from collections.abc import Mapping
from typing import Final

from gx.monitoring.dashboards.alerting import ALERTING
from gx.monitoring.dashboards.backend import BACKEND, RESPONSE_TIME, SUCCESS_RATE
from gx.monitoring.dashboards.every import DASHBOARDS
from gx.monitoring.dashboards.grafana import render
from gx.monitoring.dashboards.lint import Exemption
from gx.monitoring.dashboards.objectives import OBJECTIVES
from gx.monitoring.model import Links

FOLDER: Final = "k8s/monitoring/grafana/dashboards"

_NAMESPACES_DECIDE: Final = "an environment is one namespace; its replicas are shown together"
_WHOLE_SYSTEM: Final = "an alert may be about anything; whoever looks here must see all of them"
_SLO_WINDOW: Final = "the objective is about 5 minutes, however far the page looks back"
_TARGET_RULES: Final = (
    *("template-job-rule", "template-instance-rule"),
    *("target-job-rule", "target-instance-rule"),
)
EXEMPTIONS: Final[Mapping[str, tuple[Exemption, ...]]] = {
    BACKEND.uid: (
        *(Exemption(rule, None, _NAMESPACES_DECIDE) for rule in _TARGET_RULES),
        Exemption("target-rate-interval-rule", SUCCESS_RATE.title, _SLO_WINDOW),
        Exemption("target-rate-interval-rule", RESPONSE_TIME.title, _SLO_WINDOW),
    ),
    OBJECTIVES.uid: tuple(Exemption(rule, None, _NAMESPACES_DECIDE) for rule in _TARGET_RULES),
    ALERTING.uid: tuple(Exemption(rule, None, _WHOLE_SYSTEM) for rule in _TARGET_RULES),
}
"""What each dashboard may break of the linter's rules, and why."""


def render_dashboards(*, runbooks: str = Links().runbooks) -> Mapping[str, str]:
    """Render every dashboard: its path from the repository's root, and its text.

    `runbooks` is the address that the panels' links to the alerts' pages start with.
    """
    return {
        f"{FOLDER}/{dashboard.uid}.json": render(dashboard, runbooks=runbooks)
        for dashboard in DASHBOARDS
    }
