"""The two worlds in which every suite of the outbox runs."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.outbox.worlds import OutboxWorld, memory_world, postgres_world


@pytest.fixture(params=["memory", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[OutboxWorld]:
    """An empty outbox."""
    if request.param == "memory":
        yield memory_world()
        return
    async with postgres_world(request.getfixturevalue("database_dsn")) as opened:
        yield opened
