"""The fixtures other tests stand on: one server, one fresh database per test."""

import asyncpg
import pytest


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_a_database_of_its_own(database_dsn: str, turn: int) -> None:
    """What one test leaves in its database, another never sees."""
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("CREATE TABLE left_behind (turn integer)")
        await connection.execute("INSERT INTO left_behind VALUES ($1)", turn)
        assert await connection.fetchval("SELECT count(*) FROM left_behind") == 1
    finally:
        await connection.close()


async def test_a_bare_database_has_no_tables(bare_database_dsn: str) -> None:
    """Tests of migrations begin with nothing."""
    connection = await asyncpg.connect(bare_database_dsn)
    try:
        statement = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert await connection.fetchval(statement) == 0
    finally:
        await connection.close()
