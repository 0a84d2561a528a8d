"""What is measured in one round, and in which order.

A round measures the machine's limits and everything that is compared with them within the same
minute, because this machine's minutes differ by more than any change to the code.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

import msgspec
import psutil

from benchmarks.driver import Driver, drive_closed, drive_open, driving, prepare
from benchmarks.figures import Percentiles
from benchmarks.history import write_history
from benchmarks.http_load import LoadPlan, LoadResult, run_load
from benchmarks.limits import measure_limits
from benchmarks.machine import OthersMeter, wait_until_free
from benchmarks.stack import (
    API,
    LOOP,
    PROJECTOR,
    SUBMITTER,
    Loop,
    Server,
    free_port,
    until_answering,
)
from benchmarks.storage import measure_storage
from benchmarks.timeline import Journey, install, journey, now_ms, until_done
from gx.domain.roles import TokenRole

WARM_UP_S: Final = 0.5
READS_PER_S: Final = 50.0
GENTLE_RATE_PER_S: Final = 500.0
REPLAYS_MAX: Final = 3
"""A later round has more to replay and tells nothing new."""

_seeds: Final = count(1)


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: more takes longer and scatters less."""

    rounds: int
    post_s: float
    transfers: int
    open_s: float
    history_rows: int
    connections: int = 64


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One system's figures of one round."""

    accepted_per_s: float
    accept: Percentiles
    inserted_per_s: float
    claimed_per_s: float
    committed_per_s: float
    projected_per_s: float
    http_projected_per_s: float
    cpu_us: dict[str, float]
    """CPU time for each command of the closed loop, by process; the driver's own included."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one round."""

    x100: float
    c1: float
    bare_per_s: float
    bare: Percentiles
    fresh: Measured
    aged: Measured
    replayed_per_s: float | None
    others_cores: float
    """Cores that were at work for somebody else meanwhile."""


