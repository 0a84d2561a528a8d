"""A system on a real database that agrees with its ledger, until a test changes something."""

from collections.abc import AsyncIterator

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings
from tests.operations.reconcile.compared import Compared
from tests.projection.chain import Chain


@pytest.fixture
async def compared(database_dsn: str) -> AsyncIterator[Compared]:
    """Two countries, two users, some transfers: settled and projected."""
    settings = PoolSettings(dsn=database_dsn, application_name="test", connections_max=6)
    pool, leases = await Pool.open(settings), PostgresLeases(settings)
    chain = Chain()
    chain.bootstrap("US", "CA")
    chain.users("alice", "bob")
    chain.transfers([("alice", "bob", 400_000_000 + n) for n in range(5)])
    system = Compared(chain, pool, leases)
    await system.settle()
    await system.project()
    yield system
    await leases.close()
    await pool.close()
