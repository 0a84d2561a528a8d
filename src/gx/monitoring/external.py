"""Metrics that other programs export: Prometheus, Alertmanager, the exporters, Kubernetes.

Names as of Prometheus 2.42, Alertmanager 0.25, blackbox exporter 0.23, postgres_exporter 0.11,
node_exporter 1.5 and kube-state-metrics 2; current versions have the same.
"""

from typing import Final

from gx.monitoring.exporters.fabric import FABRIC_METRICS
from gx.monitoring.exporters.host import HOST_METRICS
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.exporters.postgres import POSTGRES_METRICS
from gx.monitoring.selectors import ExternalMetric
from gx.telemetry.metric import Kind

_PROMETHEUS: Final = "prometheus"
_ALERTMANAGER: Final = "alertmanager"
_POSTGRES: Final = Exporter.POSTGRES
_NODE: Final = Exporter.NODE

ALERT_STATES: Final = ExternalMetric(
    name="ALERTS",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="1 for each alert that is pending or firing.",
    label_names=("alertname", "alertstate", "severity", "component", "family", "slo"),
)
UP: Final = ExternalMetric(
    name="up",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="1 if the target answered its last scrape.",
)
SAMPLES_SCRAPED: Final = ExternalMetric(
    name="scrape_samples_scraped",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="Samples that the target delivered.",
)
SAMPLES_KEPT: Final = ExternalMetric(
    name="scrape_samples_post_metric_relabeling",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="Samples of the target that the job's filter kept.",
)
PROBE_SUCCESS: Final = ExternalMetric(
    name="probe_success",
    kind=Kind.GAUGE,
    exporter="blackbox_exporter",
    help="1 if the probe of the target succeeded.",
)
PROMETHEUS_RELOAD_SUCCESSFUL: Final = ExternalMetric(
    name="prometheus_config_last_reload_successful",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="1 if the last reload of the configuration succeeded.",
)
PROMETHEUS_NOTIFICATIONS_DROPPED: Final = ExternalMetric(
    name="prometheus_notifications_dropped_total",
    kind=Kind.COUNTER,
    exporter=_PROMETHEUS,
    help="Alerts that no Alertmanager took.",
)
RULE_EVALUATION_FAILURES: Final = ExternalMetric(
    name="prometheus_rule_evaluation_failures_total",
    kind=Kind.COUNTER,
    exporter=_PROMETHEUS,
    help="Evaluations of rules that failed.",
    label_names=("rule_group",),
)
PROMETHEUS_SERIES: Final = ExternalMetric(
    name="prometheus_tsdb_head_series",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="Series that Prometheus keeps in memory.",
)
PROMETHEUS_STORAGE: Final = ExternalMetric(
    name="prometheus_tsdb_storage_blocks_bytes",
    kind=Kind.GAUGE,
    exporter=_PROMETHEUS,
    help="Bytes of Prometheus' own history on disk.",
)
ALERTMANAGER_RELOAD_SUCCESSFUL: Final = ExternalMetric(
    name="alertmanager_config_last_reload_successful",
    kind=Kind.GAUGE,
    exporter=_ALERTMANAGER,
    help="1 if the last reload of the configuration succeeded.",
)
ALERTMANAGER_NOTIFICATIONS_FAILED: Final = ExternalMetric(
    name="alertmanager_notifications_failed_total",
    kind=Kind.COUNTER,
    exporter=_ALERTMANAGER,
    help="Notifications that a receiver did not take.",
    label_names=("integration",),
)
POD_RESTARTS: Final = ExternalMetric(
    name="kube_pod_container_status_restarts_total",
    kind=Kind.COUNTER,
    exporter="kube-state-metrics",
    help="Restarts of a container.",
    label_names=("container",),
)
PG_UP: Final = ExternalMetric(
    name="pg_up",
    kind=Kind.GAUGE,
    exporter=_POSTGRES,
    help="1 if the exporter can connect to PostgreSQL.",
)
PG_REPLICATION_LAG: Final = ExternalMetric(
    name="pg_replication_lag_seconds",
    kind=Kind.GAUGE,
    exporter=_POSTGRES,
    help="Seconds that a replica is behind its primary; 0 on the primary.",
)
PG_MAX_TRANSACTION_DURATION: Final = ExternalMetric(
    name="pg_stat_activity_max_tx_duration",
    kind=Kind.GAUGE,
    exporter=_POSTGRES,
    help="Age in seconds of the oldest transaction, by database and state.",
    label_names=("datname", "state"),
)
PG_CONNECTIONS: Final = ExternalMetric(
    name="pg_stat_activity_count",
    kind=Kind.GAUGE,
    exporter=_POSTGRES,
    help="Connections, by database and state.",
    label_names=("datname", "state"),
)
PG_CONNECTIONS_MAX: Final = ExternalMetric(
    name="pg_settings_max_connections",
    kind=Kind.GAUGE,
    exporter=_POSTGRES,
    help="Connections that PostgreSQL accepts at most.",
)
DISK_AVAILABLE: Final = ExternalMetric(
    name="node_filesystem_avail_bytes",
    kind=Kind.GAUGE,
    exporter=_NODE,
    help="Bytes that a file system has left for ordinary users.",
    label_names=("device", "fstype", "mountpoint"),
)
DISK_SIZE: Final = ExternalMetric(
    name="node_filesystem_size_bytes",
    kind=Kind.GAUGE,
    exporter=_NODE,
    help="Bytes that a file system can hold.",
    label_names=("device", "fstype", "mountpoint"),
)

EXTERNAL: Final = (
    ALERT_STATES,
    UP,
    SAMPLES_SCRAPED,
    SAMPLES_KEPT,
    PROBE_SUCCESS,
    PROMETHEUS_RELOAD_SUCCESSFUL,
    PROMETHEUS_NOTIFICATIONS_DROPPED,
    RULE_EVALUATION_FAILURES,
    PROMETHEUS_SERIES,
    PROMETHEUS_STORAGE,
    ALERTMANAGER_RELOAD_SUCCESSFUL,
    ALERTMANAGER_NOTIFICATIONS_FAILED,
    POD_RESTARTS,
    PG_UP,
    PG_REPLICATION_LAG,
    PG_MAX_TRANSACTION_DURATION,
    PG_CONNECTIONS,
    PG_CONNECTIONS_MAX,
    DISK_AVAILABLE,
    DISK_SIZE,
    *POSTGRES_METRICS,
    *HOST_METRICS,
    *FABRIC_METRICS,
)
