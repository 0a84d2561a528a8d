"""The operator's side."""

from collections.abc import Sequence

from typing_extensions import override

from gx.domain.identifiers import CommandId
from gx.outbox.memory.rows import AuditRecord, MemoryOutbox, Result
from gx.outbox.ports import CommandStatus, DeadLetter, DeadLetters


class MemoryDeadLetters(DeadLetters):
    """Handles given-up commands in memory."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox

    @override
    async def list_dead(self, *, limit: int, after: CommandId | None) -> Sequence[DeadLetter]:
        dead = (
            command_id
            for command_id, letter in self._outbox.letters.items()
            if letter.state == "dead" and (after is None or command_id < after)
        )
        return [self._letter(command_id) for command_id in sorted(dead, reverse=True)[:limit]]

    @override
    async def find(self, command_id: CommandId) -> DeadLetter | None:
        return self._letter(command_id) if command_id in self._outbox.letters else None

    @override
    async def replay(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        if not self._handle(command_id, "replayed", actor=actor, reason=reason):
            return False
        self._outbox.enqueue(self._outbox.commands[command_id])
        return True

    @override
    async def discard(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        if not self._handle(command_id, "discarded", actor=actor, reason=reason):
            return False
        self._outbox.results[command_id] = Result(
            status=CommandStatus.DISCARDED,
            settlement=None,
            detail=reason,
            attempts=self._outbox.letters[command_id].attempts,
            settled_at_ms=self._outbox.now_ms(),
        )
        return True

    def _handle(self, command_id: CommandId, state: str, *, actor: str, reason: str) -> bool:
        letter = self._outbox.letters.get(command_id)
        if letter is None or letter.state != "dead":
            return False
        letter.state = state
        self._outbox.audit.append(
            AuditRecord(
                actor=actor, action=f"dead_letter_{state}", target=command_id, reason=reason
            )
        )
        return True

    def _letter(self, command_id: CommandId) -> DeadLetter:
        letter = self._outbox.letters[command_id]
        command = self._outbox.commands[command_id].command
        return DeadLetter(
            command_id=command_id,
            command_type=command.command_type,
            arguments=command.arguments,
            actor=command.actor,
            reason=letter.reason,
            history=letter.history,
            buried_at_ms=letter.buried_at_ms,
            state=letter.state,
        )
