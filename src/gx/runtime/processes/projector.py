"""The projector's process: `gx projection run`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from gx.database.leases import PostgresLeases
from gx.domain.events import EVENTS
from gx.projection.ports import WrongChainError
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.projector import Projector
from gx.projection.settings import ProjectionSettings
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_settings import ledger_settings
from gx.runtime.ledgers import open_ledger
from gx.runtime.processes.backend import (
    facts_of,
    holder_name,
    open_pool,
    pool_settings,
    run_process,
    spare_collections,
    watched,
)
from gx.runtime.processes.schema import until_fit
from gx.runtime.settings import (
    CommonSettings,
    ProjectorSettings,
    load,
    load_database,
)
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat, Probes, ReadinessCheck
from gx.telemetry.instruments import build_projector_metrics

_log: Final = structlog.get_logger(__name__)

NAME: Final = "projector"
WRONG_CHAIN_RETRY_S: Final = 10.0
SURELY_RIGHT_S: Final = 2.0
"""A wrong chain is noticed at once; who runs this long is on the right one."""
HEARTBEAT_S: Final = 60.0
"""A frozen PostgreSQL holds a turn of the loop up for the pool's command timeout, 35 s: waiting for
it is no reason to be restarted."""


def run_projector() -> None:
    """Project the ledger's events until a signal asks to stop."""
    run_process(NAME, _main)


async def _main(stop: asyncio.Event) -> None:
    common, settings, database = load(CommonSettings), load(ProjectorSettings), load_database()
    registry = MetricsRegistry()
    metrics = build_projector_metrics(
        registry,
        event_types=tuple(EVENTS),
        channel=common.channel,
        facts=facts_of(common, settings, database, ledger_settings(common)),
    )
    connections = pool_settings(database, name=NAME)
    ledger = open_ledger(
        common,
        on_identity=lambda role, not_after_s: metrics.certificate_expiry_s(role).set(not_after_s),
    )
    leases = PostgresLeases(connections)
    heartbeat = Heartbeat("loop", deadline_s=HEARTBEAT_S)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(connections))
        stack.push_async_callback(leases.close)
        stack.push_async_callback(ledger.close)
        check = await stack.enter_async_context(watched(pool, ledger, metrics))
        chain = ReadinessCheck("chain")
        chain.passed()
        probes = Probes(live=(heartbeat,), ready=(check, chain))
        port, host = settings.metrics_port, common.metrics_host
        await stack.enter_async_context(
            TelemetryServer(registry=registry, probes=probes, port=port, host=host)
        )
        projector = Projector(
            source=ledger,
            store=PostgresReadModelStore(pool, channel=common.channel),
            leases=leases,
            clock=SystemClock(),
            metrics=metrics,
            heartbeat=heartbeat,
            settings=settings_of(common, settings),
        )
        spare_collections()
        await until_fit(check, stop, heartbeat=heartbeat, worker_status=metrics.worker_status)
        await run_on_right_chain(projector.run, chain, stop)


async def run_on_right_chain(
    run: Callable[[asyncio.Event], Awaitable[None]], chain: ReadinessCheck, stop: asyncio.Event
) -> None:
    """Project until told to stop. Another ledger than the projected one is told, not projected.

    The process stays, so that probes and metrics can say what is wrong.
    """
    while not stop.is_set():
        running = asyncio.ensure_future(run(stop))
        try:
            await asyncio.wait({running}, timeout=SURELY_RIGHT_S)
            if not running.done():
                chain.passed()
            await running
        except WrongChainError as error:
            chain.failed(str(error))
            _log.error("wrong_chain_refused", error=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WRONG_CHAIN_RETRY_S)
        finally:
            running.cancel()


def settings_of(common: CommonSettings, settings: ProjectorSettings) -> ProjectionSettings:
    """Hand the projector its limits."""
    return ProjectionSettings(
        channel=common.channel,
        holder=holder_name(),
        lease_s=settings.lease_s,
        chunk_blocks_max=settings.chunk_blocks_max,
        chunk_rows_max=settings.chunk_rows_max,
        commit_gap_s=settings.linger_ms / 1_000,
    )
