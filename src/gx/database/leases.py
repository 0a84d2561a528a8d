"""Leases: in PostgreSQL by its clock, and in memory for tests and single processes."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.connections import (
    Connection,
    ConnectionSettings,
    connect,
    unavailable_as_error,
)
from gx.database.ports import Lease, LeaseLostError, Leases
from gx.domain.clock import Clock

# Free, expired, or held by this very holder before it was restarted: in each case with a new
# epoch, so that whoever wrote under the old one is fenced out.
ACQUIRE: Final = """
    INSERT INTO leases AS l (name, holder, epoch, expires_at)
    VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT (name) DO UPDATE
       SET holder = EXCLUDED.holder, epoch = l.epoch + 1, expires_at = EXCLUDED.expires_at
     WHERE l.expires_at <= clock_timestamp() OR l.holder = EXCLUDED.holder
    RETURNING epoch
"""

# An expired lease that nobody took is still this epoch's.
RENEW: Final = """
    UPDATE leases SET expires_at = clock_timestamp() + make_interval(secs => $3)
     WHERE name = $1 AND epoch = $2
    RETURNING epoch
"""

# A lease statement touches one row: a database that takes longer is away, and a standby must turn.
TIMEOUT_S: Final = 2.0

RELEASE: Final = "UPDATE leases SET expires_at = '-infinity' WHERE name = $1 AND epoch = $2"


class PostgresLeases(Leases):
    """Leases as rows, through one connection of their own.

    The connection is made when it is needed and made anew after it broke. Every method raises
    DatabaseUnavailableError while there is none.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = replace(
            settings,
            connect_timeout_s=min(settings.connect_timeout_s, TIMEOUT_S),
            statement_timeout_s=min(settings.statement_timeout_s, TIMEOUT_S),
            lock_timeout_s=min(settings.lock_timeout_s, TIMEOUT_S),
        )
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    @override
    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        epoch = await self._ask(ACQUIRE, name, holder, ttl_s)
        return None if epoch is None else Lease(name=name, holder=holder, epoch=epoch)

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        return await self._ask(RENEW, lease.name, lease.epoch, ttl_s) is not None

    @override
    async def release(self, lease: Lease) -> None:
        await self._ask(RELEASE, lease.name, lease.epoch)

    async def close(self) -> None:
        """Close the connection; a later call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    async def _ask(self, statement: str, *arguments: object) -> int | None:
        async with self._turn:
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = await connect(self._settings, suffix=" lease")
                self._connection = connection
            try:
                with unavailable_as_error():
                    epoch: int | None = await connection.fetchval(statement, *arguments)
            except BaseException:
                # Also after a cancellation: the answer that is still to come is nobody's.
                connection.terminate()
                raise
            return epoch


class MemoryLeases(Leases):
    """The same promises for tests within one process, by a clock that they own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[Lease, int]] = {}

    @override
    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        known = self._held.get(name)
        now_ms = self._clock.now_ms()
        if known is not None and known[1] > now_ms and known[0].holder != holder:
            return None
        epoch = 1 if known is None else known[0].epoch + 1
        lease = Lease(name=name, holder=holder, epoch=epoch)
        self._held[name] = (lease, now_ms + round(ttl_s * 1000))
        return lease

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        if not self.is_newest(lease):
            return False
        self._held[lease.name] = (lease, self._clock.now_ms() + round(ttl_s * 1000))
        return True

    @override
    async def release(self, lease: Lease) -> None:
        if self.is_newest(lease):
            self._held[lease.name] = (lease, 0)

    def is_newest(self, lease: Lease) -> bool:
        """Tell whether nobody has taken the lease over."""
        known = self._held.get(lease.name)
        return known is not None and known[0].epoch == lease.epoch

    def require(self, lease: Lease) -> None:
        """Fence out a holder that was replaced.

        Raises:
            LeaseLostError: Somebody has taken the lease over.
        """
        if not self.is_newest(lease):
            raise LeaseLostError(f"{lease.name} was taken over from {lease.holder}")
