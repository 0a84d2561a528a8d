"""Lists that come page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from gx.client.errors import UnexpectedAnswerError
from gx.client.records import RecordT
from gx.client.requests import Request
from gx.client.transport import Answer
from gx.domain.codec import DecodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[RecordT]):
    """Some items of a list; `next_cursor` asks for the following ones, None at the end."""

    items: Sequence[RecordT]
    next_cursor: str | None


def parse_page(kind: type[RecordT], answer: Answer, request: Request) -> Page[RecordT]:
    """Read `{items, nextCursor}`.

    Raises:
        UnexpectedAnswerError: the answer is no page of such records.
    """
    items, cursor = answer.body.get("items"), answer.body.get("nextCursor")
    if not isinstance(items, list) or not isinstance(cursor, str | None):
        raise UnexpectedAnswerError(str(request), "expected items and nextCursor")
    try:
        records = [kind.from_wire(item if isinstance(item, dict) else {}) for item in items]
    except DecodeError as error:
        raise UnexpectedAnswerError(str(request), str(error)) from error
    return Page(items=records, next_cursor=cursor)
