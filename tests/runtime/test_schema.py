"""A process works on a schema that it knows enough of, waits for one that it does not, says so."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gx.database.migrations import load_migrations, migrate
from gx.database.pool import Pool, PoolSettings
from gx.runtime.processes.schema import LOOK_AGAIN_S, SchemaWatch, until_fit
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat, ReadinessCheck
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics
from gx.telemetry.upgrades import UpgradeReason

NEWEST = load_migrations()[-1]
CONTRACT = """
    INSERT INTO schema_migrations (version, name, checksum, contracts)
    VALUES ('9999', '9999_b.sql', '', '9998')
"""
FORGET_NEWEST = """
    DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)
"""


class Clock:
    """A monotonic clock that a test turns."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
async def pool(bare_database_dsn: str) -> AsyncIterator[Pool]:
    """Connections to a database without a schema."""
    opened = await Pool.open(PoolSettings(dsn=bare_database_dsn, application_name="test"))
    yield opened
    await opened.close()


@pytest.fixture
def metrics() -> SubmitterMetrics:
    """Instruments of one of the processes that ask."""
    return build_submitter_metrics(MetricsRegistry(), command_types=(), refusal_codes=())


async def execute(dsn: str, statement: str) -> None:
    """Change the database behind the process's back."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_missing_migrations_are_waited_for(
    pool: Pool, metrics: SubmitterMetrics, bare_database_dsn: str
) -> None:
    """A newer process on an older schema does nothing but say what is missing."""
    watch = SchemaWatch(pool, metrics)
    needed = metrics.upgrade_needed(UpgradeReason.SCHEMA)

    empty = await watch.problem()
    assert needed.read() == 1
    await migrate(bare_database_dsn)
    await execute(bare_database_dsn, FORGET_NEWEST)
    behind = await watch.problem()

    assert empty is not None
    assert behind is not None
    assert f"1 migrations are missing, the first is {NEWEST.name}" in behind


async def test_an_older_process_works_on_what_was_only_added(
    pool: Pool, metrics: SubmitterMetrics, bare_database_dsn: str
) -> None:
    """Until a contract step takes away what it uses; then it is told within half a minute."""
    clock = Clock()
    watch = SchemaWatch(pool, metrics, monotonic_s=clock)
    needed = metrics.upgrade_needed(UpgradeReason.SCHEMA)
    await migrate(bare_database_dsn)
    added = CONTRACT.replace("'9998'", "NULL").replace("9999", "9997")
    await execute(bare_database_dsn, added)

    assert await watch.problem() is None
    assert needed.read() == 0
    await execute(bare_database_dsn, CONTRACT)
    assert await watch.problem() is None
    clock.now_s = LOOK_AGAIN_S
    problem = await watch.problem()
    assert problem is not None
    assert "releases that know migration 9998, and this one does not" in problem
    assert needed.read() == 1


async def test_a_worker_begins_when_the_schema_fits(metrics: SubmitterMetrics) -> None:
    """It turns while it waits, so that nobody restarts it, and is not called stopped."""
    check, stop = ReadinessCheck("database"), asyncio.Event()
    heartbeat = Heartbeat("loop", deadline_s=1.0)
    waiting = asyncio.create_task(
        until_fit(check, stop, heartbeat=heartbeat, worker_status=metrics.worker_status)
    )
    await asyncio.sleep(0.1)
    assert not waiting.done()
    assert heartbeat.fault() is None
    assert metrics.worker_status.read() == 1

    check.passed()
    await asyncio.wait_for(waiting, 60)


async def test_a_worker_that_waits_can_be_stopped(metrics: SubmitterMetrics) -> None:
    """A signal ends the waiting, too."""
    stop = asyncio.Event()
    stop.set()

    await until_fit(
        ReadinessCheck("database"),
        stop,
        heartbeat=Heartbeat("loop", deadline_s=1.0),
        worker_status=metrics.worker_status,
    )
