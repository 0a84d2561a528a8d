"""The projector: holds the lease, keeps the read models at the ledger's heels, says when it cannot.

    what happens                      what it does
    the lease is somebody else's      stands by, tries again every third of a lease
    an event cannot be projected      stands still before its block, says so, tries every 3 s
    a newer release wrote it          the same; nobody may park it, the next release reads it
    ledger or database away           tries again every second
    the ledger is another chain       ends with WrongChainError: an operator must choose
    anything else fails               applies the blocks before it, says so, tries every 3 s

The intervals never grow: an operator who repairs something sees it work at once.
"""

import asyncio
import random
from contextlib import suppress
from typing import Final

import structlog

from gx.database.lease_keeper import LeaseKeeper
from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError, Leases
from gx.domain.clock import Clock
from gx.ledger.errors import LedgerError, NewerBlockError
from gx.ledger.ports import BlockSource
from gx.projection.folds import assert_complete
from gx.projection.ports import ReadModelStore, Stop, WrongChainError
from gx.projection.reading import UNKNOWN_EVENT, EventFoldError
from gx.projection.reconciliation import Reconciler
from gx.projection.session import TURN_S, ReadSide, Session
from gx.projection.settings import ProjectionSettings
from gx.projection.tasks import end_tasks
from gx.telemetry.health import Heartbeat
from gx.telemetry.instruments import ProjectorMetrics
from gx.telemetry.lag import ProjectionLag
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)

RETRY_S: Final = 3.0
RETRY_SPREAD: Final = 0.1
UNAVAILABLE_RETRY_S: Final = 1.0
CHAIN_LOOK_S: Final = 1.0
CHAIN_TIMEOUT_S: Final = 5.0


