"""The faults, each really made and really ended. What a fault began, its end takes back."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from gx.client.client import GxClient, open_client
from gx.client.transport import ClientSettings
from gx.domain.roles import TokenRole
from gx.monitoring.model import SCRAPE_INTERVAL_S
from gx.proof.drills.places import POOL_MAX
from gx.proof.drills.playground import POISON, Playground, beside

LEDGER: Final = "ledger"
API: Final = "api"
PROJECTOR: Final = "projector"
SUBMITTER: Final = "outbox-submitter"

_FLOOD: Final = 650
_POISONED: Final = 60
_SLOW_S: Final = 1.6
_BREATH_S: Final = 0.05
# Two calls in flight fail twice, a second each: one failure fewer than opens the circuit breaker.
_SILENT_S: Final = 2.2
_ANSWERING_S: Final = 0.3
_SCRAPE_MAX_S: Final = 10.0
_SCRAPES_SEEN: Final = 3
_READ_PATH: Final = "/admin/countries"

# As after a release that forgot an argument: the command can be stored and never be sent.
_POISON_ON: Final = (
    (
        "CREATE FUNCTION drill_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.arguments->>'remark' = '{POISON}' THEN "
        "NEW.arguments := '{}'::jsonb; END IF; RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER drill_poison BEFORE INSERT ON commands FOR EACH ROW "
        "EXECUTE FUNCTION drill_poison()"
    ),
)
_POISON_OFF: Final = ("DROP TRIGGER drill_poison ON commands", "DROP FUNCTION drill_poison()")
_FOLDS_FAIL_ON: Final = (
    (
        "CREATE FUNCTION drill_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'refused by a drill'; END $$"
    ),
    (
        "CREATE TRIGGER drill_refuse BEFORE INSERT ON account_entries FOR EACH ROW "
        "EXECUTE FUNCTION drill_refuse()"
    ),
)
_FOLDS_FAIL_OFF: Final = (
    "DROP TRIGGER drill_refuse ON account_entries",
    "DROP FUNCTION drill_refuse()",
)
_LOCK: Final = "LOCK TABLE countries IN ACCESS EXCLUSIVE MODE"


@asynccontextmanager
async def paused(play: Playground, name: str) -> AsyncIterator[None]:
    """Pause a process: it keeps its ports and answers nobody, and nobody starts another."""
    play.stack.send(name, signal.SIGSTOP)
    try:
        yield
    finally:
        play.stack.send(name, signal.SIGCONT)


@asynccontextmanager
async def ledger_stopped(play: Playground) -> AsyncIterator[None]:
    """Stop the ledger while many commands arrive."""
    async with paused(play, LEDGER), beside(play.flood(_FLOOD)):
        yield


@asynccontextmanager
async def ledger_in_bursts(play: Playground) -> AsyncIterator[None]:
    """Let the ledger answer for a moment, and then not for longer than its callers wait."""

    async def burst() -> None:
        while True:
            play.stack.send(LEDGER, signal.SIGSTOP)
            await asyncio.sleep(_SILENT_S)
            play.stack.send(LEDGER, signal.SIGCONT)
            await asyncio.sleep(_ANSWERING_S)

    try:
        async with beside(burst()):
            yield
    finally:
        play.stack.send(LEDGER, signal.SIGCONT)


@asynccontextmanager
async def api_stopped(play: Playground) -> AsyncIterator[None]:
    """Pause the API."""
    async with paused(play, API):
        yield


@asynccontextmanager
async def folds_failing(play: Playground) -> AsyncIterator[None]:
    """Let the database refuse what the projector writes."""
    await play.execute(*_FOLDS_FAIL_ON)
    try:
        yield
    finally:
        await play.execute(*_FOLDS_FAIL_OFF)


@asynccontextmanager
async def poisoned(play: Playground) -> AsyncIterator[None]:
    """Have commands accepted that the ledger cannot take; their end: an operator discards them."""

    async def poison() -> None:
        await play.flood(_POISONED, remark=POISON, at_once=4)
        while True:
            await play.mint(POISON)
            await asyncio.sleep(1)

    await play.execute(*_POISON_ON)
    try:
        async with beside(poison()):
            yield
    finally:
        await play.execute(*_POISON_OFF)
        await _discard_dead_letters(play)


async def _discard_dead_letters(play: Playground) -> None:
    settings = ClientSettings(
        base_url=play.stack.places.url("api"), token=play.stack.token(TokenRole.SUPER_ADMIN)
    )
    async with open_client(settings) as client:
        while await _discard_page(client):
            pass


async def _discard_page(client: GxClient) -> int:
    page = await client.dead_letters(limit=200)
    for letter in page.items:
        await client.discard_dead_letter(letter.command_id, reason="sent by a drill")
    return len(page.items)


@asynccontextmanager
async def api_slowed(play: Playground) -> AsyncIterator[None]:
    """Make whoever reads countries wait for a lock, again and again, for more than a second."""

    async def slow() -> None:
        connection = await play.stack.connect()
        try:
            while True:
                async with connection.transaction():
                    await connection.execute(_LOCK)
                    await asyncio.sleep(_SLOW_S)
                await asyncio.sleep(_BREATH_S)
        finally:
            await connection.close()

    async with beside(slow(), _read_on(play), _read_on(play)):
        yield


@asynccontextmanager
async def connections_held(play: Playground) -> AsyncIterator[None]:
    """Let as many requests as the API has connections wait for a lock that is not given back."""
    connection = await play.stack.connect()
    try:
        async with connection.transaction():
            await connection.execute(_LOCK)
            async with beside(*(_read_on(play) for _ in range(2 * POOL_MAX))):
                yield
    finally:
        await connection.close()


async def _read_on(play: Playground) -> None:
    while True:
        await play.read(_READ_PATH)
        await asyncio.sleep(_BREATH_S)


@asynccontextmanager
async def restarting(play: Playground) -> AsyncIterator[None]:
    """Kill the projector again and again; its supervisor starts it anew each time."""

    async def kill() -> None:
        while True:
            await _until_scraped(play)
            play.stack.send(PROJECTOR, signal.SIGKILL)

    async with beside(kill()):
        yield


async def _until_scraped(play: Playground) -> None:
    """Wait until a process that just started answers, and give Prometheus time to see it."""
    url = f"{play.stack.places.url('projector')}/metrics"
    async with httpx.AsyncClient(trust_env=False, timeout=_SCRAPE_MAX_S) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                await client.get(url)
                break
            await asyncio.sleep(_BREATH_S)
    await asyncio.sleep(_SCRAPES_SEEN * play.stack.places.scale.seconds(SCRAPE_INTERVAL_S))


@asynccontextmanager
async def cpu_burnt(play: Playground) -> AsyncIterator[None]:
    """Let the stand-in use more CPU than it may."""
    await play.order_stand_in("burn")
    try:
        yield
    finally:
        await play.order_stand_in("calm")


@asynccontextmanager
async def memory_filled(play: Playground) -> AsyncIterator[None]:
    """Let the stand-in keep nearly as much memory as it may."""
    await play.order_stand_in("fill")
    try:
        yield
    finally:
        await play.order_stand_in("empty")
