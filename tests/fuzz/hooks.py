"""What schemathesis should not make up, because only this API can make it, or nobody may.

Such cases stay where they are meant to be wrong; they are taken out where a valid request is
wanted, whose refusal would be called a fault.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import schemathesis
from schemathesis import GenerationMode, HookContext
from schemathesis.generation.meta import CaseMetadata

_KEY: Final = "Idempotency-Key"
_OTHER_KEY: Final = "X-Idempotency-Key"


class GeneratedCase(Protocol):
    """What is looked at of a request that schemathesis has made up."""

    meta: CaseMetadata | None
    query: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    body: object


@schemathesis.hook
def filter_case(_context: HookContext, case: GeneratedCase) -> bool:
    """Keep a case unless it is meant to be valid and cannot be."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return True
    return not (
        _has_made_up_cursor(case.query or {})
        or _has_two_keys(case.headers or {})
        or _has_unprintable_text(case.body)
    )


def _has_made_up_cursor(query: Mapping[str, object]) -> bool:
    """A cursor is what a page before said, unchanged."""
    return "cursor" in query


def _has_two_keys(headers: Mapping[str, str]) -> bool:
    """Two spellings of one header, with different values, are refused."""
    return _KEY in headers and _OTHER_KEY in headers and headers[_KEY] != headers[_OTHER_KEY]


def _has_unprintable_text(value: object) -> bool:
    """What is printable Unicode's categories say, for which JSON Schema has no portable words."""
    if isinstance(value, str):
        return not value.isprintable()
    if isinstance(value, dict):
        return any(_has_unprintable_text(item) for item in value.values())
    return isinstance(value, list) and any(_has_unprintable_text(item) for item in value)
