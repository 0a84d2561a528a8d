"""The submitter's process: `gx outbox submit`."""

import asyncio
import contextlib
from typing import Final

from gx.database.leases import PostgresLeases
from gx.database.maintenance import Maintenance
from gx.database.pool import Pool
from gx.domain.catalogue import COMMANDS
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal
from gx.outbox.audit import TURN_UNFOUNDED_MAX, OutboxAudit
from gx.outbox.options import SubmitterOptions
from gx.outbox.postgres.audit import PostgresAuditStore
from gx.outbox.postgres.comparing import PostgresAnswerBook
from gx.outbox.postgres.store import PostgresOutboxStore
from gx.outbox.retry import RetryPolicy
from gx.outbox.scheduling import BatchLimits
from gx.outbox.submitter import Submitter, Upkeep
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
    SubmitterSettings,
    load,
    load_database,
)
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat, Probes, ReadinessCheck
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics

NAME: Final = "outbox-submitter"
HEARTBEAT_S: Final = 60.0
"""A frozen PostgreSQL holds a turn of the loop up for the pool's command timeout, 35 s: waiting for
it is no reason to be restarted."""
PROBE: Final = Proposal(
    function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.PARTNER_API
)


def run_submitter() -> None:
    """Submit commands until a signal asks to stop."""
    run_process(NAME, _main)


async def _main(stop: asyncio.Event) -> None:
    common, settings, database = load(CommonSettings), load(SubmitterSettings), load_database()
    registry = MetricsRegistry()
    metrics = build_submitter_metrics(
        registry,
        command_types=tuple(COMMANDS),
        refusal_codes=tuple(code.value for code in RefusalCode),
        facts=facts_of(common, settings, database, ledger_settings(common)),
    )
    connections = pool_settings(database, name=NAME)
    ledger = _measured_ledger(common, metrics)
    leases = PostgresLeases(connections)
    heartbeat = Heartbeat("loop", deadline_s=HEARTBEAT_S)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(connections))
        stack.push_async_callback(leases.close)
        stack.push_async_callback(ledger.close)
        check = await stack.enter_async_context(watched(pool, ledger, metrics))
        chain = ReadinessCheck("chain")
        probes = Probes(live=(heartbeat,), ready=(check, chain))
        port, host = settings.metrics_port, common.metrics_host
        await stack.enter_async_context(
            TelemetryServer(registry=registry, probes=probes, port=port, host=host)
        )
        submitter = Submitter(
            store=PostgresOutboxStore(pool, listening=connections),
            leases=leases,
            ledger=ledger,
            clock=SystemClock(),
            metrics=metrics,
            options=options_of(common, settings),
            upkeep=Upkeep(
                heartbeat=heartbeat,
                chain_check=chain,
                maintain=Maintenance(pool, retention_days=settings.retention_days).run_once,
                audit=_audit(pool, ledger, metrics, channel=common.channel),
            ),
        )
        spare_collections()
        await until_fit(check, stop, heartbeat=heartbeat, worker_status=metrics.worker_status)
        await submitter.run(stop)


def _audit(pool: Pool, ledger: Ledger, metrics: SubmitterMetrics, *, channel: str) -> OutboxAudit:
    return OutboxAudit(
        source=ledger,
        book=PostgresAnswerBook(pool, unfounded_max=TURN_UNFOUNDED_MAX),
        store=PostgresAuditStore(pool, channel=channel),
        clock=SystemClock(),
        metrics=metrics,
    )


def _measured_ledger(common: CommonSettings, metrics: SubmitterMetrics) -> Ledger:
    return open_ledger(
        common,
        on_reendorsed=lambda reason: metrics.reendorsements(reason).inc(),
        on_identity=lambda role, not_after_s: metrics.certificate_expiry_s(role).set(not_after_s),
    )


def options_of(common: CommonSettings, settings: SubmitterSettings) -> SubmitterOptions:
    """Hand the submitter its limits."""
    return SubmitterOptions(
        channel=common.channel,
        holder=holder_name(),
        lease_s=settings.lease_s,
        batching=settings.batching,
        batch=BatchLimits(
            commands_max=settings.batch_commands_max, bytes_max=settings.batch_bytes_max
        ),
        in_flight_max=settings.in_flight_max,
        linger_s=settings.linger_ms / 1_000,
        verdict_timeout_s=settings.verdict_timeout_s,
        drain_s=common.drain_s,
        retry=RetryPolicy(attempts_max=settings.attempts_max),
        probe=PROBE,
    )
