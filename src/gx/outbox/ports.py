"""The outbox: where a command waits until the ledger has answered it.

Two roles use it. The edge *accepts* commands (`CommandInbox`) and reads their status
(`CommandReader`); the one active submitter of a channel *claims, prepares and settles* them
(`OutboxStore`). Operators handle what was given up (`DeadLetters`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from gx.database.ports import Lease
from gx.domain.batches import OutcomeKind
from gx.domain.codec import JsonObject
from gx.domain.command_status import CommandStatus as CommandStatus  # noqa: PLC0414 (a meant re-export)
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.domain.roles import LedgerRole
from gx.domain.scopes import Scopes
from gx.ledger.ports import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """A validated request to change the ledger, not yet stored.

    `arguments` are the contract function's, by wire name, as text. `key_hash` is
    hash(issuer, subject, route template, Idempotency-Key) in 64 hexadecimal digits, or None
    without such a header; `fingerprint` is the SHA-256 of the canonical body. `actor` is whom the
    command acts for, `subject` whose token asked.
    """

    command_type: str
    arguments: Mapping[str, str]
    actor: str
    subject: str
    role: LedgerRole
    scopes: Scopes
    key_hash: str | None = None
    fingerprint: str = ""
    trace_parent: str | None = None


class AcceptanceKind(StrEnum):
    """What became of a request to store a command."""

    NEW = "new"
    REPEATED = "repeated"
    """The same key with the same body: the command that was accepted before."""
    KEY_REUSED = "key_reused"
    """The same key with another body: refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The answer to one `NewCommand`. For KEY_REUSED, `command_id` is the earlier command's."""

    kind: AcceptanceKind
    command_id: CommandId


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits: `pending` entries, and how long ago the oldest was accepted (0 if none)."""

    pending: int
    oldest_age_ms: int


class BacklogFullError(GxError):
    """What waits is too old to take more: nothing was stored, try again after `retry_after_s`."""

    def __init__(self, *, oldest_age_ms: int, retry_after_s: int) -> None:
        super().__init__(
            f"the oldest waiting command is {oldest_age_ms / 1000:.1f} s old; "
            f"try again in {retry_after_s} s"
        )
        self.oldest_age_ms = oldest_age_ms
        self.retry_after_s = retry_after_s


class CommandGoneError(GxError):
    """The command was settled so long ago that its record has left retention."""

    def __init__(self, command_id: CommandId) -> None:
        super().__init__(f"command {command_id} was settled and its record is no longer kept")
        self.command_id = command_id


class CommandInbox(Protocol):
    """Takes commands in. Durable when `accept` returns."""

    async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
        """Store the commands in one transaction; answers stand in the same order.

        Sequence order is commit order, also with several writers. Conflicts of idempotency keys
        are outcomes of their row alone. When the group fails for any other reason it is retried
        row by row, so that only a bad row gets an exception.
        """
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits, from the pending set alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command as its owner may see it.

    What may be None is set as far as it is known. `code` is a `RefusalCode`'s text, or that of a
    code which only a newer release knows. `prepared_at_ms` and `batch_commands` are of the ledger
    transaction that carried it; `projected_at_ms` is kept for the newest blocks alone.
    """

    command_id: CommandId
    command_type: str
    arguments: Mapping[str, str]
    actor: str
    subject: str
    status: CommandStatus
    accepted_at_ms: EpochMs
    settled_at_ms: EpochMs | None = None
    code: str | None = None
    detail: str | None = None
    result: JsonObject | None = None
    transaction_id: TransactionId | None = None
    block_number: BlockNumber | None = None
    attempts: int = 0
    prepared_at_ms: EpochMs | None = None
    batch_commands: int | None = None
    projected_at_ms: EpochMs | None = None


