"""What became of commands, derived from the rows."""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from gx.domain.identifiers import CommandId
from gx.outbox.memory.rows import MemoryOutbox, Result, StoredCommand
from gx.outbox.ports import CommandReader, CommandStatus, CommandView


class MemoryCommandReader(CommandReader):
    """Derives the status of commands in memory."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox

    @override
    async def find(self, command_id: CommandId) -> CommandView | None:
        stored = self._outbox.commands.get(command_id)
        return None if stored is None else self._view(stored)

    @override
    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        known = (self._outbox.commands.get(command_id) for command_id in command_ids)
        return [self._view(stored) for stored in known if stored is not None]

    @override
    async def list_by_status(
        self, status: CommandStatus | None, *, limit: int, after: CommandId | None
    ) -> Sequence[CommandView]:
        newest_first = sorted(self._outbox.commands, reverse=True)
        views = (
            self._view(self._outbox.commands[command_id])
            for command_id in newest_first
            if after is None or command_id < after
        )
        return [view for view in views if status in (None, view.status)][:limit]

    def _view(self, stored: StoredCommand) -> CommandView:
        view = CommandView(
            command_id=stored.command_id,
            command_type=stored.command.command_type,
            arguments=stored.command.arguments,
            actor=stored.command.actor,
            subject=stored.command.subject,
            status=CommandStatus.PENDING,
            accepted_at_ms=stored.accepted_at_ms,
        )
        result = self._outbox.results.get(stored.command_id)
        return self._unsettled(view) if result is None else self._settled(view, result)

    def _unsettled(self, view: CommandView) -> CommandView:
        letter = self._outbox.letters.get(view.command_id)
        if letter is not None and letter.state == "dead":
            return replace(
                view, status=CommandStatus.DEAD, detail=letter.reason, attempts=letter.attempts
            )
        row = self._outbox.waiting[view.command_id]
        if row.transaction_id is None:
            return replace(view, attempts=row.entry.attempts)
        riders = [
            other
            for other in self._outbox.waiting.values()
            if other.transaction_id == row.transaction_id
        ]
        return replace(
            view,
            status=CommandStatus.PROCESSING,
            transaction_id=row.transaction_id,
            attempts=row.entry.attempts,
            prepared_at_ms=self._outbox.envelopes[row.transaction_id][1],
            batch_commands=len(riders),
        )

    def _settled(self, view: CommandView, result: Result) -> CommandView:
        view = replace(
            view,
            status=result.status,
            settled_at_ms=result.settled_at_ms,
            detail=result.detail,
            attempts=result.attempts,
            prepared_at_ms=result.prepared_at_ms,
            batch_commands=result.batch_commands,
        )
        settlement = result.settlement
        if settlement is None:
            return view
        block = settlement.block_number
        is_projected = (
            result.status is CommandStatus.COMMITTED
            and block is not None
            and block <= self._outbox.projected_block
        )
        return replace(
            view,
            status=CommandStatus.PROJECTED if is_projected else result.status,
            code=settlement.code,
            result=settlement.result,
            transaction_id=settlement.transaction_id,
            block_number=block,
        )
