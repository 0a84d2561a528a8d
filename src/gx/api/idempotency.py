"""Idempotency keys: which requests are one request, and how that is told unambiguously."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from gx.api.exchange import Exchange
from gx.api.principal import Caller
from gx.api.problems import RequestRefusedError
from gx.domain.refusals import RefusalCode

KEY_CHARACTERS_MAX: Final = 255
_HEADERS: Final = (b"idempotency-key", b"x-idempotency-key")
_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{KEY_CHARACTERS_MAX}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyMark:
    """What is stored of a keyed request: hashes, never the key itself."""

    key_hash: str | None
    fingerprint: str


_UNMARKED: Final = IdempotencyMark(key_hash=None, fingerprint="")


def mark_of(
    exchange: Exchange, caller: Caller, *, template: str, arguments: Mapping[str, str]
) -> IdempotencyMark:
    """Mark the request by its key, if it has one.

    A key counts within issuer, subject and route template. The fingerprint covers actor and
    arguments: two bodies that say the same, however written, are the same.

    Raises:
        RequestRefusedError: ARGUMENT_INVALID for a key that is empty, too long, not printable
            ASCII, or given twice with different values.
    """
    key = read_key(exchange)
    if key is None:
        return _UNMARKED
    principal = caller.principal
    return IdempotencyMark(
        key_hash=_digest([principal.issuer, principal.subject, template, key]),
        fingerprint=_digest([caller.actor, template, *arguments.items()]),
    )


def read_key(exchange: Exchange) -> str | None:
    """Return the request's idempotency key, None without one.

    Raises:
        RequestRefusedError: ARGUMENT_INVALID, as `mark_of` says.
    """
    for name in _HEADERS:
        if exchange.is_contradictory(name):
            raise _unusable(f"{name.decode()} was given more than once, with different values")
    key, twin = (exchange.header(name) for name in _HEADERS)
    if key is None or twin is None:
        key = twin if key is None else key
    elif key != twin:
        raise _unusable("Idempotency-Key and X-Idempotency-Key differ")
    if key is not None and _KEY.fullmatch(key) is None:
        raise _unusable(f"an idempotency key is 1 to {KEY_CHARACTERS_MAX} printable ASCII letters")
    return key


def _digest(parts: Sequence[object]) -> str:
    # JSON strings end where they end: no two lists of parts have the same text.
    return sha256(msgspec.json.encode(parts)).hexdigest()


def _unusable(detail: str) -> RequestRefusedError:
    return RequestRefusedError(RefusalCode.ARGUMENT_INVALID, detail)
