"""The chaincode's process: `gx chaincode serve`."""

import asyncio
import gc
import sys
from typing import Final

from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.repeating import Repeater
from gx.chaincode.server.serving import ChaincodeServer, ServerOptions, TlsFiles, serve
from gx.chaincode.server.stream import StreamLimits
from gx.contracts.chaincode import build_executor
from gx.runtime.contract_calls import ContractCalls, contract_functions
from gx.runtime.processes.backend import facts_of, run_process
from gx.runtime.settings import ChaincodeSettings, CommonSettings, load, load_chaincode
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat, Probes
from gx.telemetry.instruments import ChaincodeMetrics, build_chaincode_metrics

_TLS_IDENTITY: Final = "chaincode_tls"
_BEAT_INTERVAL_S: Final = 1.0
_BEAT_DEADLINE_S: Final = 30.0
# Threads that compute hold the interpreter for this long while the event loop has answers for
# others; the default of 5 ms would be paid at every answer that meets a running batch.
_SWITCH_INTERVAL_S: Final = 0.0005
# What a batch makes is freed by reference counts; a collection in the midst of one finds nothing.
_COLLECTION_THRESHOLDS: Final = (50_000, 20, 50)


class _Serving:
    """Fine while peers can connect."""

    name = "chaincode"

    def __init__(self, server: ChaincodeServer) -> None:
        self._server = server

    def fault(self) -> str | None:
        """Say why peers cannot connect, None when they can."""
        return self._server.problem


def run_chaincode() -> None:
    """Serve the contracts to Fabric's peers until a signal asks to stop."""
    settings = load_chaincode()
    run_process("chaincode", lambda stop: _main(stop, settings))


async def _main(stop: asyncio.Event, settings: ChaincodeSettings) -> None:
    common = load(CommonSettings)
    registry = MetricsRegistry()
    metrics = build_chaincode_metrics(
        registry, functions=contract_functions(), facts=facts_of(common, settings)
    )
    server = _build_server(settings, metrics, drain_s=common.drain_s)
    heartbeat = Heartbeat("event-loop", deadline_s=_BEAT_DEADLINE_S)
    telemetry = TelemetryServer(
        registry=registry,
        probes=Probes(live=(heartbeat,), ready=(_Serving(server),)),
        port=settings.metrics_port,
        host=common.metrics_host,
    )
    beating = asyncio.create_task(_beat(heartbeat))
    try:
        async with telemetry:
            await serve(server, stop=stop, on_ready=_tune_interpreter)
    finally:
        beating.cancel()


def _build_server(
    settings: ChaincodeSettings, metrics: ChaincodeMetrics, *, drain_s: float
) -> ChaincodeServer:
    executor = build_executor(observer=ContractCalls(metrics))
    msps = tuple(name for name in settings.admin_ou_msps.split(",") if name)
    tls = _tls_of(settings)
    if tls is not None:
        metrics.certificate_expiry_s(_TLS_IDENTITY).set(tls.expires_at_s())
    execution = Execution(executor.execute, CallerReader(admin_ou_msps=msps))
    return ChaincodeServer(
        ServerOptions(
            package_id=settings.package_id,
            address=settings.address,
            tls=tls,
            limits=StreamLimits(
                transactions_max=settings.transactions_max,
                transaction_timeout_s=settings.transaction_timeout_s,
                registration_timeout_s=settings.registration_timeout_s,
                message_bytes_max=settings.message_bytes_max,
            ),
            drain_s=drain_s,
        ),
        Repeater(execution, kept_max=settings.repeated_max),
        observe_streams=metrics.connections.set,
    )


def _tls_of(settings: ChaincodeSettings) -> TlsFiles | None:
    certificate, key = settings.tls_certificate, settings.tls_key
    roots = settings.tls_client_roots
    if certificate is None or key is None or roots is None:
        return None
    return TlsFiles(certificate=certificate, key=key, client_roots=roots)


async def _beat(heartbeat: Heartbeat) -> None:
    while True:
        heartbeat.beat()
        await asyncio.sleep(_BEAT_INTERVAL_S)


def _tune_interpreter() -> None:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)
