"""Columns to values, where several adapters read the same ones."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from gx.domain.codec import JsonObject

_From = TypeVar("_From")
_To = TypeVar("_To")

# The arguments were validated and encoded by us: text by text. Five times faster than `json`.
_ARGUMENTS: Final = msgspec.json.Decoder(dict[str, str])


def parse_arguments(text: str) -> dict[str, str]:
    """Read a command's arguments as they are stored."""
    return _ARGUMENTS.decode(text)


def optional(convert: Callable[[_From], _To], value: _From | None) -> _To | None:
    """Convert a column unless it is NULL."""
    return None if value is None else convert(value)


def json_of(value: JsonObject | None) -> str | None:
    """Write an answer of the ledger as JSON that PostgreSQL takes."""
    return None if value is None else storable(msgspec.json.encode(value).decode())


def storable(text: str | None) -> str | None:
    """Replace what PostgreSQL cannot store, so that no answer of the ledger is unwritable."""
    if text is None:
        return None
    text = text.replace("\x00", "\ufffd").replace("\\u0000", "\\ufffd")
    return text.encode("utf-8", "replace").decode()
