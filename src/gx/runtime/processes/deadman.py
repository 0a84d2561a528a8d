"""The dead-man's receiver's process: `gx deadman`. It needs none of the other processes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import httpx
import structlog

from gx.monitoring.alerts.watching import WATCHDOG
from gx.monitoring.deadman.edge import HeartbeatApp
from gx.monitoring.deadman.instruments import build_deadman_metrics
from gx.monitoring.deadman.receivers import (
    PAGERDUTY,
    SLACK,
    WEBHOOK,
    News,
    NotToldError,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
    read_secret,
)
from gx.monitoring.deadman.state import StateFile
from gx.monitoring.deadman.switch import DeadMansSwitch, SwitchOptions
from gx.monitoring.deadman.watch import Message, Word
from gx.runtime.clock import SystemClock
from gx.runtime.processes.backend import facts_of, run_process
from gx.runtime.settings import DeadmanSettings, MonitoringSettings, SettingsError, load
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes

_log: Final = structlog.get_logger(__name__)

NAME: Final = "deadman"


def run_deadman() -> None:
    """Receive heartbeats, and speak when they stop, until a signal asks to stop."""
    run_process(NAME, _main)


async def _main(stop: asyncio.Event) -> None:
    settings = load(DeadmanSettings)
    token = read_token(settings)
    registry = MetricsRegistry()
    metrics = build_deadman_metrics(registry, facts=facts_of(settings))
    async with open_receivers(settings) as receivers:
        if not receivers:
            _log.warning("nobody_would_be_told", setting="GX_DEADMAN_SLACK_URL_FILE")
        switch = DeadMansSwitch(
            options=options_of(settings),
            receivers=receivers,
            state=StateFile(settings.state_file),
            clock=SystemClock(),
            metrics=metrics,
        )
        server = TelemetryServer(
            registry=registry,
            probes=Probes(live=(switch.turns,), ready=(switch.kept,)),
            port=settings.port,
            host=settings.host,
            wrap=lambda telemetry: HeartbeatApp(switch, telemetry, token=token),
        )
        async with server:
            await switch.run(stop)


def options_of(settings: DeadmanSettings) -> SwitchOptions:
    """Hand the switch its limits."""
    return SwitchOptions(
        period_s=settings.period_s,
        periods_max=settings.periods_max,
        system=settings.system,
        runbook=runbook_page(),
    )


def runbook_page() -> str:
    """Return the address of the page that says what to do when alerting is silent."""
    return f"{load(MonitoringSettings).runbook_base_url.rstrip('/')}/{WATCHDOG.name}"


def read_token(settings: DeadmanSettings) -> str | None:
    """Return what a sender of heartbeats has to know; None if anybody on this machine may.

    Raises:
        SettingsError: The file that is named for it cannot be read, or is empty; or none is named
            although the network can reach it: whoever sends beats would keep it quiet.
    """
    if settings.token_file is None:
        if not _is_loopback(settings.host):
            raise SettingsError(
                f"GX_DEADMAN_HOST is {settings.host}, so anybody there could send heartbeats and "
                "keep it quiet: name a token's file in GX_DEADMAN_TOKEN_FILE"
            )
        return None
    try:
        return read_secret(settings.token_file, setting="GX_DEADMAN_TOKEN_FILE")
    except NotToldError as error:
        raise SettingsError(str(error)) from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def open_receivers(settings: DeadmanSettings) -> AsyncIterator[tuple[Receiver, ...]]:
    """Make the receivers that the settings name."""
    async with httpx.AsyncClient() as client:
        found: list[Receiver] = []
        if path := settings.slack_url_file:
            url = _secret(path, "GX_DEADMAN_SLACK_URL_FILE")
            found.append(SlackReceiver(name=SLACK, client=client, url=url))
        if path := settings.pagerduty_key_file:
            key = _secret(path, "GX_DEADMAN_PAGERDUTY_KEY_FILE")
            url = _always(settings.pagerduty_url)
            found.append(PagerDutyReceiver(name=PAGERDUTY, client=client, url=url, routing_key=key))
        if path := settings.webhook_url_file:
            url = _secret(path, "GX_DEADMAN_WEBHOOK_URL_FILE")
            found.append(WebhookReceiver(name=WEBHOOK, client=client, url=url))
        yield tuple(found)


def _secret(path: Path, setting: str) -> Callable[[], str]:
    return lambda: read_secret(path, setting=setting)


def _always(text: str) -> Callable[[], str]:
    return lambda: text


async def send_test() -> dict[str, str | None]:
    """Tell every receiver of an incident and at once of its end; say what went wrong with each."""
    settings = load(DeadmanSettings)
    incident = f"gx-deadman/{settings.system}/test-{secrets.token_hex(4)}"
    async with open_receivers(settings) as receivers:
        return {each.name: await _fault(each, incident, settings) for each in receivers}


async def _fault(receiver: Receiver, incident: str, settings: DeadmanSettings) -> str | None:
    try:
        for word in Word:
            await receiver.tell(
                News(
                    message=Message(receiver.name, word, incident),
                    system=f"{settings.system} (a test)",
                    silent_s=0,
                    last_beat_at=None,
                    runbook=runbook_page(),
                )
            )
    except NotToldError as error:
        return str(error)
    return None
