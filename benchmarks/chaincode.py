"""The chaincode server by itself: its CPU time for a command, in batches and alone.

    python -m benchmarks.chaincode [--batch 1000] [--batches 20] [--singles 500] [--json FILE]

A real `gx chaincode serve` in a process of its own; this process plays two peers, who have every
transaction executed one after the other, as endorsers do. The figures are CPU time, because that
is what remains comparable on a busy machine; each is for both peers together, as they share the
server, and as if each had its own. Beside them: the same batches on the same contracts without a
server around them, on a dictionary, once.
"""

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from grpc import aio

from benchmarks.ending import ending_cleanly
from benchmarks.ledger import SEED, Contracts, mint_batches, transfer_batches
from benchmarks.options import whole_number
from benchmarks.stack import free_port
from gx.database.tether import tethered
from gx.domain.batches import BATCH_FUNCTION
from gx.domain.roles import LedgerRole
from gx.runtime.settings import environment
from tests.chaincode.server.peer_double import PeerDouble, Simulation

PACKAGE_ID: Final = f"benchmark_1:{'b' * 64}"
PEERS: Final = 2
PROTOTYPE_US: Final = 30.0
"""What a prototype with the least of transfers took for a command of 1,000, two endorsers."""

_CONNECT_WITHIN_S: Final = 60.0
_CHANNEL_OPTIONS: Final = [
    ("grpc.max_receive_message_length", 100_000_000),
    ("grpc.max_send_message_length", 100_000_000),
]


@asynccontextmanager
async def chaincode_process(repeated_max: int) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Serve the contracts in a process of their own; yield its address."""
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", "gx.cli.main", "chaincode", "serve")),
        env={
            **environment(),
            "CHAINCODE_ID": PACKAGE_ID,
            "CHAINCODE_SERVER_ADDRESS": address,
            "GX_CHAINCODE_METRICS_PORT": "0",
            "GX_CHAINCODE_REPEATED_MAX": str(repeated_max),
            "GX_LOG_LEVEL": "WARNING",
        },
    )
    try:
        yield address, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


class Endorsers:
    """Two peers whose states stay in step."""

    def __init__(self, peers: Sequence[PeerDouble], process: psutil.Process) -> None:
        self._peers: Final = peers
        self._process: Final = process
        self._transactions = 0

    async def put(self, role: LedgerRole, function: str, *args: str) -> list[Simulation]:
        """Have a transaction executed by one peer after the other, and commit it."""
        self._transactions += 1
        name = f"benchmark-{self._transactions}"
        done = [await peer.call(function, *args, role=role, name=name) for peer in self._peers]
        for peer, simulation in zip(self._peers, done, strict=True):
            assert simulation.response.status == 200, simulation.response
            peer.commit(simulation)
        return done

    async def put_all(self, batches: Sequence[str]) -> tuple[float, list[float]]:
        """Put batches one after another; return the server's CPU seconds, and each one's time."""
        durations_s: list[float] = []
        started_s = self._cpu_seconds()
        for text in batches:
            begun_s = time.perf_counter()
            await self.put(LedgerRole.PARTNER_API, BATCH_FUNCTION, text)
            durations_s.append(time.perf_counter() - begun_s)
        return self._cpu_seconds() - started_s, durations_s

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system


@asynccontextmanager
async def endorsers(repeated_max: int) -> AsyncIterator[Endorsers]:
    """Serve the chaincode to two peers."""
    async with AsyncExitStack() as stack:
        address, process = await stack.enter_async_context(chaincode_process(repeated_max))
        channel = await stack.enter_async_context(
            aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
        )
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            await channel.channel_ready()
        peers = [
            await stack.enter_async_context(PeerDouble().connected(channel)) for _ in range(PEERS)
        ]
        yield Endorsers(peers, process)


@dataclass(frozen=True)
class Work:
    """What is put on each server: accounts to open, batches of a size, commands alone."""

    accounts: int
    batches: list[str]
    singles: list[str]


@dataclass(frozen=True)
class Costs:
    """What a server took for it."""

    batch_cpu_s: float
    batch_p50_ms: float
    single_cpu_s: float
    single_p50_ms: float


async def costs_of(work: Work, *, repeated_max: int) -> Costs:
    """Put the work on a fresh server with two peers."""
    async with endorsers(repeated_max) as both:
        await both.put(LedgerRole.SUPER_ADMIN, "AdminContract:BootstrapSystem")
        for text in mint_batches(random.Random(SEED), work.accounts):  # noqa: S311 (a benchmark's dice)
            await both.put(LedgerRole.SUPER_ADMIN, BATCH_FUNCTION, text)
        batch_cpu_s, batch_s = await both.put_all(work.batches)
        single_cpu_s, single_s = await both.put_all(work.singles)
    return Costs(
        batch_cpu_s,
        statistics.median(batch_s) * 1000,
        single_cpu_s,
        statistics.median(single_s) * 1000,
    )


async def measure(options: argparse.Namespace) -> Mapping[str, float]:
    """Run everything; return the figures."""
    size, accounts = int(options.batch), int(options.accounts)
    dice = random.Random(SEED + 1)  # noqa: S311 (a benchmark's dice)
    (batches,) = transfer_batches(
        dice, accounts=accounts, size=size, batches=int(options.batches), lanes=1
    )
    (singles,) = transfer_batches(
        dice, accounts=accounts, size=1, batches=int(options.singles), lanes=1
    )
    work = Work(accounts, batches, singles)
    contracts = Contracts(accounts)
    shared = await costs_of(work, repeated_max=8)
    contract_cpu_s = sum(contracts.cpu_seconds(text) for text in batches)
    apart = await costs_of(work, repeated_max=0)
    commands, alone = size * len(batches), len(singles)
    return {
        "batch_commands": size,
        "contracts_alone_us_per_command": per(commands, contract_cpu_s),
        "batch_cpu_us_per_command": per(commands, shared.batch_cpu_s),
        "batch_cpu_to_prototype": round(per(commands, shared.batch_cpu_s) / PROTOTYPE_US, 1),
        "batch_cpu_us_executed_for_each": per(commands, apart.batch_cpu_s),
        "batch_p50_ms": round(shared.batch_p50_ms, 1),
        "single_cpu_us_per_command": per(alone, shared.single_cpu_s),
        "single_cpu_us_executed_for_each": per(alone, apart.single_cpu_s),
        "single_p50_ms": round(shared.single_p50_ms, 1),
    }


def per(commands: int, seconds: float) -> float:
    """Return microseconds for each command."""
    return round(seconds / commands * 1e6, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=whole_number(at_least=1), default=1_000)
    parser.add_argument("--batches", type=whole_number(at_least=1), default=20)
    parser.add_argument("--singles", type=whole_number(at_least=1), default=500)
    parser.add_argument("--accounts", type=whole_number(at_least=1), default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = asyncio.run(measure(options))
    for name, figure in figures.items():
        print(f"{name:34} {figure}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with ending_cleanly():
        main()
