"""What every backend process says of its database and its ledger stays true while they hang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gx.database.pool import Pool, PoolSettings
from gx.domain.identifiers import BlockNumber, EpochMs
from gx.ledger.errors import LedgerUnavailableError
from gx.ledger.ports import Block, ChainInfo
from gx.runtime.processes import backend
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import ApiMetrics, build_api_metrics


class ALedger:
    """A ledger that answers, or does not."""

    def __init__(self) -> None:
        self.is_up = True

    async def chain_info(self) -> ChainInfo:
        """Answer or refuse."""
        if not self.is_up:
            raise LedgerUnavailableError("away")
        return ChainInfo(height=0, genesis_hash="", newest_timestamp_ms=EpochMs(0))

    def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Nobody asks here."""
        raise AssertionError(first)


@asynccontextmanager
async def a_silent_database() -> AsyncIterator[Pool]:
    """A server that accepts connections and never says a word, as a frozen one does."""

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dsn = f"postgresql://gx@127.0.0.1:{port}/gx?sslmode=disable"
    pool = await Pool.open(PoolSettings(dsn=dsn, application_name="test"))
    try:
        yield pool
    finally:
        server.close()
        await pool.close()


def some_metrics() -> ApiMetrics:
    """Instruments of a process of the backend."""
    return build_api_metrics(MetricsRegistry(), routes=())


async def eventually_reads(metrics: ApiMetrics, *, database: float, ledger: float) -> None:
    """Wait until both gauges say so."""
    async with asyncio.timeout(30):
        while (metrics.database_up.read(), metrics.ledger_up.read()) != (database, ledger):  # noqa: ASYNC110 (a gauge has no event)
            await asyncio.sleep(0.02)


async def test_a_frozen_database_is_told_within_the_watch_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its last good answer must not stand as the truth: the gauge falls and readiness says why."""
    monkeypatch.setattr(backend, "WATCH_TIMEOUT_S", 0.1)
    monkeypatch.setattr(backend, "WATCH_INTERVAL_S", 0.05)
    metrics = some_metrics()
    metrics.database_up.set(1)
    async with a_silent_database() as pool, backend.watched(pool, ALedger(), metrics) as check:
        await eventually_reads(metrics, database=0, ledger=1)

        assert check.fault() == "PostgreSQL does not answer"


async def test_a_lost_ledger_is_told_and_leaves_readiness_alone(
    monkeypatch: pytest.MonkeyPatch, database_dsn: str
) -> None:
    """Commands are accepted and read models answer without it."""
    monkeypatch.setattr(backend, "WATCH_INTERVAL_S", 0.05)
    metrics, ledger = some_metrics(), ALedger()
    pool = await Pool.open(PoolSettings(dsn=database_dsn, application_name="test"))
    try:
        async with backend.watched(pool, ledger, metrics) as check:
            await eventually_reads(metrics, database=1, ledger=1)
            ledger.is_up = False
            await eventually_reads(metrics, database=1, ledger=0)

            assert check.fault() is None
            assert metrics.pool_max.read() == pool.max
    finally:
        await pool.close()
