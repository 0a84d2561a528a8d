"""A term of office: what the one active submitter of a channel does while it holds the lease.

It keeps the pending set in memory and launches deliveries while there is room in flight. Losing
the lease ends everything at once: what was persisted belongs to the successor, what was not was
never sent.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from gx.database.lease_keeper import LeaseKeeper
from gx.database.ports import Leases
from gx.domain.versions import NewerVersionError
from gx.outbox.batching import Batching
from gx.outbox.delivery import Delivery
from gx.outbox.options import SubmitterOptions
from gx.outbox.pending import PendingReader
from gx.outbox.ports import ENVELOPE_FORMAT, LiveEnvelope, OutboxStore
from gx.outbox.scheduling import Batch, BatchLimits, Return, Schedule
from gx.outbox.workplace import Workplace
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)

TURN_MAX_S: Final = 1.0
"""The loop turns at least this often, so that a heartbeat tells a hung loop from an idle one."""

Maintain = Callable[[], Awaitable[object]]


class Term:
    """One period of being active."""

    def __init__(
        self,
        place: Workplace,
        *,
        leases: Leases,
        beat: Callable[[], None],
        maintain: Maintain | None,
    ) -> None:
        self._place = place
        self._leases = leases
        self._beat = beat
        self._maintain = maintain
        self._options: SubmitterOptions = place.options
        self._store: OutboxStore = place.store
        self._schedule = Schedule(self._options.batch)
        self._reader = PendingReader(self._store, self._schedule, self._options)
        self._turn = asyncio.Event()
        self._alone_since_s = 0.0
        self._deliveries: set[asyncio.Task[None]] = set()
        self._set_aside: set[asyncio.Task[None]] = set()
        place.release = self._release
        place.set_aside = self._set_current_aside
        place.desk.on_ready = self._turn.set
        place.is_batching = self._options.batching is not Batching.OFF

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what is in flight within the grace period.

        Raises:
            ExceptionGroup: With a LeaseLostError if the lease was lost.
        """
        keeper = LeaseKeeper(self._leases, self._place.lease, lease_s=self._options.lease_s)
        async with asyncio.TaskGroup() as group:
            side_tasks = [
                group.create_task(keeper.run()),
                group.create_task(self._place.desk.run()),
                group.create_task(self._listen()),
                group.create_task(self._turn_when(stop.wait)),
                group.create_task(self._maintain_regularly()),
            ]
            await self._adopt_live_envelopes(group)
            await self._work(group, stop)
            await self._drain()
            for task in (*side_tasks, *self._deliveries, *self._set_aside):
                task.cancel()

    def wake_up(self) -> None:
        """Let the loop turn soon: something has changed."""
        self._turn.set()

    # ------------------------------------------------------------ the loop

    async def _work(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._beat()
            self._turn.clear()
            if self._place.ledger.breaker.is_closed and self._place.desk.is_ready:
                await self._reader.read_on()
                self._launch(group)
            await self._wait_for_turn()

    def _launch(self, group: asyncio.TaskGroup) -> None:
        self._try_batches_again()
        self._schedule.limits = BatchLimits(
            commands_max=self._place.pace.commands if self._place.is_batching else 1,
            bytes_max=self._options.batch.bytes_max,
        )
        while self._has_room:
            batch = self._schedule.next_batch(self._place.clock.now_ms())
            if batch is None:
                return
            self._start(group, Delivery(batch, self._place))

    def _try_batches_again(self) -> None:
        """Give a chaincode that knew no batches another chance: it may have been upgraded."""
        now_s = asyncio.get_running_loop().time()
        if self._place.is_batching or self._options.batching is Batching.OFF:
            self._alone_since_s = now_s
        elif now_s - self._alone_since_s >= self._options.batches_again_s:
            self._place.is_batching = True

    @property
    def _has_room(self) -> bool:
        """Tell whether one more may fly. Settling outlasts the flight: it is bounded here too."""
        options = self._options
        is_batching = self._place.is_batching
        room = options.in_flight_max if is_batching else options.in_flight_alone_max
        return self._schedule.flying < room and len(self._deliveries) < 2 * room

    def _start(self, group: asyncio.TaskGroup, delivery: Delivery) -> None:
        task = group.create_task(delivery.run())
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        task.add_done_callback(self._set_aside.discard)
        task.add_done_callback(lambda _: self._turn.set())

    async def _wait_for_turn(self) -> None:
        """Wait for news, for a batch to come back, or for something to be due."""
        timeout_s = TURN_MAX_S
        if self._place.ledger.breaker.is_closed:
            timeout_s = min(timeout_s, self._reader.next_read_in_s(), self._next_due_in_s())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, timeout_s)):
                await self._turn.wait()

    def _next_due_in_s(self) -> float:
        due_ms = self._schedule.next_due_ms() if self._has_room else None
        return TURN_MAX_S if due_ms is None else (due_ms - self._place.clock.now_ms()) / 1000

    def _release(self, batch: Batch, returning: Sequence[Return]) -> None:
        self._reader.released(entry.command_id for entry in batch.entries)
        self._schedule.release(batch, returning)
        self._turn.set()

    def _set_current_aside(self) -> None:
        """Let the running delivery take no room, and the end of the term not wait for it."""
        self._set_aside.update(task for task in self._deliveries if task is asyncio.current_task())
        self._deliveries -= self._set_aside
        self._turn.set()

    async def _drain(self) -> None:
        if self._deliveries:
            _log.info("draining_began", deliveries=len(self._deliveries))
            await asyncio.wait(self._deliveries, timeout=self._options.drain_s)

    # ------------------------------------------------------------ beside the loop

    async def _adopt_live_envelopes(self, group: asyncio.TaskGroup) -> None:
        """Resolve first what a predecessor persisted; its scopes are held until it is.

        Raises:
            NewerVersionError: A newer release persisted some. What rides in them may take effect at
                any time, so that nothing that comes after it may be sent by this release.
        """
        live_envelopes: Sequence[LiveEnvelope] = []

        async def read() -> None:
            nonlocal live_envelopes
            live_envelopes = await self._store.live_envelopes()

        await self._place.write(read)
        newest = max((live.format for live in live_envelopes), default=ENVELOPE_FORMAT)
        if newest > ENVELOPE_FORMAT:
            raise NewerVersionError("an envelope's record", newest, newest=ENVELOPE_FORMAT)
        self._place.accounts.needs_no_upgrade(UpgradeReason.ENVELOPE)
        for live in live_envelopes:
            _log.info("envelope_adopted", transaction_id=live.envelope.transaction_id)
            if not live.entries:
                await self._place.write(
                    lambda live=live: self._store.settle(  # type: ignore[misc]  # mypy cannot infer a default
                        self._place.lease, live.envelope.transaction_id, []
                    )
                )
                continue
            batch = self._schedule.hold(live.entries)
            self._start(group, Delivery(batch, self._place, live=live.envelope))

    async def _listen(self) -> None:
        wake_ups = self._store.wake_ups()
        try:
            async for _ in wake_ups:
                self._reader.wake_up()
                self._turn.set()
        finally:
            if isinstance(wake_ups, AsyncGenerator):
                await wake_ups.aclose()

    async def _turn_when(self, condition: Callable[[], Awaitable[object]]) -> None:
        await condition()
        self._turn.set()

    async def _maintain_regularly(self) -> None:
        while self._maintain is not None:
            try:
                await self._maintain()
            except Exception:  # noqa: BLE001 (the loop goes on without it; there is another run)
                _log.exception("maintenance_failed")
            await asyncio.sleep(self._options.maintain_s)