class OpenLoop(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies at a rate that was chosen beforehand."""

    name: str
    rate_per_s: float
    accept: Percentiles | None
    committed: Percentiles
    projected: Percentiles
    read: Percentiles | None


@dataclass(slots=True, kw_only=True)
class Laboratory:
    """The systems that are measured: one new, one with a past, and an API without a database."""

    effort: Effort
    server: Server
    fresh: Loop
    aged: Loop
    bare_port: int
    token: str

    async def measure_round(self, number: int) -> Round:
        """Measure everything once."""
        await asyncio.to_thread(wait_until_free)
        others = OthersMeter()
        limits = await measure_limits(self.server.dsn, seconds=2)
        bare = await self._post(self.bare_port)
        fresh = await self._measure(self.fresh)
        aged = await self._measure(self.aged)
        replayed = await self._replay(number) if number < REPLAYS_MAX else None
        again = await measure_limits(self.server.dsn, seconds=2)
        return Round(
            x100=(limits.x100 + again.x100) / 2,
            c1=(limits.c1 + again.c1) / 2,
            bare_per_s=bare.accepted_per_s,
            bare=bare.accept,
            fresh=fresh,
            aged=aged,
            replayed_per_s=replayed,
            others_cores=others.cores(),
        )

    async def measure_open_loops(self, ceiling_per_s: float, inside_per_s: float) -> list[OpenLoop]:
        """Measure latencies at half of what the loop can, and at a gentle rate."""
        await asyncio.to_thread(wait_until_free)
        loop = self.fresh
        await loop.start(SUBMITTER, PROJECTOR)
        found = [
            await self._open_http("half of the ceiling, over HTTP", ceiling_per_s / 2),
            await self._open_http("500/s, over HTTP", GENTLE_RATE_PER_S),
        ]
        async with driving(loop) as driver:
            rate_per_s = inside_per_s / 2
            inside = await drive_open(
                driver, seed=next(_seeds), rate_per_s=rate_per_s, seconds=self.effort.open_s
            )
        found.append(_open_loop("half of the ceiling, driver inside", rate_per_s, inside, None))
        return found

    async def _measure(self, loop: Loop) -> Measured:
        """Measure one system; its submitter and projector are stopped before and after."""
        async with driving(loop) as driver:
            storage = await measure_storage(driver, seed=next(_seeds), count=self.effort.transfers)
            since_ms = await now_ms(loop)
            posted = await self._post(loop.api_port)
            await loop.start(SUBMITTER, PROJECTOR)
            await until_done(loop, since_ms)
            driven, cpu_us = await self._drive(driver)
        through = await self._post_through(loop)
        await loop.stop(PROJECTOR, SUBMITTER)
        return Measured(
            accepted_per_s=posted.accepted_per_s,
            accept=posted.accept,
            inserted_per_s=storage.inserted_per_s,
            claimed_per_s=storage.claimed_per_s,
            committed_per_s=driven.committed_per_s,
            projected_per_s=driven.projected_per_s,
            http_projected_per_s=through.projected_per_s,
            cpu_us=cpu_us,
        )

    async def _drive(self, driver: Driver) -> tuple[Journey, dict[str, float]]:
        transfers = self.effort.transfers
        before = self._cpu_s(driver.loop)
        driven = await drive_closed(driver, seed=next(_seeds), count=transfers)
        after = self._cpu_s(driver.loop)
        cpu_us = {name: round((after[name] - before[name]) / transfers * 1e6, 1) for name in after}
        return driven, cpu_us

    def _cpu_s(self, loop: Loop) -> dict[str, float]:
        own = psutil.Process().cpu_times()
        return {
            **loop.cpu_s(),
            "postgresql": self.server.cpu_s(),
            "driver": own.user + own.system,
        }

    async def _post(self, port: int) -> LoadResult:
        plan = LoadPlan(
            port=port,
            token=self.token,
            seed=next(_seeds),
            connections=self.effort.connections,
            warm_up_s=WARM_UP_S,
            duration_s=self.effort.post_s,
        )
        return await run_load(plan)

    async def _post_through(self, loop: Loop) -> Journey:
        since_ms = await now_ms(loop)
        await self._post(loop.api_port)
        await until_done(loop, since_ms)
        return await journey(loop, since_ms)

    async def _open_http(self, name: str, rate_per_s: float) -> OpenLoop:
        loop = self.fresh
        since_ms = await now_ms(loop)
        plan = LoadPlan(
            port=loop.api_port,
            token=self.token,
            seed=next(_seeds),
            connections=self.effort.connections,
            warm_up_s=1.0,
            duration_s=self.effort.open_s,
            rate_per_s=rate_per_s,
            reads_per_s=READS_PER_S,
        )
        sent = await run_load(plan)
        await until_done(loop, since_ms)
        return _open_loop(name, rate_per_s, await journey(loop, since_ms), sent)

    async def _replay(self, number: int) -> float:
        """Project the new system's whole chain into an empty database; return events per second."""
        replica = await self.server.open_replica(f"replica{number}", self.fresh)
        await install(replica)
        await replica.start(PROJECTOR)
        rate = await replayed_per_s(replica, await _height(self.fresh))
        await replica.stop(PROJECTOR)
        return rate


READ_HEIGHT: Final = "SELECT block_number FROM projection_checkpoints"
READ_FIRST: Final = "SELECT block_number, at_ms FROM benchmark_projected ORDER BY 1 LIMIT 1"
READ_LAST: Final = "SELECT block_number, at_ms FROM benchmark_projected ORDER BY 1 DESC LIMIT 1"

# Every transfer and every mint is one event; its entries count from 0.
COUNT_EVENTS: Final = """
    SELECT count(*) FROM account_entries WHERE block_number > $1 AND ordinal = 0
"""


async def _height(loop: Loop) -> int:
    value = await loop.pool.fetch_value(READ_HEIGHT)
    assert isinstance(value, int)
    return value


async def replayed_per_s(replica: Loop, height: int) -> float:
    """Wait until a replica has projected this block; return the events per second that it took."""
    while True:
        last = await replica.pool.fetch_one(READ_LAST)
        if last is not None and last["block_number"] >= height:
            break
        await asyncio.sleep(0.05)
    first = await replica.pool.fetch_one(READ_FIRST)
    assert first is not None
    events = await replica.pool.fetch_value(COUNT_EVENTS, first["block_number"])
    assert isinstance(events, int)
    return events / float(last["at_ms"] - first["at_ms"]) * 1_000


@asynccontextmanager
async def laboratory(
    server: Server, effort: Effort, tell: Callable[[str], None]
) -> AsyncIterator[Laboratory]:
    """Make the systems, open their accounts, give one of them a past."""
    fresh, aged = await server.open_loop("fresh"), await server.open_loop("aged")
    for loop in (fresh, aged):
        tell(f"preparing the system {loop.name!r}")
        await loop.start(*LOOP, API)
        await install(loop)
        async with driving(loop) as driver:
            await prepare(driver)
        await loop.stop(PROJECTOR, SUBMITTER)
    seconds = await write_history(aged, effort.history_rows)
    tell(f"wrote a past of {effort.history_rows:,} settled commands in {seconds:.0f} s")
    async with bare_edge(fresh) as port:
        yield Laboratory(
            effort=effort,
            server=server,
            fresh=fresh,
            aged=aged,
            bare_port=port,
            token=fresh.token(TokenRole.PARTNER),
        )


@asynccontextmanager
async def bare_edge(loop: Loop) -> AsyncIterator[int]:
    """Serve the API without a database, with the loop's issuer; yields its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bare_edge", str(port), str(loop.keys)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until_answering(f"http://127.0.0.1:{port}/readyz", process)
        yield port
    finally:
        process.terminate()
        await process.wait()


def _open_loop(name: str, rate_per_s: float, went: Journey, sent: LoadResult | None) -> OpenLoop:
    return OpenLoop(
        name=name,
        rate_per_s=rate_per_s,
        accept=None if sent is None else sent.accept,
        committed=went.accept_to_committed,
        projected=went.accept_to_projected,
        read=None if sent is None else sent.read,
    )
