"""A bounded set of PostgreSQL connections that counts itself.

LISTEN and lease connections are not of it: a pool that is exhausted must neither lose a lease
nor miss a wake-up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import asyncpg
from typing_extensions import override

from gx.database.connections import Connection, ConnectionSettings, unavailable_as_error
from gx.database.ports import DatabaseUnavailableError

PooledConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy
_Pool: TypeAlias = asyncpg.Pool

IDLE_LIFETIME_S: Final = 300.0
CLOSE_TIMEOUT_S: Final = 5.0
RELEASE_TIMEOUT_S: Final = 2.0
"""A statement that was cancelled has so long to end; else its connection is cut."""
_CLIENT_ERRORS: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings(ConnectionSettings):
    """A pool's limits beside those of its connections."""

    connections_max: int = 8
    acquire_timeout_s: float = 5.0


class _UnchangedSession(asyncpg.Connection):
    """A connection whose users leave its session as they found it.

    So it needs no clean-up statement, which would double the round trips of short work. A
    transaction that was left open is still undone.

    Only after an error there is one. asyncpg prepares a statement with Parse, Flush; who is
    cancelled (or gives an argument that cannot be encoded) before its Bind, Sync leaves the server
    in a transaction of which the client knows nothing: it would hold its snapshot, and the next
    user's BEGIN would be refused. Any simple statement ends it.
    """

    was_interrupted = False

    def note_interruption(self) -> None:
        """Remember that the last user ended with an error."""
        self.was_interrupted = True

    @override
    def get_reset_query(self) -> str:
        query = "SELECT 1" if self.was_interrupted else ""
        self.was_interrupted = False
        return query


class Pool:
    """Connections for short units of work. Needs no database to be opened.

    Users must not change a session (no SET but SET LOCAL, no LISTEN, no session locks).
    A connection that broke is replaced when it is next asked for, so a restarted server is used
    again without anybody's help. Every method raises DatabaseUnavailableError when the server, or
    a free connection, cannot be had in time; other errors are asyncpg's own.
    """

    def __init__(self, pool: _Pool, settings: PoolSettings) -> None:
        self._pool = pool
        self.settings: Final = settings
        self.active = 0
        """Connections in use now."""
        self.waiting = 0
        """Callers that wait for a connection now."""

    @classmethod
    async def open(cls, settings: PoolSettings) -> Self:
        """Make a pool; it connects when it is first used."""
        pool = await asyncpg.create_pool(
            settings.dsn,
            connection_class=_UnchangedSession,
            min_size=0,
            max_size=settings.connections_max,
            max_inactive_connection_lifetime=IDLE_LIFETIME_S,
            timeout=settings.connect_timeout_s,
            command_timeout=settings.command_timeout_s,
            server_settings=settings.server_settings(),
        )
        return cls(pool, settings)

    @property
    def max(self) -> int:
        """Return how many connections there may be."""
        return self.settings.connections_max

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[PooledConnection]:
        """Lend a connection for the length of an `async with`.

        Raises:
            DatabaseUnavailableError: None was free in time, or it broke in use.
        """
        with unavailable_as_error():
            connection = await self._lend()
            self.active += 1
            try:
                yield connection
            except BaseException:
                _note_interruption(connection)
                raise
            finally:
                self.active -= 1
                # Its own TimeoutError would hide how the work ended, a cancellation above all: a
                # task that was told to stop would go on. The connection is cut by then.
                with suppress(TimeoutError):
                    await self._pool.release(connection, timeout=RELEASE_TIMEOUT_S)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PooledConnection]:
        """Lend a connection in a transaction that commits at the end, or is undone by an error."""
        async with self.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
            except BaseException:
                await _undo(transaction, connection)
                raise
            await transaction.commit()

    async def execute(self, statement: str, *arguments: object) -> str:
        """Run one statement as its own transaction and return its tag."""
        async with self.acquire() as connection:
            return await connection.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement and return its rows."""
        async with self.acquire() as connection:
            return await connection.fetch(statement, *arguments)

    async def fetch_one(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """Run one statement and return its first row, if any."""
        async with self.acquire() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetch_value(self, statement: str, *arguments: object) -> object:
        """Run one statement and return the first column of its first row."""
        async with self.acquire() as connection:
            value: object = await connection.fetchval(statement, *arguments)
            return value

    async def is_up(self) -> bool:
        """Tell whether the database answers a statement now."""
        try:
            await self.execute("SELECT 1")
        except (DatabaseUnavailableError, asyncpg.PostgresError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection; those still in use are cut after a few seconds."""
        try:
            with unavailable_as_error():
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._pool.close()
        except DatabaseUnavailableError:
            self._pool.terminate()

    async def _lend(self) -> PooledConnection:
        self.waiting += 1
        try:
            return await self._pool.acquire(timeout=self.settings.acquire_timeout_s)
        finally:
            self.waiting -= 1


async def _undo(transaction: asyncpg.transaction.Transaction, connection: PooledConnection) -> None:
    """Roll back, or cut the connection, which does the same: a server that hangs is not waited for.

    asyncpg's own way out of a transaction would wait for as long as a statement may take, and then
    raise that, whatever had ended the work.
    """
    try:
        async with asyncio.timeout(RELEASE_TIMEOUT_S):
            await transaction.rollback()
    except (OSError, TimeoutError, asyncpg.PostgresError, *_CLIENT_ERRORS):
        connection.terminate()


def _note_interruption(connection: PooledConnection) -> None:
    # The proxy passes methods on; where the connection broke there is none behind it any more.
    note: Callable[[], None] | None = getattr(connection, "note_interruption", None)
    if note is not None:
        note()


__all__ = ["Connection", "Pool", "PoolSettings", "PooledConnection"]
