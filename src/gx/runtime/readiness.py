"""Ways to ask a process whether it is ready. A probe ends within two seconds, answered or not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

PROBE_TIMEOUT_S: Final = 2
ANSWER_BYTES_MAX: Final = 16_384
REASON_CHARACTERS_MAX: Final = 400
STATUS_OK_MIN: Final = 200
STATUS_OK_MAX: Final = 299


@dataclass(frozen=True, slots=True)
class Unready:
    """Why a process cannot do its work now. `is_silent` if it gave no answer at all."""

    reason: str
    is_silent: bool = False


SILENT: Final = Unready("does not answer", is_silent=True)


class Readiness(Protocol):
    """One way to ask."""

    async def fault(self) -> Unready | None:
        """Say why the process cannot do its work now, None if it can; never raises."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReady:
    """Ready when a GET of this plain HTTP address is answered with 2xx."""

    url: str

    async def fault(self) -> Unready | None:
        """Ask once, past every proxy."""
        parts = urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        answer = await _ask(parts.hostname or "127.0.0.1", parts.port or 80, request)
        if not answer:
            return SILENT
        head, _, body = answer.partition(b"\r\n\r\n")
        status = _status_code(head)
        if STATUS_OK_MIN <= status <= STATUS_OK_MAX:
            return None
        return Unready(f"not ready: {_failed_checks(body) or f'answers with status {status}'}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CallReady:
    """Ready when a function says so; one that raises, hangs or says no gave no answer."""

    ask: Callable[[], Awaitable[bool]]

    async def fault(self) -> Unready | None:
        """Call it once."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return None if await self.ask() else SILENT
        except Exception:  # noqa: BLE001 (whatever a probe meets, the process is not ready)
            return SILENT


async def _ask(host: str, port: int, request: str) -> bytes | None:
    """Send a request and return the answer's beginning; None without a connection."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                return await _read_some(reader)
            finally:
                await _close(writer)
    except (OSError, TimeoutError, ValueError):
        return None


async def _read_some(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < ANSWER_BYTES_MAX and (part := await reader.read(ANSWER_BYTES_MAX)):
        answer += part
    return answer


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _status_code(head: bytes) -> int:
    words = head.partition(b"\r\n")[0].split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


class _CheckAnswer(msgspec.Struct):
    ok: bool
    reason: str = ""


class _ReadyzAnswer(msgspec.Struct):
    """What `gx.telemetry.health.ProbeAnswer` says; other programs answer otherwise."""

    checks: dict[str, _CheckAnswer]


def _failed_checks(body: bytes) -> str:
    """Return the failed checks of one of our own processes as text; nothing for other bodies."""
    try:
        checks = msgspec.json.decode(body, type=_ReadyzAnswer).checks
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    failed = [f"{name}: {check.reason}" for name, check in checks.items() if not check.ok]
    return "; ".join(failed)[:REASON_CHARACTERS_MAX]
