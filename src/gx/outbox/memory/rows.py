"""The rows that the four adapters share, and the moves that more than one of them makes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gx.database.leases import MemoryLeases
from gx.domain.clock import Clock
from gx.domain.codec import JsonObject
from gx.domain.identifiers import CommandId, EpochMs, TransactionId
from gx.ledger.ports import Envelope
from gx.outbox.ports import (
    ENVELOPE_FORMAT,
    CommandStatus,
    Entry,
    KnownChain,
    NewCommand,
    Settlement,
)

HISTORY_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommand:
    """A command as it was accepted."""

    command_id: CommandId
    command: NewCommand
    accepted_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """Who did what to which command, and why."""

    actor: str
    action: str
    target: str
    reason: str


@dataclass(slots=True)
class Waiting:
    """A row of the pending set."""

    entry: Entry
    transaction_id: TransactionId | None = None
    history: list[JsonObject] = field(default_factory=list)


@dataclass(slots=True)
class Letter:
    """A row of the dead letters."""

    reason: str
    attempts: int
    history: list[JsonObject]
    buried_at_ms: EpochMs
    state: str = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A final answer."""

    status: CommandStatus
    settlement: Settlement | None
    detail: str | None
    attempts: int
    settled_at_ms: EpochMs
    prepared_at_ms: EpochMs | None = None
    batch_commands: int | None = None


class MemoryOutbox:
    """Everything that is stored. `projected_block` stands for the projector's checkpoint."""

    def __init__(
        self, *, clock: Clock, leases: MemoryLeases, new_id: Callable[[], CommandId]
    ) -> None:
        self.clock = clock
        self.leases = leases
        self.new_id = new_id
        self.next_seq = 1
        self.commands: dict[CommandId, StoredCommand] = {}
        self.keys: dict[str, tuple[str, CommandId]] = {}
        self.waiting: dict[CommandId, Waiting] = {}
        self.envelopes: dict[TransactionId, tuple[Envelope, EpochMs]] = {}
        self.envelope_format = ENVELOPE_FORMAT
        self.results: dict[CommandId, Result] = {}
        self.letters: dict[CommandId, Letter] = {}
        self.chains: dict[str, KnownChain] = {}  # what a projector noted of each channel
        self.audit: list[AuditRecord] = []
        self.projected_block = -1
        self.news = asyncio.Event()

    def now_ms(self) -> EpochMs:
        """Return the time that stands for the database's."""
        return EpochMs(self.clock.now_ms())

    def enqueue(self, stored: StoredCommand) -> None:
        """Put a command at the end of the order."""
        command = stored.command
        now_ms = self.now_ms()
        entry = Entry(
            seq=self.next_seq,
            command_id=stored.command_id,
            command_type=command.command_type,
            arguments=dict(command.arguments),
            actor=command.actor,
            role=command.role,
            key=command.key_hash or stored.command_id,
            scopes=command.scopes,
            attempts=0,
            accepted_at_ms=now_ms,
            due_at_ms=now_ms,
            trace_parent=command.trace_parent,
        )
        self.next_seq += 1
        self.waiting[stored.command_id] = Waiting(entry)
        self.news.set()

    def free_waiting(self) -> list[Waiting]:
        """List rows that no envelope holds, in order."""
        rows = sorted(self.waiting.values(), key=lambda row: row.entry.seq)
        return [row for row in rows if row.transaction_id is None]
