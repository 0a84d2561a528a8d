"""A stack on Fabric has its Prometheus ask the network's nodes and the chaincode that serves."""

import json
from pathlib import Path
from typing import TypedDict

import pytest
import yaml

from gx.ledger.kinds import LedgerKind
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.runtime.local_stack import LocalStackOptions, Planner
from gx.runtime.settings import FabricNetworkSettings
from gx.runtime.tools import Toolbox
from tests.fabric.programs import path_with, require_programs


class Group(TypedDict):
    """Targets with the same labels."""

    targets: list[str]


def groups_of(job: dict[str, object]) -> list[Group]:
    """Return a job's targets, from the configuration or from the file that it names."""
    static, files = job.get("static_configs"), job.get("file_sd_configs")
    if not isinstance(files, list):
        return static if isinstance(static, list) else []
    groups: list[Group] = json.loads(Path(files[0]["files"][0]).read_text())
    return groups


@pytest.mark.timeout(120)
def test_the_networks_nodes_are_scraped_where_their_operations_ports_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the jobs that dashboards and alerts select, and the embedded ledger's is not there."""
    monkeypatch.setenv("PATH", path_with(require_programs()))
    monkeypatch.setenv("DATABASE_URL", "postgresql://gx@db.example/gx")
    monkeypatch.setenv("GX_DATA_DIR", str(tmp_path / "var"))
    options = LocalStackOptions(ledger=LedgerKind.FABRIC, with_redis=False)
    Planner(options=options, toolbox=Toolbox()).plan()

    ports = FabricNetworkSettings()
    text = (tmp_path / "var" / "monitoring" / "prometheus.yml").read_text()
    jobs = {
        job["job_name"]: [target for group in groups_of(job) for target in group["targets"]]
        for job in yaml.safe_load(text)["scrape_configs"]
    }
    assert jobs[EXPORTER_JOBS[Exporter.ORDERER]] == [f"127.0.0.1:{ports.orderer_operations_port}"]
    assert jobs[EXPORTER_JOBS[Exporter.PEER]] == [
        f"127.0.0.1:{ports.peer1_operations_port}",
        f"127.0.0.1:{ports.peer2_operations_port}",
    ]
    assert jobs["gx-chaincode"] == [f"127.0.0.1:{ports.chaincode_a_metrics_port}"]
    assert "gx-ledger" not in jobs
