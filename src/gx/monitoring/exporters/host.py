"""What node_exporter says of the machine, and redis_exporter of the cache."""

from typing import Final

from gx.monitoring.exporters.names import Exporter
from gx.monitoring.selectors import ExternalMetric
from gx.telemetry.metric import Kind


def _of_node(name: str, kind: Kind, text: str, *labels: str) -> ExternalMetric:
    return ExternalMetric(
        name=name, kind=kind, exporter=Exporter.NODE, help=text, label_names=labels
    )


def _of_redis(name: str, kind: Kind, text: str) -> ExternalMetric:
    return ExternalMetric(name=name, kind=kind, exporter=Exporter.REDIS, help=text)


CPU_SECONDS: Final = _of_node(
    "node_cpu_seconds_total", Kind.COUNTER, "Seconds that a CPU spent in a mode.", "cpu", "mode"
)
MEMORY_AVAILABLE: Final = _of_node(
    "node_memory_MemAvailable_bytes", Kind.GAUGE, "Bytes that programs can have without swapping."
)
MEMORY_TOTAL: Final = _of_node("node_memory_MemTotal_bytes", Kind.GAUGE, "Bytes of memory.")
DISK_BUSY: Final = _of_node(
    "node_disk_io_time_seconds_total", Kind.COUNTER, "Seconds that a disk was busy.", "device"
)

# redis_exporter's `redis_commands_total` is not declared, so it is not kept: it has the name of a
# metric of ours with other labels.
REDIS_UP: Final = _of_redis("redis_up", Kind.GAUGE, "1 if the exporter can connect to the cache.")
REDIS_MEMORY_USED: Final = _of_redis(
    "redis_memory_used_bytes", Kind.GAUGE, "Bytes that the cache's data takes."
)
REDIS_MEMORY_MAX: Final = _of_redis(
    "redis_memory_max_bytes", Kind.GAUGE, "Bytes that the cache may take; 0 without a limit."
)
REDIS_PROCESSED: Final = _of_redis(
    "redis_commands_processed_total", Kind.COUNTER, "Commands that the cache carried out."
)
REDIS_EVICTED: Final = _of_redis(
    "redis_evicted_keys_total", Kind.COUNTER, "Keys dropped before their time for want of memory."
)

HOST_METRICS: Final = (
    CPU_SECONDS,
    MEMORY_AVAILABLE,
    MEMORY_TOTAL,
    DISK_BUSY,
    REDIS_UP,
    REDIS_MEMORY_USED,
    REDIS_MEMORY_MAX,
    REDIS_PROCESSED,
    REDIS_EVICTED,
)
