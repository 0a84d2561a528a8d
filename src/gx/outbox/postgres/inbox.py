"""Taking commands in: a group is one statement, one round trip and one transaction."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import asyncpg
import msgspec
from typing_extensions import override

from gx.database.arrays import text_array
from gx.database.pool import Pool
from gx.database.ports import DatabaseUnavailableError
from gx.domain.identifiers import CommandId
from gx.outbox.ports import Acceptance, AcceptanceKind, Backlog, CommandInbox, NewCommand

SCOPE_SEPARATOR: Final = "\x1f"
"""Joins scopes on the way to the database: arrays of arrays would have to be rectangular."""

ACCEPT: Final = """
    SELECT place, outcome, known_id::text
      FROM accept_commands($1::text::uuid[], $2::text::text[], $3::text::jsonb[],
                           $4::text::text[], $5::text::text[], $6::text::text[],
                           $7::text::text[], $8::text::bytea[], $9::text::text[],
                           $10::text::text[])
"""

# Entries that failed before wait for their own reasons and say nothing about the queue.
BACKLOG: Final = """
    SELECT count(*) AS pending,
           coalesce(now_ms() - min(accepted_at_ms) FILTER (WHERE attempts = 0), 0) AS age_ms
      FROM outbox WHERE envelope_id IS NULL
"""

_Row: TypeAlias = tuple[CommandId, str, str, str, str, str, str, str | None, str, str | None]


class PostgresCommandInbox(CommandInbox):
    """Takes commands into PostgreSQL; several at once keep one order of acceptance."""

    def __init__(self, pool: Pool, *, new_id: Callable[[], CommandId]) -> None:
        self._pool = pool
        self._new_id = new_id

    @override
    async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
        answers: list[Acceptance | Exception | None] = [None] * len(commands)
        rows: dict[int, _Row] = {}
        for place, command in enumerate(commands):
            try:
                rows[place] = self._row_of(command)
            except ValueError as error:
                answers[place] = error
        for place, answer in zip(rows, await self._store(list(rows.values())), strict=True):
            answers[place] = answer
        return [answer for answer in answers if answer is not None]

    @override
    async def backlog(self) -> Backlog:
        row = await self._pool.fetch_one(BACKLOG)
        assert row is not None  # noqa: S101 (an aggregate always has its row)
        return Backlog(pending=row["pending"], oldest_age_ms=row["age_ms"])

    async def _store(self, rows: Sequence[_Row]) -> Sequence[Acceptance | Exception]:
        if not rows:
            return []
        try:
            return await self._store_group(rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            if len(rows) == 1:
                return [error]
            return [await self._store_alone(row) for row in rows]

    async def _store_alone(self, row: _Row) -> Acceptance | Exception:
        try:
            (answer,) = await self._store_group([row])
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            ValueError,
            DatabaseUnavailableError,
        ) as error:
            return error
        return answer

    async def _store_group(self, rows: Sequence[_Row]) -> Sequence[Acceptance]:
        answers = [Acceptance(kind=AcceptanceKind.NEW, command_id=row[0]) for row in rows]
        for known in await self._pool.fetch(ACCEPT, *map(text_array, zip(*rows, strict=True))):
            answers[known["place"] - 1] = Acceptance(
                kind=AcceptanceKind(known["outcome"]), command_id=CommandId(known["known_id"])
            )
        return answers

    def _row_of(self, command: NewCommand) -> _Row:
        """Put a command into columns.

        Raises:
            ValueError: The key is not hexadecimal, or a scope cannot be stored.
        """
        if any(SCOPE_SEPARATOR in scope or not scope for scope in command.scopes):
            raise ValueError(f"a scope of {command.command_type} is empty or not plain text")
        return (
            self._new_id(),
            command.command_type,
            msgspec.json.encode(dict(command.arguments)).decode(),
            command.actor,
            command.subject,
            command.role,
            SCOPE_SEPARATOR.join(sorted(command.scopes)),
            None if command.key_hash is None else _bytes_text(command.key_hash),
            command.fingerprint,
            command.trace_parent,
        )


def _bytes_text(digits: str) -> str:
    """Write hexadecimal digits as PostgreSQL reads bytes.

    Raises:
        ValueError: they are none.
    """
    bytes.fromhex(digits)
    return "\\x" + digits
