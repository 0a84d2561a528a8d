"""What became of commands. Their status is derived here, from what is stored; nobody writes it."""

from collections.abc import Mapping, Sequence
from typing import Final, LiteralString

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool
from gx.domain.codec import decode_object
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.outbox.ports import CommandGoneError, CommandReader, CommandStatus, CommandView
from gx.outbox.postgres.rows import optional, parse_arguments

# Each id is looked up by key in its own partition: OFFSET 0 keeps the planner from turning the
# look-ups into a join that reads whole partitions. One statement, one snapshot: a command is
# never seen between two states.
VIEWS: Final[LiteralString] = """
    SELECT c.command_id::text AS command_id, c.command_type, c.arguments::text AS arguments,
           c.actor, c.subject, c.accepted_at_ms,
           CASE WHEN r.outcome = 'COMMITTED' AND r.block_number <= p.block_number THEN 'PROJECTED'
                WHEN r.outcome IS NOT NULL THEN r.outcome
                WHEN d.command_id IS NOT NULL THEN 'DEAD'
                WHEN o.envelope_id IS NOT NULL THEN 'PROCESSING'
                ELSE 'PENDING' END AS status,
           r.settled_at_ms, r.code, coalesce(r.detail, d.reason) AS detail,
           r.result::text AS result,
           coalesce(r.transaction_id, e.transaction_id) AS transaction_id, r.block_number,
           coalesce(r.attempts, d.attempts, o.attempts, 0) AS attempts,
           coalesce(r.prepared_at_ms, e.prepared_at_ms) AS prepared_at_ms,
           coalesce(r.batch_commands, cardinality(e.seqs)) AS batch_commands,
           CASE WHEN t.first_block <= r.block_number THEN t.projected_at_ms END AS projected_at_ms
      FROM ids i
     CROSS JOIN LATERAL (
           SELECT * FROM commands WHERE command_id = i.command_id OFFSET 0) c
      LEFT JOIN LATERAL (
           SELECT * FROM command_results WHERE command_id = i.command_id OFFSET 0) r ON true
      LEFT JOIN outbox o ON o.command_id = i.command_id
      LEFT JOIN envelopes e ON e.envelope_id = o.envelope_id
      LEFT JOIN dead_letters d ON d.command_id = i.command_id AND d.state = 'dead'
      LEFT JOIN projection_checkpoints p ON p.channel = $1
      LEFT JOIN LATERAL (
           SELECT first_block, projected_at_ms FROM projection_times
            WHERE channel = $1 AND last_block >= r.block_number AND r.outcome = 'COMMITTED'
            ORDER BY last_block LIMIT 1) t ON true
     ORDER BY c.command_id DESC
"""

FIND: Final[LiteralString] = "WITH ids AS (SELECT $2::uuid AS command_id)" + VIEWS

FIND_MANY: Final[LiteralString] = (
    "WITH ids AS MATERIALIZED (SELECT DISTINCT unnest($2::uuid[]) AS command_id)" + VIEWS
)

IS_GONE: Final = """
    SELECT EXISTS (SELECT FROM command_weeks
                    WHERE retired_at_ms IS NOT NULL AND $1 >= from_id AND $1 < until_id)
"""

_PAGE: Final[LiteralString] = """
      AND ($3::uuid IS NULL OR command_id < $3) ORDER BY command_id DESC LIMIT $2)
"""

# Each status reads only the small table, the partial index or the newest blocks that hold it.
_IDS: Final[Mapping[CommandStatus | None, LiteralString]] = {
    None: "SELECT command_id FROM commands WHERE true",
    CommandStatus.PENDING: "SELECT command_id FROM outbox WHERE envelope_id IS NULL",
    CommandStatus.PROCESSING: "SELECT command_id FROM outbox WHERE envelope_id IS NOT NULL",
    CommandStatus.DEAD: "SELECT command_id FROM dead_letters WHERE state = 'dead'",
    CommandStatus.REJECTED: "SELECT command_id FROM command_results WHERE outcome = 'REJECTED'",
    CommandStatus.DISCARDED: "SELECT command_id FROM command_results WHERE outcome = 'DISCARDED'",
    CommandStatus.COMMITTED: """
        SELECT command_id FROM command_results WHERE outcome = 'COMMITTED' AND block_number >
               coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
    """,
    CommandStatus.PROJECTED: """
        SELECT command_id FROM command_results WHERE outcome = 'COMMITTED' AND block_number <=
               (SELECT block_number FROM projection_checkpoints WHERE channel = $1)
    """,
}

LISTS: Final[Mapping[CommandStatus | None, LiteralString]] = {
    status: "WITH ids AS MATERIALIZED (" + ids + _PAGE + VIEWS for status, ids in _IDS.items()
}


class PostgresCommandReader(CommandReader):
    """Reads commands of the channel whose checkpoint tells what is projected."""

    def __init__(self, pool: Pool, *, channel: str) -> None:
        self._pool = pool
        self._channel = channel

    @override
    async def find(self, command_id: CommandId) -> CommandView | None:
        row = await self._pool.fetch_one(FIND, self._channel, command_id)
        if row is not None:
            return _view_of(row)
        if await self._pool.fetch_value(IS_GONE, command_id):
            raise CommandGoneError(command_id)
        return None

    @override
    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        rows = await self._pool.fetch(FIND_MANY, self._channel, list(command_ids))
        return [_view_of(row) for row in rows]

    @override
    async def list_by_status(
        self, status: CommandStatus | None, *, limit: int, after: CommandId | None
    ) -> Sequence[CommandView]:
        rows = await self._pool.fetch(LISTS[status], self._channel, limit, after)
        return [_view_of(row) for row in rows]


def _view_of(row: asyncpg.Record) -> CommandView:
    return CommandView(
        command_id=CommandId(row["command_id"]),
        command_type=row["command_type"],
        arguments=parse_arguments(row["arguments"]),
        actor=row["actor"],
        subject=row["subject"],
        status=CommandStatus(row["status"]),
        accepted_at_ms=EpochMs(row["accepted_at_ms"]),
        settled_at_ms=optional(EpochMs, row["settled_at_ms"]),
        code=row["code"],
        detail=row["detail"],
        result=optional(decode_object, row["result"]),
        transaction_id=optional(TransactionId, row["transaction_id"]),
        block_number=optional(BlockNumber, row["block_number"]),
        attempts=row["attempts"],
        prepared_at_ms=optional(EpochMs, row["prepared_at_ms"]),
        batch_commands=row["batch_commands"],
        projected_at_ms=optional(EpochMs, row["projected_at_ms"]),
    )
