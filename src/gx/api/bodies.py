"""Reads request bodies: JSON objects, strictly, and without surprises about what they hold."""

import json
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from gx.api.exchange import Exchange
from gx.api.problems import RequestRefusedError
from gx.domain.codec import JsonObject
from gx.domain.refusals import RefusalCode

_JSON: Final = b"application/json"
_DECODER: Final = msgspec.json.Decoder()
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_FAILURES: Final = (msgspec.MsgspecError, ValueError, RecursionError)


async def read_object(exchange: Exchange, *, bytes_max: int) -> JsonObject:
    """Read the body as a JSON object; an empty body is an empty object.

    Raises:
        RequestRefusedError: BODY_TOO_LARGE, or ARGUMENT_INVALID for another content type, for
            what is no JSON in UTF-8, and for an object that names a member twice.
        DisconnectedError: the client went away.
    """
    body = await exchange.read_body(bytes_max)
    if not body:
        return {}
    content_type = exchange.headers.get(b"content-type", _JSON)
    if content_type != _JSON and not _is_json(content_type):
        raise _malformed(f"send JSON as application/json, not as {_printable(content_type)}")
    return parse_object(body)


def parse_object(body: bytes) -> JsonObject:
    """Read a JSON object. Numbers with a fraction come as floats: no argument kind takes one.

    Raises:
        RequestRefusedError: ARGUMENT_INVALID, as `read_object` says.
    """
    try:
        value: object = _DECODER.decode(body)
    except _FAILURES as error:
        raise _malformed(f"the body is not JSON: {_reason(error, body)}") from error
    if not isinstance(value, dict):
        raise _malformed("the body must be a JSON object")
    # Each member has one colon, and a string may hold more: as many colons as members means that
    # no member hides behind another of the same name. Anything else is looked at closely.
    if body.count(b":") != len(value):
        _require_distinct_names(body)
    return value


def _require_distinct_names(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_distinct)
    except _FAILURES as error:
        raise _malformed(f"the body is not JSON: {str(error)[:120]}") from error


def _distinct(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name[:40] for name in names if names.count(name) > 1})
        raise _malformed(f"the body names a member twice: {', '.join(twice)}")
    return members


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == _JSON or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )


def _printable(header: bytes) -> str:
    text = header[:80].decode("latin-1")
    return text if text.isprintable() else ascii(text)


def _reason(error: Exception, body: bytes) -> str:
    """Say what is wrong; the decoder calls half a surrogate pair truncated input."""
    text = str(error)[:120]
    if ("truncated" in text or "surrogate" in text) and _SURROGATE.search(body):
        return "a \\u escape is half of a surrogate pair, which is no character"
    return text


def _malformed(detail: str) -> RequestRefusedError:
    return RequestRefusedError(RefusalCode.ARGUMENT_INVALID, detail)
