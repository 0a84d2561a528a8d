"""What is measured on Fabric: three ways to submit, in turn, on one network and one database.

Everything but the submitter is the same and goes on running: API, projector, PostgreSQL, orderer,
peers and chaincode server. A round measures each way once, in an order that changes from round to
round, so that a slow minute of the machine does not hit one way alone.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Final

import msgspec

from benchmarks.driver import drive_closed, driving, prepare
from benchmarks.fabric_network import Network
from benchmarks.fabric_node import start_node_submitter, stop_node_submitter
from benchmarks.figures import Percentiles
from benchmarks.http_load import LoadPlan, LoadResult, run_load
from benchmarks.machine import OthersMeter
from benchmarks.stack import API, PROJECTOR, SUBMITTER, Loop, Server
from benchmarks.timeline import Journey, install, journey, now_ms, until_done
from gx.domain.roles import TokenRole

BATCH_SETTING: Final = "GX_SUBMITTER_BATCH_COMMANDS_MAX"
IN_FLIGHT_SETTING: Final = "GX_SUBMITTER_IN_FLIGHT_MAX"
POSTGRESQL: Final = "postgresql"
CLIENTS: Final = "clients"
PROMISED_S: Final = 120.0
"""The longest that a closed load may take to be accepted."""

COMMANDS_MAX: Final = 60_000

_seeds: Final = count(1)


class Way(StrEnum):
    """How commands become transactions; the values are JSON's."""

    BATCHES = "batches"
    SINGLE = "single"
    NODE = "node"


