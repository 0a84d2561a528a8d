"""What an operator does with commands that were given up."""

import json
from collections.abc import Sequence
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool
from gx.domain.codec import JsonObject
from gx.domain.identifiers import CommandId, EpochMs
from gx.outbox.ports import DeadLetter, DeadLetters
from gx.outbox.postgres.rows import parse_arguments

_LETTERS: Final = """
    SELECT d.command_id::text AS command_id, c.command_type, c.arguments::text AS arguments,
           c.actor, d.reason, d.history::text AS history, d.buried_at_ms, d.state
      FROM dead_letters d
     CROSS JOIN LATERAL (
           SELECT * FROM commands WHERE command_id = d.command_id OFFSET 0) c
"""

LIST_DEAD: Final = (
    _LETTERS
    + """
     WHERE d.state = 'dead' AND ($2::uuid IS NULL OR d.command_id < $2)
     ORDER BY d.command_id DESC LIMIT $1
"""
)

FIND: Final = _LETTERS + " WHERE d.command_id = $1"

REPLAY: Final = "SELECT replay_dead_letter($1, $2, $3)"
DISCARD: Final = "SELECT discard_dead_letter($1, $2, $3)"


class PostgresDeadLetters(DeadLetters):
    """Handles dead letters in PostgreSQL; each act is one transaction with its audit record.

    An empty actor or reason is refused by the audit log itself.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @override
    async def list_dead(self, *, limit: int, after: CommandId | None) -> Sequence[DeadLetter]:
        return [_letter_of(row) for row in await self._pool.fetch(LIST_DEAD, limit, after)]

    @override
    async def find(self, command_id: CommandId) -> DeadLetter | None:
        row = await self._pool.fetch_one(FIND, command_id)
        return None if row is None else _letter_of(row)

    @override
    async def replay(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        return bool(await self._pool.fetch_value(REPLAY, command_id, actor, reason))

    @override
    async def discard(self, command_id: CommandId, *, actor: str, reason: str) -> bool:
        return bool(await self._pool.fetch_value(DISCARD, command_id, actor, reason))


def _letter_of(row: asyncpg.Record) -> DeadLetter:
    history: list[JsonObject] = json.loads(row["history"])
    return DeadLetter(
        command_id=CommandId(row["command_id"]),
        command_type=row["command_type"],
        arguments=parse_arguments(row["arguments"]),
        actor=row["actor"],
        reason=row["reason"],
        history=history,
        buried_at_ms=EpochMs(row["buried_at_ms"]),
        state=row["state"],
    )