class CommandReader(Protocol):
    """Answers what became of commands."""

    async def find(self, command_id: CommandId) -> CommandView | None:
        """Return one command; None when it is unknown.

        Raises:
            CommandGoneError: it was settled and its partition has left retention.
        """
        ...

    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        """Return those of the commands that are known and in retention, in no particular order.

        One question for many: a bulk sender follows its commands without one request for each.
        """
        ...

    async def list_by_status(
        self, status: CommandStatus | None, *, limit: int, after: CommandId | None
    ) -> Sequence[CommandView]:
        """List commands, newest first, those older than `after`."""
        ...


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A command that waits in the outbox. `seq` is its place in the order of acceptance.

    `key` is what the ledger records it under: `key_hash`, or the command id.
    """

    seq: int
    command_id: CommandId
    command_type: str
    arguments: Mapping[str, str]
    actor: str
    role: LedgerRole
    key: str
    scopes: Scopes
    attempts: int
    accepted_at_ms: EpochMs
    due_at_ms: EpochMs
    trace_parent: str | None = None


ENVELOPE_FORMAT: Final = 1
"""Of the records that this release keeps and reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEnvelope:
    """A persisted envelope without a verdict, with the entries that ride in it, in order.

    `format` is what the record means; one above `ENVELOPE_FORMAT` is for a newer release to read.
    """

    envelope: Envelope
    entries: Sequence[Entry]
    prepared_at_ms: EpochMs
    format: int = ENVELOPE_FORMAT


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The final answer to one command, to be written once.

    `transaction_id` and `block_number` are None where the contract refused to endorse the
    command: then there is no transaction. `code` is stored as the ledger gave it, known or not.
    """

    command_id: CommandId
    outcome: OutcomeKind
    code: str | None
    detail: str | None
    result: JsonObject | None
    transaction_id: TransactionId | None
    block_number: BlockNumber | None


class EntryHeldError(GxError):
    """An entry is settled, or another live envelope holds it: nothing was persisted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownChain:
    """The ledger that is known: its first block's hash, and the newest block seen of it."""

    genesis_hash: str
    block_number: BlockNumber


class OutboxStore(Protocol):
    """Holds commands until the ledger has answered them. One active user: the lease's holder.

    Every writing method takes the lease and raises `LeaseLostError`, changing nothing, if its
    epoch is no longer the newest.
    """

    async def pending(self, *, after_seq: int, limit: int) -> Sequence[Entry]:
        """Read waiting entries with `seq > after_seq`, in order, those of live envelopes left out.

        `after_seq` is a low watermark that keeps the scan off finished rows; a full rescan
        (`after_seq=0`) every few seconds finds whatever became visible behind it.
        """
        ...

    async def live_envelopes(self) -> Sequence[LiveEnvelope]:
        """Read every envelope that has no verdict yet: what a take-over must resolve first."""
        ...

    async def persist(self, lease: Lease, envelope: Envelope, entries: Sequence[Entry]) -> None:
        """Store the envelope before it is submitted: the entries are PROCESSING from here on.

        Idempotent: after a lost answer the same envelope may be stored again.

        Raises:
            EntryHeldError: An entry is held by another live envelope, or settled.
        """
        ...

    async def settle(
        self,
        lease: Lease,
        transaction_id: TransactionId | None,
        settlements: Sequence[Settlement],
    ) -> None:
        """Write results, delete the entries and the envelope, in one transaction. Idempotent.

        Entries of the envelope that have no settlement here wait again. Without a transaction id
        there was no envelope, or it is kept and holds its other entries.
        """
        ...

    async def abandon(self, lease: Lease, transaction_id: TransactionId) -> None:
        """Delete an envelope whose transaction id is dead for good; its entries wait again."""
        ...

    async def postpone(
        self,
        lease: Lease,
        entries: Sequence[Entry],
        *,
        until_ms: EpochMs,
        reason: str,
        is_attempt: bool,
    ) -> None:
        """Make the entries wait until then, adding the reason to their history.

        `is_attempt` counts an attempt; an outage of the ledger costs none.
        """
        ...

    async def bury(self, lease: Lease, entry: Entry, *, reason: str) -> None:
        """Move one entry to the dead letters with its history. Idempotent.

        Raises:
            EntryHeldError: A live envelope holds it, so it may take effect: nothing was buried.
        """
        ...

    async def known_chain(self, channel: str) -> KnownChain | None:
        """Return the chain that the read models are of; None before any.

        Its newest block is the newest that was projected, or that settled a command since the
        chain was accepted.
        """
        ...

    async def counts(self) -> "OutboxCounts":
        """Count for the gauges, from the small tables alone."""
        ...

    def wake_ups(self) -> AsyncIterator[None]:
        """Yield when new entries may be there; coalesced, may be spurious, may be lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """The queue's gauges. `dead` counts letters neither replayed nor discarded."""

    pending: int
    processing: int
    dead: int
    oldest_pending_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A command that was given up, with why and what had been tried."""

    command_id: CommandId
    command_type: str
    arguments: Mapping[str, str]
    actor: str
    reason: str
    history: Sequence[JsonObject]
    buried_at_ms: EpochMs
    state: str
    """`dead`, `replayed` or `discarded`."""


class DeadLetters(Protocol):
    """What an operator does with given-up commands; each act is audited with actor and reason."""

    async def list_dead(self, *, limit: int, after: CommandId | None) -> Sequence[DeadLetter]:
        """List letters that nobody has handled, newest first."""
        ...

    async def find(self, command_id: CommandId) -> DeadLetter | None:
        """Return one letter, handled or not."""
        ...

    async def replay(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        """Put the command back with its id and a new place in the order; False if not dead."""
        ...

    async def discard(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        """Write the final result DISCARDED; False if not dead."""
        ...
