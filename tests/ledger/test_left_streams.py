"""A client that leaves a stream of blocks half-way leaves nothing behind in the server."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Final, cast

import pytest

from gx.domain.identifiers import BlockNumber
from gx.ledger.local.blocks import StoredBlock
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.server import LedgerServer, ServeOptions
from gx.ledger.local.sessions import Session
from gx.runtime.clock import SystemClock
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_ledger_metrics
from tests.ledger.calls import put
from tests.ledger.functions import make_execute

BLOCKS: Final = 60
KEPT: Final = (StoredBlock, Session, asyncio.StreamReader, asyncio.StreamWriter)
VALUE: Final = "x" * 60_000
"""Sixty are more than a socket holds, so that the server is writing when the client goes."""


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[LocalLedger]:
    """A ledger of large blocks, served by this very process."""
    server = LedgerServer(
        ServeOptions(folder=tmp_path / "ledger", socket=tmp_path / "socket"),
        execute=make_execute(),
        clock=SystemClock(),
        metrics=build_ledger_metrics(MetricsRegistry(), functions=()),
    )
    await server.start()
    client = LocalLedger(tmp_path / "socket")
    try:
        for number in range(BLOCKS):
            await put(client, f"k{number}", VALUE)
        yield client
    finally:
        await client.close()
        await server.close()


async def test_a_stream_that_is_left_holds_nothing(ledger: LocalLedger) -> None:
    """No circle keeps its page or connection until a collection, which is rare in a ledger."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            await read_a_few(ledger)
        await asyncio.sleep(0.5)  # the server ends its side
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        held = [type(found) for found in gc.garbage if isinstance(found, KEPT)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    assert held == []


async def read_a_few(ledger: LocalLedger) -> None:
    """Follow the chain for three blocks."""
    stream = cast("AsyncIterator[object]", ledger.blocks(BlockNumber(0)))
    async with aclosing(stream) as blocks:  # type: ignore[type-var]  # an async generator behind its port
        for _ in range(3):
            await anext(blocks)
