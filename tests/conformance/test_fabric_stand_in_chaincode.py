"""The Fabric client and the chaincode server together keep every promise of the ledger's port.

The peers between them stand in for Fabric's, on both sides: gateway for the client, chaincode
stream for the server. Two of them endorse every transaction and must agree.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal
from tests.conformance.ledger import LedgerConformance
from tests.conformance.ledger_under_test import commit
from tests.ledger.fabric.endorsed_by_chaincode import ChaincodeChannel
from tests.ledger.fabric.scenes import StandInNetwork


class TestFabricStandInChaincode(LedgerConformance):
    """A channel and a chaincode server of its own for each test."""

    _network: StandInNetwork

    @pytest.fixture(autouse=True)
    async def served(self, tmp_path: Path) -> AsyncIterator[None]:
        """Serve a bootstrapped ledger."""
        channel = ChaincodeChannel()
        channel.endorsers.start()
        self._network = StandInNetwork(tmp_path, channel)
        await self._network.start()
        bootstrap = Proposal(
            function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
        )
        await commit(self._network.client(), bootstrap)
        yield
        await self._network.close()
        channel.endorsers.close()

    @override
    async def client(self) -> Ledger:
        return self._network.client()

    @override
    async def stop(self) -> None:
        await self._network.stop()

    @override
    async def start(self) -> None:
        await self._network.start()
