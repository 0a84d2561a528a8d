"""The pool: bounded, counted, and back by itself after the server was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from gx.database.pool import Pool, PoolSettings
from gx.database.ports import DatabaseUnavailableError
from tests.outbox.builders import eventually
from tests.ports import free_port


@pytest.fixture
def settings(database_dsn: str) -> PoolSettings:
    """Settings of a small pool."""
    return PoolSettings(
        dsn=database_dsn,
        application_name="gx-pool-test",
        connections_max=2,
        acquire_timeout_s=0.2,
        statement_timeout_s=0.3,
        lock_timeout_s=0.1,
    )


@pytest.fixture
async def pool(settings: PoolSettings) -> AsyncIterator[Pool]:
    """An open pool."""
    opened = await Pool.open(settings)
    yield opened
    await opened.close()


async def test_it_counts_what_is_used_and_who_waits(pool: Pool) -> None:
    """The gauges of the exhaustion alert."""
    assert (pool.active, pool.max, pool.waiting) == (0, 2, 0)
    async with pool.acquire(), pool.acquire():
        waiting = asyncio.create_task(pool.fetch_value("SELECT 1"))
        await eventually(lambda: pool.waiting == 1)
        assert pool.active == 2
    assert await waiting == 1
    assert (pool.active, pool.waiting) == (0, 0)


async def test_an_exhausted_pool_says_so_in_time(pool: Pool) -> None:
    """Nobody waits for ever, and nothing is leaked by having waited."""
    async with pool.acquire(), pool.acquire():
        with pytest.raises(DatabaseUnavailableError):
            await pool.fetch_value("SELECT 1")
    assert await pool.fetch_value("SELECT 1") == 1


async def test_a_broken_connection_is_replaced(pool: Pool) -> None:
    """After the server ended it, the next statement gets another."""
    pid = await pool.fetch_value("SELECT pg_backend_pid()")
    killer = await asyncpg.connect(pool.settings.dsn)
    await killer.execute("SELECT pg_terminate_backend($1)", pid)
    await killer.close()

    async def answers() -> bool:
        return await pool.is_up()

    await eventually(answers)
    assert await pool.fetch_value("SELECT pg_backend_pid()") != pid


async def test_no_server_is_unavailability(settings: PoolSettings) -> None:
    """A pool opens without a server; using it says that there is none."""
    nowhere = replace(settings, dsn=f"postgresql://gx@127.0.0.1:{free_port()}/gx")
    pool = await Pool.open(nowhere)

    with pytest.raises(DatabaseUnavailableError):
        await pool.fetch_value("SELECT 1")
    assert not await pool.is_up()
    await pool.close()


async def test_a_database_that_gives_way_to_another_is_unavailability(pool: Pool) -> None:
    """While a restored one takes its name it is closed first, and then not there at all."""
    dsn = pool.settings.dsn
    before, name = dsn.rsplit("/", 1)
    operator = await asyncpg.connect(f"{before}/postgres")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"

    await operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await operator.execute(end, name)
    with pytest.raises(DatabaseUnavailableError, match="not currently accepting"):
        await _answer(pool)
    await operator.execute(f"ALTER DATABASE {name} RENAME TO {name}_before")
    with pytest.raises(DatabaseUnavailableError, match="does not exist"):
        await _answer(pool)

    await operator.execute(f"ALTER DATABASE {name}_before ALLOW_CONNECTIONS true")
    await operator.execute(f"ALTER DATABASE {name}_before RENAME TO {name}")
    assert await pool.fetch_value("SELECT 1") == 1
    await operator.close()


async def _answer(pool: Pool) -> None:
    """Ask on a new connection: one that was open may still have to find out that it was ended."""
    with suppress(DatabaseUnavailableError):
        await pool.fetch_value("SELECT 1")
    await pool.fetch_value("SELECT 1")


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(5)", "LOCK TABLE leases"])
async def test_statements_and_locks_give_up(pool: Pool, statement: str) -> None:
    """A stuck statement is "not now": the connection is free again, and the same call may work."""
    async with pool.transaction() as holder:
        await holder.execute("LOCK TABLE leases")
        with pytest.raises(DatabaseUnavailableError):
            async with pool.transaction() as other:
                await other.execute(statement)
    assert await pool.is_up()


async def test_a_wrong_statement_is_nobodys_outage(pool: Pool) -> None:
    """Errors of the statement itself keep their own type."""
    with pytest.raises(asyncpg.UndefinedTableError):
        await pool.execute("SELECT * FROM nothing")
    with pytest.raises(asyncpg.DataError):
        await pool.execute("SELECT $1::integer", "not a number")


async def test_a_transaction_is_undone_by_an_error(pool: Pool) -> None:
    """All or nothing."""

    async def write_and_fail() -> None:
        async with pool.transaction() as connection:
            await connection.execute(
                "INSERT INTO audit_log (actor, action, target, reason) VALUES ('a', 'b', 'c', 'd')"
            )
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        await write_and_fail()

    assert await pool.fetch_value("SELECT count(*) FROM audit_log") == 0


async def test_who_ends_between_preparing_and_running_leaves_no_transaction(
    settings: PoolSettings,
) -> None:
    """The next user of the connection starts its own transaction, and no snapshot stays held."""
    pool = await Pool.open(replace(settings, connections_max=1))
    try:
        with pytest.raises(asyncpg.DataError):
            await pool.fetch(
                "SELECT count(*) FROM commands WHERE accepted_at_ms = $1", "not a time"
            )

        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await pool.close()


async def test_sessions_say_who_they_are_and_plan_with_values(pool: Pool) -> None:
    """What pg_stat_activity shows, and no plan from when a table was empty."""
    shown = await pool.fetch_one(
        "SELECT current_setting('application_name') AS name,"
        " current_setting('plan_cache_mode') AS plans,"
        " current_setting('statement_timeout') AS statement,"
        " current_setting('lock_timeout') AS lock"
    )
    assert shown is not None
    assert tuple(shown) == ("gx-pool-test", "force_custom_plan", "300ms", "100ms")


async def test_closing_does_not_wait_for_what_hangs(settings: PoolSettings) -> None:
    """A process must be able to end."""
    pool = await Pool.open(replace(settings, statement_timeout_s=60))
    stuck = asyncio.create_task(pool.execute("SELECT pg_sleep(60)"))
    await eventually(lambda: pool.active == 1)

    async with asyncio.timeout(9):
        await pool.close()

    with pytest.raises(DatabaseUnavailableError):
        await stuck
