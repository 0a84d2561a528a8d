"""The Fabric client keeps every promise of the port, over TLS, to peers that stand in for Fabric's.

What the stand-in cannot show is what Fabric itself answers: `test_fabric_network` runs the same
suite on a real network.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal
from tests.conformance.ledger import LedgerConformance
from tests.conformance.ledger_under_test import commit
from tests.ledger.fabric.scenes import StandInNetwork


class TestFabricStandIn(LedgerConformance):
    """A channel of its own for each test; what a crash leaves is what nodes have on disk."""

    _network: StandInNetwork

    @pytest.fixture(autouse=True)
    async def served(self, tmp_path: Path) -> AsyncIterator[None]:
        """Serve a bootstrapped ledger."""
        self._network = StandInNetwork(tmp_path)
        await self._network.start()
        bootstrap = Proposal(
            function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
        )
        await commit(self._network.client(), bootstrap)
        yield
        await self._network.close()

    @override
    async def client(self) -> Ledger:
        return self._network.client()

    @override
    async def stop(self) -> None:
        await self._network.stop()

    @override
    async def start(self) -> None:
        await self._network.start()
