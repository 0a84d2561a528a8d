"""A snapshot that somebody holds open: a dump, a long report, a replica that lags.

Rows that were deleted since then stay in the tables, and whoever looks for the pending ones may
have to step over all of them. Two databases are filled and emptied alike; in one of them a
transaction holds its snapshot meanwhile. The figure is the claim of a batch at the end, when most
rows are dead.
"""

import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec

from benchmarks.driver import driving, make_transfers
from benchmarks.stack import Loop, Server
from benchmarks.storage import claim_all
from benchmarks.systems import seeds

CHUNKS: Final = 6
BATCH: Final = 100
"""A small batch, so that a search for it would show."""

SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM outbox"


class HeldSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim of 100 takes once so many are finished, in the median."""

    finished: int
    free_ms: float
    held_ms: float


async def measure_held(server: Server, finished: int, number: int) -> HeldSnapshot:
    """Measure both, in new databases."""
    free = await server.open_loop(f"free{number}")
    held = await server.open_loop(f"held{number}")
    free_ms = await _claim_ms(free, finished)
    async with _snapshot(held.dsn):
        held_ms = await _claim_ms(held, finished)
    for loop in (free, held):
        await server.forget(loop)
    return HeldSnapshot(finished=finished, free_ms=free_ms, held_ms=held_ms)


async def _claim_ms(loop: Loop, finished: int) -> float:
    """Put chunks in and take them out; return the median of the last chunk's batches."""
    spent_s: list[float] = []
    async with driving(loop) as driver:
        for _ in range(CHUNKS):
            seed, count = next(seeds), finished // CHUNKS
            await driver.accept(make_transfers(seed, count))
            spent_s = await claim_all(loop, seed=seed, count=count, batch=BATCH)
    return round(statistics.median(spent_s) * 1_000, 3)


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SNAPSHOT)
        yield
    finally:
        await connection.close()
