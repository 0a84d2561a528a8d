"""The embedded ledger keeps every promise of the port, over a real socket and process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal
from tests.conformance.ledger import LedgerConformance
from tests.conformance.ledger_under_test import commit
from tests.ledger.process import LedgerProcess


class TestLocalLedger(LedgerConformance):
    """One server process for each test, killed with SIGKILL where a crash is wanted."""

    _process: LedgerProcess

    @pytest.fixture(autouse=True)
    async def served(self, tmp_path: Path) -> AsyncIterator[None]:
        """Serve a bootstrapped ledger."""
        self._process = LedgerProcess(tmp_path, flush_keys=64)
        await self._process.start()
        bootstrap = Proposal(
            function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
        )
        await commit(self._process.client(), bootstrap)
        yield
        await self._process.close()

    @override
    async def client(self) -> Ledger:
        return self._process.client()

    @override
    async def stop(self) -> None:
        await self._process.kill()

    @override
    async def start(self) -> None:
        await self._process.start()
