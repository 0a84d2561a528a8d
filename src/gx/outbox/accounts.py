"""What the submitter counts, in one place: commands by outcome, transactions by end."""

from collections.abc import Sequence
from typing import Final

from gx.domain.batches import OutcomeKind
from gx.domain.clock import Clock
from gx.domain.identifiers import CommandId
from gx.domain.refusals import DEFECTS
from gx.ledger.breaker import BreakerState
from gx.ledger.ports import ValidationCode
from gx.outbox.ports import Entry, OutboxCounts, Settlement
from gx.telemetry.instruments import SubmitterMetrics
from gx.telemetry.upgrades import UpgradeReason

CONFLICTS: Final = frozenset(
    {ValidationCode.MVCC_READ_CONFLICT, ValidationCode.PHANTOM_READ_CONFLICT}
)


class Accounts:
    """Turns what happened into numbers.

    `success` took effect. `rejected` is the ledger's correct no. `failed` was given up, or was
    refused with a code that means a broken deployment. `retry` counts tries, not outcomes.
    """

    def __init__(self, metrics: SubmitterMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def settled(self, entries: Sequence[Entry], settlements: Sequence[Settlement]) -> None:
        """Count final answers, once they are stored."""
        types: dict[CommandId, str] = {entry.command_id: entry.command_type for entry in entries}
        for settlement in settlements:
            command_type = types[settlement.command_id]
            if settlement.outcome is OutcomeKind.COMMITTED:
                self._metrics.processed.foreign("success", command_type).inc()
                continue
            status = "failed" if settlement.code in DEFECTS else "rejected"
            self._metrics.processed.foreign(status, command_type).inc()
            self._metrics.rejected.foreign(command_type, settlement.code or "OTHER").inc()

    def committed(self, entries: Sequence[Entry]) -> None:
        """Measure how long commands took from their acceptance to the ledger's verdict."""
        now_ms = self._clock.now_ms()
        for entry in entries:
            self._metrics.commit_latency_s.observe(max(0, now_ms - entry.accepted_at_ms) / 1000)

    def retried(self, entries: Sequence[Entry]) -> None:
        """Count a try that has to be made again."""
        for entry in entries:
            self._metrics.processed.foreign("retry", entry.command_type).inc()

    def buried(self, entry: Entry) -> None:
        """Count a command that was given up."""
        self._metrics.processed.foreign("failed", entry.command_type).inc()
        self._metrics.dead_lettered.foreign(entry.command_type).inc()

    def transaction_began(self, commands: int) -> None:
        """Measure a batch."""
        self._metrics.batch_commands.observe(commands)

    def transaction_ended(self, code: ValidationCode, duration_s: float) -> None:
        """Count a verdict. A conflict is no error: the transaction is made anew."""
        self._metrics.transaction_duration_ms.observe(duration_s * 1000)
        if code is ValidationCode.VALID:
            self._metrics.transactions("success").inc()
        elif code not in CONFLICTS:
            self._metrics.transactions("error").inc()

    def transaction_abandoned(self, code: ValidationCode | None) -> None:
        """Count a transaction that must be endorsed again; without a code it was not ordered."""
        self._metrics.reendorsements("NOT_FOUND" if code is None else code.value).inc()

    def unanswered(self, entries: Sequence[Entry]) -> None:
        """Count commands on the ledger whose answers cannot be read: a defect, once for each."""
        for entry in entries:
            self._metrics.processed.foreign("failed", entry.command_type).inc()

    def transaction_failed(self) -> None:
        """Count a transaction that ended without a verdict."""
        self._metrics.transactions("error").inc()

    def batch_settled(self, duration_s: float) -> None:
        """Measure a batch from gathering to settlement."""
        self._metrics.processing_duration_s.observe(duration_s)

    def queue(self, counts: OutboxCounts | None) -> None:
        """Show the queue; nothing where the database could not be asked."""
        if counts is None:
            self._metrics.forget_queue()
            return
        self._metrics.pending.set(counts.pending)
        self._metrics.processing.set(counts.processing)
        self._metrics.dead_letters.set(counts.dead)
        self._metrics.oldest_pending_age_s.set(counts.oldest_pending_age_s)

    def breaker(self, state: BreakerState) -> None:
        """Show and count the breaker's new state."""
        self._metrics.breaker_state.set(state.level)
        self._metrics.breaker_transitions(state.value).inc()

    def breaker_rejected(self) -> None:
        """Count a call that the breaker refused."""
        self._metrics.breaker_rejections.inc()

    def needs_upgrade(self, reason: UpgradeReason) -> None:
        """Show that only a newer release can go on with something."""
        self._metrics.upgrade_needed(reason).set(1)

    def needs_no_upgrade(self, *reasons: UpgradeReason) -> None:
        """Show that this release can go on."""
        self._metrics.no_upgrade_needed(*reasons)

    def running(self, *, is_running: bool) -> None:
        """Show whether the loop runs."""
        self._metrics.worker_status.set(int(is_running))

    def active(self, *, epoch: int | None) -> None:
        """Show whether this worker holds the lease; the epoch stays when it is gone."""
        self._metrics.worker_active.set(0 if epoch is None else 1)
        if epoch is not None:
            self._metrics.lease_epoch.set(epoch)
