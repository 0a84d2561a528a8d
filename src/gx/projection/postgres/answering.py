"""What all reads of the business API have in common: one statement, rendered as JSON."""

from collections.abc import Mapping, Sequence
from typing import Final

from asyncpg import Record

from gx.database.pool import Pool
from gx.domain.codec import JsonObject, JsonValue, wire_name_of
from gx.domain.identifiers import BlockNumber
from gx.projection.changes import Value
from gx.projection.cursors import Place, render_cursor
from gx.projection.ports import Answer
from gx.projection.read_model import ReadModel

# The checkpoint stands in the same statement as the rows, so both are of one snapshot. The outer
# join gives one row even where the model has none.
READ_ONE: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           m.*
      FROM (VALUES (1)) AS one LEFT JOIN {model} AS m ON m.{key} = $2
"""


class Answering:
    """Reads with statements whose rows and checkpoint are of one snapshot."""

    def __init__(self, pool: Pool, *, channel: str) -> None:
        self.pool = pool
        self.channel = channel

    async def one_or_none(self, model: ReadModel, key: str) -> Answer:
        """Answer with the row of this key."""
        row = await self.one(model, key)
        return answer_of(row, None if row[model.key_names[0]] is None else render_row(model, row))

    async def one(self, model: ReadModel, key: Value) -> Record:
        """Read the row of this key; one of nothing but a block if there is none."""
        return await self.row(READ_ONE.format(model=model.name, key=model.key_names[0]), key)

    async def row(self, statement: str, *arguments: Value) -> Record:
        """Read the one row that the statement gives; its first argument is the channel."""
        row = await self.pool.fetch_one(statement, self.channel, *arguments)
        assert row is not None  # noqa: S101 - every statement here gives a row
        return row


def answer_of(row: Record, body: JsonObject | None) -> Answer:
    """Answer as of the block that the row tells; None stands for what does not exist."""
    return Answer(block_number=BlockNumber(row["at_block"]), body=body)


def render_row(model: ReadModel, row: Record | Mapping[str, Value]) -> JsonObject:
    """Write a row as JSON: camelCase names, amounts as decimal strings."""
    rendered: JsonObject = {}
    for column in model.all_columns:
        value: JsonValue = row.get(column.name)
        rendered[wire_name_of(column.name)] = str(value) if column.is_amount else value
    return rendered


def page_of(model: ReadModel, rows: Sequence[Record], limit: int, key: Sequence[str]) -> JsonObject:
    """Build a page; one row more than `limit` was read to know whether there is a next one."""
    found = [row for row in rows if row[model.key_names[0]] is not None]
    shown = found[:limit]
    place: Place = tuple(shown[-1][name] for name in key) if shown else ()
    return {
        "items": [render_row(model, row) for row in shown],
        "nextCursor": render_cursor(place) if len(found) > limit else None,
    }
