"""One kept-alive HTTP/1.1 connection that costs almost nothing.

A load generator shares the machine with what it measures. On the development machine httpx takes
1,200 us of CPU for one small request, this 10 to 40 us: at 500 requests a second that is 60 % of
a core against 2 %. It therefore sends prepared bytes and parses with httptools alone.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

import httptools
from typing_extensions import override

from gx.domain.errors import GxError

CONNECT_TIMEOUT_S: Final = 5.0
BODY_BYTES_MAX: Final = 32 * 1024 * 1024


class ConnectionLostError(GxError):
    """The connection broke or fell silent; whether the request took effect is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the API listens."""

    host: str
    port: int
    is_secure: bool

    @property
    def authority(self) -> str:
        """Return the Host header's value."""
        return f"{self.host}:{self.port}"


def parse_endpoint(base_url: str) -> Endpoint:
    """Read `http://host:port`; a missing port is the scheme's own."""
    parts = urlsplit(base_url)
    is_secure = parts.scheme == "https"
    return Endpoint(
        host=parts.hostname or "",
        port=parts.port or (443 if is_secure else 80),
        is_secure=is_secure,
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


class Connection(asyncio.Protocol):
    """Sends one request at a time and returns its answer."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._body = bytearray()
        self._retry_after_s = 0.0

    @property
    def is_open(self) -> bool:
        """Tell whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, request: bytes, *, timeout_s: float) -> Reply:
        """Send prepared bytes and wait for the answer.

        Raises:
            ConnectionLostError: the connection broke, or no answer came in time.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionLostError("the connection is closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        self._answer = answer
        guard = loop.call_later(timeout_s, self._fail, f"no answer within {timeout_s:g} s")
        self._transport.write(request)
        try:
            return await answer
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            guard.cancel()

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but are no subclass of it.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is no HTTP: {error}")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was closed{f': {exc}' if exc else ''}")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note how long the API asks to wait (called by the parser)."""
        if name.lower() == b"retry-after" and value.isdigit():
            self._retry_after_s = float(value)

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body (called by the parser)."""
        self._body += body
        if len(self._body) > BODY_BYTES_MAX:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        """Hand the answer over (called by the parser)."""
        reply = Reply(self._parser.get_status_code(), bytes(self._body), self._retry_after_s)
        self._body.clear()
        self._retry_after_s = 0.0
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)

    def _fail(self, reason: str) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionLostError(reason))


class ConnectionPool:
    """Up to `size` connections to one API; a request waits until one is free."""

    def __init__(self, endpoint: Endpoint, *, size: int, timeout_s: float = 15.0) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def exchange(self, request: bytes, *, extra_wait_s: float = 0.0) -> Reply:
        """Send prepared bytes over a free connection and return the answer.

        Raises:
            ConnectionLostError: as `Connection.send`; the connection is not used again.
        """
        async with self._slots:
            connection = self._take_idle() or await open_connection(self._endpoint)
            reply = await connection.send(request, timeout_s=self._timeout_s + extra_wait_s)
            if connection.is_open:
                self._idle.append(connection)
            return reply

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().close()

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None


async def open_connection(endpoint: Endpoint) -> Connection:
    """Connect.

    Raises:
        ConnectionLostError: nobody listens, or the handshake failed; nothing was sent.
    """
    context = ssl.create_default_context() if endpoint.is_secure else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await loop.create_connection(
                Connection, endpoint.host, endpoint.port, ssl=context
            )
    except (OSError, TimeoutError) as error:
        raise ConnectionLostError(f"{endpoint.authority}: {error}") from error
    return connection
