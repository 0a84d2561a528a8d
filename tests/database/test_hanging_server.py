"""A server that takes connections and answers nothing, as one does whose disk hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import pytest

from gx.database.pool import Pool, PoolSettings
from gx.database.ports import DatabaseUnavailableError
from tests.outbox.builders import eventually

CHUNK_BYTES: Final = 65_536
PATIENCE_S: Final = 30.0
"""Ends of what was cancelled are bounded by two seconds; a statement is by a minute."""


@dataclass(slots=True)
class Hanging:
    """Passes bytes on to a server until it is frozen; takes connections even then."""

    host: str
    port: int
    _thawed: asyncio.Event = field(default_factory=asyncio.Event)

    def freeze(self) -> None:
        """Answer nobody any more."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Go on."""
        self._thawed.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        await self._thawed.wait()
        server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        await asyncio.gather(
            self._pass_on(reader, server_writer), self._pass_on(server_reader, writer)
        )

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await self._thawed.wait()
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def hanging(dsn: str) -> AsyncIterator[tuple[Hanging, str]]:
    """Stand between a client and the server of a DSN; yield the way there too."""
    parts = urlsplit(dsn)
    between = Hanging(host=parts.hostname or "127.0.0.1", port=parts.port or 5432)
    between.thaw()
    server = await asyncio.start_server(between.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user = parts.netloc.rpartition("@")[0]
    try:
        yield between, urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))
    finally:
        between.thaw()
        server.close()


@pytest.fixture
async def held(database_dsn: str) -> AsyncIterator[tuple[Hanging, Pool]]:
    """A pool whose server can be frozen."""
    async with hanging(database_dsn) as (between, dsn):
        pool = await Pool.open(
            PoolSettings(dsn=dsn, application_name="gx-hanging", statement_timeout_s=60.0)
        )
        yield between, pool
        between.thaw()
        await pool.close()


async def test_who_is_told_to_stop_stops_though_the_server_hangs(
    held: tuple[Hanging, Pool],
) -> None:
    """A cancelled statement ends as cancelled, and soon: its worker must let go of its lease."""
    between, pool = held
    assert await pool.is_up()
    between.freeze()
    asking = asyncio.create_task(pool.fetch_value("SELECT 1"))
    await eventually(lambda: pool.active == 1)

    asking.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait({asking})

    assert asking.cancelled()
    assert pool.active == 0


async def test_a_transaction_ends_though_the_server_hangs(held: tuple[Hanging, Pool]) -> None:
    """Nothing can be rolled back there; the connection is cut, and the cancellation stays one."""
    between, pool = held
    began = asyncio.Event()

    async def work() -> None:
        async with pool.transaction() as connection:
            between.freeze()
            began.set()
            await connection.execute("SELECT 1")

    working = asyncio.create_task(work())
    await began.wait()
    await asyncio.sleep(0)
    working.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait({working})

    assert working.cancelled()
    assert pool.active == 0


async def test_an_error_in_a_transaction_stays_what_it_was(held: tuple[Hanging, Pool]) -> None:
    """That it could not be rolled back does not hide why it had to be."""
    between, pool = held

    async def work() -> None:
        async with pool.transaction():
            between.freeze()
            raise RuntimeError("halfway")

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(RuntimeError, match="halfway"):
            await work()


async def test_a_server_that_goes_on_is_used_again(held: tuple[Hanging, Pool]) -> None:
    """What was cut is replaced."""
    between, pool = held
    between.freeze()
    with pytest.raises((TimeoutError, DatabaseUnavailableError)):
        async with asyncio.timeout(1):
            await pool.fetch_value("SELECT 1")
    between.thaw()

    assert await pool.fetch_value("SELECT 2") == 2
