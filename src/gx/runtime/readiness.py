"""Ways to ask a process whether it is ready. A probe answers within two seconds or says no."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

PROBE_TIMEOUT_S: Final = 2
STATUS_OK_MIN: Final = 200
STATUS_OK_MAX: Final = 299


class Readiness(Protocol):
    """One way to ask."""

    async def is_ready(self) -> bool:
        """Say whether the process can do its work now; never raises for one that cannot."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReady:
    """Ready when a GET of this plain HTTP address is answered with 2xx."""

    url: str

    async def is_ready(self) -> bool:
        """Ask once, past every proxy."""
        parts = urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        status = await _first_line(parts.hostname or "127.0.0.1", parts.port or 80, request)
        return STATUS_OK_MIN <= _status_code(status) <= STATUS_OK_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class TcpReady:
    """Ready when something accepts connections on this port of 127.0.0.1."""

    port: int

    async def is_ready(self) -> bool:
        """Connect once."""
        return await _first_line("127.0.0.1", self.port, "") is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnixReady:
    """Ready when something accepts connections on this Unix socket."""

    path: str

    async def is_ready(self) -> bool:
        """Connect once."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                _, writer = await asyncio.open_unix_connection(self.path)
                await _close(writer)
            return True
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class CallReady:
    """Ready when a function says so; one that raises or hangs says no."""

    ask: Callable[[], Awaitable[bool]]

    async def is_ready(self) -> bool:
        """Call it once."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await self.ask()
        except Exception:  # noqa: BLE001 (whatever a probe meets, the process is not ready)
            return False


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedReady:
    """Ready as soon as it runs: for programs that have nothing to ask."""

    async def is_ready(self) -> bool:
        """Say yes."""
        return True


async def _first_line(host: str, port: int, request: str) -> bytes | None:
    """Send a request, if any, and return the answer's first line; None without a connection."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                if not request:
                    return b""
                writer.write(request.encode())
                return await reader.readline()
            finally:
                await _close(writer)
    except (OSError, TimeoutError, ValueError):
        return None


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _status_code(line: bytes | None) -> int:
    words = (line or b"").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
