"""The local stack's monitoring files, judged by the programs that will read them."""

import re
from pathlib import Path

import pytest
import yaml

from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import EXTERNAL
from gx.monitoring.local import LocalStack, render_prometheus, render_rules, write_local
from gx.runtime.tools import Program
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.metric import Process
from tests.monitoring.conftest import RunTool
from tests.telemetry.processes import BUILDERS

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs


@pytest.mark.parametrize(
    "stack",
    [
        pytest.param(LocalStack(), id="defaults"),
        pytest.param(
            LocalStack(
                ledger_port=None, orderer_ports=(1,), peer_ports=(2, 3), chaincode_ports=(4,)
            ),
            id="on a Fabric network",
        ),
        pytest.param(
            LocalStack(submitter_ports=(9090, 19090), environment="testnet", scrape_interval_s=1),
            id="two submitters, every second",
        ),
    ],
)
def test_every_program_accepts_its_file(
    stack: LocalStack, tmp_path: Path, run_tool: RunTool
) -> None:
    """promtool, amtool and the blackbox exporter find nothing wrong."""
    files = write_local(stack, tmp_path / "monitoring")
    answers = (
        run_tool(Program.PROMTOOL, "check", "config", str(files.prometheus)),
        run_tool(Program.AMTOOL, "check-config", str(files.alertmanager)),
        run_tool(Program.BLACKBOX, f"--config.file={files.blackbox}", "--config.check"),
    )

    for answer in answers:
        assert answer.returncode == 0, answer.stdout
    assert "rules found" in answers[0].stdout


def test_the_programs_notice_a_mistake(tmp_path: Path, run_tool: RunTool) -> None:
    """Negative control: a misspelt key and a broken expression do not pass."""
    files = write_local(LocalStack(), tmp_path)
    for path, right, wrong in (
        (files.prometheus, "scrape_configs", "scrape_confgs"),
        (tmp_path / "rules.yml", "max by (namespace) (", "max by (namespace ("),
    ):
        text = path.read_text()
        path.write_text(text.replace(right, wrong))
        assert text != path.read_text()
        answer = run_tool(Program.PROMTOOL, "check", "config", str(files.prometheus))
        assert answer.returncode != 0
        path.write_text(text)


def test_every_process_has_its_job_and_labels() -> None:
    """Jobs, ports and labels are those that alerts and panels select."""
    document = yaml.safe_load(render_prometheus(LocalStack()))
    jobs = {
        job["job_name"]: [target for group in job["static_configs"] for target in group["targets"]]
        for job in document["scrape_configs"]
    }

    assert jobs == {
        "gx-outbox-submitter": ["127.0.0.1:9090"],
        "gx-projector": ["127.0.0.1:9091"],
        "gx-backend-services": ["127.0.0.1:9095"],
        "gx-ledger": ["127.0.0.1:9094"],
        "gx-blackbox": [
            "http://127.0.0.1:8000/readyz",
            "http://127.0.0.1:9090/readyz",
            "http://127.0.0.1:9091/readyz",
        ],
        "prometheus": ["127.0.0.1:30090"],
        "alertmanager": ["127.0.0.1:30093"],
    }
    assert document["global"] == {
        "scrape_interval": "15s",
        "evaluation_interval": "15s",
        "scrape_timeout": "10s",
    }


def test_an_exporter_is_asked_where_it_runs() -> None:
    """Under the job that production has, with the filter that follows from what is declared."""
    stack = LocalStack(
        postgres_exporter_port=1, node_exporter_port=2, redis_exporter_port=3, environment="testnet"
    )
    jobs = {
        job["job_name"]: job for job in yaml.safe_load(render_prometheus(stack))["scrape_configs"]
    }

    for exporter, port in ((Exporter.POSTGRES, 1), (Exporter.NODE, 2), (Exporter.REDIS, 3)):
        job = jobs[EXPORTER_JOBS[exporter]]
        keep = re.compile(job["metric_relabel_configs"][0]["regex"])
        assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{port}"]
        for metric in EXTERNAL:
            assert bool(keep.fullmatch(metric.name)) is (metric.exporter == exporter), metric.name


def test_the_ledger_is_asked_where_it_is() -> None:
    """The embedded one or a Fabric network's nodes, never a target that is not there."""
    stack = LocalStack(
        ledger_port=None, orderer_ports=(1,), peer_ports=(2, 3), chaincode_ports=(4,)
    )
    jobs = {
        job["job_name"]: [target for group in job["static_configs"] for target in group["targets"]]
        for job in yaml.safe_load(render_prometheus(stack))["scrape_configs"]
    }

    assert "gx-ledger" not in jobs
    assert jobs[EXPORTER_JOBS[Exporter.ORDERER]] == ["127.0.0.1:1"]
    assert jobs[EXPORTER_JOBS[Exporter.PEER]] == ["127.0.0.1:2", "127.0.0.1:3"]
    assert jobs["gx-chaincode"] == ["127.0.0.1:4"]
    assert "job: gx-chaincode" in render_rules(stack)
    assert "job: gx-ledger" not in render_rules(stack)


def test_a_short_interval_has_a_shorter_timeout() -> None:
    """Prometheus refuses a timeout longer than the interval."""
    document = yaml.safe_load(render_prometheus(LocalStack(scrape_interval_s=5)))

    assert document["global"]["scrape_timeout"] == "5s"


@pytest.mark.parametrize("process", BUILDERS)
def test_promtool_finds_fault_with_the_quoted_names_alone(
    process: Process, run_tool: RunTool
) -> None:
    """Prometheus' own linter accepts the exposition but for the names that are marked."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)
    answer = run_tool(Program.PROMTOOL, "check", "metrics", text=registry.render().decode())
    complaints = [line.split(" ", 1) for line in answer.stdout.splitlines()]
    excepted = {
        metric.name for metric in CATALOGUE if metric.unit_exception or metric.by_client_library
    }

    assert [line for line in complaints if line[0] not in excepted] == []
    if process not in {Process.LEDGER, Process.DEADMAN}:
        assert "camelCase" in answer.stdout or "abbreviated" in answer.stdout
