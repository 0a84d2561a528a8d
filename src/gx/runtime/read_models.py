"""What operators do with the read models: see where they stand, set an event aside, rebuild."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings
from gx.domain.identifiers import BlockNumber
from gx.projection.ports import ParkedEvent, ProjectionStatus
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.rebuild import Rebuild, RebuildProgress, RebuildRequest
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.settings import lease_name
from gx.runtime.inspection import database_dsn, open_client
from gx.runtime.processes.backend import holder_name
from gx.runtime.settings import CommonSettings, load

__all__ = ["ParkedEvent", "ProjectionStatus", "RebuildProgress", "RebuildRequest"]


@contextlib.asynccontextmanager
async def open_database() -> AsyncIterator[Pool]:
    """Yield a pool on the database of the settings, or of the running local stack."""
    pool = await Pool.open(_settings())
    try:
        yield pool
    finally:
        await pool.close()


def _settings() -> PoolSettings:
    return PoolSettings(dsn=database_dsn(), application_name="gx-operator", connections_max=4)


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


async def rebuild_projection(
    request: RebuildRequest, on_progress: Callable[[RebuildProgress], None]
) -> RebuildProgress:
    """Build the read models anew beside the live ones, and let them change places.

    Raises:
        GxError: as `gx.projection.postgres.rebuild.Rebuild.run`; the live ones are as they were.
    """
    ledger, leases = open_client(), PostgresLeases(_settings())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(ledger.close)
        stack.push_async_callback(leases.close)
        rebuild = Rebuild(
            source=ledger,
            pool=await stack.enter_async_context(open_database()),
            leases=leases,
            channel=load(CommonSettings).channel,
            holder=holder_name(),
        )
        return await rebuild.run(request, on_progress)
