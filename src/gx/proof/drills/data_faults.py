"""Faults of the database, of what is in it, and of what callers ask for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import asyncpg

from gx.domain.amounts import SUPPLY_CAP
from gx.proof.drills.faults import LEDGER, PROJECTOR, paused
from gx.proof.drills.playground import ACCOUNT, Playground, beside

POSTGRES: Final = "postgres"
_TOO_MUCH: Final = str(SUPPLY_CAP)
_CALLERS: Final = 4
_FREE: Final = 25
"""Of two hundred: fewer than a fifth are left, and those who work have theirs."""
_BREATH_S: Final = 0.2
_WAITING: Final = 20
_AGED_EVERY_S: Final = 1.0
_FALSE: Final = "-of-a-drill"
_COUNTRIES: Final = "/admin/countries"

_BREAK_READS: Final = "ALTER TABLE countries RENAME TO countries_moved"
_MEND_READS: Final = "ALTER TABLE countries_moved RENAME TO countries"
_FALSIFY: Final = f"UPDATE accounts SET balance = balance + 7 WHERE account_id = '{ACCOUNT}'"  # noqa: S608 (constants) # nosec B608
_CORRECT: Final = f"UPDATE accounts SET balance = balance - 7 WHERE account_id = '{ACCOUNT}'"  # noqa: S608 (constants) # nosec B608
_PARK: Final = """
    INSERT INTO parked_events (channel, block_number, position, event_type, event, reason, actor)
    SELECT channel, 0, 0, 'CoinsMinted', '{}', 'by a drill', 'drill' FROM projection_checkpoints
"""
_UNPARK: Final = "DELETE FROM parked_events WHERE actor = 'drill'"
# The newest of its block: compared is what is older than a turn, and looked at again what differs.
_FALSIFY_RECORD: Final = f"""
    UPDATE command_results SET transaction_id = transaction_id || '{_FALSE}'
     WHERE command_id = (SELECT command_id FROM command_results
                          WHERE outcome = 'COMMITTED' ORDER BY block_number DESC LIMIT 1)
"""  # noqa: S608 (constants) # nosec B608
_CORRECT_RECORD: Final = f"""
    UPDATE command_results SET transaction_id = replace(transaction_id, '{_FALSE}', '')
     WHERE transaction_id LIKE '%{_FALSE}'
"""  # noqa: S608 (constants) # nosec B608
_MIGRATE_AHEAD: Final = """
    INSERT INTO schema_migrations (version, name, checksum, contracts)
    VALUES ('9999', '9999_drill.sql', 'drill', '9998')
"""
_MIGRATE_BACK: Final = "DELETE FROM schema_migrations WHERE version = '9999'"
_AGE: Final = "UPDATE outbox SET accepted_at_ms = 0 WHERE envelope_id IS NULL"
_RENEW: Final = "UPDATE outbox SET accepted_at_ms = now_ms() WHERE accepted_at_ms = 0"


@asynccontextmanager
async def database_paused(play: Playground) -> AsyncIterator[None]:
    """Pause PostgreSQL: it takes connections and answers none."""
    async with paused(play, POSTGRES):
        yield


@asynccontextmanager
async def transaction_left_open(play: Playground) -> AsyncIterator[None]:
    """Begin a transaction and leave it, as a console that somebody forgot does."""
    connection = await play.stack.connect()
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_current_xact_id()")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def connections_used_up(play: Playground) -> AsyncIterator[None]:
    """Open nearly as many connections as PostgreSQL has."""
    async with AsyncExitStack() as opened:
        first = await _open(play, opened)
        most = int(await first.fetchval("SELECT current_setting('max_connections')"))
        used = int(await first.fetchval("SELECT count(*) FROM pg_stat_activity"))
        for _ in range(most - used - _FREE):
            await _open(play, opened)
        yield


async def _open(play: Playground, opened: AsyncExitStack) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await play.stack.connect()
    opened.push_async_callback(connection.close)
    return connection


@asynccontextmanager
async def overdrawn(play: Playground) -> AsyncIterator[None]:
    """Send more commands that the contract refuses than it takes."""

    async def ask() -> None:
        while True:
            await play.mint("drill: more than there may be", amount=_TOO_MUCH)
            await asyncio.sleep(_BREATH_S)

    async with beside(*(ask() for _ in range(_CALLERS))):
        yield


@asynccontextmanager
async def reads_failing(play: Playground) -> AsyncIterator[None]:
    """Take a table away that requests read, as a migration that came too early does."""

    async def read_on() -> None:
        while True:
            await play.read(_COUNTRIES)
            await asyncio.sleep(_BREATH_S)

    await play.execute(_BREAK_READS)
    try:
        async with beside(read_on(), read_on()):
            yield
    finally:
        await play.execute(_MEND_READS)


@asynccontextmanager
async def backlog_old(play: Playground) -> AsyncIterator[None]:
    """Pause the ledger and let what waits for it be older than the API allows: it takes no more."""

    async def age() -> None:
        while True:
            await play.execute(_AGE)
            await asyncio.sleep(_AGED_EVERY_S)

    async with paused(play, LEDGER):
        await play.flood(_WAITING)
        try:
            async with beside(age()):
                yield
        finally:
            await play.execute(_RENEW)


@asynccontextmanager
async def balance_falsified(play: Playground) -> AsyncIterator[None]:
    """Change a balance in the read model by hand."""
    await play.execute(_FALSIFY)
    try:
        yield
    finally:
        await play.execute(_CORRECT)


@asynccontextmanager
async def record_falsified(play: Playground) -> AsyncIterator[None]:
    """Change what a command was answered, before it is compared: that is seconds later."""
    await play.execute(_FALSIFY_RECORD)
    try:
        yield
    finally:
        await play.execute(_CORRECT_RECORD)


@asynccontextmanager
async def migrated_ahead(play: Playground) -> AsyncIterator[None]:
    """Note a migration after which only releases that know it can work."""
    await play.execute(_MIGRATE_AHEAD)
    try:
        yield
    finally:
        await play.execute(_MIGRATE_BACK)


@asynccontextmanager
async def event_parked(play: Playground) -> AsyncIterator[None]:
    """Set an event aside, and have the projector read which there are."""
    await play.execute(_PARK)
    await play.restart(PROJECTOR)
    try:
        yield
    finally:
        await play.execute(_UNPARK)
        await play.restart(PROJECTOR)
