"""A real database with the newest schema, and a pool of connections to it."""

from collections.abc import AsyncIterator

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings


@pytest.fixture
def pool_settings(database_dsn: str) -> PoolSettings:
    """How to connect to this test's database."""
    return PoolSettings(dsn=database_dsn, application_name="test", connections_max=6)


@pytest.fixture
async def pool(pool_settings: PoolSettings) -> AsyncIterator[Pool]:
    """Connections to this test's database."""
    pool = await Pool.open(pool_settings)
    yield pool
    await pool.close()


@pytest.fixture
async def leases(pool_settings: PoolSettings) -> AsyncIterator[PostgresLeases]:
    """Leases in this test's database."""
    leases = PostgresLeases(pool_settings)
    yield leases
    await leases.close()
