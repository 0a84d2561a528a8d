"""A proxy that spoils what passes: between two processes of the loop, by TCP or Unix sockets.

Everything that happens on the network between them is one of its `Toxics`, changed while
connections are open.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

CHUNK_BYTES: Final = 65_536
SLOW_CHUNK_BYTES: Final = 2_048
Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Toxics:
    """What happens to traffic. As they are made, nothing.

    A lost request is swallowed and its connection cut; a lost answer likewise, after the request
    has arrived. Both are shares of what is sent, between 0 and 1. What is held is delivered once
    it is let go, as TCP does after a partition; in a black hole it is gone for good.
    """

    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    lost_requests: float = 0.0
    lost_answers: float = 0.0
    is_held: bool = False
    is_black_hole: bool = False
    is_closed: bool = False


@dataclass(slots=True)
class Passed:
    """What went through, and what did not."""

    connections: int = 0
    cut: int = 0
    swallowed_bytes: int = 0


@dataclass(eq=False, slots=True)
class _Line:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_tainted: bool = False
    """Bytes of it were swallowed: its ends know different things."""

    def cut(self) -> None:
        """Break it for both sides at once."""
        for writer in (self.client, self.server):
            with suppress(OSError, RuntimeError):
                writer.transport.abort()


class Proxy:
    """Passes connections on to `upstream`, spoiled by its `toxics`. Chances follow the seed."""

    def __init__(self, upstream: Callable[[], Awaitable[Streams]], *, seed: str = "") -> None:
        self.passed: Final = Passed()
        self.toxics = Toxics()
        self._upstream: Final = upstream
        self._chance: Final = random.Random(seed)  # noqa: S311 (faults, not secrets)
        self._lines: Final[set[_Line]] = set()
        self._serving: Final[set[asyncio.Task[None]]] = set()
        self._flowing: Final = asyncio.Event()
        self._flowing.set()

    @asynccontextmanager
    async def on_port(self, port: int) -> AsyncIterator["Proxy"]:
        """Listen on a port of this machine alone."""
        async with await asyncio.start_server(self._accept, "127.0.0.1", port):
            yield self
        await self._end()

    @asynccontextmanager
    async def on_socket(self, path: Path) -> AsyncIterator["Proxy"]:
        """Listen on a Unix socket."""
        async with await asyncio.start_unix_server(self._accept, str(path)):
            yield self
        await self._end()

    def spoil(self, toxics: Toxics) -> None:
        """Spoil the traffic from now on."""
        self.toxics = toxics
        if toxics.is_held:
            self._flowing.clear()

    def heal(self) -> None:
        """Spoil nothing any more. Connections that lost bytes break; held bytes arrive."""
        self.toxics = Toxics()
        for line in [line for line in self._lines if line.is_tainted]:
            self._break(line)
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection."""
        for line in list(self._lines):
            self._break(line)

    async def _end(self) -> None:
        """Break what there is, and return when nothing of it is left."""
        self.heal()
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._serving.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.toxics.is_closed:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await self._upstream()
        except OSError:
            writer.transport.abort()
            return
        line = _Line(client=writer, server=up_writer)
        self._lines.add(line)
        self.passed.connections += 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, up_writer, line, is_request=True))
                group.create_task(self._pump(up_reader, writer, line, is_request=False))
        except* (OSError, RuntimeError):
            pass
        finally:
            self._lines.discard(line)
            line.cut()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: _Line,
        *,
        is_request: bool,
    ) -> None:
        """Pass on what comes, until either end of the connection is gone."""
        while data := await reader.read(
            SLOW_CHUNK_BYTES if self.toxics.bytes_per_s else CHUNK_BYTES
        ):
            await self._flowing.wait()
            if self._is_swallowed(data, line):
                continue
            if self._is_lost(is_request=is_request):
                self._break(line)
                return
            if self.toxics.delay_s:
                await asyncio.sleep(self.toxics.delay_s)
            if self.toxics.bytes_per_s:
                await asyncio.sleep(len(data) / self.toxics.bytes_per_s)
            writer.write(data)
            await writer.drain()
        writer.close()

    def _is_swallowed(self, data: bytes, line: _Line) -> bool:
        if not self.toxics.is_black_hole:
            return False
        line.is_tainted = True
        self.passed.swallowed_bytes += len(data)
        return True

    def _is_lost(self, *, is_request: bool) -> bool:
        share = self.toxics.lost_requests if is_request else self.toxics.lost_answers
        return share > 0 and self._chance.random() < share

    def _break(self, line: _Line) -> None:
        self.passed.cut += 1
        line.cut()


@dataclass(frozen=True, slots=True)
class Link:
    """Every way from one process to another: one proxy, or several where the other has peers."""

    proxies: Sequence[Proxy]

    def spoil(self, toxics: Toxics) -> None:
        """See `Proxy.spoil`."""
        for proxy in self.proxies:
            proxy.spoil(toxics)

    def heal(self) -> None:
        """See `Proxy.heal`."""
        for proxy in self.proxies:
            proxy.heal()

    def cut(self) -> None:
        """See `Proxy.cut`."""
        for proxy in self.proxies:
            proxy.cut()


def to_port(port: int) -> Callable[[], Awaitable[Streams]]:
    """Lead to a port of this machine."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


def to_socket(path: Path) -> Callable[[], Awaitable[Streams]]:
    """Lead to a Unix socket."""
    return lambda: asyncio.open_unix_connection(str(path))
