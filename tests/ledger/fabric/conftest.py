"""A stand-in network for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ledger.fabric.scenes import StandInNetwork


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[StandInNetwork]:
    """Two peers that serve a channel."""
    network = StandInNetwork(tmp_path)
    await network.start()
    yield network
    await network.close()
