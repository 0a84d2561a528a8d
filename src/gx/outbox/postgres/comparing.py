"""The outbox's record as PostgreSQL has it, compared with slices of the ledger's blocks."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool
from gx.domain.differences import Difference, DifferenceKind, Tally
from gx.domain.identifiers import BlockNumber, CommandId
from gx.outbox.comparison import (
    UNFOUNDED_MAX,
    AnswerBook,
    Compared,
    LedgerAnswer,
    Slice,
    UnfoundedResult,
)
from gx.outbox.postgres.rows import storable

COMMANDS_PER_LOOK: Final = 50_000
ENDLESS_AFTER_MS: Final = 600_000
"""Ten minutes: TransactionOpen has alarmed for most of them."""

# Only what is not simply so comes back. Both tables are asked once for all commands: sorted keys
# lie side by side in their indexes. What is no UUID cannot be one of ours. One statement, one
# snapshot: nothing is seen between waiting and settled.
ANSWERS: Final = """
    WITH told AS MATERIALIZED (
        SELECT t.*, CASE WHEN t.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                         THEN t.id::uuid END AS command_id
          FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::boolean[], $8::text[])
               WITH ORDINALITY
                 AS t(id, block, transaction, outcome, code, result, is_repeat, detail, place)
    ), results AS MATERIALIZED (
        SELECT * FROM command_results
         WHERE command_id = ANY(ARRAY(SELECT command_id FROM told WHERE command_id IS NOT NULL))
    ), known AS MATERIALIZED (
        SELECT command_id FROM commands
         WHERE command_id = ANY(ARRAY(SELECT command_id FROM told WHERE command_id IS NOT NULL))
    ), differing AS MATERIALIZED (
        SELECT t.*, r.command_id IS NOT NULL AS is_settled, r.outcome AS stored_outcome,
               r.code AS stored_code, r.detail AS stored_detail, r.result AS stored_result,
               r.transaction_id, r.block_number,
               k.command_id IS NOT NULL AS is_known
          FROM told t
          LEFT JOIN results r ON r.command_id = t.command_id
          LEFT JOIN known k ON k.command_id = t.command_id
         WHERE r.command_id IS NULL OR k.command_id IS NULL OR r.outcome <> t.outcome
            OR r.code IS DISTINCT FROM t.code OR r.result IS DISTINCT FROM t.result::jsonb
            OR r.transaction_id IS DISTINCT FROM t.transaction
            OR r.detail IS DISTINCT FROM t.detail
            OR (r.block_number IS DISTINCT FROM t.block AND NOT t.is_repeat)
    )
    SELECT f.place, f.is_settled, f.stored_outcome AS outcome, f.stored_code AS code,
           f.stored_detail AS detail, f.stored_result::text AS result, f.transaction_id,
           f.block_number, f.is_known,
           o.seq IS NOT NULL AS is_waiting, d.state AS letter,
           x.command_id IS NOT NULL AS is_declared,
           EXISTS (SELECT FROM command_weeks w WHERE w.retired_at_ms IS NOT NULL
                      AND f.command_id >= w.from_id AND f.command_id < w.until_id) AS is_retired
      FROM differing f
      LEFT JOIN outbox o ON o.command_id = f.command_id
      LEFT JOIN dead_letters d ON d.command_id = f.command_id
      LEFT JOIN outside_commands x ON x.command_id = f.id
     ORDER BY f.place
"""

# The other way round, found by the block numbers' BRIN index.
UNFOUNDED: Final = """
    SELECT r.command_id::text AS command_id, r.outcome, r.code, r.transaction_id, r.block_number
      FROM command_results r
     WHERE r.block_number BETWEEN $1 AND $2
       AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS t(id) WHERE t.id = r.command_id::text)
       AND NOT EXISTS (SELECT FROM unnest($4::text[], $5::bigint[]) AS t(id, block)
                        WHERE t.id = r.transaction_id AND t.block = r.block_number)
     ORDER BY r.block_number, r.command_id LIMIT $6
"""

OURS: Final = """
    SELECT count(*) FROM command_results r
      JOIN unnest($3::text[]) AS t(id) ON t.id = r.transaction_id
     WHERE r.block_number BETWEEN $1 AND $2