class FabricEffort(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done: more takes longer and scatters less.

    A closed load has as many commands as the way carries in `closed_s`, by its last measurement;
    the first is its warm-up, which precedes every measurement.
    """

    rounds: int
    closed_s: float
    open_s: float
    accounts: int
    warm_up: dict[Way, int]
    single_in_flight: int = 64
    node_in_flight: int = 100
    connections: int = 64


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One way's figures of one round. Rates count from the first accept."""

    commands: int
    transactions: int
    accepted_per_s: float
    committed_per_s: float
    projected_per_s: float
    cpu_us: dict[str, float]
    """CPU time for each command, by process."""
    shim_requests: dict[str, float]
    """What the chaincode asked one peer for, for each command, by message."""
    others_cores: float
    """Cores that were at work for somebody else meanwhile."""

    @property
    def cpu_sum_us(self) -> float:
        """CPU time for each command in all processes."""
        return sum(self.cpu_us.values())


class FabricRound(msgspec.Struct, frozen=True, kw_only=True):
    """All ways' figures of one round; `inside` is batches without HTTP, driven from inside."""

    ways: dict[Way, Measured]
    inside_committed_per_s: float
    inside_projected_per_s: float


class HalfLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies of one way at half of what it can, from the acceptance on."""

    way: Way
    rate_per_s: float
    accept: Percentiles
    committed: Percentiles
    projected: Percentiles


@dataclass(slots=True, kw_only=True)
class FabricLaboratory:
    """The system that is measured: one loop, and the network that is its ledger."""

    effort: FabricEffort
    server: Server
    network: Network
    loop: Loop
    token: str
    memory_mib: dict[str, float] = field(default_factory=dict)
    """Each process's resident memory when it was last measured."""
    _rates_per_s: dict[Way, float] = field(default_factory=dict)

    async def measure_round(self, number: int) -> FabricRound:
        """Measure each way once."""
        ways = list(Way)
        turned = ways[number % len(ways) :] + ways[: number % len(ways)]
        found: dict[Way, Measured] = {}
        inside: Journey | None = None
        for way in turned:
            async with self.submitting(way):
                await self._warm_up(way)
                found[way] = await self._measure(way)
                if way is Way.BATCHES:
                    inside = await self._drive_inside(found[way].commands)
        assert inside is not None
        return FabricRound(
            ways=found,
            inside_committed_per_s=inside.committed_per_s,
            inside_projected_per_s=inside.projected_per_s,
        )

    async def measure_half_load(self, way: Way, ceiling_per_s: float) -> HalfLoad:
        """Send at half of what a way can, at random moments, and follow each command."""
        async with self.submitting(way):
            await self._warm_up(way)
            since_ms = await now_ms(self.loop)
            sent = await self._send(rate_per_s=ceiling_per_s / 2, duration_s=self.effort.open_s)
            await until_done(self.loop, since_ms)
            went = await journey(self.loop, since_ms)
            self.memory_mib.update(self.loop.memory_mib() | self.network.memory_mib())
        return HalfLoad(
            way=way,
            rate_per_s=ceiling_per_s / 2,
            accept=sent.accept,
            committed=went.accept_to_committed,
            projected=went.accept_to_projected,
        )

    @asynccontextmanager
    async def submitting(self, way: Way) -> AsyncIterator[None]:
        """Have commands submitted this way, and in no other."""
        if way is Way.NODE:
            await start_node_submitter(self.loop, in_flight=self.effort.node_in_flight)
        else:
            await self.loop.start(SUBMITTER, **self._settings(way))
        try:
            yield
        finally:
            await (stop_node_submitter(self.loop) if way is Way.NODE else self.loop.stop(SUBMITTER))

    def _settings(self, way: Way) -> dict[str, str]:
        """Ship batches as they are; alone, a command is a batch of one."""
        if way is Way.BATCHES:
            return {}
        in_flight = str(self.effort.single_in_flight)
        return {BATCH_SETTING: "1", IN_FLIGHT_SETTING: in_flight}

    async def _measure(self, way: Way) -> Measured:
        others = OthersMeter()
        cpu_s, asked = self._cpu_s(), await self.network.shim_requests()
        since_ms = await now_ms(self.loop)
        sent = await self._send(duration_s=PROMISED_S, requests_max=self._commands(way))
        await until_done(self.loop, since_ms)
        used_s, asked_more = _growth(cpu_s, self._cpu_s()), await self.network.shim_requests()
        went = await journey(self.loop, since_ms)
        self._rates_per_s[way] = went.projected_per_s
        used_s[CLIENTS] = sent.cpu_us_per_request / 1e6 * sent.accepted
        return Measured(
            commands=went.commands,
            transactions=await self._transactions(since_ms),
            accepted_per_s=sent.accepted_per_s,
            committed_per_s=went.committed_per_s,
            projected_per_s=went.projected_per_s,
            cpu_us={name: round(each / went.commands * 1e6, 1) for name, each in used_s.items()},
            shim_requests=_per_command(asked_more - asked, went.commands),
            others_cores=others.cores(),
        )

    async def _warm_up(self, way: Way) -> None:
        since_ms = await now_ms(self.loop)
        await self._send(duration_s=PROMISED_S, requests_max=self.effort.warm_up[way])
        await until_done(self.loop, since_ms)
        went = await journey(self.loop, since_ms)
        self._rates_per_s.setdefault(way, went.projected_per_s)

    def _commands(self, way: Way) -> int:
        wanted = round(self._rates_per_s[way] * self.effort.closed_s)
        return max(self.effort.warm_up[way], min(wanted, COMMANDS_MAX))

    async def _drive_inside(self, commands: int) -> Journey:
        async with driving(self.loop) as driver:
            return await drive_closed(
                driver, seed=next(_seeds), count=commands, accounts=self.effort.accounts
            )

    async def _send(
        self, *, duration_s: float, rate_per_s: float = 0.0, requests_max: int = 2**62
    ) -> LoadResult:
        return await run_load(
            LoadPlan(
                port=self.loop.api_port,
                token=self.token,
                seed=next(_seeds),
                connections=self.effort.connections,
                duration_s=duration_s,
                rate_per_s=rate_per_s,
                requests_max=requests_max,
                accounts=self.effort.accounts,
            )
        )

    async def _transactions(self, since_ms: int) -> int:
        value = await self.loop.pool.fetch_value(TRANSACTIONS, since_ms)
        assert isinstance(value, int)
        return value

    def _cpu_s(self) -> dict[str, float]:
        return {
            **self.loop.cpu_s(),
            POSTGRESQL: self.server.cpu_s(),
            **self.network.cpu_s(),
        }


TRANSACTIONS: Final = """
    SELECT count(DISTINCT transaction_id) FROM command_results WHERE command_id >= uuid_floor($1)
"""


def _growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}


def _per_command(counts: Counter[str], commands: int) -> dict[str, float]:
    return {name: round(number / commands, 2) for name, number in counts.most_common()}


@asynccontextmanager
async def fabric_laboratory(
    server: Server, network: Network, effort: FabricEffort
) -> AsyncIterator[FabricLaboratory]:
    """Make the system and open its accounts, through the loop itself."""
    loop = await server.open_fabric_loop("fabric", network.profile)
    await loop.start(PROJECTOR, SUBMITTER, API)
    await install(loop)
    async with driving(loop) as driver:
        await prepare(driver, effort.accounts)
    await loop.stop(SUBMITTER)
    yield FabricLaboratory(
        effort=effort,
        server=server,
        network=network,
        loop=loop,
        token=loop.token(TokenRole.PARTNER),
    )
