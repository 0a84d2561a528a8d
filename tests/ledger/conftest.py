"""A ledger process for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ledger.process import LedgerProcess


@pytest.fixture
async def ledger_process(tmp_path: Path) -> AsyncIterator[LedgerProcess]:
    """A running ledger; the state is flushed often, so that tests cross flushes."""
    process = LedgerProcess(tmp_path, flush_keys=16)
    await process.start()
    try:
        yield process
    finally:
        await process.close()
