"""Keeping a lease for as long as the work under it takes."""

import asyncio
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, Leases

_log: Final = structlog.get_logger(__name__)


async def keep_lease(leases: Leases, lease: Lease, *, ttl_s: float) -> None:
    """Renew the lease every third of its time; return when it is lost, or surely expired."""
    loop = asyncio.get_running_loop()
    renewed_s = loop.time()
    while loop.time() - renewed_s < ttl_s:
        await asyncio.sleep(ttl_s / 3)
        begun_s = loop.time()
        try:
            if not await leases.renew(lease, ttl_s=ttl_s):
                _log.warning("lease_lost", name=lease.name, epoch=lease.epoch)
                return
        except DatabaseUnavailableError as error:
            _log.warning("lease_not_renewed", name=lease.name, error=str(error))
        else:
            renewed_s = begun_s
