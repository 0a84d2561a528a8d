"""What tests of the read side share: a ledger, read models in memory, and a real database."""

from collections.abc import AsyncIterator

import pytest

from gx.database.leases import MemoryLeases, PostgresLeases
from gx.database.pool import Pool, PoolSettings
from gx.projection import projector as projector_module
from gx.projection.memory import MemoryReadModelStore
from tests.projection.chain import Chain
from tests.projection.clocks import StoppedClock
from tests.projection.running import Bench


@pytest.fixture
def chain() -> Chain:
    """A ledger with a small history of five blocks."""
    chain = Chain()
    chain.bootstrap("US", "CA")
    chain.users("alice", "bob")
    chain.transfers([("alice", "bob", 400_000_000 + n) for n in range(5)])
    return chain


@pytest.fixture
def memory_leases() -> MemoryLeases:
    """Leases of one process; their time stands still."""
    return MemoryLeases(StoppedClock())


@pytest.fixture
def memory_store(memory_leases: MemoryLeases) -> MemoryReadModelStore:
    """Read models in memory."""
    return MemoryReadModelStore(memory_leases)


@pytest.fixture
def bench(chain: Chain, memory_store: MemoryReadModelStore, memory_leases: MemoryLeases) -> Bench:
    """A projector of that ledger into that store."""
    return Bench(source=chain, store=memory_store, leases=memory_leases)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the projector try again at once."""
    monkeypatch.setattr(projector_module, "RETRY_S", 0.05)
    monkeypatch.setattr(projector_module, "UNAVAILABLE_RETRY_S", 0.02)
    monkeypatch.setattr(projector_module, "CHAIN_LOOK_S", 0.02)


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
