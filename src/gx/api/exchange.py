"""One request on its way through the edge, with what has been found out about it so far."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

from gx.api.principal import Caller
from gx.api.problems import RequestRefusedError
from gx.api.route_spec import RouteSpec
from gx.domain.refusals import RefusalCode
from gx.telemetry.traces import ENTROPY_BYTES

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

SCOPE_KEY: Final = "gx.exchange"
REQUEST_ID: Final = b"x-request-id"

DISCARDED_BYTES_MAX: Final = 1_048_576
DISCARD_WITHIN_S: Final = 2.0

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,128}")
_QUERY_FIELDS_MAX: Final = 20
_DIGITS_MAX: Final = 18
_TRACE_ID_BYTES: Final = 16

# The API answers machines: nothing may be framed, sniffed, cached or sent on as a referrer.
_SECURITY_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class DisconnectedError(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


class Exchange:
    """A request and its answer. `route` is None until one has matched.

    `send` passes the answer on, with the headers that every answer bears, and notes its size.
    """

    __slots__ = (
        "_body_within_s",
        "_has_more",
        "_receive",
        "_send",
        "caller",
        "entropy",
        "header_bytes",
        "header_count",
        "headers",
        "is_streaming",
        "is_waiting",
        "request_bytes",
        "request_id",
        "response_bytes",
        "route",
        "scope",
        "status",
    )

    def __init__(
        self, scope: Message, receive: Receive, send: Send, *, body_within_s: float
    ) -> None:
        self._body_within_s = body_within_s
        self._has_more = True
        self._receive = receive
        self._send = send
        self.scope = scope
        headers: Headers = scope["headers"]  # type: ignore[assignment]  # ASGI: pairs of bytes
        self.headers = dict(headers)
        self.header_count = len(headers)
        self.header_bytes = sum([len(name) + len(value) for name, value in headers])
        self.route: RouteSpec | None = None
        self.caller: Caller | None = None
        self.is_waiting = False
        self.is_streaming = False
        self.request_bytes = 0
        self.response_bytes = 0
        self.status = 0
        self.entropy = os.urandom(ENTROPY_BYTES)
        given = self.headers.get(REQUEST_ID)
        is_given = given is not None and _REQUEST_ID.fullmatch(given) is not None
        self.request_id = given if given is not None and is_given else self._own_request_id()

    def _own_request_id(self) -> bytes:
        """Return the id of the trace that begins here if the client brought none."""
        return self.entropy[:_TRACE_ID_BYTES].hex().encode()

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return str(self.scope["method"])

    @property
    def client_address(self) -> str:
        """Return the client's address; one bucket holds all whose address is unknown."""
        client = self.scope.get("client")
        return str(client[0]) if isinstance(client, tuple | list) else "unknown"

    @property
    def path_values(self) -> Mapping[str, str]:
        """Return what stands in the path for the template's placeholders."""
        values = self.scope.get("path_params")
        return values if isinstance(values, dict) else {}

    def header(self, name: bytes) -> str | None:
        """Return a header's text, the last one's if it was repeated; `name` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def is_contradictory(self, name: bytes) -> bool:
        """Tell whether a header came more than once, with different values."""
        if len(self.headers) == self.header_count:
            return False
        headers: Headers = self.scope["headers"]  # type: ignore[assignment]  # ASGI: pairs of bytes
        return len({value for each, value in headers if each == name}) > 1

    def query_values(self, allowed: tuple[str, ...]) -> Mapping[str, str]:
        """Return the query string's parameters by name.

        Raises:
            RequestRefusedError: ARGUMENT_INVALID for an unknown, repeated or unreadable one.
        """
        raw = self.scope.get("query_string") or b""
        if not isinstance(raw, bytes) or not raw:
            return {}
        try:
            pairs = parse_qsl(
                raw.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_QUERY_FIELDS_MAX,
            )
        except ValueError as error:
            raise RequestRefusedError(
                RefusalCode.ARGUMENT_INVALID, "the query string is not percent-encoded UTF-8"
            ) from error
        values = dict(pairs)
        surplus = sorted(values.keys() - set(allowed))
        if surplus or len(values) != len(pairs):
            raise RequestRefusedError(
                RefusalCode.ARGUMENT_INVALID,
                f"the query takes {', '.join(allowed) or 'no parameters'}, each once; "
                f"got {', '.join(name[:40] for name, _ in pairs)}",
            )
        return values

    async def read_body(self, bytes_max: int) -> bytes:
        """Read the whole body.

        Raises:
            RequestRefusedError: BODY_TOO_LARGE as soon as it is known to be, announced or not;
                BODY_TOO_SLOW.
            DisconnectedError: the client went away.
        """
        if self._announced_bytes() > bytes_max:
            raise _too_large(bytes_max)
        try:
            async with asyncio.timeout(self._body_within_s):
                body = await self._read_up_to(bytes_max)
        except TimeoutError as error:
            raise _too_slow(self._body_within_s) from error
        self.request_bytes = len(body)
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        return bytes(body)

    async def _read_up_to(self, bytes_max: int) -> bytearray:
        """Read the body, or one piece more than it may have."""
        body = bytearray(await self._next_chunk())
        while self._has_more and len(body) <= bytes_max:
            body += await self._next_chunk()
        return body

    async def discard_body(self) -> None:
        """Read away what is left of a refused body, within bounds.

        A client that is still sending when the connection is closed never sees the answer.
        """
        left_bytes = DISCARDED_BYTES_MAX
        if self._announced_bytes() > left_bytes:
            return
        with suppress(TimeoutError, DisconnectedError):
            async with asyncio.timeout(DISCARD_WITHIN_S):
                while self._has_more and left_bytes > 0:
                    left_bytes -= len(await self._next_chunk())

    def _announced_bytes(self) -> int:
        text = self.headers.get(b"content-length", b"0")
        if not text.isdigit():
            return 0
        return int(text) if len(text) <= _DIGITS_MAX else sys.maxsize

    async def _next_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        self._has_more = message.get("more_body") is True
        body = message.get("body", b"")
        return body if isinstance(body, bytes) else b""

    async def until_disconnected(self) -> None:
        """Return when the client goes away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on to the server."""
        if message["type"] == "http.response.start":
            status = message["status"]
            self.status = status if isinstance(status, int) else 0
            headers = message.get("headers", [])
            message["headers"] = [
                *headers,  # type: ignore[misc]  # ASGI: pairs of bytes
                *_SECURITY_HEADERS,
                (REQUEST_ID, self.request_id),
            ]
        else:
            body = message.get("body", b"")
            self.response_bytes += len(body) if isinstance(body, bytes) else 0
        await self._send(message)

    async def reply_nothing(self) -> None:
        """Send 204, which has neither body nor content headers."""
        await self.send({"type": "http.response.start", "status": 204, "headers": []})
        await self.send({"type": "http.response.body", "body": b""})

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: Headers = (),
        *,
        content_type: bytes = b"application/json",
    ) -> None:
        """Send a complete answer."""
        self.status = status
        self.response_bytes = len(body)
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    *headers,
                    (b"content-type", content_type),
                    (b"content-length", b"%d" % len(body)),
                    *_SECURITY_HEADERS,
                    (REQUEST_ID, self.request_id),
                ],
            }
        )
        await self._send({"type": "http.response.body", "body": body})


def exchange_of(scope: Message) -> Exchange:
    """Return the exchange that the edge has put into the scope."""
    exchange = scope[SCOPE_KEY]
    if not isinstance(exchange, Exchange):
        raise TypeError("the request did not come through gx.api.edge.Edge")
    return exchange


def _too_slow(within_s: float) -> RequestRefusedError:
    return RequestRefusedError(
        RefusalCode.BODY_TOO_SLOW,
        f"the body was not complete within {within_s:g} s",
        headers={"Connection": "close"},
    )


def _too_large(bytes_max: int) -> RequestRefusedError:
    # What was not read cannot be told from a next request: the connection has to go.
    return RequestRefusedError(
        RefusalCode.BODY_TOO_LARGE,
        f"a body has at most {bytes_max} bytes",
        headers={"Connection": "close"},
    )
