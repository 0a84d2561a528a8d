"""What the API answers about commands, as values. Unknown fields of a newer API are ignored."""

from dataclasses import dataclass
from typing import Final

from gx.client.errors import CommandFailedError
from gx.domain.codec import JsonObject, JsonValue, Record
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId

# JsonValue is named here because the records' annotations are resolved in this module.
__all__ = ["AcceptedCommand", "Command", "DeadLetter", "JsonValue"]

_PROGRESS: Final = (
    CommandStatus.PENDING,
    CommandStatus.PROCESSING,
    CommandStatus.COMMITTED,
    CommandStatus.PROJECTED,
)
_EFFECTIVE: Final = frozenset({CommandStatus.COMMITTED, CommandStatus.PROJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedCommand(Record):
    """The API has stored the command durably; `status_url` tells what becomes of it."""

    command_id: CommandId
    status: CommandStatus
    status_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Record):
    """One command and what has become of it so far."""

    command_id: CommandId
    command_type: str
    status: CommandStatus
    arguments: dict[str, str]
    actor: str
    subject: str
    accepted_at_ms: EpochMs
    prepared_at_ms: EpochMs | None = None
    batch_commands: int | None = None
    settled_at_ms: EpochMs | None = None
    projected_at_ms: EpochMs | None = None
    code: str | None = None
    detail: str | None = None
    result: JsonObject | None = None
    transaction_id: TransactionId | None = None
    block_number: BlockNumber | None = None
    attempts: int = 0

    def has_reached(self, status: CommandStatus) -> bool:
        """Tell whether waiting for `status` is over: it is reached, passed, or out of reach."""
        if self.status.is_final or self.status is status:
            return True
        if status not in _PROGRESS or self.status not in _PROGRESS:
            return False
        return _PROGRESS.index(self.status) >= _PROGRESS.index(status)

    def require_effect(self) -> "Command":
        """Return the command itself if the ledger has executed it.

        Raises:
            CommandFailedError: it was refused, given up, or is not settled.
        """
        if self.status not in _EFFECTIVE:
            raise CommandFailedError(
                self.command_id,
                self.status,
                code=self.code or "",
                detail=self.detail or "it had no effect",
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter(Record):
    """A command that was given up, why, and every attempt before."""

    command_id: CommandId
    command_type: str
    arguments: dict[str, str]
    actor: str
    reason: str
    buried_at_ms: EpochMs
    state: str
    history: tuple[JsonObject, ...] = ()
