"""Whether this release can work on the database's schema, asked again and again.

An upgrade migrates first: a process that comes before its migrations waits for them, and one that
is older than the schema works on, unless a contract step took away what it uses.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import structlog

from gx.database.migrations import MigrationError, status
from gx.database.pool import Pool
from gx.telemetry.cells import Gauge
from gx.telemetry.health import Heartbeat, ReadinessCheck
from gx.telemetry.instruments import BackendMetrics
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)

LOOK_AGAIN_S: Final = 30.0
"""A schema that fits is looked at so often: a contract step may come at any time."""
POLL_S: Final = 0.05


class SchemaWatch:
    """Knows what is wrong with the schema, None if nothing is."""

    def __init__(
        self,
        pool: Pool,
        metrics: BackendMetrics,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._monotonic_s = monotonic_s
        self._fitted_at_s: float | None = None
        self._said: str | None = None

    async def problem(self) -> str | None:
        """Say what is wrong, and what to do.

        Raises:
            DatabaseUnavailableError: the database did not answer.
        """
        now_s = self._monotonic_s()
        if self._fitted_at_s is not None and now_s - self._fitted_at_s < LOOK_AGAIN_S:
            return None
        found = await self._read()
        self._fitted_at_s = now_s if found is None else None
        self._metrics.upgrade_needed(UpgradeReason.SCHEMA).set(float(found is not None))
        if found is not None and found != self._said:
            _log.error("schema_does_not_fit", problem=found)
        self._said = found
        return found

    async def _read(self) -> str | None:
        try:
            async with self._pool.acquire() as connection:
                return (await status(connection)).problem
        except MigrationError as error:
            return str(error)


async def until_fit(
    check: ReadinessCheck, stop: asyncio.Event, *, heartbeat: Heartbeat, worker_status: Gauge
) -> None:
    """Return once the database can be worked on, or when told to stop; turning all the while."""
    worker_status.set(1)
    while check.fault() is not None and not stop.is_set():
        heartbeat.beat()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_S)
