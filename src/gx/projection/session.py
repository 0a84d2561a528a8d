"""One run of the projection from its checkpoint until something stops it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import LedgerError, StreamError
from gx.ledger.ports import Block, BlockSource
from gx.projection.chunk import Chunk
from gx.projection.feed import ChunkFeed, FeedLimits
from gx.projection.ports import START, Checkpoint, ReadModelStore
from gx.projection.reading import EventPosition
from gx.projection.reconciliation import Reconciler
from gx.projection.same_chain import require_same_chain, require_unmoved
from gx.projection.settings import ProjectionSettings
from gx.telemetry.health import Heartbeat
from gx.telemetry.instruments import ProjectorMetrics
from gx.telemetry.lag import ProjectionLag
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""How long the loop waits for blocks before it turns: liveness is judged by the turns."""

SILENCE_MAX_S: Final = 10.0
"""A stream that is silent for so long, while the chain has grown, is opened again."""

LOOK_S: Final = 5.0
"""So often, while no block comes, the stored checkpoint is compared with the session's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSide:
    """What a session works with, and on."""

    source: BlockSource
    store: ReadModelStore
    metrics: ProjectorMetrics
    lag: ProjectionLag
    heartbeat: Heartbeat
    reconciler: Reconciler
    settings: ProjectionSettings


class Session:
    """Applies chunk after chunk from the checkpoint on. For one `run`."""

    def __init__(self, side: ReadSide, lease: Lease) -> None:
        self._side = side
        self._lease = lease
        self._parked: frozenset[EventPosition] = frozenset()
        self._checkpoint = START
        self._genesis_hash = ""
        self._was_stopped = False
        self._commit_begun_s = 0.0
        self._arrived_s = time.perf_counter()
        self._looked_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Project until told to stop; what is being applied then is finished.

        Raises:
            EventFoldError: an event cannot be projected; all blocks before its own are applied.
            WrongChainError: the ledger is not the one that was projected.
            CheckpointMovedError: somebody changed the checkpoint while nobody projected.
            LeaseLostError: somebody else projects, or has changed the checkpoint.
            LedgerError: the ledger cannot be read now.
            DatabaseUnavailableError: the database cannot be had now.
        """
        async with await self._open_feed() as feed:
            waking = asyncio.create_task(_wake_on(stop, feed))
            try:
                while not stop.is_set():
                    self._side.heartbeat.beat()
                    chunk = await feed.take(TURN_S)
                    if chunk is None:
                        self._require_arrivals()
                        await self._require_own_checkpoint()
                    else:
                        await self._apply(chunk)
                        await self._keep_gap()
            finally:
                waking.cancel()

    async def _open_feed(self) -> ChunkFeed:
        store, settings = self._side.store, self._side.settings
        self._checkpoint = await store.checkpoint()
        await require_unmoved(self._checkpoint, store)
        chain = await self._side.source.chain_info()
        await require_same_chain(self._checkpoint, chain, self._side.source)
        self._genesis_hash = chain.genesis_hash
        self._was_stopped = await store.stop() is not None
        await self._side.reconciler.load(self._lease)
        self._parked = frozenset(
            (event.block_number, event.position) for event in await store.parked()
        )
        self._side.metrics.parked_events.set(len(self._parked))
        self._note_checkpoint()
        return ChunkFeed(
            self._side.source,
            BlockNumber(self._checkpoint.block_number + 1),
            parked=self._parked,
            limits=FeedLimits(
                blocks_max=settings.chunk_blocks_max,
                rows_max=settings.chunk_rows_max,
                prefetch_bytes_max=settings.prefetch_bytes_max,
            ),
            on_block=self._note_arrival,
        )

    async def _apply(self, chunk: Chunk) -> None:
        try:
            await self._commit(chunk)
        except (LeaseLostError, DatabaseUnavailableError, LedgerError):
            raise
        except Exception as error:
            if len(chunk.blocks) == 1:
                raise
            _log.warning("chunk_split", first_block=chunk.blocks[0].number, error=error)
            await self._commit_one_by_one(chunk.blocks)

    async def _commit_one_by_one(self, blocks: Sequence[Block]) -> None:
        """Apply what can be, so that only the block that fails stands in the way."""
        for block in blocks:
            chunk = Chunk(self._parked)
            chunk.add(block)
            await self._commit(chunk)

    async def _commit(self, chunk: Chunk) -> None:
        if not self._genesis_hash:  # the chain had no block when this session began
            self._genesis_hash = (await self._side.source.chain_info()).genesis_hash
        last = chunk.blocks[-1]
        reached = Checkpoint(
            block_number=last.number,
            block_timestamp_ms=last.timestamp_ms,
            genesis_hash=self._genesis_hash,
            block_hash=last.hash,
        )
        self._commit_begun_s = time.perf_counter()
        await self._side.store.apply(
            lease=self._lease, expected=self._checkpoint, reached=reached, effects=chunk.effects
        )
        self._checkpoint = reached
        self._side.metrics.no_upgrade_needed(UpgradeReason.EVENT, UpgradeReason.BLOCK)
        self._note_checkpoint()
        self._count(chunk, commit_s=time.perf_counter() - self._commit_begun_s)
        if self._was_stopped:
            await self._side.store.stopped_at(self._lease, None)
            self._was_stopped = False
        await self._side.reconciler.compare(self._lease, chunk.records)

    async def _keep_gap(self) -> None:
        """Let a little gather: a commit costs the same for one block as for ten."""
        due_s = self._commit_begun_s + self._side.settings.commit_gap_s
        wait_s = due_s - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _require_arrivals(self) -> None:
        """Give up a stream that brings nothing although the chain has grown.

        Raises:
            StreamError: a connection that broke without a word would be waited for for ever.
        """
        silent_s = time.perf_counter() - self._arrived_s
        if silent_s > SILENCE_MAX_S and self._side.lag.lag_blocks():
            raise StreamError(f"no block came for {silent_s:.0f} s although there are more")

    async def _require_own_checkpoint(self) -> None:
        """See now and then, while no block comes, that the checkpoint is where it was left.

        Raises:
            LeaseLostError: it is not; the next session says why, or goes on from a rebuild's.
        """
        now_s = time.perf_counter()
        if now_s < self._looked_s + LOOK_S:
            return
        self._looked_s = now_s
        stored = await self._side.store.checkpoint()
        if stored != self._checkpoint:
            raise LeaseLostError(
                f"the checkpoint was block {self._checkpoint.block_number}, "
                f"and is block {stored.block_number}: somebody moved it"
            )

    def _count(self, chunk: Chunk, *, commit_s: float) -> None:
        metrics = self._side.metrics
        for event_type, count in chunk.counts.items():
            metrics.events_processed(event_type).inc(count)
        events = chunk.counts.total()
        if events:
            each_ms = (chunk.fold_s + commit_s) * 1000 / events
            metrics.event_processing_duration_ms.observe(each_ms, events)

    def _note_checkpoint(self) -> None:
        number = self._checkpoint.block_number
        self._side.metrics.checkpoint.set(number)
        self._side.lag.projected(checkpoint=number)

    def _note_arrival(self, block: Block) -> None:
        self._arrived_s = time.perf_counter()
        height = block.number + 1
        self._side.lag.chain_read(height=height, newest_timestamp_ms=block.timestamp_ms)


async def _wake_on(stop: asyncio.Event, feed: ChunkFeed) -> None:
    await stop.wait()
    feed.wake()
