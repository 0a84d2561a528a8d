"""Every cause has a test that makes it: the table, and that what it names is there."""

import re
from pathlib import Path
from typing import Final

import pytest

from gx.proof.causes import Cause

TESTS: Final = Path(__file__).parents[1]
LAB: Final = "doctor/test_causes.py"
"""A real Prometheus among targets that misbehave."""
ALERTING: Final = "doctor/test_alerting.py"
"""A real Prometheus and a real Alertmanager."""
PACKETS: Final = "doctor/test_incident.py"
"""A real Prometheus and real packets between network namespaces."""
RULES: Final = "doctor/test_rules.py"
"""A real Prometheus with the catalogue's rules, one of them changed."""
MANIFESTS: Final = "doctor/test_manifests.py"
"""The committed manifests with one thing changed, as `kubectl get` would print them."""
GRAFANA: Final = "doctor/test_dashboards.py"
"""Dashboards and datasources as Grafana's API serves them: there is no Grafana to install."""

MADE_IN: Final = {
    Cause.POLICY: MANIFESTS,
    Cause.POLICY_DROP: PACKETS,
    Cause.POLICY_REJECT: PACKETS,
    Cause.PROCESS_DOWN: LAB,
    Cause.WRONG_PORT: LAB,
    Cause.CONNECTION_RESET: LAB,
    Cause.NO_ANSWER: LAB,
    Cause.NO_ROUTE: LAB,
    Cause.DNS: LAB,
    Cause.TLS: LAB,
    Cause.PATH: LAB,
    Cause.AUTHENTICATION: LAB,
    Cause.SERVER_ERROR: LAB,
    Cause.SLOW_HANDLER: LAB,
    Cause.NOT_METRICS: LAB,
    Cause.BAD_EXPOSITION: LAB,
    Cause.SAMPLE_LIMIT: LAB,
    Cause.FILTER_KEEPS_NOTHING: LAB,
    Cause.EXPORTS_NOTHING: LAB,
    Cause.DISCOVERY_DROPPED: LAB,
    Cause.DISCOVERY_EMPTY: LAB,
    Cause.NO_SUCH_JOB: LAB,
    Cause.SELECTOR_MISMATCH: MANIFESTS,
    Cause.NO_ENDPOINTS: MANIFESTS,
    Cause.METRIC_RENAMED: LAB,
    Cause.LABEL_DRIFT: LAB,
    Cause.VECTOR_MATCH: LAB,
    Cause.WINDOW_TOO_SHORT: LAB,
    Cause.STALE: LAB,
    Cause.OLD_TIMESTAMPS: LAB,
    Cause.IDLE: LAB,
    Cause.RULE_ERROR: LAB,
    Cause.RULE_MISSING: LAB,
    Cause.RULE_DIFFERS: RULES,
    Cause.QUERY_REFUSED: LAB,
    Cause.DATASOURCE: GRAFANA,
    Cause.NAMESPACE_VARIABLE: LAB,
    Cause.DASHBOARD_DIFFERS: "test_verify_dashboards.py",
    Cause.ALERTMANAGER_UNREACHABLE: ALERTING,
    Cause.NO_ALERTMANAGER: ALERTING,
    Cause.ROUTE_TO_NOWHERE: ALERTING,
    Cause.NOTIFICATIONS_FAIL: ALERTING,
    Cause.OLD_CONFIGURATION: ALERTING,
}
EXPLAINED: Final = {
    Cause.UNKNOWN: "what has no words of its own is shown with Prometheus' own error",
}


def test_each_cause_is_made_somewhere() -> None:
    """A cause that nobody makes may never be found."""
    assert set(MADE_IN) | set(EXPLAINED) == set(Cause)
    assert not set(MADE_IN) & set(EXPLAINED)


@pytest.mark.parametrize("cause", MADE_IN)
def test_a_cause_s_test_asks_for_it(cause: Cause) -> None:
    """The table is not older than the tests."""
    text = (TESTS / MADE_IN[cause]).read_text(encoding="utf-8")

    assert re.search(rf"\bCause\.{cause.name}\b", text), MADE_IN[cause]
