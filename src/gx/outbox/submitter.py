"""The submitter: brings accepted commands to the ledger, exactly once each.

Several may run; one is active, and the others take over within seconds. Everything a term of
office knows is in the database, so a term that ends for whatever reason is followed by a new one
that begins by reading it.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError, Leases
from gx.domain.clock import Clock
from gx.domain.versions import NewerVersionError
from gx.ledger.breaker import BreakerState, BreakingLedger
from gx.ledger.ports import Ledger
from gx.outbox.accounts import Accounts
from gx.outbox.audit import OutboxAudit
from gx.outbox.chain_guard import ChainGuard
from gx.outbox.options import SubmitterOptions
from gx.outbox.pace import Pace
from gx.outbox.ports import OutboxStore
from gx.outbox.term import Maintain, Term
from gx.outbox.verdicts import VerdictDesk
from gx.outbox.workplace import Workplace
from gx.telemetry.health import Heartbeat, ReadinessCheck
from gx.telemetry.instruments import SubmitterMetrics
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)

STANDBY_S: Final = 0.5
"""How often a standby asks for the lease."""

TOO_OLD_S: Final = 3.0
"""How long a submitter that is too old leaves the lease to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What is done beside submitting: signs of life and of health, maintenance, comparing."""

    heartbeat: Heartbeat | None = None
    chain_check: ReadinessCheck | None = None
    maintain: Maintain | None = None
    audit: OutboxAudit | None = None


class Submitter:
    """Run it until `stop`. Alone or with others, it needs no other coordination than the lease."""

    def __init__(
        self,
        *,
        store: OutboxStore,
        leases: Leases,
        ledger: Ledger,
        clock: Clock,
        metrics: SubmitterMetrics,
        options: SubmitterOptions,
        upkeep: Upkeep | None = None,
    ) -> None:
        self._store = store
        self._leases = leases
        self._clock = clock
        self._options = options
        self._upkeep = upkeep or Upkeep()
        self._accounts = Accounts(metrics, clock)
        self._guard = ChainGuard(store, channel=options.channel, check=self._upkeep.chain_check)
        self._pace = Pace(
            commands_max=options.batch.commands_max, target_s=options.endorsing_target_s
        )
        self._term: Term | None = None
        self._rest_s = STANDBY_S
        self._ledger = BreakingLedger(
            ledger,
            settings=options.breaker,
            probe=options.probe,
            on_change=self._breaker_changed,
            on_rejection=self._accounts.breaker_rejected,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work whenever the lease can be had, until told to stop; then drain and give it up."""
        self._accounts.running(is_running=True)
        self._accounts.active(epoch=None)
        sampling = asyncio.create_task(self._sample())
        try:
            while not stop.is_set():
                self._beat()
                lease = await self._acquire()
                if lease is not None:
                    await self._serve(lease, stop)
                await _sleep_unless(stop, self._rest_s)
                self._rest_s = STANDBY_S
        finally:
            sampling.cancel()
            await asyncio.wait([sampling])
            await self._ledger.stop_probing()
            self._accounts.running(is_running=False)

    async def _acquire(self) -> Lease | None:
        try:
            return await self._leases.acquire(
                self._options.lease_name, self._options.holder, ttl_s=self._options.lease_s
            )
        except DatabaseUnavailableError as error:
            _log.warning("lease_not_asked", error=error)
            return None

    async def _serve(self, lease: Lease, stop: asyncio.Event) -> None:
        """Be active for as long as it lasts; then drop everything that is in memory."""
        _log.info("lease_acquired", lease=lease.name, epoch=lease.epoch)
        self._accounts.active(epoch=lease.epoch)
        self._term = Term(
            self._workplace(lease),
            leases=self._leases,
            beat=self._beat,
            maintain=self._upkeep.maintain,
        )
        auditing = asyncio.create_task(self._audit(lease), name="outbox-audit")
        try:
            await self._term.run(stop)
        except* NewerVersionError as errors:
            self._say_too_old(errors.exceptions[0])
        except* LeaseLostError:
            _log.warning("lease_lost", lease=lease.name, epoch=lease.epoch)
        except* Exception:  # noqa: BLE001 (the next term begins from what is stored)
            _log.exception("term_failed", lease=lease.name, epoch=lease.epoch)
        finally:
            auditing.cancel()
            await asyncio.wait([auditing])
            self._term = None
            self._accounts.active(epoch=None)
            self._accounts.needs_no_upgrade(UpgradeReason.COMMAND, UpgradeReason.OUTCOME)
            with suppress(DatabaseUnavailableError):
                await self._leases.release(lease)

    async def _audit(self, lease: Lease) -> None:
        if self._upkeep.audit is not None:
            await self._upkeep.audit.run(lease)

    def _say_too_old(self, error: Exception) -> None:
        """Leave what a newer release has prepared to it."""
        self._rest_s = TOO_OLD_S
        self._accounts.needs_upgrade(UpgradeReason.ENVELOPE)
        _log.error(
            "envelopes_of_newer_release_met",
            error=error,
            advice="they are left alone; upgrade this submitter, or let a newer one lead",
        )

    def _workplace(self, lease: Lease) -> Workplace:
        return Workplace(
            lease=lease,
            store=self._store,
            ledger=self._ledger,
            desk=VerdictDesk(self._ledger, guard=self._guard),
            accounts=self._accounts,
            clock=self._clock,
            options=self._options,
            pace=self._pace,
        )

    def _beat(self) -> None:
        if self._upkeep.heartbeat is not None:
            self._upkeep.heartbeat.beat()

    def _breaker_changed(self, state: BreakerState) -> None:
        self._accounts.breaker(state)
        if self._term is not None:
            self._term.wake_up()

    async def _sample(self) -> None:
        """Show the queue, also while standing by."""
        while True:
            counts = None
            try:
                counts = await self._store.counts()
            except DatabaseUnavailableError as error:
                _log.info("queue_not_sampled", error=error)
            except Exception:  # noqa: BLE001 (a schema that is missing must show too)
                _log.exception("sampling_failed")
            self._accounts.queue(counts)
            await asyncio.sleep(self._options.sample_s)


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
