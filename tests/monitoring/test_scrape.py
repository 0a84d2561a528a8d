"""Scrape jobs: the filter keeps what a process exports, and nothing that it should not."""

import re

import pytest

from gx.monitoring.jobs import PROCESS_JOBS
from gx.monitoring.scrape import keep_pattern
from gx.telemetry.catalogue import CATALOGUE, metrics_of
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.metric import Process
from tests.telemetry.processes import BUILDERS, samples_of


@pytest.mark.parametrize("process", BUILDERS)
def test_the_filter_keeps_everything_that_a_process_exports(process: Process) -> None:
    """No sample of a real exposition is lost on the way into Prometheus."""
    registry = MetricsRegistry()
    BUILDERS[process](registry)
    keep = re.compile(keep_pattern(process))

    lost = {name for name, _ in samples_of(registry.render()) if not keep.fullmatch(name)}
    assert lost == set()


@pytest.mark.parametrize("process", BUILDERS)
def test_the_filter_drops_what_is_not_declared(process: Process) -> None:
    """A forgotten debug metric, or another process's, does not reach the disk."""
    keep = re.compile(keep_pattern(process))
    own = {metric.name for metric in metrics_of(process)}
    foreign = {metric.name for metric in CATALOGUE} - own

    for name in (*foreign, "debug_things_total", "outbox_pending_commands_by_user"):
        assert not keep.fullmatch(name), name


def test_only_the_api_names_its_service_itself() -> None:
    """Where the application's `service` label meets the target's, the target's wins."""
    dropping = [process for process, job in PROCESS_JOBS.items() if job.drops]

    assert dropping == [Process.API]
    assert PROCESS_JOBS[Process.API].drops == ("exported_service",)
