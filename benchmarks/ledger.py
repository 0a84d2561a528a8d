"""The embedded ledger by itself: commands per second, and what it costs beside the contracts.

    python -m benchmarks.ledger [--batch 500] [--batches 60] [--accounts 10000] [--json FILE]

A real ledger process with the real contracts; this process prepares and submits batches of
transfers whose accounts and keys are random. The contracts' own CPU time is measured in this
process, on a dictionary, with the same batches. What both processes spend beyond that, for one
command, is the overhead: CPU time, because it is what remains comparable on a busy machine.
"""

import argparse
import asyncio
import hashlib
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from benchmarks.ending import ending_cleanly
from benchmarks.options import whole_number
from gx.chaincode.executor import Executed
from gx.chaincode.stub import Caller, Modification
from gx.contracts.chaincode import build_executor
from gx.database.tether import tethered
from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.identifiers import BlockNumber, CommandId, EpochSeconds, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.server import LedgerServer, ServeOptions, serve
from gx.ledger.ports import Ledger, Proposal
from gx.runtime.clock import SystemClock
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_ledger_metrics

MINT_BATCH: Final = 500
STARTING_BALANCE: Final = "100000000000000"
SEED: Final = 20_260_101


class MemoryStub:
    """The least that a contract needs, without versions: what remains is the contract's time."""

    def __init__(self, state: dict[str, str], role: LedgerRole, number: int) -> None:
        self._state = state
        self.caller: Final = Caller(role=role, identity="bench")
        self.transaction_id: Final = TransactionId(hashlib.sha256(b"%d" % number).hexdigest())
        self.timestamp_s: Final = EpochSeconds(int(time.monotonic()) + 1_700_000_000)

    def get_state(self, key: str) -> str | None:
        """See `Stub`."""
        return self._state.get(key)

    def get_states(self, keys: Sequence[str]) -> Sequence[str | None]:
        """See `Stub`."""
        return [self._state.get(key) for key in keys]

    def get_range(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """See `Stub`."""
        return iter(sorted(item for item in self._state.items() if start <= item[0] < end))

    def get_history(self, _key: str) -> Iterator[Modification]:
        """See `Stub`. Transfers ask for none."""
        return iter(())

    def put_states(self, writes: Mapping[str, str | None]) -> None:
        """See `Stub`. Transfers delete nothing."""
        self._state.update((key, value) for key, value in writes.items() if value is not None)

    def set_event(self, _name: str, _payload: str) -> None:
        """See `Stub`."""


def account(number: int) -> str:
    """Name a benchmark account."""
    return f"bench-{number:07d}"


def item(dice: random.Random, function: str, args: tuple[str, ...], actor: str) -> BatchItem:
    """Make a command with a random key, as a client's idempotency key is."""
    key = f"{dice.getrandbits(256):064x}"
    command_id = CommandId(f"{key[:8]}-{key[8:12]}-7{key[13:16]}-8{key[17:20]}-{key[20:32]}")
    return BatchItem(command_id=command_id, key=key, function=function, args=args, actor=actor)


def mint_batches(dice: random.Random, accounts: int) -> Iterator[str]:
    """Open the accounts, each with coins."""
    for first in range(0, accounts, MINT_BATCH):
        numbers = range(first, min(first + MINT_BATCH, accounts))
        yield encode_items(
            tuple(
                item(
                    dice,
                    "TokenomicsContract:Mint",
                    (account(number), STARTING_BALANCE, "opening balance"),
                    "bench",
                )
                for number in numbers
            )
        )


def transfer_batches(
    dice: random.Random, *, accounts: int, size: int, batches: int, lanes: int
) -> list[list[str]]:
    """Make batches of random transfers, `lanes` lists of them that share no account."""
    share = accounts // lanes
    return [
        [
            encode_items(
                tuple(
                    item(
                        dice,
                        "TokenomicsContract:Transfer",
                        (account(first), account(second), "1000", "a benchmark payment"),
                        account(first),
                    )
                    for first, second in (
                        dice.sample(range(lane * share, (lane + 1) * share), 2) for _ in range(size)
                    )
                )
            )
            for _ in range(batches)
        ]
        for lane in range(lanes)
    ]


async def put(ledger: Ledger, text: str, role: LedgerRole) -> float:
    """Prepare and submit one batch; return the seconds that it took."""
    started_s = time.perf_counter()
    proposal = Proposal(function=BATCH_FUNCTION, arguments=(text,), role=role)
    await ledger.submit(await ledger.prepare(proposal))
    return time.perf_counter() - started_s


async def put_all(ledger: Ledger, batches: list[str]) -> list[float]:
    """Put batches one after another."""
    return [await put(ledger, text, LedgerRole.PARTNER_API) for text in batches]


async def open_accounts(ledger: Ledger, accounts: int) -> None:
    """Bootstrap the system and open the accounts."""
    bootstrap = Proposal(
        function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
    )
    await ledger.submit(await ledger.prepare(bootstrap))
    for text in mint_batches(random.Random(SEED), accounts):  # noqa: S311 (a benchmark's dice)
        await put(ledger, text, LedgerRole.SUPER_ADMIN)


class Contracts:
    """The same contracts on a dictionary, for what they cost by themselves."""

    def __init__(self, accounts: int) -> None:
        self._execute: Final = build_executor().execute
        self._state: Final[dict[str, str]] = {}
        self._transactions = 0
        self._run(LedgerRole.SUPER_ADMIN, "AdminContract:BootstrapSystem")
        for text in mint_batches(random.Random(SEED), accounts):  # noqa: S311 (a benchmark's dice)
            self._run(LedgerRole.SUPER_ADMIN, BATCH_FUNCTION, text)

    def cpu_seconds(self, batch: str) -> float:
        """Run a batch of transfers; return the CPU seconds that it took."""
        started_s = time.thread_time()
        self._run(LedgerRole.PARTNER_API, BATCH_FUNCTION, batch)
        return time.thread_time() - started_s

    def _run(self, role: LedgerRole, function: str, *args: str) -> None:
        self._transactions += 1
        executed = self._execute(MemoryStub(self._state, role, self._transactions), function, args)
        assert isinstance(executed, Executed), executed


@dataclass(slots=True)
class Lane:
    """What putting batches one after another took, the contracts alone measured in between."""

    durations_s: list[float] = field(default_factory=list)
    contract_cpu_s: float = 0.0
    cpu_s: float = 0.0


async def put_measured(
    ledger: Ledger, batches: list[str], contracts: Contracts, process: psutil.Process
) -> Lane:
    """Put batches; interleaved, so that both meet the same machine."""
    lane = Lane()
    for text in batches:
        lane.contract_cpu_s += contracts.cpu_seconds(text)
        started_s = cpu_seconds(process)
        lane.durations_s.append(await put(ledger, text, LedgerRole.PARTNER_API))
        lane.cpu_s += cpu_seconds(process) - started_s
    return lane


async def stream_seconds(ledger: Ledger, first: int, last: int) -> float:
    """Read blocks as a projector does; return the seconds it took."""
    started_s = time.perf_counter()
    async for block in ledger.blocks(BlockNumber(first)):
        if block.number == last:
            break
    return time.perf_counter() - started_s


@asynccontextmanager
async def ledger_process(folder: Path) -> AsyncIterator[tuple[LocalLedger, psutil.Process]]:
    """Serve a ledger in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", "benchmarks.ledger", "--serve", str(folder))),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    while (line := await process.stdout.readline()) != b"ready\n":
        assert line, "the ledger process ended"
    draining = asyncio.create_task(process.stdout.read())
    ledger = LocalLedger(folder / "s")
    try:
        yield ledger, psutil.Process(process.pid)
    finally:
        await ledger.close()
        process.terminate()
        await asyncio.gather(process.wait(), draining)


async def serve_until_terminated(folder: Path) -> None:
    """Be the ledger process."""

    async def announce(_server: LedgerServer) -> None:
        print("ready", flush=True)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(
        ServeOptions(folder=folder, socket=folder / "s"),
        execute=build_executor().execute,
        clock=SystemClock(),
        metrics=build_ledger_metrics(MetricsRegistry(), functions=()),
        stop=stop,
        on_ready=announce,
    )


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time that the ledger's process and this one have used so far."""
    times = process.cpu_times()
    return time.process_time() + times.user + times.system


def rate(commands: int, seconds: float) -> int:
    """Return whole commands per second."""
    return round(commands / seconds)


async def measure(options: argparse.Namespace) -> dict[str, object]:
    """Run everything on one ledger; return the figures."""
    size, batches, accounts = int(options.batch), int(options.batches), int(options.accounts)
    dice = random.Random(SEED + 1)  # noqa: S311 (a benchmark's dice)
    (lane,) = transfer_batches(dice, accounts=accounts, size=size, batches=batches, lanes=1)
    pair = transfer_batches(dice, accounts=accounts, size=size, batches=batches // 2, lanes=2)
    contracts = Contracts(accounts)
    with tempfile.TemporaryDirectory(prefix="gxb") as name:
        async with ledger_process(Path(name)) as (ledger, process):
            await open_accounts(ledger, accounts)
            first = (await ledger.chain_info()).height
            one = await put_measured(ledger, lane, contracts, process)
            started_s = time.perf_counter()
            await asyncio.gather(*(put_all(ledger, texts) for texts in pair))
            two_s = time.perf_counter() - started_s
            last = (await ledger.chain_info()).height - 1
            stream_s = await stream_seconds(ledger, first, last)
            memory_mb = process.memory_info().rss / 1e6
    commands, one_s = size * batches, sum(one.durations_s)
    return {
        "batch_commands": size,
        "batches": batches,
        "accounts": accounts,
        "one_in_flight_commands_per_s": rate(commands, one_s),
        "one_in_flight_transactions_per_s": round(batches / one_s, 1),
        "two_in_flight_commands_per_s": rate(size * (batches // 2) * 2, two_s),
        "batch_p50_ms": round(statistics.median(one.durations_s) * 1000, 2),
        "batch_max_ms": round(max(one.durations_s) * 1000, 2),
        "contract_cpu_us_per_command": round(one.contract_cpu_s / commands * 1e6, 2),
        "overhead_cpu_us_per_command": round((one.cpu_s - one.contract_cpu_s) / commands * 1e6, 2),
        "server_memory_mb": round(memory_mb),
        "streamed_commands_per_s": rate(size * (last - first + 1), stream_s),
    }


def main() -> None:
    """Measure and print, or be the ledger process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=whole_number(at_least=1), default=500)
    parser.add_argument("--batches", type=whole_number(at_least=1), default=60)
    parser.add_argument("--accounts", type=whole_number(at_least=1), default=10_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve_until_terminated(options.serve))
        return
    figures = asyncio.run(measure(options))
    for name, figure in figures.items():
        print(f"{name:36} {figure}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with ending_cleanly():
        main()
