"""Lists that come page by page: `limit` and `cursor` in, `items` and `nextCursor` out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gx.api.problems import RequestRefusedError
from gx.api.settings import EdgeSettings
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.refusals import RefusalCode

PARAMETERS: Final = ("limit", "cursor")
CURSOR_CHARACTERS_MAX: Final = 256
_LIMIT_DIGITS_MAX: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """How many items at most, and after which place."""

    limit: int
    cursor: str | None


def read_page(values: Mapping[str, str], settings: EdgeSettings) -> PageRequest:
    """Read which page is wanted.

    Raises:
        RequestRefusedError: ARGUMENT_INVALID for a limit out of bounds or an impossible cursor.
    """
    text = values.get("limit", str(settings.page_default))
    is_number = text.isascii() and text.isdigit() and len(text) <= _LIMIT_DIGITS_MAX
    if not is_number or not 1 <= int(text) <= settings.page_max:
        raise RequestRefusedError(
            RefusalCode.ARGUMENT_INVALID,
            f"limit must be a whole number from 1 to {settings.page_max}, got {text[:20]!r}",
        )
    cursor = values.get("cursor")
    if cursor is not None and not 1 <= len(cursor) <= CURSOR_CHARACTERS_MAX:
        raise unusable_cursor()
    return PageRequest(limit=int(text), cursor=cursor)


def build_page(items: Sequence[JsonObject], *, next_cursor: str | None) -> JsonObject:
    """Build the answer: `nextCursor` is null on the last page."""
    return {"items": list[JsonValue](items), "nextCursor": next_cursor}


def unusable_cursor() -> RequestRefusedError:
    """Refuse a cursor that this list never gave out."""
    return RequestRefusedError(
        RefusalCode.ARGUMENT_INVALID, "cursor must be a nextCursor of this list, unchanged"
    )
