"""Arrays as one parameter in PostgreSQL's own notation: `{"a","b",NULL}`.

asyncpg asks of every element of an array whether it is an array itself, which costs more than all
else that is done with it; a batch of commands has many thousands of elements. The statement says
`$1::text::uuid[]`.
Source: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from collections.abc import Iterable, Sequence
from typing import Final

_BETWEEN: Final = "\x00"
"""Joins elements while quotes are put before what they could be taken for; no text may hold it."""


def text_array(values: Sequence[str | None]) -> str | None:
    """Write texts, or what PostgreSQL reads from text: UUIDs, JSON, bytes in hexadecimal.

    None stands for NULL; if all are NULL there is no array: `unnest` fills its column up.

    Raises:
        ValueError: a text holds the character 0, which PostgreSQL cannot store.
    """
    present = [value for value in values if value is not None]
    if not present:
        return None if values else "{}"
    joined = _BETWEEN.join(present)
    if joined.count(_BETWEEN) >= len(present):
        raise ValueError("a text holds the character 0, which PostgreSQL cannot store")
    quoted = joined.replace("\\", "\\\\").replace('"', '\\"')
    if len(present) == len(values):
        return '{"' + quoted.replace(_BETWEEN, '","') + '"}'
    elements = iter(quoted.split(_BETWEEN))
    written = ["NULL" if value is None else f'"{next(elements)}"' for value in values]
    return "{" + ",".join(written) + "}"


def number_array(values: Iterable[int | None]) -> str:
    """Write whole numbers, or truth values; None stands for NULL."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"
