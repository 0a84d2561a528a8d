"""A client's connection to the ledger: calls under way at the same time, answered in any order."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from gx.ledger.errors import LedgerUnavailableError
from gx.ledger.local.wire import (
    BUFFER_BYTES,
    GREETING,
    PROTOCOL,
    REPLY,
    Answer,
    Failure,
    Hello,
    Numbered,
    Request,
    WireError,
    read_frame,
    require_usable_path,
    write_frame,
)

_CONNECT_TIMEOUT_S: Final = 5.0


class ConnectionLostError(Exception):
    """The request was sent, or may have been, and no answer will come."""


class Channel:
    """An open socket whose greeting is done. One task may read from it at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, frame_bytes_max: int
    ) -> None:
        self._reader: Final = reader
        self._writer: Final = writer
        self._frame_bytes_max: Final = frame_bytes_max

    async def send(self, message: msgspec.Struct) -> None:
        """Send a frame.

        Raises:
            WireError: it is larger than allowed; nothing was sent.
            OSError: the connection broke.
        """
        write_frame(self._writer, message, bytes_max=self._frame_bytes_max)
        await self._writer.drain()

    async def receive(self) -> bytes | None:
        """Read a frame; None where the server has closed the connection.

        Raises:
            WireError: it is larger than allowed.
            OSError: the connection broke.
        """
        return await read_frame(self._reader, bytes_max=self._frame_bytes_max)

    def close(self) -> None:
        """Let the connection go, without waiting."""
        self._writer.close()


async def open_channel(path: Path, *, frame_bytes_max: int) -> Channel:
    """Connect to the ledger and greet it.

    Raises:
        LedgerUnavailableError: nobody serves at this path, or it speaks another version.
    """
    try:
        require_usable_path(path)
    except WireError as error:
        raise LedgerUnavailableError(
            str(error), code="SOCKET_PATH_TOO_LONG", is_transient=False
        ) from error
    channel: Channel | None = None
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=BUFFER_BYTES)
            channel = Channel(reader, writer, frame_bytes_max=frame_bytes_max)
            await _greet(channel, path)
            return channel
    except (OSError, TimeoutError, WireError, msgspec.MsgspecError) as error:
        if channel is not None:
            channel.close()
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise LedgerUnavailableError(
            f"no ledger answers at {path} ({reason}): start it with `gx ledger serve`",
            code=type(error).__name__,
        ) from error
    except BaseException:
        if channel is not None:
            channel.close()
        raise


async def _greet(channel: Channel, path: Path) -> None:
    await channel.send(Hello(PROTOCOL))
    frame = await channel.receive()
    if frame is None:
        raise ConnectionResetError("it closed the connection")
    greeting = GREETING.decode(frame)
    if isinstance(greeting, Failure):
        raise LedgerUnavailableError(
            f"the ledger at {path} refused the connection: {greeting.message}",
            code=greeting.code,
            is_transient=greeting.is_transient,
        )


class CallConnection:
    """Sends requests and hands each its answer."""

    def __init__(self, channel: Channel) -> None:
        self._channel: Final = channel
        self._answers: Final[dict[int, asyncio.Future[Answer]]] = {}
        self._sending: Final = asyncio.Lock()
        self._numbers = 0
        self._dispatcher: Final = asyncio.create_task(self._dispatch())

    @property
    def is_open(self) -> bool:
        """Tell whether a request may still be sent."""
        return not self._dispatcher.done()

    async def call(self, request: Request) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            WireError: the request is too large; nothing was sent.
            ConnectionLostError: the connection ended before the answer.
        """
        self._numbers += 1
        number = self._numbers
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with self._sending:
                await self._channel.send(Numbered(number, request))
            if self._dispatcher.done():
                raise ConnectionLostError("the connection to the ledger broke")
            return await answer
        except OSError as error:
            raise ConnectionLostError(f"the connection to the ledger broke: {error}") from error
        finally:
            self._answers.pop(number, None)

    async def close(self) -> None:
        """End the connection; calls under way fail."""
        self._dispatcher.cancel()
        with suppress(asyncio.CancelledError):
            await self._dispatcher

    async def _dispatch(self) -> None:
        reason = "the ledger closed the connection"
        try:
            while (frame := await self._channel.receive()) is not None:
                reply = REPLY.decode(frame)
                answer = self._answers.get(reply.number)
                if answer is not None and not answer.done():
                    answer.set_result(reply.answer)
        except (OSError, WireError, msgspec.MsgspecError) as error:
            reason = f"the connection to the ledger broke: {error}"
        finally:
            self._channel.close()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionLostError(reason))
