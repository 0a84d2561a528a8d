"""Taking commands in, one after the other: a group in memory is trivially one transaction."""

from collections.abc import Sequence

from typing_extensions import override

from gx.outbox.memory.rows import MemoryOutbox, StoredCommand
from gx.outbox.ports import Acceptance, AcceptanceKind, Backlog, CommandInbox, NewCommand


class MemoryCommandInbox(CommandInbox):
    """Takes commands into memory."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox

    @override
    async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
        return [self._accept_one(command) for command in commands]

    @override
    async def backlog(self) -> Backlog:
        entries = [row.entry for row in self._outbox.free_waiting()]
        fresh = [entry.accepted_at_ms for entry in entries if entry.attempts == 0]
        oldest_age_ms = self._outbox.now_ms() - min(fresh) if fresh else 0
        return Backlog(pending=len(entries), oldest_age_ms=oldest_age_ms)

    def _accept_one(self, command: NewCommand) -> Acceptance | Exception:
        if any("\x00" in text for text in (command.actor, *command.arguments.values())):
            return ValueError(f"{command.command_type} holds a zero character")
        key = command.key_hash
        if key is not None and key in self._outbox.keys:
            fingerprint, known = self._outbox.keys[key]
            is_same = fingerprint == command.fingerprint
            kind = AcceptanceKind.REPEATED if is_same else AcceptanceKind.KEY_REUSED
            return Acceptance(kind=kind, command_id=known)
        command_id = self._outbox.new_id()
        if key is not None:
            self._outbox.keys[key] = (command.fingerprint, command_id)
        stored = StoredCommand(
            command_id=command_id, command=command, accepted_at_ms=self._outbox.now_ms()
        )
        self._outbox.commands[command_id] = stored
        self._outbox.enqueue(stored)
        return Acceptance(kind=AcceptanceKind.NEW, command_id=command_id)
