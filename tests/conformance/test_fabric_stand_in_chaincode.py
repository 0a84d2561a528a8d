"""The Fabric client and the chaincode server together keep every promise of the ledger's port.

The peers between them stand in for Fabric's, on both sides: gateway for the client, chaincode
stream for the server. Two of them endorse every transaction and must agree.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.contracts.chaincode import build_executor
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal
from tests.chaincode.server.served import PACKAGE_ID, a_server
from tests.conformance.ledger import LedgerConformance
from tests.conformance.ledger_under_test import commit
from tests.ledger.fabric.endorsed_by_chaincode import ChaincodeChannel, Endorsers, InForce
from tests.ledger.fabric.scenes import StandInNetwork


class TestFabricStandInChaincode(LedgerConformance):
    """A channel and a chaincode server of its own for each test."""

    _network: StandInNetwork

    @pytest.fixture(autouse=True)
    async def served(self, tmp_path: Path) -> AsyncIterator[None]:
        """Serve a bootstrapped ledger."""
        server = a_server(Execution(build_executor().execute, CallerReader()))
        endorsers = Endorsers(
            lambda: InForce(package_id=PACKAGE_ID, address=f"127.0.0.1:{server.port}")
        )
        endorsers.wait_for(server.start())
        self._network = StandInNetwork(tmp_path, ChaincodeChannel(endorsers))
        await self._network.start()
        bootstrap = Proposal(
            function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
        )
        await commit(self._network.client(), bootstrap)
        yield
        await self._network.close()
        endorsers.wait_for(server.close())
        endorsers.close()

    @override
    async def client(self) -> Ledger:
        return self._network.client()

    @override
    async def stop(self) -> None:
        await self._network.stop()

    @override
    async def start(self) -> None:
        await self._network.start()
