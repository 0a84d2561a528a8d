"""Keeping a lease while its holder works."""

import asyncio
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError, Leases

_log: Final = structlog.get_logger(__name__)


class LeaseKeeper:
    """Renews the lease, and tells when it is lost: taken over, or not renewed for its length."""

    def __init__(self, leases: Leases, lease: Lease, *, lease_s: float) -> None:
        self._leases = leases
        self._lease = lease
        self._lease_s = lease_s

    async def run(self) -> None:
        """Keep the lease for as long as possible.

        Raises:
            LeaseLostError: It is no longer ours, or may be somebody else's.
        """
        loop = asyncio.get_running_loop()
        renewed_at_s = loop.time()
        while True:
            await asyncio.sleep(self._lease_s / 3)
            asked_at_s = loop.time()
            try:
                async with asyncio.timeout_at(renewed_at_s + self._lease_s):
                    is_ours = await self._leases.renew(self._lease, ttl_s=self._lease_s)
            except (DatabaseUnavailableError, TimeoutError) as error:
                _log.warning("lease_not_renewed", lease=self._lease.name, error=error)
                is_ours = loop.time() < renewed_at_s + self._lease_s
            else:
                renewed_at_s = asked_at_s
            if not is_ours:
                raise LeaseLostError(f"the lease {self._lease.name} was lost")
