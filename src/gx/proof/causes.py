"""What can be wrong between a process and the picture of it, and what is said of it when it is."""

from dataclasses import dataclass, field
from enum import StrEnum


class Cause(StrEnum):
    """Why there is no data, no target or no alert. The value is what scripts read."""

    POLICY = "policy"
    POLICY_DROP = "policy-drop"
    POLICY_REJECT = "policy-reject"
    PROCESS_DOWN = "process-down"
    WRONG_PORT = "wrong-port"
    CONNECTION_RESET = "connection-reset"
    NO_ANSWER = "no-answer"
    NO_ROUTE = "no-route"
    DNS = "dns"
    TLS = "tls"
    PATH = "path"
    AUTHENTICATION = "authentication"
    SERVER_ERROR = "server-error"
    SLOW_HANDLER = "slow-handler"
    NOT_METRICS = "not-metrics"
    BAD_EXPOSITION = "bad-exposition"
    SAMPLE_LIMIT = "sample-limit"
    FILTER_KEEPS_NOTHING = "filter-keeps-nothing"
    EXPORTS_NOTHING = "exports-nothing"
    DISCOVERY_DROPPED = "discovery-dropped"
    DISCOVERY_EMPTY = "discovery-empty"
    NO_SUCH_JOB = "no-such-job"
    SELECTOR_MISMATCH = "selector-mismatch"
    NO_ENDPOINTS = "no-endpoints"
    METRIC_RENAMED = "metric-renamed"
    LABEL_DRIFT = "label-drift"
    VECTOR_MATCH = "vector-match"
    WINDOW_TOO_SHORT = "window-too-short"
    STALE = "stale"
    OLD_TIMESTAMPS = "old-timestamps"
    IDLE = "idle"
    RULE_ERROR = "rule-error"
    RULE_MISSING = "rule-missing"
    RULE_DIFFERS = "rule-differs"
    QUERY_REFUSED = "query-refused"
    DATASOURCE = "datasource"
    NAMESPACE_VARIABLE = "namespace-variable"
    DASHBOARD_DIFFERS = "dashboard-differs"
    ALERTMANAGER_UNREACHABLE = "alertmanager-unreachable"
    NO_ALERTMANAGER = "no-alertmanager"
    ROUTE_TO_NOWHERE = "route-to-nowhere"
    NOTIFICATIONS_FAIL = "notifications-fail"
    OLD_CONFIGURATION = "old-configuration"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause at one place.

    `evidence` is what was seen, a line each; `fix` the smallest change that mends it, which may be
    several lines to type. `is_healthy`: nothing is wrong (an idle system), and it explains what
    one sees.
    """

    cause: Cause
    where: str
    what: str
    evidence: tuple[str, ...] = field(default=())
    fix: str = ""
    is_healthy: bool = False
