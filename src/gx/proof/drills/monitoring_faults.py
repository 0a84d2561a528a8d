"""Faults of the monitoring itself: programs that end, and configurations that are wrong."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import yaml

from gx.domain.errors import GxError
from gx.monitoring.jobs import JOBS, REDIS_JOB
from gx.monitoring.local import RULES_FILE
from gx.monitoring.model import Component, Severity
from gx.proof.drills.faults import paused
from gx.proof.drills.monitoring import NAMESPACE, ROUTES_FILE, SCRAPES_FILE
from gx.proof.drills.places import MONITORED_AS, free_ports
from gx.proof.drills.playground import Playground, beside
from gx.proof.sink import SLACK_PATH
from gx.runtime.clock import SystemClock
from gx.runtime.local_stack import HOST
from gx.telemetry.metric import Process

PROMETHEUS: Final = "prometheus"
ALERTMANAGER: Final = "alertmanager"
EXPORTER: Final = "postgres_exporter"
_NOT_FOUND: Final = 404
_SEND_EVERY_S: Final = 2.0
_TIMEOUT_S: Final = 60.0
_KEEP_NOTHING: Final = {"source_labels": ["__name__"], "regex": "nothing", "action": "keep"}
_TWO_ON_ONE_SIDE: Final = 'up{job=~"gx-.+"} * on (namespace) up{job=~"gx-.+"}'


class NotReloadedError(GxError):
    """A program did not take a configuration that it should, or took one that it should not."""


@asynccontextmanager
async def _killed(play: Playground, name: str) -> AsyncIterator[None]:
    await play.stack.end(name, signal.SIGKILL)
    try:
        yield
    finally:
        await play.stack.start(name)


@asynccontextmanager
async def prometheus_killed(play: Playground) -> AsyncIterator[None]:
    """Kill Prometheus: no alert can fire any more."""
    async with _killed(play, PROMETHEUS):
        yield


@asynccontextmanager
async def alertmanager_killed(play: Playground) -> AsyncIterator[None]:
    """Kill Alertmanager: alerts fire, and nobody can be told."""
    async with _killed(play, ALERTMANAGER):
        yield


@asynccontextmanager
async def exporter_paused(play: Playground) -> AsyncIterator[None]:
    """Pause the exporter of PostgreSQL: its scrapes fail."""
    async with paused(play, EXPORTER):
        yield


@asynccontextmanager
async def database_unreached(play: Playground) -> AsyncIterator[None]:
    """Start the exporter of PostgreSQL with an address at which nobody listens."""
    (port,) = free_ports({"nobody": ""}).values()
    wrong = f"postgresql://gx@{HOST}:{port}/gx?sslmode=disable"
    play.stack.told_wrong[EXPORTER] = {"DATA_SOURCE_NAME": wrong}
    await _restart(play, EXPORTER)
    try:
        yield
    finally:
        del play.stack.told_wrong[EXPORTER]
        await _restart(play, EXPORTER)


async def _restart(play: Playground, name: str) -> None:
    await play.stack.end(name)
    await play.stack.start(name)


@asynccontextmanager
async def filter_broken(play: Playground) -> AsyncIterator[None]:
    """Have a job's filter keep nothing of what its target says."""

    def change(text: str) -> str:
        document = yaml.safe_load(text)
        for job in document["scrape_configs"]:
            if job["job_name"] == REDIS_JOB.name:
                job["metric_relabel_configs"] = [_KEEP_NOTHING]
        return str(yaml.safe_dump(document))

    async with _rewritten(play, PROMETHEUS, SCRAPES_FILE, change):
        yield


@asynccontextmanager
async def target_removed(play: Playground) -> AsyncIterator[None]:
    """Take a target out of the scrape configuration, as a Service that lost its label does."""

    def change(text: str) -> str:
        document = yaml.safe_load(text)
        kept = [
            job for job in document["scrape_configs"] if job["job_name"] != JOBS[Process.LEDGER]
        ]
        return str(yaml.safe_dump({**document, "scrape_configs": kept}))

    async with _rewritten(play, PROMETHEUS, SCRAPES_FILE, change):
        yield


@asynccontextmanager
async def rule_broken(play: Playground) -> AsyncIterator[None]:
    """Load a rule that finds two partners for one sample."""

    def change(text: str) -> str:
        document = yaml.safe_load(text)
        rule = {"record": "drill:broken", "expr": _TWO_ON_ONE_SIDE}
        groups = [*document["groups"], {"name": "drill", "rules": [rule]}]
        return str(yaml.safe_dump({"groups": groups}))

    async with _rewritten(play, PROMETHEUS, RULES_FILE, change):
        yield


@asynccontextmanager
async def configuration_broken(play: Playground) -> AsyncIterator[None]:
    """Have Alertmanager reload a configuration that it cannot read; it keeps the one before."""

    def change(text: str) -> str:
        return text.replace("receivers:", "recievers:")

    async with _rewritten(play, ALERTMANAGER, ROUTES_FILE, change, is_taken=False):
        yield


@asynccontextmanager
async def _rewritten(
    play: Playground,
    program: str,
    file: str,
    change: Callable[[str], str],
    *,
    is_taken: bool = True,
) -> AsyncIterator[None]:
    path = play.stack.monitoring.folder / file
    before = await asyncio.to_thread(path.read_text)
    await _write(play, program, path, change(before), is_taken=is_taken)
    try:
        yield
    finally:
        await _write(play, program, path, before, is_taken=True)


async def _write(play: Playground, program: str, path: Path, text: str, *, is_taken: bool) -> None:
    await asyncio.to_thread(path.write_text, text)
    if await play.stack.reload(program) is not is_taken:
        raise NotReloadedError(f"{program}: reload of {path.name} should be taken: {is_taken}")


@asynccontextmanager
async def slack_wrong(play: Playground) -> AsyncIterator[None]:
    """Have Slack know nothing of one channel's address, while an alert is to be told there."""
    path = f"{SLACK_PATH}/{Component.API.value}"
    play.stack.sink.refuse(path, _NOT_FOUND)
    try:
        async with beside(_tell_on(play)):
            yield
    finally:
        play.stack.sink.accept(path)


async def _tell_on(play: Playground) -> None:
    """Send an alert that belongs to that channel, as Prometheus would: again and again."""
    labels = {
        "alertname": "DrillOfAWrongAddress",
        "severity": Severity.WARNING.value,
        "component": Component.API.value,
        "environment": MONITORED_AS,
        "namespace": NAMESPACE,
    }
    url = f"{play.stack.places.url(ALERTMANAGER)}/api/v2/alerts"
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
        while True:
            now = datetime.fromtimestamp(SystemClock().now_ms() / 1_000, UTC)
            ends = now + timedelta(seconds=5 * _SEND_EVERY_S)
            await client.post(url, json=[{"labels": labels, "endsAt": ends.isoformat()}])
            await asyncio.sleep(_SEND_EVERY_S)
