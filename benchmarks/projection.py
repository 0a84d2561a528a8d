"""The projection by itself: events per second from blocks in memory to committed read models.

    python -m benchmarks.projection [--events 200000] [--batch 500] [--accounts 10000] [--json FILE]

Blocks are made before anything is measured: one batch of random transfers each, with the write
sets that the contracts would leave. Three figures: what reading and folding cost in this process,
how fast a projector that is far behind catches up on a real, durable PostgreSQL, and how fast the
read models are rebuilt beside the live ones.
"""

import argparse
import asyncio
import gc
import json
import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.ending import ending_cleanly
from benchmarks.options import whole_number
from gx.database.embedded import EmbeddedPostgres
from gx.database.leases import PostgresLeases
from gx.database.migrations import migrate
from gx.database.pool import Pool, PoolSettings
from gx.domain.batches import BATCH_EVENT
from gx.domain.codec import JsonValue, encode
from gx.domain.events import EVENTS
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.ports import (
    Block,
    ChaincodeEvent,
    ChainInfo,
    LedgerTransaction,
    ValidationCode,
    Write,
)
from gx.projection.chunk import Chunk
from gx.projection.postgres.rebuild import Rebuild, RebuildRequest
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.projector import Projector
from gx.projection.settings import ProjectionSettings
from gx.runtime.clock import SystemClock
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat
from gx.telemetry.instruments import build_projector_metrics

CHANNEL: Final = "gxchannel"
START_S: Final = 1_700_000_000
AMOUNT, FEE, RICH = 150_000_000, 75_000, 10**13


class MadeBlocks:
    """A chain in memory: a `BlockSource` that is never waited for."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.made = blocks
        self.last_taken = asyncio.Event()

    async def chain_info(self) -> ChainInfo:
        """Tell height and identity."""
        return ChainInfo(
            height=len(self.made),
            genesis_hash=self.made[0].hash,
            newest_timestamp_ms=self.made[-1].timestamp_ms,
        )

    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Yield what there is, then wait for ever."""
        for block in self.made[first:]:
            yield block
        self.last_taken.set()
        await asyncio.Event().wait()


class Balances:
    """What the contracts would write: every account's balance as it moves."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def change(self, account_id: str, delta: int) -> None:
        """Move one balance; a new account starts rich."""
        self._held[account_id] = self._held.get(account_id, 0) + delta

    def write(self, account_id: str) -> Write:
        """Return the account's record as a block holds it."""
        record: JsonValue = {
            "balance": str(self._held[account_id]),
            "frozen": False,
            "kind": "wallet",
            "status": "Active",
        }
        return Write(key=f"account_{account_id}", value=encode(record))


def make_blocks(*, events: int, batch: int, accounts: int) -> list[Block]:
    """Make a first block that mints to every account, then blocks of random transfers."""
    dice = random.Random(7)  # noqa: S311 - a benchmark's dice
    balances = Balances()
    names = [f"user-{number:07d}" for number in range(accounts)]
    made = [_mint_block(names, balances)]
    for first in range(0, events, batch):
        pairs = [dice.sample(names, 2) for _ in range(min(batch, events - first))]
        outcomes: list[JsonValue] = [
            _outcome(first + place, _transfer(one, two, balances))
            for place, (one, two) in enumerate(pairs)
        ]
        touched = {name for pair in pairs for name in pair}
        made.append(_block(len(made), outcomes, [balances.write(name) for name in touched]))
    return made


