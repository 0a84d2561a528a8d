"""What is measured in one round, and in which order.

A round measures the machine's limits and everything that is compared with them within the same
minutes, because this machine's minutes differ by more than any change to the code.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from benchmarks.beside import measure_peer
from benchmarks.driver import drive_open, driving
from benchmarks.figures import Percentiles
from benchmarks.held import HeldSnapshot, measure_held
from benchmarks.http_load import LoadPlan, LoadResult, run_load
from benchmarks.limits import measure_limits
from benchmarks.machine import BusyMeter, OthersMeter, wait_until_free
from benchmarks.peers.figures import PeerFigures
from benchmarks.reading import ReadModelRates, measure_read_models
from benchmarks.stack import PROJECTOR, SUBMITTER, Server
from benchmarks.systems import Amount, Measured, System, seeds
from benchmarks.timeline import Journey, journey, now_ms, until_done

READS_PER_S: Final = 50.0
LOADS_PERCENT: Final = (20, 50, 80)


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: more takes longer and scatters less."""

    rounds: int
    post_s: float
    transfers: int
    open_s: float
    histories: tuple[int, ...]
    """Systems with so many settled commands."""
    accounts: tuple[int, ...]
    """Systems with so many accounts."""
    connections: int = 64
    finished: int = 120_000
    """Commands that are finished while a snapshot is held."""
    peer_share: float = 1.0
    """Of the jobs that a peer gets in a full run."""
    has_extras: bool = True
    """Whether peers, a held snapshot, latencies and starts are measured, too."""

    @property
    def amount(self) -> Amount:
        """How much is sent to each system in a round."""
        return Amount(post_s=self.post_s, transfers=self.transfers, connections=self.connections)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one round."""

    x100: float
    c1: float
    bare_per_s: float
    bare: Percentiles
    pooled_per_s: float
    """POST over sixteen connections with a commit each."""
    fresh: Measured
    grown: dict[str, Measured]
    """Systems that differ from the new one as their name says."""
    read_models: ReadModelRates
    peers: dict[str, PeerFigures]
    held: HeldSnapshot | None
    others_cores: float
    """Cores that were at work for somebody else meanwhile."""


class OpenLoop(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies at a rate that was chosen beforehand, of one round."""

    over_http: bool
    percent: int
    """Of the median rate that the closed loops of this run reached."""
    rate_per_s: float
    busy: float
    """How much of all cores was at work meanwhile, for the load and its clients."""
    accept: Percentiles | None
    committed: Percentiles
    projected: Percentiles
    read: Percentiles | None

    @property
    def name(self) -> str:
        """Say which load this was."""
        way = "over HTTP" if self.over_http else "driver inside"
        return f"{self.percent} % of the ceiling, {way}"


@dataclass(slots=True, kw_only=True)
class Laboratory:
    """What is measured: a new system, grown ones, and edges that do less."""

    effort: Effort
    server: Server
    fresh: System
    grown: dict[str, System]
    bare_port: int
    pooled_port: int
    token: str
    tell: Callable[[str], None]
    peers: list[str] = field(default_factory=list)
    memory_mib: dict[str, float] = field(default_factory=dict)
    """What each process of the new system held when all of them ran last."""
    scrape_ms: dict[str, float] = field(default_factory=dict)
    """What each took then to answer Prometheus, in the median."""

    async def measure_round(self, number: int) -> Round:
        """Measure everything once."""
        await asyncio.to_thread(wait_until_free)
        others, amount = OthersMeter(), self.effort.amount
        self.tell("  limits and edges")
        limits = await measure_limits(self.server.dsn, seconds=2)
        bare = await self.fresh.post(amount, self.token, port=self.bare_port)
        pooled = await self.fresh.post(amount, self.token, port=self.pooled_port)
        self.tell("  the new system")
        fresh = await self.fresh.measure(amount, self.token)
        peers = {name: await self._measure_peer(name, number) for name in self.peers}
        grown = {name: await self._measure_grown(name) for name in self.grown}
        self.tell("  catching up and rebuilding")
        read_models = await measure_read_models(self.server, self.fresh.loop, number)
        again = await measure_limits(self.server.dsn, seconds=2)
        held = await self._measure_held(number) if self.effort.has_extras else None
        return Round(
            x100=(limits.x100 + again.x100) / 2,
            c1=(limits.c1 + again.c1) / 2,
            bare_per_s=bare.accepted_per_s,
            bare=bare.accept,
            pooled_per_s=pooled.accepted_per_s,
            fresh=fresh,
            grown=grown,
            read_models=read_models,
            peers=peers,
            held=held,
            others_cores=others.cores(),
        )

    async def _measure_peer(self, name: str, number: int) -> PeerFigures:
        self.tell(f"  {name}")
        return await measure_peer(self.server, name, number, self.effort.peer_share)

    async def _measure_grown(self, name: str) -> Measured:
        self.tell(f"  the system with {name}")
        return await self.grown[name].measure(self.effort.amount, self.token)

    async def _measure_held(self, number: int) -> HeldSnapshot:
        self.tell("  a held snapshot")
        return await measure_held(self.server, self.effort.finished, number)

    async def measure_open_loops(self, http_per_s: float, inside_per_s: float) -> list[OpenLoop]:
        """Measure latencies once at each share of what the loop can."""
        await asyncio.to_thread(wait_until_free)
        await self.fresh.loop.start(SUBMITTER, PROJECTOR)
        found = []
        for percent in LOADS_PERCENT:
            self.tell(f"  latencies at {percent} %")
            found.append(await self._open_http(percent, http_per_s * percent / 100))
            found.append(await self._open_inside(percent, inside_per_s * percent / 100))
        self.memory_mib = self.fresh.loop.memory_mib()
        self.scrape_ms = await self.fresh.loop.scrape_ms()
        await self.fresh.loop.stop(PROJECTOR, SUBMITTER)
        return found

    async def _open_inside(self, percent: int, rate_per_s: float) -> OpenLoop:
        busy = BusyMeter()
        async with driving(self.fresh.loop) as driver:
            went = await drive_open(
                driver, seed=next(seeds), rate_per_s=rate_per_s, seconds=self.effort.open_s
            )
        return _open_loop(percent, rate_per_s, went, None, busy=busy.share())

    async def _open_http(self, percent: int, rate_per_s: float) -> OpenLoop:
        loop = self.fresh.loop
        since_ms = await now_ms(loop)
        plan = LoadPlan(
            port=loop.api_port,
            token=self.token,
            seed=next(seeds),
            connections=self.effort.connections,
            warm_up_s=1.0,
            duration_s=self.effort.open_s,
            rate_per_s=rate_per_s,
            reads_per_s=READS_PER_S,
        )
        busy = BusyMeter()
        sent = await run_load(plan)
        await until_done(loop, since_ms)
        share = busy.share()
        return _open_loop(percent, rate_per_s, await journey(loop, since_ms), sent, busy=share)


def _open_loop(
    percent: int, rate_per_s: float, went: Journey, sent: LoadResult | None, *, busy: float
) -> OpenLoop:
    return OpenLoop(
        over_http=sent is not None,
        percent=percent,
        rate_per_s=rate_per_s,
        busy=busy,
        accept=None if sent is None else sent.accept,
        committed=went.accept_to_committed,
        projected=went.accept_to_projected,
        read=None if sent is None else sent.read,
    )
