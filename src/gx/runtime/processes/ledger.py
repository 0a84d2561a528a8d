"""The embedded ledger's process: `gx ledger serve`."""

import asyncio

from gx.contracts.chaincode import build_executor
from gx.domain.clock import Clock
from gx.ledger.local.server import LedgerServer, ServeOptions, serve
from gx.runtime.clock import ShiftedClock, SystemClock
from gx.runtime.contract_calls import ContractCalls, contract_functions
from gx.runtime.processes.backend import facts_of, run_process
from gx.runtime.settings import (
    CommonSettings,
    Environment,
    LedgerSettings,
    SettingsError,
    load,
)
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from gx.telemetry.instruments import build_ledger_metrics


class _Serving:
    """Fine while the ledger can commit."""

    name = "ledger"

    def __init__(self) -> None:
        self.server: LedgerServer | None = None

    def fault(self) -> str | None:
        """Say why the ledger cannot serve, None when it can."""
        return "starting" if self.server is None else self.server.problem


def run_ledger() -> None:
    """Serve the ledger until a signal asks to stop."""
    run_process("ledger", _main)


async def _main(stop: asyncio.Event) -> None:
    common, settings = load(CommonSettings), load(LedgerSettings)
    clock = choose_clock(common, settings)
    registry = MetricsRegistry()
    metrics = build_ledger_metrics(
        registry, functions=contract_functions(), facts=facts_of(common, settings)
    )
    serving = _Serving()
    options = ServeOptions(
        folder=settings.folder,
        socket=settings.socket,
        verify_blocks=settings.verify_blocks_at_start,
        drain_s=common.drain_s,
    )

    async def ready(server: LedgerServer) -> None:
        serving.server = server

    telemetry = TelemetryServer(
        registry=registry,
        probes=Probes(ready=(serving,)),
        port=settings.metrics_port,
        host=common.metrics_host,
    )
    async with telemetry:
        await serve(
            options,
            execute=build_executor(observer=ContractCalls(metrics)).execute,
            clock=clock,
            metrics=metrics,
            stop=stop,
            on_ready=ready,
        )


def choose_clock(common: CommonSettings, settings: LedgerSettings) -> Clock:
    """Return the clock that dates transactions: the real one, or in development a later one.

    Raises:
        SettingsError: an offset outside devnet, where time is other people's, too.
    """
    if settings.clock_offset_s == 0:
        return SystemClock()
    if common.environment is not Environment.DEVNET:
        raise SettingsError(
            "GX_LEDGER_CLOCK_OFFSET_S is for development alone: "
            f"leave it out where GX_ENVIRONMENT is {common.environment}"
        )
    return ShiftedClock(SystemClock(), offset_s=settings.clock_offset_s)
