"""What every process of the backend has: signals, its database pool, and how both sides fare."""

import asyncio
import contextlib
import ctypes
import gc
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Final

import structlog
import uvloop
from pydantic import BaseModel

from gx.database.pool import Pool, PoolSettings
from gx.database.ports import DatabaseUnavailableError
from gx.domain.errors import GxError
from gx.ledger.ports import BlockSource
from gx.runtime.clock import SystemClock
from gx.runtime.processes.schema import SchemaWatch
from gx.runtime.settings import CommonSettings, DatabaseSettings, load
from gx.telemetry.factory import ProcessFacts
from gx.telemetry.health import ReadinessCheck
from gx.telemetry.instruments import BackendMetrics
from gx.telemetry.logs import configure_logging

_log: Final = structlog.get_logger(__name__)

WATCH_INTERVAL_S: Final = 1.0
WATCH_TIMEOUT_S: Final = 2.0

# glibc gives each thread an arena of its own and keeps what a batch's buffers left free there: a
# ledger held a quarter more. mallopt's names are numbers: malloc.h has them.
_ARENAS: Final = (-8, 2)  # M_ARENA_MAX
_OWN_MAPPING_BYTES: Final = (-3, 128 * 1024)  # M_MMAP_THRESHOLD: larger ones go back when freed
_TRIM_BYTES: Final = (-1, 128 * 1024)  # M_TRIM_THRESHOLD

# What serving makes is freed by reference counts; what is left in circles can wait.
_COLLECTION_THRESHOLDS: Final = (50_000, 20, 50)


def run_process(
    name: str, main: Callable[[asyncio.Event], Coroutine[object, object, None]]
) -> None:
    """Run a process's main function on uvloop; SIGTERM and SIGINT set the event it is given."""
    common = load(CommonSettings)
    configure_logging(process=name, clock=SystemClock(), level=common.log_level.lower())
    spare_memory()

    async def supervised() -> None:
        stop = asyncio.Event()
        with _signals(stop):
            _log.info("process_started", process=name)
            await main(stop)
        _log.info("process_stopped", process=name)

    uvloop.run(supervised())


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def spare_memory() -> None:
    """Give freed memory back to the system, where the C library is glibc. Before any thread."""
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        for option in (_ARENAS, _OWN_MAPPING_BYTES, _TRIM_BYTES):
            tune(*option)


def spare_collections() -> None:
    """Never again look for garbage among what was made before serving, and seldom elsewhere.

    A full collection of the API's 100,000 objects stops it for some 90 ms, a submitter's for 20.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)


def facts_of(*settings: BaseModel) -> ProcessFacts:
    """Describe a process by its settings; secrets are masked in them."""
    return ProcessFacts(configuration="\n".join(group.model_dump_json() for group in settings))


def pool_settings(database: DatabaseSettings, *, name: str) -> PoolSettings:
    """Say how this process connects."""
    return PoolSettings(
        dsn=database.dsn.get_secret_value(),
        application_name=f"gx-{name}",
        statement_timeout_s=database.statement_timeout_s,
        connections_max=database.pool_max,
    )


@contextlib.asynccontextmanager
async def open_pool(settings: PoolSettings) -> AsyncIterator[Pool]:
    """Open the process's pool; the database need not be up."""
    pool = await Pool.open(settings)
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def watched(
    pool: Pool, ledger: BlockSource, metrics: BackendMetrics
) -> AsyncIterator[ReadinessCheck]:
    """Keep the gauges of database, pool and ledger true; the check is the database's.

    It passes when the database answers, and its schema is one that this release can work on.

    The ledger is no part of readiness: commands are accepted and read models answer without it.
    """
    check = ReadinessCheck("database", stale_after_s=10 * WATCH_INTERVAL_S)
    schema = SchemaWatch(pool, metrics)
    metrics.pool_max.read_with(lambda: float(pool.max))
    metrics.pool_active.read_with(lambda: float(pool.active))
    metrics.pool_waiting.read_with(lambda: float(pool.waiting))

    async def look_at_database() -> None:
        is_up = await _is_up(pool)
        metrics.database_up.set(float(is_up))
        problem = await _problem_of(schema) if is_up else "PostgreSQL does not answer"
        if problem is None:
            check.passed()
        else:
            check.failed(problem)

    async def look_at_ledger() -> None:
        metrics.ledger_up.set(float(await _answers(ledger)))

    tasks = [
        asyncio.create_task(_repeat(look_at_database), name="database-watch"),
        asyncio.create_task(_repeat(look_at_ledger), name="ledger-watch"),
    ]
    try:
        yield check
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _is_up(pool: Pool) -> bool:
    """Ask, but not for long: a frozen server must not leave its last good answer standing."""
    try:
        async with asyncio.timeout(WATCH_TIMEOUT_S):
            return await pool.is_up()
    except TimeoutError:
        return False


async def _problem_of(schema: SchemaWatch) -> str | None:
    try:
        async with asyncio.timeout(WATCH_TIMEOUT_S):
            return await schema.problem()
    except (DatabaseUnavailableError, TimeoutError):
        return "PostgreSQL does not answer"


async def _answers(ledger: BlockSource) -> bool:
    try:
        async with asyncio.timeout(WATCH_TIMEOUT_S):
            await ledger.chain_info()
    except (GxError, TimeoutError, OSError):
        return False
    return True


async def _repeat(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await look()
        except Exception:  # noqa: BLE001 (a dead watcher leaves its last word as the truth)
            _log.exception("watch_failed")
        await asyncio.sleep(WATCH_INTERVAL_S)


def holder_name() -> str:
    """Name this process as a lease's holder: no two processes, ever, have the same."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
