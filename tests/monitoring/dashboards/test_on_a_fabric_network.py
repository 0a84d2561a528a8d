"""Each panel of the Fabric dashboards has data: on stand-ins, and where there is one, on Fabric."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from gx.monitoring.dashboards.every import FABRIC_DASHBOARDS
from gx.monitoring.dashboards.fabric.chain import INVALID
from gx.monitoring.dashboards.live import ask_queries, find_empty_panels
from gx.monitoring.exporters.names import Exporter
from gx.monitoring.live import PrometheusError
from gx.monitoring.local import LocalStack, write_local
from gx.monitoring.scrape import LEDGER_NAMESPACE
from gx.runtime.prometheus import prometheus_command
from gx.runtime.tools import Program, Tool
from gx.telemetry.metric import Condition
from tests.end_to_end.loop import free_port, running_loop, traffic
from tests.fabric.native import PORTS
from tests.fabric.programs import path_with, require_programs
from tests.monitoring.dashboards.fabric_nodes import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("stack")]

WITHIN_S: Final = 120.0


@contextmanager
def prometheus(tool: Tool, stack: LocalStack, folder: Path) -> Iterator[str]:
    """Run a Prometheus that scrapes this stack, and return its address."""
    files = write_local(stack, folder)
    command = prometheus_command(
        tool,
        configuration=files.prometheus,
        storage=folder / "data",
        port=stack.prometheus_port,
        retention_days=1,
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tool.working_folder, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{stack.prometheus_port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def until_every_panel_has_data(url: str) -> None:
    """Ask until no query of the three dashboards is without an answer."""
    deadline = time.monotonic() + WITHIN_S
    lacking: tuple[str, ...] = ("Prometheus has not started",)
    while lacking and time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            lacking = find_empty_panels(
                url,
                FABRIC_DASHBOARDS,
                namespace=LEDGER_NAMESPACE,
                is_busy=True,
                conditions={Condition.FABRIC},
            )
        except PrometheusError:
            continue
    assert lacking == ()


def test_every_query_asks_for_what_nodes_are_declared_to_say(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """Two peers and an orderer that say it: names, labels and jobs fit together."""
    with serving(Exporter.ORDERER, Exporter.PEER, Exporter.PEER) as (orderer, *peers):
        stack = LocalStack(
            ledger_port=None,
            orderer_ports=(orderer,),
            peer_ports=tuple(peers),
            prometheus_port=free_port(),
            alertmanager_port=free_port(),
            scrape_interval_s=1,
        )
        with prometheus(tools[Program.PROMETHEUS], stack, tmp_path) as url:
            until_every_panel_has_data(url)
            rows = [row for each in FABRIC_DASHBOARDS for row in ask_queries(url, each)]

    # As many conflicts as valid ones on each peer: not twice as many for two peers, and copies
    # are neither.
    ((invalid,),) = (row.values for row in rows if row.panel is INVALID)
    assert 45 < invalid < 55


@pytest.mark.asyncio
async def test_every_query_has_data_on_a_real_network_under_traffic() -> None:
    """What the nodes of Fabric really say, while commands go through them."""
    environment = {
        "GX_STACK_SCRAPE_INTERVAL_S": "1",
        "PATH": path_with(require_programs()),
        **{f"GX_FABRIC_NETWORK_{name}": str(free_port()) for name in PORTS},
    }
    async with running_loop("--ledger", "fabric", environment=environment) as loop:
        url = f"http://127.0.0.1:{loop.environment['GX_STACK_PROMETHEUS_PORT']}"
        async with traffic(loop, rate_per_s=20):
            await asyncio.to_thread(until_every_panel_has_data, url)
