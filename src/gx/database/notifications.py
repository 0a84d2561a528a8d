"""Wake-ups between processes: NOTIFY and LISTEN, each on a connection of its own.

A wake-up is a hint. It may be lost with its connection, so a listener also looks by itself now
and then; and it never rides in the transaction it tells of, because PostgreSQL would then commit
such transactions one at a time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import asyncpg
import structlog

from gx.database.connections import (
    Connection,
    ConnectionSettings,
    connect,
    unavailable_as_error,
)
from gx.database.ports import DatabaseUnavailableError

_log: Final = structlog.get_logger(__name__)

NOTIFY_GAP_S: Final = 0.003
"""At most one NOTIFY in this time: they cost a commit each and their news is always the same."""

RECONNECT_S: Final = 0.5


class Notifier:
    """Sends coalesced wake-ups on one channel. `notify` never waits and never fails."""

    def __init__(self, settings: ConnectionSettings, channel: str) -> None:
        self._settings = settings
        self._statement = f'NOTIFY "{channel}"'
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Ask for a wake-up to be sent soon."""
        self._asked.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_when_asked())

    async def close(self) -> None:
        """Stop sending."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _send_when_asked(self) -> None:
        connection: Connection | None = None
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                connection = await self._send(connection)
                await asyncio.sleep(NOTIFY_GAP_S if connection else RECONNECT_S)
        finally:
            if connection is not None:
                connection.terminate()

    async def _send(self, connection: Connection | None) -> Connection | None:
        """Send one wake-up; None when it was lost, because listeners look by themselves too."""
        try:
            if connection is None or connection.is_closed():
                connection = await connect(self._settings, suffix=" notify")
            with unavailable_as_error():
                await connection.execute(self._statement)
        except (DatabaseUnavailableError, asyncpg.PostgresError) as error:
            _log.warning("wake_up_lost", error=error)
            if connection is not None:
                connection.terminate()
            return None
        return connection


async def listen(settings: ConnectionSettings, channel: str) -> AsyncIterator[None]:
    """Yield once now, and then for each bunch of notifications on the channel, without end.

    A broken connection is made anew; it yields once it is back, because something may have been
    missed. Close the iterator to close the connection.
    """
    while True:
        try:
            connection = await connect(settings, suffix=" listen")
        except (DatabaseUnavailableError, asyncpg.PostgresError) as error:
            _log.warning("listening_failed", channel=channel, error=error)
            await asyncio.sleep(RECONNECT_S)
            continue
        try:
            async for _ in _news(connection, channel):
                yield None
        finally:
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()
        _log.warning("listening_interrupted", channel=channel)
        await asyncio.sleep(RECONNECT_S)


async def _news(connection: Connection, channel: str) -> AsyncIterator[None]:
    """Yield once now and for each bunch of notifications, until the connection ends."""
    news = asyncio.Event()
    news.set()
    connection.add_termination_listener(lambda _: news.set())
    try:
        await connection.add_listener(channel, lambda *_: news.set())
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return
    while not connection.is_closed():
        await news.wait()
        news.clear()
        yield None
