"""Building the read models anew from block 0 while the live ones go on being read and written.

The blocks are folded into a second set of tables. When that has caught up, projectors are held for
a moment, the last blocks are added, and the sets change places in one transaction: everything or
nothing. A rebuild that is killed leaves the live tables as they were; the next one starts anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog

from gx.database.lease_keeper import LeaseKeeper
from gx.database.pool import Pool
from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError, Leases
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber
from gx.ledger.ports import Block, BlockSource
from gx.projection.chunk import Chunk
from gx.projection.feed import ChunkFeed, FeedLimits
from gx.projection.folds import assert_complete
from gx.projection.ports import START, Checkpoint
from gx.projection.postgres.shadow import LiveTables, PostgresShadow
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.reconciliation import Comparison
from gx.projection.same_chain import require_same_chain
from gx.projection.tasks import end_tasks

_log: Final = structlog.get_logger(__name__)

LEASE_S: Final = 30.0
WAIT_S: Final = 1.0
SWAP_ATTEMPTS: Final = 10
"""Somebody who reads the live tables for long can hold up the exchange."""

LIMITS: Final = FeedLimits(blocks_max=100_000, rows_max=60_000, prefetch_bytes_max=32_000_000)
"""Larger chunks than a projector's: nobody waits for a single one of them."""


