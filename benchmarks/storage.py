"""The outbox's tables by themselves: how fast commands go in, and how fast they come out again.

Nobody else uses the database meanwhile. In: groups of 500, as group commit stores them. Out: read
1,000 pending, hold them by an envelope, settle them; a ledger that takes no time stands between.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.driver import Driver, make_transfers
from benchmarks.stack import BenchmarkError, Loop
from benchmarks.transfers import ACCOUNTS
from benchmarks.wal import LogMark, Written
from gx.database.leases import PostgresLeases
from gx.database.ports import Lease
from gx.domain.batches import OutcomeKind
from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Envelope
from gx.outbox.ports import Entry, Settlement
from gx.outbox.postgres.store import PostgresOutboxStore

BATCH = 1_000
ENVELOPE_BYTES_PER_COMMAND = 450
"""What a local ledger's envelope holds for a transfer."""
NO_BLOCK: Final = BlockNumber(-1)
"""Of no ledger's chain: the submitter would find that the chain lacks these answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRates:
    """Commands per second into the tables, and through them."""

    inserted_per_s: float
    claimed_per_s: float
    insert_log: Written


async def measure_storage(
    driver: Driver, *, seed: int, count: int, accounts: int = ACCOUNTS
) -> StorageRates:
    """Put commands in, take them out again.

    Raises:
        BenchmarkError: the submitter runs, or not every command came out.
    """
    commands = make_transfers(seed, count, accounts)
    mark = await LogMark.here(driver.loop.pool)
    insert_s = await driver.accept(commands)
    insert_log = await mark.written(count)
    started_s = time.perf_counter()
    await claim_all(driver.loop, seed=seed, count=count, batch=BATCH)
    claim_s = time.perf_counter() - started_s
    return StorageRates(
        inserted_per_s=count / insert_s, claimed_per_s=count / claim_s, insert_log=insert_log
    )


async def claim_all(loop: Loop, *, seed: int, count: int, batch: int) -> list[float]:
    """Take out everything that waits; return what each batch took, in seconds.

    Raises:
        BenchmarkError: the submitter runs, or not so many commands came out.
    """
    leases = PostgresLeases(loop.listening)
    try:
        lease = await leases.acquire("submitter:gxchannel", "benchmark", ttl_s=600)
        if lease is None:
            raise BenchmarkError("the submitter holds its lease")
        store = PostgresOutboxStore(loop.pool, listening=loop.listening)
        claimed, spent_s = await _claim_batches(store, lease, seed, batch)
        await leases.release(lease)
    finally:
        await leases.close()
    if claimed != count:
        raise BenchmarkError(f"{count} commands went in, {claimed} came out")
    return spent_s


async def _claim_batches(
    store: PostgresOutboxStore, lease: Lease, seed: int, batch: int
) -> tuple[int, list[float]]:
    claimed, after_seq, started_s = 0, 0, time.perf_counter()
    spent_s: list[float] = []
    while entries := await store.pending(after_seq=after_seq, limit=batch):
        name = hashlib.sha256(f"{seed}-{claimed}".encode()).hexdigest()
        envelope = Envelope(
            transaction_id=TransactionId(name),
            role=LedgerRole.PARTNER_API,
            content=name.encode() * (ENVELOPE_BYTES_PER_COMMAND * len(entries) // 64),
            result="{}",
        )
        await store.persist(lease, envelope, entries)
        settlements = [_settlement(entry, envelope.transaction_id) for entry in entries]
        await store.settle(lease, envelope.transaction_id, settlements)
        claimed += len(entries)
        after_seq = entries[-1].seq
        spent_s.append(time.perf_counter() - started_s)
        started_s += spent_s[-1]
    return claimed, spent_s


def _settlement(entry: Entry, transaction_id: TransactionId) -> Settlement:
    return Settlement(
        command_id=entry.command_id,
        outcome=OutcomeKind.COMMITTED,
        code=None,
        detail=None,
        result={"fee": "0"},
        transaction_id=transaction_id,
        block_number=NO_BLOCK,
    )
