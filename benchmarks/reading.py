"""The read models' rates: a projector that is far behind, and a rebuild beside live tables."""

import asyncio
import sys
from typing import Final

import msgspec

from benchmarks.programs import run_program
from benchmarks.stack import PROJECTOR, BenchmarkError, Loop, Server
from benchmarks.timeline import install

POLL_S: Final = 0.05

READ_HEIGHT: Final = "SELECT block_number FROM projection_checkpoints"
READ_FIRST: Final = "SELECT block_number, at_ms FROM benchmark_projected ORDER BY 1 LIMIT 1"
READ_LAST: Final = "SELECT block_number, at_ms FROM benchmark_projected ORDER BY 1 DESC LIMIT 1"

# Every transfer and every mint is one event; its entries count from 0.
COUNT_EVENTS: Final = """
    SELECT count(*) FROM account_entries WHERE block_number > $1 AND ordinal = 0
"""


class ReadModelRates(msgspec.Struct, frozen=True, kw_only=True):
    """Events per second into the read models."""

    caught_up_per_s: float
    rebuilt_per_s: float


class _Rebuilt(msgspec.Struct, rename="camel"):
    events: int
    duration_ms: int


async def measure_read_models(server: Server, original: Loop, number: int) -> ReadModelRates:
    """Project a loop's whole chain into an empty database, then rebuild there."""
    replica = await server.open_replica(f"replica{number}", original)
    await install(replica)
    await replica.start(PROJECTOR)
    caught_up_per_s = await _caught_up_per_s(replica, await _height(original))
    await replica.stop(PROJECTOR)
    rebuilt = await _rebuild(replica)
    await server.forget(replica)
    return ReadModelRates(
        caught_up_per_s=round(caught_up_per_s, 1),
        rebuilt_per_s=round(rebuilt.events / rebuilt.duration_ms * 1_000, 1),
    )


async def _height(loop: Loop) -> int:
    value = await loop.pool.fetch_value(READ_HEIGHT)
    assert isinstance(value, int)
    return value


async def _caught_up_per_s(replica: Loop, height: int) -> float:
    """Wait until a replica has projected this block; return the events per second that it took."""
    while True:
        last = await replica.pool.fetch_one(READ_LAST)
        if last is not None and last["block_number"] >= height:
            break
        await asyncio.sleep(POLL_S)
    first = await replica.pool.fetch_one(READ_FIRST)
    assert first is not None
    events = await replica.pool.fetch_value(COUNT_EVENTS, first["block_number"])
    assert isinstance(events, int)
    return events / float(last["at_ms"] - first["at_ms"]) * 1_000


async def _rebuild(replica: Loop) -> _Rebuilt:
    """Have `gx projection rebuild` do it, as an operator would."""
    command = ("projection", "rebuild", "--reason", "to measure it", "--json")
    ended = await run_program((sys.executable, "-m", "gx.cli.main", *command), replica.environment)
    if ended.status != 0:
        raise BenchmarkError(f"`gx projection rebuild` failed: {ended.errors.decode()[-1_500:]}")
    return msgspec.json.decode(ended.output, type=_Rebuilt)