def _mint_block(names: Sequence[str], balances: Balances) -> Block:
    outcomes: list[JsonValue] = []
    for number, name in enumerate(names):
        balances.change(name, RICH)
        event: JsonValue = {
            "accountId": name,
            "amount": str(RICH),
            "amountCoins": str(RICH // 10**8),
            "changes": [{"accountId": name, "delta": str(RICH)}],
            "eventType": "CoinsMinted",
            "remark": "Welcome",
            "schemaVersion": 1,
            "timestamp": START_S,
        }
        outcomes.append(_outcome(number, event))
    return _block(0, outcomes, [balances.write(name) for name in names])


def _transfer(sender: str, recipient: str, balances: Balances) -> JsonValue:
    balances.change(sender, -AMOUNT - FEE)
    balances.change(recipient, AMOUNT)
    return {
        "amount": str(AMOUNT),
        "changes": [
            {"accountId": sender, "delta": str(-AMOUNT - FEE)},
            {"accountId": recipient, "delta": str(AMOUNT)},
            {"accountId": "SYSTEM_OPERATIONS_FUND", "delta": str(FEE)},
        ],
        "eventType": "TransferEvent",
        "fee": str(FEE),
        "feeRateBps": 5,
        "fromId": sender,
        "remark": "Lunch",
        "schemaVersion": 1,
        "timestamp": START_S,
        "toId": recipient,
    }


def _outcome(number: int, event: JsonValue) -> JsonValue:
    return {
        "commandId": f"0190f7a2-1111-7abc-8def-{number:012d}",
        "events": [event],
        "outcome": "COMMITTED",
        "result": {"fee": str(FEE)},
    }


def _block(number: int, outcomes: list[JsonValue], writes: Sequence[Write]) -> Block:
    payload = encode({"eventType": BATCH_EVENT, "outcomes": outcomes})
    entry = LedgerTransaction(
        transaction_id=TransactionId(f"{number:064x}"),
        validation_code=ValidationCode.VALID,
        timestamp_ms=EpochMs(START_S * 1_000),
        event=ChaincodeEvent(name=BATCH_EVENT, payload=payload),
        writes=tuple(writes),
    )
    return Block(
        number=BlockNumber(number),
        hash=f"{number + 1:064x}",
        previous_hash=f"{number:064x}",
        timestamp_ms=EpochMs(START_S * 1_000),
        transactions=(entry,),
    )


def measure_folding(blocks: Sequence[Block]) -> float:
    """Return what one transfer costs to read and fold, in µs."""
    counts: Counter[str] = Counter()
    started_s = time.process_time()
    for first in range(0, len(blocks), 8):
        chunk = Chunk()
        for block in blocks[first : first + 8]:
            chunk.add(block)
        counts += chunk.counts
    return (time.process_time() - started_s) * 1e6 / counts.total()


async def measure_catch_up(pool: Pool, leases: PostgresLeases, source: MadeBlocks) -> float:
    """Return in how many seconds a projector that starts from nothing has applied all blocks."""
    stop = asyncio.Event()
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    projector = Projector(
        source=source,
        store=store,
        leases=leases,
        clock=SystemClock(),
        metrics=build_projector_metrics(MetricsRegistry(), event_types=EVENTS, channel=CHANNEL),
        heartbeat=Heartbeat("loop", deadline_s=60),
        settings=ProjectionSettings(channel=CHANNEL, holder="benchmark"),
    )
    cpu_s, started_s = time.process_time(), time.perf_counter()
    task = asyncio.create_task(projector.run(stop))
    await source.last_taken.wait()
    while (await store.checkpoint()).block_number < len(source.made) - 1:  # noqa: ASYNC110 - what the table says is what counts
        await asyncio.sleep(0.005)
    elapsed_s = time.perf_counter() - started_s
    print(f"  ({(time.process_time() - cpu_s) / elapsed_s:.0%} of a core in this process)")
    stop.set()
    await task
    return elapsed_s


async def measure_rebuild(pool: Pool, leases: PostgresLeases, source: MadeBlocks) -> float:
    """Return in how many seconds the read models are rebuilt and exchanged."""
    rebuild = Rebuild(source=source, pool=pool, leases=leases, channel=CHANNEL, holder="benchmark")
    request = RebuildRequest(actor="benchmark", reason="to measure it")
    cpu_s = time.process_time()
    done = await rebuild.run(request, lambda _: None)
    print(f"  ({(time.process_time() - cpu_s) / done.elapsed_s:.0%} of a core in this process)")
    return done.elapsed_s


@asynccontextmanager
async def a_database(home: Path) -> AsyncIterator[PoolSettings]:
    """Run a durable PostgreSQL with the newest schema."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    async with EmbeddedPostgres(home=home, port=port).running() as prepared:
        await migrate(prepared.dsn)
        yield PoolSettings(dsn=prepared.socket_dsn, application_name="benchmark")


async def warm_up(pool: Pool) -> None:
    """Let the server make its log files before anything is measured: a new cluster has none."""
    await pool.execute("CREATE TABLE warm_up (filler text)")
    await pool.execute(
        "INSERT INTO warm_up SELECT repeat(md5(n::text), 28) FROM generate_series(1, 400000) AS n"
    )
    await pool.execute("DROP TABLE warm_up")
    await pool.execute("CHECKPOINT")


async def measure(settings: PoolSettings, blocks: Sequence[Block], events: int) -> dict[str, int]:
    """Measure what a database is needed for."""
    pool, leases, source = await Pool.open(settings), PostgresLeases(settings), MadeBlocks(blocks)
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await warm_up(pool)
    figures = {}
    figures["catch_up_per_s"] = round(events / await measure_catch_up(pool, leases, source))
    print(f"catching up: {figures['catch_up_per_s']} events/s", flush=True)
    before = await store.digest()
    figures["rebuild_per_s"] = round(events / await measure_rebuild(pool, leases, source))
    print(f"rebuilding: {figures['rebuild_per_s']} events/s", flush=True)
    assert await store.digest() == before, "the rebuilt read models differ"
    await leases.close()
    await pool.close()
    return figures


def main(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    events, accounts = arguments.events, arguments.accounts
    blocks = make_blocks(events=events, batch=arguments.batch, accounts=accounts)
    gc.freeze()  # a real source does not hold a million objects for the collector to look through
    figures: dict[str, float] = {"folding_us": round(measure_folding(blocks[1:]), 2)}
    print(f"reading and folding: {figures['folding_us']} us a transfer", flush=True)
    with tempfile.TemporaryDirectory(prefix="gx-benchmark-") as folder:
        Path(folder).chmod(0o755)

        async def run() -> None:
            async with a_database(Path(folder) / "postgres") as settings:
                figures.update(await measure(settings, blocks, events + accounts))

        uvloop.run(run())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=whole_number(at_least=1), default=200_000)
    parser.add_argument("--batch", type=whole_number(at_least=1), default=500)
    parser.add_argument("--accounts", type=whole_number(at_least=1), default=10_000)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    with ending_cleanly():
        main(read_arguments())
