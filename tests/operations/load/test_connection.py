"""The cheap connection: complete answers, broken ones, reuse."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.operations.load.connection import (
    ConnectionLostError,
    ConnectionPool,
    Endpoint,
    open_connection,
    parse_endpoint,
)
from gx.operations.load.latency import summarize

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next script: pieces of bytes, then perhaps a hang-up."""

    def __init__(self, scripts: Sequence[Sequence[bytes | None]]) -> None:
        self._scripts = list(scripts)
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        self.writers.append(writer)
        while self._scripts and await self._has_request(reader):
            for piece in self._scripts.pop(0):
                if piece is None:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    async def _has_request(self, reader: asyncio.StreamReader) -> bool:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        return True


@asynccontextmanager
async def listening(*scripts: Sequence[bytes | None]) -> AsyncIterator[tuple[Endpoint, Server]]:
    """Serve the scripts on a free port."""
    server = Server(scripts)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        port = listener.sockets[0].getsockname()[1]
        yield Endpoint(host="127.0.0.1", port=port, is_secure=False), server
    finally:
        listener.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.01)  # closed sockets are let go by the event loop's next turns


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_answers_are_whole_however_they_arrive() -> None:
    """Pieces and chunked bodies come out as one answer each."""
    chunked = (
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    )
    pieces = [bytes([byte]) for byte in chunked]
    async with listening(pieces, [OK]) as (endpoint, server):
        pool = ConnectionPool(endpoint, size=1)
        first = await pool.exchange(REQUEST)
        second = await pool.exchange(REQUEST)
        pool.close()

    assert (first.status, first.body) == (202, b"ab")
    assert (second.status, second.body) == (200, b"{}")
    assert server.connections == 1


async def test_retry_after_belongs_to_its_answer() -> None:
    """The next answer does not inherit it."""
    busy = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n"
    async with listening([busy], [OK]) as (endpoint, _):
        pool = ConnectionPool(endpoint, size=1)
        waits = [(await pool.exchange(REQUEST)).retry_after_s for _ in range(2)]
        pool.close()

    assert waits == [7.0, 0.0]


@pytest.mark.parametrize(
    "script",
    [[None], [OK[:20], None], [b"SSH-2.0-OpenSSH\r\n"]],
    ids=["closed", "cut-off", "no-http"],
)
async def test_a_broken_answer_is_a_lost_connection(script: Sequence[bytes | None]) -> None:
    """It is reported, the connection is thrown away, and the next request gets a new one."""
    async with listening(script, [OK]) as (endpoint, server):
        pool = ConnectionPool(endpoint, size=1)
        with pytest.raises(ConnectionLostError):
            await pool.exchange(REQUEST)
        assert (await pool.exchange(REQUEST)).status == 200
        pool.close()

    assert server.connections == 2


async def test_silence_ends() -> None:
    """A server that says nothing is given up after the time-out."""
    async with listening([b""]) as (endpoint, _):
        connection = await open_connection(endpoint)
        with pytest.raises(ConnectionLostError, match=r"within 0\.05 s"):
            await connection.send(REQUEST, timeout_s=0.05)

        assert not connection.is_open


async def test_a_connection_that_the_server_closes_politely_is_not_used_again() -> None:
    """`Connection: close` is honoured without a failed request."""
    closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
    async with listening([closing], [OK]) as (endpoint, server):
        pool = ConnectionPool(endpoint, size=1)
        statuses = [(await pool.exchange(REQUEST)).status for _ in range(2)]
        pool.close()

    assert statuses == [200, 200]
    assert server.connections == 2


async def test_nobody_listening_is_a_lost_connection() -> None:
    """The address is named."""
    async with listening() as (endpoint, _):
        pass
    with pytest.raises(ConnectionLostError, match=str(endpoint.port)):
        await open_connection(endpoint)


@pytest.mark.parametrize(
    ("url", "authority", "is_secure"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", False),
        ("http://gx.test", "gx.test:80", False),
        ("https://gx.test", "gx.test:443", True),
    ],
    ids=["port", "http", "https"],
)
def test_an_address_s_missing_port_is_its_scheme_s(
    *, url: str, authority: str, is_secure: bool
) -> None:
    """As browsers do."""
    endpoint = parse_endpoint(url)

    assert (endpoint.authority, endpoint.is_secure) == (authority, is_secure)


def test_percentiles_are_measured_values() -> None:
    """Nearest rank: of a hundred values the 99th percentile is the 99th."""
    summary = summarize(number / 1_000 for number in range(1, 101))

    assert (summary.p50_us, summary.p95_us) == (50_000, 95_000)
    assert (summary.p99_us, summary.max_us) == (99_000, 100_000)


@given(durations=st.lists(st.floats(0, 1e4), max_size=50))
def test_percentiles_are_ordered(durations: list[float]) -> None:
    """Whatever was measured, a higher percentile is not lower; nothing measured is 0."""
    summary = summarize(durations)

    assert summary.count == len(durations)
    assert 0 <= summary.p50_us <= summary.p95_us <= summary.p99_us <= summary.max_us
