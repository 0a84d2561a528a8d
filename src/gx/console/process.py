"""The console's process: `gx console serve`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from gx.console.app import Collaborators, create_app
from gx.console.pages import Pages
from gx.console.prometheus import Prometheus
from gx.console.relay import Relay
from gx.console.runbooks import RunbookShelf
from gx.console.sources import Source, open_http
from gx.runtime.clock import SystemClock
from gx.runtime.settings import CommonSettings, ConsoleSettings, load
from gx.telemetry.logs import configure_logging

_log: Final = structlog.get_logger(__name__)

NAME: Final = "console"
STOP_WITHIN_S: Final = 2


def run_console() -> None:
    """Serve the console until a signal asks to stop."""
    common = load(CommonSettings)
    configure_logging(process=NAME, clock=SystemClock(), level=common.log_level.lower())
    asyncio.run(_serve(common, load(ConsoleSettings)))


@contextlib.asynccontextmanager
async def open_console(common: CommonSettings, settings: ConsoleSettings) -> AsyncIterator[FastAPI]:
    """Yield the application; its connections are released at the end."""
    shelf = RunbookShelf.open()
    async with open_http() as client:
        api = Source("The API", settings.api_url, client)
        yield create_app(
            Collaborators(
                prometheus=Prometheus(Source("Prometheus", settings.prometheus_url, client)),
                alertmanager=Source("Alertmanager", settings.alertmanager_url, client),
                api=api,
                relay=Relay(api, client),
                shelf=shelf,
                pages=Pages(shelf),
                clock=SystemClock(),
                environment=common.environment.value,
                scrape_interval_s=settings.scrape_interval_s,
                hosts=settings.allowed,
            )
        )


async def _serve(common: CommonSettings, settings: ConsoleSettings) -> None:
    """Serve; uvicorn's own signal handlers end it."""
    async with open_console(common, settings) as app:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=STOP_WITHIN_S,
            )
        )
        _log.info("process_started", host=settings.host, port=settings.port)
        await server.serve()
        _log.info("process_stopped")
