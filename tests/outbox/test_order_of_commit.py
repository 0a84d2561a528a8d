"""A reader that has seen a place in the order never misses a lower one.

Finding 3 of the measurements: with a cursor on a sequence alone, concurrent writers lost one
command in a hundred. The cure is a lock that is taken before the place is drawn.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from typing_extensions import override

from gx.database.pool import Pool, PoolSettings
from gx.outbox.command_ids import CommandIds
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.outbox.postgres.store import PostgresOutboxStore
from gx.runtime.clock import SystemClock
from tests.outbox.builders import a_command

WRITERS = 4
GROUPS = 12
DELAY_MAX_S = 0.05

# What accept_commands does, but without its lock: the negative control.
INSERT_UNLOCKED = """
    WITH asked AS (
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              accepted_at_ms)
        SELECT id, 'T', '{}', 'a', 's', 'gx_admin', now_ms() FROM unnest($1::uuid[]) AS id
        RETURNING command_id)
    INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)
    SELECT command_id, now_ms(), now_ms(), '{}' FROM asked
"""


class SlowCommits(Pool):
    """A pool whose statements take a random while to commit."""

    @override
    async def fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        async with self.transaction() as connection:
            rows = await connection.fetch(statement, *arguments)
            await asyncio.sleep(random.uniform(0, DELAY_MAX_S))  # noqa: S311 (a delay, no secret)
            return rows


@pytest.fixture
async def pool(database_dsn: str) -> AsyncIterator[Pool]:
    """A pool with a connection for every writer."""
    opened = await SlowCommits.open(
        PoolSettings(dsn=database_dsn, application_name="gx-test", connections_max=WRITERS)
    )
    yield opened
    await opened.close()


async def read_with_a_cursor(dsn: str, until: asyncio.Event) -> int:
    """Follow the order by its watermark alone; return how many commands were seen."""
    settings = PoolSettings(dsn=dsn, application_name="gx-reader")
    pool = await Pool.open(settings)
    store = PostgresOutboxStore(pool, listening=settings)
    seen = watermark = 0
    is_last = False
    while not is_last:
        is_last = until.is_set()
        entries = await store.pending(after_seq=watermark, limit=1_000)
        if entries:
            seen += len(entries)
            watermark = entries[-1].seq
        await asyncio.sleep(0.001)
    await pool.close()
    return seen


async def test_concurrent_writers_leave_no_command_unseen(pool: Pool, database_dsn: str) -> None:
    """Four writers with random commit delays: a cursor alone sees every command."""
    done = asyncio.Event()
    reading = asyncio.create_task(read_with_a_cursor(database_dsn, done))

    async def write() -> None:
        inbox = PostgresCommandInbox(pool, new_id=CommandIds(SystemClock(), os.urandom))
        for _ in range(GROUPS):
            await inbox.accept([a_command() for _ in range(3)])

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    done.set()

    assert await reading == WRITERS * GROUPS * 3


async def test_the_check_can_fail(pool: Pool, database_dsn: str) -> None:
    """Negative control: without the lock the same reader misses commands."""
    done = asyncio.Event()
    reading = asyncio.create_task(read_with_a_cursor(database_dsn, done))
    new_id = CommandIds(SystemClock(), os.urandom)

    async def write() -> None:
        for _ in range(GROUPS):
            await pool.fetch(INSERT_UNLOCKED, [new_id() for _ in range(3)])

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    done.set()

    assert await reading < WRITERS * GROUPS * 3