class Projector:
    """One of possibly several processes that can project a channel; one does at a time."""

    def __init__(
        self,
        *,
        source: BlockSource,
        store: ReadModelStore,
        leases: Leases,
        clock: Clock,
        metrics: ProjectorMetrics,
        heartbeat: Heartbeat,
        settings: ProjectionSettings,
    ) -> None:
        assert_complete()
        self._leases = leases
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing
        lag = ProjectionLag(clock=clock)
        self._side = ReadSide(
            source=source,
            store=store,
            metrics=metrics,
            lag=lag,
            heartbeat=heartbeat,
            reconciler=Reconciler(
                store,
                metrics.reconciliation_difference,
                clock=clock,
                age_s=metrics.reconciliation_age_s,
                duration_s=metrics.reconciliation_duration_s,
            ),
            settings=settings,
        )
        self._is_active = False
        metrics.lag_ms.read_with(lag.lag_ms)
        metrics.lag_blocks.read_with(lag.lag_blocks)

    async def run(self, stop: asyncio.Event) -> None:
        """Project whenever the lease can be had, until told to stop.

        Raises:
            WrongChainError: the ledger is not the one that was projected.
        """
        self._side.metrics.worker_status.set(1)
        watching = asyncio.create_task(self._watch_chain(), name="chain-watch")
        try:
            while not stop.is_set():
                lease = await self._acquire()
                if lease is None:
                    await self._pause(stop, self._side.settings.lease_s / 3)
                else:
                    await self._lead(lease, stop)
        finally:
            self._side.metrics.worker_status.set(0)
            await end_tasks(watching)

    # ------------------------------------------------------------ the lease

    async def _acquire(self) -> Lease | None:
        settings = self._side.settings
        self._side.heartbeat.beat()
        try:
            return await self._leases.acquire(
                settings.lease_name, settings.holder, ttl_s=settings.lease_s
            )
        except DatabaseUnavailableError as error:
            _log.warning("lease_not_asked", error=error)
            return None

    async def _lead(self, lease: Lease, stop: asyncio.Event) -> None:
        """Project as the one active projector, until told to stop or replaced."""
        self._begin(lease)
        working = asyncio.create_task(self._project(lease, stop), name="projection")
        keeper = LeaseKeeper(self._leases, lease, lease_s=self._side.settings.lease_s)
        keeping = asyncio.create_task(keeper.run(), name="lease-keeping")
        summing = asyncio.create_task(self._sum_up(lease), name="reconciliation")
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            await end_tasks(working, keeping, summing)
            await self._resign(lease)

    def _begin(self, lease: Lease) -> None:
        self._is_active = True
        self._side.metrics.worker_active.set(1)
        self._side.metrics.lease_epoch.set(lease.epoch)
        _log.info("projector_became_active", holder=lease.holder, epoch=lease.epoch)

    async def _resign(self, lease: Lease) -> None:
        """Stand by: what another process projects is not ours to report."""
        self._is_active = False
        self._side.metrics.worker_active.set(0)
        self._side.metrics.parked_events.clear()
        self._side.metrics.checkpoint.clear()
        self._side.metrics.no_upgrade_needed(UpgradeReason.EVENT, UpgradeReason.BLOCK)
        self._side.lag.forget()
        self._side.reconciler.forget()
        _log.info("projector_resigned", holder=lease.holder, epoch=lease.epoch)
        with suppress(DatabaseUnavailableError):
            await self._leases.release(lease)

    # ------------------------------------------------------------ projecting

    async def _project(self, lease: Lease, stop: asyncio.Event) -> None:
        """Run session after session; return when told to stop or replaced."""
        while not stop.is_set():
            try:
                await Session(self._side, lease).run(stop)
            except LeaseLostError as error:
                _log.warning("projection_fenced_out", error=error)
                return
            except WrongChainError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the block is tried again
                await self._pause(stop, await self._react(lease, error))

    async def _react(self, lease: Lease, error: Exception) -> float:
        """Say what went wrong; return how long to wait before the next attempt."""
        match error:
            case NewerBlockError():
                self._say_too_old(UpgradeReason.BLOCK, error)
            case LedgerError() | DatabaseUnavailableError():
                _log.warning("projection_interrupted", error=error)
                return UNAVAILABLE_RETRY_S
            case EventFoldError():
                await self._say_stopped(lease, error)
            case _:
                self._side.metrics.events_failed(UNKNOWN_EVENT).inc()
                _log.error("projection_failed", exc_info=error)
        return RETRY_S * (1 + self._random.uniform(-RETRY_SPREAD, RETRY_SPREAD))

    async def _say_stopped(self, lease: Lease, error: EventFoldError) -> None:
        """Tell operators where the projection stands still; they may park the event."""
        self._side.metrics.events_failed(error.event_type).inc()
        if error.is_newer:
            self._side.metrics.upgrade_needed(UpgradeReason.EVENT).set(1)
        _log.error(
            "event_not_projectable",
            block_number=error.place.block_number,
            position=error.place.position,
            event_type=error.event_type,
            is_newer=error.is_newer,
            error=error,
        )
        stop = Stop(
            block_number=error.place.block_number,
            position=error.place.position,
            event_type=error.event_type,
            event=error.event,
            error=str(error),
            is_newer=error.is_newer,
        )
        with suppress(DatabaseUnavailableError, LeaseLostError):
            await self._side.store.stopped_at(lease, stop)

    def _say_too_old(self, reason: UpgradeReason, error: Exception) -> None:
        """Tell operators that only a newer release can go on."""
        self._side.metrics.upgrade_needed(reason).set(1)
        _log.error("block_of_newer_release_met", error=error)

    # ------------------------------------------------------------ beside the projection

    async def _watch_chain(self) -> None:
        """Look at the chain's height now and then: the lag must grow when no block comes."""
        height = self._side.metrics.blockchain_height(self._side.settings.channel)
        while True:
            with suppress(LedgerError, TimeoutError):
                async with asyncio.timeout(CHAIN_TIMEOUT_S):
                    chain = await self._side.source.chain_info()
                height.set(chain.height)
                if self._is_active:
                    self._side.lag.chain_read(
                        height=chain.height, newest_timestamp_ms=chain.newest_timestamp_ms
                    )
            await asyncio.sleep(CHAIN_LOOK_S)

    async def _sum_up(self, lease: Lease) -> None:
        """Compare the sum of all accounts with the supply, while others go on projecting.

        What was found before is read anew each time: a rebuild may have repaired it meanwhile.
        """
        while True:
            try:
                await self._side.reconciler.load(lease)
                await self._side.reconciler.compare_totals()
            except DatabaseUnavailableError as error:
                _log.warning("reconciliation_postponed", error=error)
            await asyncio.sleep(self._side.settings.reconcile_s)

    async def _pause(self, stop: asyncio.Event, pause_s: float) -> None:
        """Wait, turning all the while; return at once when told to stop."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + pause_s
        while not stop.is_set() and (left_s := until_s - loop.time()) > 0:
            self._side.heartbeat.beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(left_s, TURN_S))
