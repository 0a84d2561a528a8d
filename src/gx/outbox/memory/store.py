"""The submitter's side, fenced by the lease's epoch."""

from collections.abc import AsyncIterator, Sequence

import msgspec
from typing_extensions import override

from gx.database.ports import Lease
from gx.domain.codec import JsonObject
from gx.domain.identifiers import EpochMs, TransactionId
from gx.ledger.ports import Envelope
from gx.outbox.memory.rows import HISTORY_MAX, Letter, MemoryOutbox, Result, Waiting
from gx.outbox.ports import (
    CommandStatus,
    Entry,
    EntryHeldError,
    KnownChain,
    LiveEnvelope,
    OutboxCounts,
    OutboxStore,
    Settlement,
)


class MemoryOutboxStore(OutboxStore):
    """Claims and settles in memory, fenced by the lease's epoch."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox

    @override
    async def pending(self, *, after_seq: int, limit: int) -> Sequence[Entry]:
        entries = (row.entry for row in self._outbox.free_waiting())
        return [entry for entry in entries if entry.seq > after_seq][:limit]

    @override
    async def live_envelopes(self) -> Sequence[LiveEnvelope]:
        return [
            LiveEnvelope(
                envelope=envelope,
                entries=self._carried(transaction_id),
                prepared_at_ms=at_ms,
                format=self._outbox.envelope_format,
            )
            for transaction_id, (envelope, at_ms) in self._outbox.envelopes.items()
        ]

    @override
    async def persist(self, lease: Lease, envelope: Envelope, entries: Sequence[Entry]) -> None:
        self._outbox.leases.require(lease)
        rows = [self._outbox.waiting.get(entry.command_id) for entry in entries]
        is_known = envelope.transaction_id in self._outbox.envelopes
        expected = envelope.transaction_id if is_known else None
        good = [row for row in rows if row is not None and row.transaction_id == expected]
        if len(good) != len(entries):
            raise EntryHeldError(f"{len(entries) - len(good)} entries are settled or held")
        if is_known:
            return
        self._outbox.envelopes[envelope.transaction_id] = (envelope, self._outbox.now_ms())
        for row in good:
            row.transaction_id = envelope.transaction_id

    @override
    async def settle(
        self,
        lease: Lease,
        transaction_id: TransactionId | None,
        settlements: Sequence[Settlement],
    ) -> None:
        self._outbox.leases.require(lease)
        envelope = self._outbox.envelopes.get(transaction_id) if transaction_id else None
        ridden = len(self._carried(transaction_id)) if transaction_id and envelope else None
        for settlement in settlements:
            row = self._outbox.waiting.pop(settlement.command_id, None)
            if row is not None:
                self._outbox.results[settlement.command_id] = Result(
                    status=CommandStatus(settlement.outcome),
                    settlement=settlement,
                    detail=settlement.detail,
                    attempts=row.entry.attempts,
                    settled_at_ms=self._outbox.now_ms(),
                    prepared_at_ms=envelope[1] if envelope else None,
                    batch_commands=ridden,
                )
        if transaction_id is not None:
            self._release(transaction_id)

    @override
    async def abandon(self, lease: Lease, transaction_id: TransactionId) -> None:
        self._outbox.leases.require(lease)
        self._release(transaction_id)

    @override
    async def postpone(
        self,
        lease: Lease,
        entries: Sequence[Entry],
        *,
        until_ms: EpochMs,
        reason: str,
        is_attempt: bool,
    ) -> None:
        self._outbox.leases.require(lease)
        for entry in entries:
            row = self._outbox.waiting.get(entry.command_id)
            if row is None:
                continue
            attempts = row.entry.attempts + is_attempt
            row.entry = msgspec.structs.replace(row.entry, due_at_ms=until_ms, attempts=attempts)
            self._note(row, reason)

    @override
    async def bury(self, lease: Lease, entry: Entry, *, reason: str) -> None:
        self._outbox.leases.require(lease)
        row = self._outbox.waiting.get(entry.command_id)
        if row is None:
            return
        if row.transaction_id is not None:
            raise EntryHeldError(f"entry {entry.seq} is held by an envelope")
        del self._outbox.waiting[entry.command_id]
        self._note(row, reason)
        earlier = self._outbox.letters.get(entry.command_id)
        self._outbox.letters[entry.command_id] = Letter(
            reason=reason,
            attempts=row.entry.attempts + (earlier.attempts if earlier else 0),
            history=[*(earlier.history if earlier else ()), *row.history],
            buried_at_ms=self._outbox.now_ms(),
        )

    @override
    async def known_chain(self, channel: str) -> KnownChain | None:
        return self._outbox.chains.get(channel)

    @override
    async def counts(self) -> OutboxCounts:
        free = self._outbox.free_waiting()
        accepted = [row.entry.accepted_at_ms for row in free]
        age_ms = self._outbox.now_ms() - min(accepted) if accepted else 0
        return OutboxCounts(
            pending=len(free),
            processing=len(self._outbox.waiting) - len(free),
            dead=sum(letter.state == "dead" for letter in self._outbox.letters.values()),
            oldest_pending_age_s=age_ms / 1000,
        )

    @override
    async def wake_ups(self) -> AsyncIterator[None]:
        while True:
            yield None
            await self._outbox.news.wait()
            self._outbox.news.clear()

    def _carried(self, transaction_id: TransactionId) -> list[Entry]:
        rows = self._outbox.waiting.values()
        entries = [row.entry for row in rows if row.transaction_id == transaction_id]
        return sorted(entries, key=lambda entry: entry.seq)

    def _release(self, transaction_id: TransactionId) -> None:
        self._outbox.envelopes.pop(transaction_id, None)
        for row in self._outbox.waiting.values():
            if row.transaction_id == transaction_id:
                row.transaction_id = None

    def _note(self, row: Waiting, reason: str) -> None:
        line: JsonObject = {
            "atMs": self._outbox.now_ms(),
            "attempts": row.entry.attempts,
            "reason": reason,
        }
        row.history = [*row.history, line][-HISTORY_MAX:]
