"""Arrays in PostgreSQL's notation arrive as they left, whatever their texts hold."""

import asyncpg
import pytest

from gx.database.arrays import number_array, text_array

AWKWARD = (
    *("", "NULL", "null", " ", '"', "\\", '\\"', "{", "}", ",", "a,b", "{}", '{"a":"b\\n"}'),
    *("\n\t\r", "é", "𝄞", "'; DROP TABLE x; --", "\\x41", "\x1f", "\x7f", "a" * 10_000),
)


@pytest.mark.parametrize(
    "values",
    [AWKWARD, AWKWARD[::-1], (*AWKWARD, None), (None, *AWKWARD, None, None), ("",), ()],
    ids=["all", "reversed", "null_last", "nulls", "one_empty", "none"],
)
async def test_texts_come_back_as_they_were(
    bare_database_dsn: str, values: tuple[str | None, ...]
) -> None:
    """Fault: a quote that ends an element early, so that one command's text becomes another's."""
    connection = await asyncpg.connect(bare_database_dsn)
    try:
        found = await connection.fetchval("SELECT $1::text::text[]", text_array(values))
    finally:
        await connection.close()

    assert found == list(values)


async def test_texts_become_values_of_other_types(bare_database_dsn: str) -> None:
    """What is no text is read from it, each element by its type's own rules."""
    connection = await asyncpg.connect(bare_database_dsn)
    try:
        row = await connection.fetchrow(
            "SELECT $1::text::bytea[], $2::text::jsonb[]::text[], $3::text::bigint[]",
            text_array(["\\x00ff", "\\x", None]),
            text_array(['{"a": "\\"\\\\"}', None]),
            number_array([1, None, -(2**63)]),
        )
    finally:
        await connection.close()

    assert tuple(row or ()) == (
        [b"\x00\xff", b"", None],
        ['{"a": "\\"\\\\"}', None],
        [1, None, -(2**63)],
    )


def test_a_column_of_nulls_needs_no_array() -> None:
    """`unnest` fills it up."""
    assert text_array([None, None]) is None


@pytest.mark.parametrize("values", [["\x00"], ["a\x00b", "c"], ["a", None, "\x00"]])
def test_what_cannot_be_stored_is_refused(values: list[str | None]) -> None:
    """Fault: a text that splits in two and shifts all that follow."""
    with pytest.raises(ValueError, match="character 0"):
        text_array(values)
