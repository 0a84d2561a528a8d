"""Cursors of paged lists: opaque to clients, the last item's key to us."""

import base64
import binascii
from typing import TypeAlias

from gx.domain.codec import DecodeError, JsonValue, decode, encode
from gx.domain.refusals import RefusalCode, RefusedError

Place: TypeAlias = tuple[str | int, ...]


def render_cursor(place: Place) -> str:
    """Write the place of the last item shown."""
    text = encode(list[JsonValue](place)).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def parse_cursor(cursor: str, start: Place) -> Place:
    """Read a place with parts of the types of `start`, and numbers no larger than there.

    Raises:
        RefusedError: ARGUMENT_INVALID if it is none that this list gave out.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = decode(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError, DecodeError) as error:
        raise _unusable() from error
    if not isinstance(parts, list) or len(parts) != len(start):
        raise _unusable()
    return tuple(_part(part, like) for part, like in zip(parts, start, strict=True))


def _part(part: JsonValue, like: str | int) -> str | int:
    if isinstance(part, str) and isinstance(like, str) and "\0" not in part:
        return part
    if type(part) is int and isinstance(like, int) and 0 <= part <= like:
        return part
    raise _unusable()


def _unusable() -> RefusedError:
    return RefusedError(
        RefusalCode.ARGUMENT_INVALID, "cursor must be a nextCursor of this list, unchanged"
    )