"""

DECLARE: Final = """
    WITH declared AS (
        INSERT INTO outside_commands (command_id, block_number, actor, reason)
        SELECT d.id, d.block, $3, $4 FROM unnest($1::text[], $2::bigint[]) AS d(id, block)
            ON CONFLICT (command_id) DO NOTHING
        RETURNING command_id, block_number
    )
    INSERT INTO audit_log (actor, action, target, reason)
    SELECT $3, 'commands_declared_outside',
           format('%s commands of blocks %s to %s', count(*), min(block_number), max(block_number)),
           $4
      FROM declared HAVING count(*) > 0
"""

NEXT_LOOK: Final = """
    SELECT command_id FROM commands WHERE ($1::uuid IS NULL OR command_id > $1)
     ORDER BY command_id OFFSET $2 LIMIT 1
"""
LOST: Final = """
    SELECT c.command_id::text AS command_id, c.command_type, c.accepted_at_ms FROM commands c
     WHERE ($1::uuid IS NULL OR c.command_id > $1) AND ($2::uuid IS NULL OR c.command_id <= $2)
       AND NOT EXISTS (SELECT FROM command_results r WHERE r.command_id = c.command_id)
       AND NOT EXISTS (SELECT FROM outbox o WHERE o.command_id = c.command_id)
       AND NOT EXISTS (SELECT FROM dead_letters d
                        WHERE d.command_id = c.command_id AND d.state = 'dead')
     ORDER BY c.command_id
"""

ENDLESS: Final = """
    SELECT e.transaction_id, (now_ms() - e.prepared_at_ms) / 1000 AS age_s,
           (SELECT count(*) FROM outbox o WHERE o.envelope_id = e.envelope_id) AS held
      FROM envelopes e
     WHERE e.prepared_at_ms < now_ms() - $1::bigint
        OR NOT EXISTS (SELECT FROM outbox o WHERE o.envelope_id = e.envelope_id)
     ORDER BY e.envelope_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Who declares unknown commands as none of this outbox's, and why."""

    actor: str
    reason: str


class PostgresAnswerBook(AnswerBook):
    """Reads; only with a declaration it writes, and then nothing but that.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        declaration: Declaration | None = None,
        unfounded_max: int = UNFOUNDED_MAX,
    ) -> None:
        """`unfounded_max` bounds the results without an answer that a slice's comparison tells."""
        self._pool = pool
        self._declaration = declaration
        self._unfounded_max = unfounded_max

    @override
    async def compare(self, told: Slice) -> Compared:
        if told.first is None:
            return Compared()
        differences: list[Difference] = []
        unsettled: list[BlockNumber] = []
        unknown: list[LedgerAnswer] = []
        declared = 0
        for row in await self._pool.fetch(ANSWERS, *_columns(told.answers)):
            answer = told.answers[row["place"] - 1]
            difference = _judge(answer, row)
            if row["is_declared"]:
                declared += 1
            elif row["is_waiting"] and not row["is_settled"]:
                unsettled.append(answer.block_number)
            elif difference is not None:
                differences.append(difference)
                if difference.kind is DifferenceKind.COMMAND_UNKNOWN:
                    unknown.append(answer)
        if self._declaration is not None and unknown:
            await self._declare(unknown, self._declaration)
            gone = DifferenceKind.COMMAND_UNKNOWN
            differences = [found for found in differences if found.kind is not gone]
            declared += len(unknown)
        return Compared(
            differences=differences,
            unfounded=await self._unfounded(told, told.first),
            unsettled=unsettled,
            outside=await self._outside(told, told.first),
            declared=declared,
        )

    @override
    async def add_strays(self, tally: Tally) -> None:
        for row in await self._pool.fetch(ENDLESS, ENDLESS_AFTER_MS):
            tally.add(
                Difference(
                    kind=DifferenceKind.ENVELOPE_ENDLESS,
                    place="envelopes",
                    key=row["transaction_id"],
                    ledger="no transaction stays open",
                    stored=f"prepared {row['age_s']} s ago for {row['held']} commands",
                )
            )
        async for row in self._lost():
            tally.add(
                Difference(
                    kind=DifferenceKind.COMMAND_LOST,
                    place="commands",
                    key=row["command_id"],
                    ledger="no answer",
                    stored=f"{row['command_type']} accepted, and neither waiting nor ended",
                )
            )

    async def _lost(self) -> AsyncIterator[asyncpg.Record]:
        after = None
        while True:
            until = await self._pool.fetch_value(NEXT_LOOK, after, COMMANDS_PER_LOOK)
            for row in await self._pool.fetch(LOST, after, until):
                yield row
            if until is None:
                return
            after = until

    async def _unfounded(self, told: Slice, first: BlockNumber) -> Sequence[UnfoundedResult]:
        rows = await self._pool.fetch(
            UNFOUNDED,
            *(first, told.last, [answer.command_id for answer in told.answers]),
            *(list(told.direct), list(told.direct.values()), self._unfounded_max),
        )
        return [
            UnfoundedResult(
                command_id=CommandId(row["command_id"]),
                difference=Difference(
                    kind=DifferenceKind.RESULT_UNFOUNDED,
                    place="command_results",
                    key=row["command_id"],
                    ledger=f"block {row['block_number']} has no answer to it",
                    stored=_words(
                        row["outcome"], row["code"], row["transaction_id"], row["block_number"]
                    ),
                    block_number=row["block_number"],
                ),
            )
            for row in rows
        ]

    async def _outside(self, told: Slice, first: BlockNumber) -> int:
        if not told.direct:
            return 0
        ours = await self._pool.fetch_value(OURS, first, told.last, list(told.direct))
        return len(told.direct) - (ours if isinstance(ours, int) else 0)

    async def _declare(self, unknown: Sequence[LedgerAnswer], declaration: Declaration) -> None:
        await self._pool.execute(
            DECLARE,
            *([a.command_id for a in unknown], [a.block_number for a in unknown]),
            *(declaration.actor, declaration.reason),
        )


