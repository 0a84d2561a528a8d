"""What operators do with the read models: see where they stand, and set an event aside."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from gx.database.pool import Pool, PoolSettings
from gx.domain.identifiers import BlockNumber
from gx.projection.ports import ParkedEvent, ProjectionStatus
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.settings import lease_name
from gx.runtime.inspection import database_dsn
from gx.runtime.settings import CommonSettings, load

__all__ = ["ParkedEvent", "ProjectionStatus"]


@contextlib.asynccontextmanager
async def open_database() -> AsyncIterator[Pool]:
    """Yield a pool on the database of the settings, or of the running local stack."""
    settings = PoolSettings(dsn=database_dsn(), application_name="gx-operator", connections_max=2)
    pool = await Pool.open(settings)
    try:
        yield pool
    finally:
        await pool.close()


async def projection_status() -> tuple[ProjectionStatus, Sequence[ParkedEvent]]:
    """Tell where the projection stands, and what was set aside."""
    channel = load(CommonSettings).channel
    async with open_database() as pool:
        queries = PostgresQueries(pool, channel=channel)
        store = PostgresReadModelStore(pool, channel=channel)
        return await queries.status(lease_name=lease_name(channel)), await store.parked()


async def park_event(block: int, position: int, *, actor: str, reason: str) -> bool:
    """Set aside the event at which the projection stands still; False if it does not stand there.

    Audited with actor and reason.
    """
    async with open_database() as pool:
        store = PostgresReadModelStore(pool, channel=load(CommonSettings).channel)
        return await store.park(BlockNumber(block), position, actor=actor, reason=reason)