class RebuildError(GxError):
    """The read models were not rebuilt; the live ones are as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildRequest:
    """Who wants it, and why: both are audited.

    `accept_new_chain` lets the read models of another chain be replaced.
    """

    actor: str
    reason: str
    accept_new_chain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildProgress:
    """How far it has come: the last block added, of how many, with how many events so far."""

    block_number: BlockNumber
    height: int
    events: int
    elapsed_s: float


class Rebuild:
    """One rebuild of a channel's read models. For one `run`."""

    def __init__(
        self, *, source: BlockSource, pool: Pool, leases: Leases, channel: str, holder: str
    ) -> None:
        assert_complete()
        self._source = source
        self._leases = leases
        self._channel = channel
        self._holder = holder
        self._live = PostgresReadModelStore(pool, channel=channel)
        self._shadow = PostgresShadow(pool, channel=channel)
        self._comparison = Comparison(self._shadow.store, {})
        self._checkpoint = START
        self._genesis_hash = ""
        self._height = 0
        self._events = 0
        self._begun_s = time.monotonic()

    async def run(
        self, request: RebuildRequest, on_progress: Callable[[RebuildProgress], None]
    ) -> RebuildProgress:
        """Rebuild and return how much it was. `on_progress` is called after each chunk.

        Raises:
            RebuildError: somebody else rebuilds, or the tables could not be exchanged.
            WrongChainError: the live read models are of another chain, and that was not accepted.
            EventFoldError: an event cannot be projected.
            LedgerError: the ledger cannot be read.
            DatabaseUnavailableError: the database cannot be had.
        """
        async with self._lease() as lease:
            building = asyncio.create_task(self._build(lease, request, on_progress))
            keeper = LeaseKeeper(self._leases, lease, lease_s=LEASE_S)
            keeping = asyncio.create_task(keeper.run())
            try:
                await asyncio.wait({building, keeping}, return_when=asyncio.FIRST_COMPLETED)
                if not building.done():
                    raise RebuildError("the lease of the rebuild was lost: start it again")
                building.result()
            finally:
                await end_tasks(building, keeping)
        return self._progress()

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Lease]:
        name = f"rebuild:{self._channel}"
        lease = await self._leases.acquire(name, self._holder, ttl_s=LEASE_S)
        if lease is None:
            raise RebuildError(f"the read models of {self._channel} are being rebuilt already")
        try:
            yield lease
        finally:
            await self._leases.release(lease)

    async def _build(
        self,
        lease: Lease,
        request: RebuildRequest,
        on_progress: Callable[[RebuildProgress], None],
    ) -> None:
        try:
            await self._build_beside(lease, request, on_progress)
        except Exception:
            with suppress(DatabaseUnavailableError, LeaseLostError):
                await self._shadow.drop(lease)
            raise

    async def _build_beside(
        self,
        lease: Lease,
        request: RebuildRequest,
        on_progress: Callable[[RebuildProgress], None],
    ) -> None:
        await self._prepare(lease, request)
        parked = await self._live.parked()
        async with ChunkFeed(
            self._source,
            BlockNumber(0),
            parked={(event.block_number, event.position) for event in parked},
            limits=LIMITS,
            on_block=self._note_arrival,
        ) as feed:
            await self._add_until(lease, feed, self._height - 1, on_progress)
            await self._shadow.complete()
            _log.info("rebuild_caught_up", block_number=self._checkpoint.block_number)
            await self._exchange(lease, feed, request, on_progress)

    async def _prepare(self, lease: Lease, request: RebuildRequest) -> None:
        # In this order: the ledger may grow between the two, a checkpoint ahead of it must not be.
        projected = await self._live.checkpoint()
        chain = await self._source.chain_info()
        if not request.accept_new_chain:
            await require_same_chain(projected, chain, self._source)
        self._height, self._genesis_hash = chain.height, chain.genesis_hash
        await self._shadow.create(lease)
        _log.info("rebuild_begun", channel=self._channel, height=chain.height)

    async def _add_until(
        self,
        lease: Lease,
        feed: ChunkFeed,
        block_number: int,
        on_progress: Callable[[RebuildProgress], None],
    ) -> None:
        while self._checkpoint.block_number < block_number:
            chunk = await feed.take(WAIT_S)
            if chunk is not None:
                await self._add(lease, chunk)
                on_progress(self._progress())

    async def _add(self, lease: Lease, chunk: Chunk) -> None:
        if not self._genesis_hash:  # the chain had no block when this began
            self._genesis_hash = (await self._source.chain_info()).genesis_hash
        last = chunk.blocks[-1]
        reached = Checkpoint(
            block_number=last.number,
            block_timestamp_ms=last.timestamp_ms,
            genesis_hash=self._genesis_hash,
            block_hash=last.hash,
        )
        await self._shadow.store.apply(
            lease=lease, expected=self._checkpoint, reached=reached, effects=chunk.effects
        )
        self._checkpoint = reached
        self._events += chunk.counts.total()
        await self._comparison.update(chunk.records)

    async def _exchange(
        self,
        lease: Lease,
        feed: ChunkFeed,
        request: RebuildRequest,
        on_progress: Callable[[RebuildProgress], None],
    ) -> None:
        for attempt in range(1, SWAP_ATTEMPTS + 1):
            await self._add_until(lease, feed, self._height - 1, on_progress)
            try:
                async with self._shadow.hold_live(lease) as live:
                    if not request.accept_new_chain:
                        await self._add_until(
                            lease, feed, live.checkpoint.projected_block, on_progress
                        )
                    await self._replace(live, request)
            except DatabaseUnavailableError as error:
                _log.warning("rebuild_exchange_failed", attempt=attempt, error=error)
                await asyncio.sleep(WAIT_S)
            else:
                return
        raise RebuildError(
            f"the tables could not be exchanged in {SWAP_ATTEMPTS} attempts: something reads "
            "the live ones without an end (pg_stat_activity names it); start again without it"
        )

    async def _replace(self, live: LiveTables, request: RebuildRequest) -> None:
        await live.replace(self._checkpoint, self._comparison.differences)
        if request.accept_new_chain:
            await live.accept_chain()
        await live.audit(actor=request.actor, reason=request.reason)

    def _note_arrival(self, block: Block) -> None:
        self._height = max(self._height, block.number + 1)

    def _progress(self) -> RebuildProgress:
        return RebuildProgress(
            block_number=self._checkpoint.block_number,
            height=self._height,
            events=self._events,
            elapsed_s=time.monotonic() - self._begun_s,
        )
