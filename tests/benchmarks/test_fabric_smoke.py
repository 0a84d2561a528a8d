"""`make bench-fabric` in its smallest form: everything is measured, nothing is judged."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from benchmarks.fabric_network import NODES
from benchmarks.fabric_node import FOLDER, NODE_SUBMITTER, install_node_client
from benchmarks.fabric_questions import CLIENTS, POSTGRESQL, Way
from benchmarks.fabric_report import FabricReport
from benchmarks.stack import API, PROJECTOR, SUBMITTER, BenchmarkError
from gx.fabric.release import Binaries
from gx.runtime.settings import environment
from tests.fabric.programs import IS_CI, path_with, require_programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("stack")]

SHARED: Final = {API, PROJECTOR, POSTGRESQL, CLIENTS, *NODES}


@pytest.fixture
def programs() -> Binaries:
    """Fabric's programs; the Node client is installed."""
    found = require_programs()
    try:
        install_node_client()
    except BenchmarkError as error:
        if IS_CI:
            raise
        pytest.skip(str(error))
    return found


def test_the_smallest_run_measures_everything(programs: Binaries, tmp_path: Path) -> None:
    """Every way, process and latency has its figure, and the page and its chart are written."""
    results, page = tmp_path / "fabric.json", tmp_path / "fabric.md"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.fabric", "--smoke"),
            *("--results", str(results), "--page", str(page)),
        ],
        env={**environment(), "PATH": path_with(programs)},
        cwd=FOLDER.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = msgspec.json.decode(results.read_bytes(), type=FabricReport)
    (one,) = report.rounds
    assert {way: set(found.cpu_us) for way, found in one.ways.items()} == {
        Way.BATCHES: SHARED | {SUBMITTER},
        Way.SINGLE: SHARED | {SUBMITTER},
        Way.NODE: SHARED | {NODE_SUBMITTER},
    }
    for way, found in one.ways.items():
        assert found.commands >= report.effort.warm_up[way]
        assert sum(found.shim_requests.values()) > 0
    assert one.ways[Way.SINGLE].transactions == one.ways[Way.SINGLE].commands
    assert one.ways[Way.NODE].transactions == one.ways[Way.NODE].commands
    assert one.ways[Way.BATCHES].transactions < one.ways[Way.BATCHES].commands
    assert [half.way for half in report.half_loads] == list(Way)
    assert "What bounds it" in page.read_text(encoding="utf-8")
    assert page.with_suffix(".svg").exists()
