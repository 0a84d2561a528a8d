"""The fault proxy: each toxic does what it says to real sockets, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.chaos.proxy import Link, Proxy, Streams, Toxics, to_port, to_socket
from tests.ports import free_port

SHORT_S = 0.1


class Server:
    """Answers each line with the same line, and remembers what came."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        try:
            while line := await reader.readline():
                self.lines.append(line)
                writer.write(line)
        except ConnectionError:
            pass
        finally:
            await closed(writer)


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[Server, Proxy, Callable[[], Awaitable[Streams]]]]:
    """A server, the proxy before it, and how to connect to the proxy."""
    server, port, own = Server(), free_port(), free_port()
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", own)
        writers.append(streams[1])
        return streams

    async with await asyncio.start_server(server.serve, "127.0.0.1", port):
        proxy = Proxy(to_port(port), seed="1")
        async with proxy.on_port(own):
            yield server, proxy, connect
            for writer in writers:
                await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until it is."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def ask(streams: Streams, line: bytes = b"hello\n") -> bytes:
    """Send a line, and read the answer; nothing where the connection ended."""
    reader, writer = streams
    try:
        writer.write(line)
        return await reader.readline()
    except ConnectionError:
        return b""


async def test_without_toxics_everything_passes() -> None:
    """A proxy that nobody turned is as good as none, and passes an end on."""
    async with proxied() as (server, proxy, connect):
        reader, writer = await connect()
        assert await ask((reader, writer)) == b"hello\n"
        writer.close()
        assert await reader.read() == b""
        assert proxy.passed.cut == 0

    assert server.lines == [b"hello\n"]


async def test_a_lost_request_never_arrives() -> None:
    """The client is left without an answer, and the server without the request."""
    async with proxied() as (server, proxy, connect):
        streams = await connect()
        proxy.spoil(Toxics(lost_requests=1.0))

        assert await ask(streams) == b""

    assert server.lines == []


async def test_a_lost_answer_is_of_a_request_that_arrived() -> None:
    """The worst of all: done, and nobody told."""
    async with proxied() as (server, proxy, connect):
        streams = await connect()
        proxy.spoil(Toxics(lost_answers=1.0))

        assert await ask(streams) == b""

    assert server.lines == [b"hello\n"]


async def test_what_a_partition_holds_arrives_after_it() -> None:
    """The connection survives, as TCP does."""
    async with proxied() as (server, proxy, connect):
        streams = await connect()
        proxy.spoil(Toxics(is_held=True))
        answer = asyncio.create_task(ask(streams))
        await asyncio.sleep(SHORT_S)
        assert not answer.done()
        assert server.lines == []

        proxy.heal()

        assert await answer == b"hello\n"


async def test_a_black_hole_ends_the_connections_that_lost_something() -> None:
    """They would never agree again on what was said; one that said nothing goes on."""
    async with proxied() as (server, proxy, connect):
        silent, talking = await connect(), await connect()
        assert await ask(silent, b"first\n") == b"first\n"
        proxy.spoil(Toxics(is_black_hole=True))
        answer = asyncio.create_task(ask(talking))
        await asyncio.sleep(SHORT_S)
        assert not answer.done()

        proxy.heal()

        assert await answer == b""
        assert await ask(silent, b"second\n") == b"second\n"

    assert server.lines == [b"first\n", b"second\n"]
    assert proxy.passed.swallowed_bytes == len(b"hello\n")


async def test_a_closed_link_cuts_and_refuses_until_it_is_healed() -> None:
    """Cut is for those that are there, closed for those that come."""
    async with proxied() as (_, proxy, connect):
        streams, link = await connect(), Link([proxy])
        assert await ask(streams) == b"hello\n"

        link.spoil(Toxics(is_closed=True))
        link.cut()

        assert await ask(streams) == b""
        assert await ask(await connect()) == b""
        link.heal()
        assert await ask(await connect()) == b"hello\n"


@pytest.mark.parametrize("toxics", [Toxics(delay_s=SHORT_S), Toxics(bytes_per_s=60)])
async def test_slow_links_lose_nothing(toxics: Toxics) -> None:
    """Delay and throttling change when something arrives, never what."""
    async with proxied() as (server, proxy, connect):
        streams = await connect()
        proxy.spoil(toxics)
        began_s = asyncio.get_running_loop().time()

        assert await ask(streams) == b"hello\n"

        assert asyncio.get_running_loop().time() - began_s >= SHORT_S
    assert server.lines == [b"hello\n"]


async def test_unix_sockets_pass_too(tmp_path: Path) -> None:
    """The embedded ledger's clients connect to a file."""
    server, path, own = Server(), tmp_path / "server", tmp_path / "proxy"
    async with (
        await asyncio.start_unix_server(server.serve, str(path)),
        Proxy(to_socket(path)).on_socket(own),
    ):
        streams = await asyncio.open_unix_connection(str(own))
        assert await ask(streams) == b"hello\n"
        await closed(streams[1])


async def test_nobody_behind_the_proxy_is_a_connection_that_ends() -> None:
    """A server that is down looks like one through the proxy."""
    own = free_port()
    async with Proxy(to_port(free_port())).on_port(own):
        streams = await asyncio.open_connection("127.0.0.1", own)
        assert await ask(streams) == b""
        await closed(streams[1])
