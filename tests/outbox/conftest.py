"""The worlds in which a submitter is tried."""

from collections.abc import AsyncIterator

import pytest

from gx.runtime.clock import SystemClock
from tests.conformance.outbox.worlds import OutboxWorld, memory_world, postgres_world
from tests.outbox.fake_ledger import FakeLedger


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[OutboxWorld]:
    """An empty outbox by a real clock."""
    if request.param == "memory":
        yield memory_world(SystemClock())
        return
    async with postgres_world(request.getfixturevalue("database_dsn")) as opened:
        yield opened


@pytest.fixture
async def memory() -> OutboxWorld:
    """An empty outbox in memory, where the storage does not matter."""
    return memory_world(SystemClock())


@pytest.fixture
def ledger() -> FakeLedger:
    """A ledger whose contracts do not remember commands: whatever is sent twice shows."""
    return FakeLedger()