def _columns(answers: Sequence[LedgerAnswer]) -> tuple[list[object], ...]:
    return (
        [answer.command_id for answer in answers],
        [answer.block_number for answer in answers],
        [answer.transaction_id for answer in answers],
        [answer.outcome for answer in answers],
        [storable(answer.code) for answer in answers],
        [storable(answer.result) for answer in answers],
        [answer.is_repeat for answer in answers],
        [storable(answer.detail) for answer in answers],
    )


def _judge(answer: LedgerAnswer, row: asyncpg.Record) -> Difference | None:
    """Say what is wrong with the record of an answer; None if its week has left retention."""
    if row["is_retired"]:
        return None
    told = _words(answer.outcome, answer.code, answer.transaction_id, answer.block_number)
    kind, place, column, stored = DifferenceKind.RESULT_WRONG, "command_results", "", ""
    if not row["is_known"]:
        kind, place, stored = DifferenceKind.COMMAND_UNKNOWN, "commands", "no such command"
    elif not row["is_settled"]:
        kind, stored = DifferenceKind.RESULT_MISSING, "no such row"
        if row["letter"] is not None:
            stored = f"no such row, a dead letter that is {row['letter']}"
    else:
        column, told, stored = _first_column(answer, row)
    return Difference(
        kind=kind,
        place=place,
        key=answer.command_id,
        column=column,
        ledger=told,
        stored=stored,
        block_number=answer.block_number,
    )


def _first_column(answer: LedgerAnswer, row: asyncpg.Record) -> tuple[str, str, str]:
    pairs = (
        ("outcome", answer.outcome, row["outcome"]),
        ("code", answer.code, row["code"]),
        ("detail", storable(answer.detail), row["detail"]),
        ("transaction_id", answer.transaction_id, row["transaction_id"]),
        ("block_number", answer.block_number, row["block_number"]),
    )
    for column, told, stored in pairs:
        if told != stored and not (column == "block_number" and answer.is_repeat):
            return column, _text(told), _text(stored)
    return "result", _text(answer.result), _text(row["result"])


def _words(outcome: str, code: str | None, transaction_id: str | None, block: int | None) -> str:
    said = outcome if code is None else f"{outcome} {code}"
    return f"{said} in transaction {transaction_id} of block {block}"


def _text(value: str | int | None) -> str:
    return "null" if value is None else str(value)
