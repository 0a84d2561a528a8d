"""Keeps secrets and payloads out of what is written for people: one function, no exceptions.

It would rather hide too much of a text than one password.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

REDACTED: Final = "[redacted]"
OMITTED: Final = "[omitted]"

_TEXT_MAX: Final = 16_384
_DEPTH_MAX: Final = 6

_SECRET_KEY: Final = re.compile(
    r"passw|secret|authorization|api_?key|private_?key|signing_?key|credential"
    r"|(token|cookie|jwt|bearer)s?$",
    re.IGNORECASE,
)
# What a command says is its owner's business; ids and numbers are enough to find it.
_PAYLOAD_KEY: Final = re.compile(r"^(payload|arguments|body|request_body|envelope)$")

# One cheap search decides whether the dear replacements below are worth while.
_SUSPECT: Final = re.compile(r"://|[=\"']|bearer\s|basic\s|eyJ|PRIVATE KEY", re.IGNORECASE)

_REPLACEMENTS: Final = (
    # scheme://user:password@host
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s\"']+@", re.IGNORECASE), rf"\1:{REDACTED}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w+/=.~-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), REDACTED),
    (
        re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(-----END [A-Z ]*-----|\Z)", re.DOTALL),
        REDACTED,
    ),
    # password=…, "token": "…"
    (
        re.compile(
            r"(\w*(?:passw\w*|secret|token|api_?key|pwd))([\"']\s*:\s*|\s*=\s*)"
            r"(\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)",
            re.IGNORECASE,
        ),
        rf"\1\2{REDACTED}",
    ),
)


def redact_text(text: str) -> str:
    """Return the text without passwords, tokens and keys, at most 16 KiB of it."""
    if len(text) > _TEXT_MAX:
        text = f"{text[:_TEXT_MAX]}… ({len(text)} characters)"
    if not _SUSPECT.search(text):
        return text
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return text


def redact_field(key: str, value: object, depth: int = 0) -> object:
    """Return a field's value as it may be written: by its name, then by what it holds.

    The result is made of what JSON knows. Bytes become their count, anything unknown its text.
    """
    if value is None:
        return None
    if _SECRET_KEY.search(key):
        return REDACTED
    if _PAYLOAD_KEY.match(key):
        return OMITTED
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return OMITTED if depth >= _DEPTH_MAX else _redact_members(key, value, depth + 1)
    return _redact_leaf(value)


def _redact_members(key: str, value: Iterable[object], depth: int) -> object:
    if isinstance(value, Mapping):
        return {str(name): redact_field(str(name), each, depth) for name, each in value.items()}
    return [redact_field(key, each, depth) for each in value]


def _redact_leaf(value: object) -> str:
    match value:
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case BaseException():
            # Some have no text: a TimeoutError is told by its name alone.
            return redact_text(f"{type(value).__name__}: {value}".removesuffix(": "))
        case _:
            return redact_text(str(value))
