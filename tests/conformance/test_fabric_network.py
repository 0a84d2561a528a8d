"""The Fabric client keeps every promise of the port on a real network of Fabric's own programs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.errors import EndorseError
from gx.ledger.ports import Ledger, Proposal
from tests.conformance.ledger import LedgerConformance
from tests.conformance.ledger_under_test import commit
from tests.fabric.native import NativeNetwork, native_network
from tests.fabric.programs import require_programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("native-network"),
]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    """One network for all the tests."""
    folder: Path = tmp_path_factory.mktemp("native")
    with native_network(folder, require_programs()) as running:
        yield running


class TestFabricNetwork(LedgerConformance):
    """An orderer and two peers, killed with SIGKILL where a crash is wanted."""

    _network: NativeNetwork

    @pytest.fixture(autouse=True)
    async def served(self, network: NativeNetwork) -> AsyncIterator[None]:
        """Use the network, bootstrapped."""
        self._network = network
        bootstrap = Proposal(
            function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
        )
        try:
            await commit(network.client(), bootstrap)
        except EndorseError as error:
            if error.refusal is None or error.refusal.code is not RefusalCode.ALREADY_BOOTSTRAPPED:
                raise
        yield
        await network.close_clients()

    @override
    async def client(self) -> Ledger:
        return self._network.client()

    @override
    async def stop(self) -> None:
        await asyncio.to_thread(self._network.kill)

    @override
    async def start(self) -> None:
        await asyncio.to_thread(self._network.start)
