"""Every metric that this system exports, declared once.

Instruments, scrape filters, alerts, panels and the live check all take these objects, so a
renamed metric breaks the build and not a dashboard. Nothing here measures anything.
"""

from typing import Final

from gx.telemetry.catalogue import (
    client_library,
    contract_host,
    deadman,
    edge,
    every_process,
    read_path,
    write_path,
)
from gx.telemetry.metric import Metric, Process

CATALOGUE: Final[tuple[Metric, ...]] = (
    *write_path.METRICS,
    *read_path.METRICS,
    *edge.METRICS,
    *contract_host.METRICS,
    *deadman.METRICS,
    *every_process.METRICS,
    *client_library.METRICS,
)


def metrics_of(process: Process) -> tuple[Metric, ...]:
    """List what one process exports, aliases included."""
    return tuple(metric for metric in CATALOGUE if process in metric.processes)


def aliases_of(primary: Metric) -> tuple[Metric, ...]:
    """List the other names of a metric's numbers."""
    return tuple(metric for metric in CATALOGUE if metric.alias_of == primary)
