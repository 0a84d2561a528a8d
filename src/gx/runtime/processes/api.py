"""The HTTP edge's process: `gx api serve`."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Generator
from dataclasses import asdict, dataclass, replace
from typing import Final

import httpx
import uvicorn
from typing_extensions import override

from gx.api.app import Collaborators, EdgeApp, create_app
from gx.api.areas import UnknownAreaError, parse_areas, routes_of, service_name
from gx.api.issuer import LocalIssuer, jwks_path
from gx.api.ports import RateLimiter
from gx.api.rate_limits import COMMAND, LocalRateLimiter, SharedRateLimiter, open_store
from gx.api.route_table import metric_routes
from gx.api.settings import Allowance, EdgeSettings
from gx.api.signing_keys import SigningKeys, load_from_file, load_from_url
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.database.notifications import Notifier
from gx.database.pool import Pool
from gx.domain.commands import Area
from gx.outbox.admission import Admission
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.postgres.dead_letters import PostgresDeadLetters
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.outbox.postgres.reader import PostgresCommandReader
from gx.outbox.postgres.store import WAKE_UP_CHANNEL
from gx.projection.postgres.queries import PostgresQueries
from gx.runtime.clock import SystemClock
from gx.runtime.ledgers import open_ledger
from gx.runtime.processes.backend import (
    facts_of,
    open_pool,
    pool_settings,
    run_process,
    spare_collections,
    watched,
)
from gx.runtime.settings import (
    ApiSettings,
    CommonSettings,
    SettingsError,
    load,
    load_database,
)
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes, ReadinessCheck
from gx.telemetry.instruments import ApiMetrics, build_api_metrics

NAME: Final = "api"
KEEP_ALIVE_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiChoices:
    """What a command line says about one service; None leaves it to the settings."""

    areas: str | None = None
    port: int | None = None
    metrics_port: int | None = None

    def applied_to(self, settings: ApiSettings) -> ApiSettings:
        """Return the settings with these choices in place of theirs."""
        chosen = {name: value for name, value in asdict(self).items() if value is not None}
        return settings.model_copy(update=chosen)


def run_api(choices: ApiChoices | None = None) -> None:
    """Serve the HTTP API, or some of its areas, until a signal asks to stop.

    Raises:
        SettingsError: there is no such area.
    """
    settings = (choices or ApiChoices()).applied_to(load(ApiSettings))
    areas = _areas_of(settings)
    run_process(NAME, lambda stop: _main(settings, areas, stop))


def _areas_of(settings: ApiSettings) -> frozenset[Area]:
    try:
        return parse_areas(settings.areas)
    except UnknownAreaError as error:
        raise SettingsError(f"GX_API_AREAS: {error}") from error


async def _main(settings: ApiSettings, areas: frozenset[Area], stop: asyncio.Event) -> None:
    common, database = load(CommonSettings), load_database()
    registry = MetricsRegistry()
    routes = routes_of(areas)
    metrics = build_api_metrics(
        registry,
        routes=tuple(metric_routes(routes)),
        service=service_name(areas),
        redis_commands=() if settings.redis_url is None else (COMMAND,),
        facts=facts_of(common, settings, database),
    )
    connections = pool_settings(database, name=NAME)
    ledger = open_ledger(common)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(connections))
        stack.push_async_callback(ledger.close)
        check = await stack.enter_async_context(watched(pool, ledger, metrics))
        notifier = Notifier(connections, WAKE_UP_CHANNEL)
        stack.push_async_callback(notifier.close)
        parts = await _parts(
            stack, settings, pool=pool, notifier=notifier, check=check, metrics=metrics
        )
        probes = Probes(ready=(check,))
        port, host = settings.metrics_port, common.metrics_host
        await stack.enter_async_context(
            TelemetryServer(registry=registry, probes=probes, port=port, host=host)
        )
        app = create_app(replace(parts, routes=routes))
        await _serve(app, settings, stop, drain_s=common.drain_s)


async def _parts(
    stack: contextlib.AsyncExitStack,
    settings: ApiSettings,
    *,
    pool: Pool,
    notifier: Notifier,
    check: ReadinessCheck,
    metrics: ApiMetrics,
) -> Collaborators:
    common = load(CommonSettings)
    inbox = PostgresCommandInbox(pool, new_id=CommandIds(SystemClock(), os.urandom))
    gate = GroupCommitter(
        inbox,
        on_stored=notifier.notify,
        admission=Admission(
            inbox, age_max_s=settings.backlog_age_max_s, monotonic_s=time.monotonic
        ),
        group_max=settings.group_max,
    )
    stack.push_async_callback(gate.close)
    return Collaborators(
        gate=gate,
        reader=PostgresCommandReader(pool, channel=common.channel),
        letters=PostgresDeadLetters(pool),
        queries=PostgresQueries(pool, channel=common.channel),
        tokens=await stack.enter_async_context(_verifier(common, settings)),
        limiter=await stack.enter_async_context(_limiter(settings, metrics)),
        probes=Probes(ready=(check,)),
        metrics=metrics,
        settings=edge_settings(settings),
    )


def edge_settings(settings: ApiSettings) -> EdgeSettings:
    """Hand the edge its limits."""
    return EdgeSettings(
        body_bytes_max=settings.body_bytes_max,
        subject_allowance=Allowance(rate_per_s=settings.rate_per_s, burst=settings.rate_burst),
        address_allowance=Allowance(
            rate_per_s=settings.address_rate_per_s, burst=settings.address_rate_burst
        ),
        wait_timeout_max_s=settings.wait_timeout_max_s,
        streams_max=settings.streams_max,
    )


@contextlib.asynccontextmanager
async def _verifier(common: CommonSettings, settings: ApiSettings) -> AsyncIterator[JwtVerifier]:
    """Trust the issuer's JWKS address; in devnet the local issuer's file stands in for it."""
    policy = TokenPolicy(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        leeway_s=settings.leeway_s,
    )
    async with httpx.AsyncClient() as client:
        if settings.jwks_url is not None:
            keys = SigningKeys(load_from_url(client, settings.jwks_url))
        elif common.environment == "devnet":
            open_issuer(common, settings)
            keys = SigningKeys(load_from_file(jwks_path(settings.keys_dir)))
        else:
            raise SettingsError(
                f"GX_API_JWKS_URL is missing: {common.environment} takes tokens of a real issuer"
            )
        yield JwtVerifier(keys, policy=policy, clock=SystemClock())


def open_issuer(common: CommonSettings, settings: ApiSettings) -> LocalIssuer:
    """Open the development issuer, making its key if there is none.

    Raises:
        IssuerRefusedError: this is no development environment.
    """
    return LocalIssuer.open(
        settings.keys_dir,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        clock=SystemClock(),
        environment=common.environment,
    )


@contextlib.asynccontextmanager
async def _limiter(settings: ApiSettings, metrics: ApiMetrics) -> AsyncIterator[RateLimiter]:
    if settings.redis_url is None:
        yield LocalRateLimiter()
        return
    client = open_store(settings.redis_url.get_secret_value())
    try:
        yield SharedRateLimiter(client, commands=metrics.redis_commands)
    finally:
        await client.aclose()


async def _serve(
    app: EdgeApp, settings: ApiSettings, stop: asyncio.Event, *, drain_s: float
) -> None:
    """Serve until told to stop; then take no new connections and finish what is under way."""
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            # A client's own word about its address would let it choose its rate limit.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            ws="none",
            http="httptools",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(max(1, drain_s)),
        )
    )
    spare_collections()
    serving = asyncio.create_task(server.serve(), name="http")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    app.drain()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """A uvicorn inside a process that has signal handlers of its own."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
