"""One client's connection to the ledger: its calls, or its stream of blocks."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import msgspec
import structlog

from gx.chaincode.executor import Refused
from gx.ledger.local import failures
from gx.ledger.local.committer import Committer
from gx.ledger.local.endorser import Endorser, Readers
from gx.ledger.local.queries import find_verdict, load_page
from gx.ledger.local.tips import TipBoard
from gx.ledger.local.wire import (
    HEARTBEAT_S,
    HELLO,
    NUMBERED,
    PROTOCOL,
    Answer,
    AskVerdict,
    BlockSent,
    Describe,
    Described,
    Evaluate,
    Evaluated,
    Failure,
    Follow,
    Heartbeat,
    NoVerdict,
    Prepare,
    Prepared,
    Reply,
    Request,
    Submit,
    Submitted,
    VerdictFound,
    Welcome,
    WireError,
    read_frame,
    write_frame,
)
from gx.telemetry.instruments import LedgerMetrics

_log: Final = structlog.get_logger(__name__)

CALLS_MAX: Final = 64
"""Calls of one connection that are worked on at a time; the next ones wait in the socket."""

_Call: TypeAlias = Prepare | Evaluate | Submit | AskVerdict | Describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts of a served ledger that its connections share."""

    endorser: Endorser
    committer: Committer
    reading: Readers
    tips: TipBoard
    metrics: LedgerMetrics
    frame_bytes_max: int


class Session:
    """A connection from its greeting to its end. Whatever fails, only this client notices."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, service: Service
    ) -> None:
        self._reader: Final = reader
        self._writer: Final = writer
        self._service: Final = service
        self._calls: Final[set[asyncio.Task[None]]] = set()
        self._slots: Final = asyncio.Semaphore(CALLS_MAX)
        self._sending: Final = asyncio.Lock()

    async def run(self) -> None:
        """Serve the connection until the client leaves or the server ends."""
        connections = self._service.metrics.connections
        connections.add(1)
        try:
            if await self._greet():
                await self._serve()
        except WireError as error:
            _log.warning("ledger_connection_refused", error=error)
        except (OSError, msgspec.MsgspecError) as error:
            _log.info("ledger_connection_broke", error=error)
            _forget_frames(error)
        finally:
            connections.add(-1)
            for call in self._calls:
                call.cancel()
            await self._close()

    async def _close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError as error:
            _forget_frames(error)

    def drain(self) -> None:
        """Read nothing more: what was asked is answered, then the connection ends."""
        with suppress(RuntimeError):  # uvloop's word for a connection that has ended already
            self._writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        self._reader.feed_eof()

    async def _greet(self) -> bool:
        frame = await self._read()
        if frame is None:
            return False
        hello = HELLO.decode(frame)
        if hello.protocol == PROTOCOL:
            await self._send(Welcome(PROTOCOL))
            return True
        message = f"client speaks version {hello.protocol} of the protocol, server {PROTOCOL}"
        await self._send(Failure(failures.PROTOCOL_MISMATCH, message, is_transient=False))
        return False

    async def _serve(self) -> None:
        while (frame := await self._read()) is not None:
            numbered = NUMBERED.decode(frame)
            if isinstance(numbered.request, Follow):
                await self._stream(numbered.request.first)
                return
            await self._slots.acquire()
            call = asyncio.create_task(self._answer(numbered.number, numbered.request))
            self._calls.add(call)
            call.add_done_callback(self._end_call)
        if self._calls:
            await asyncio.wait(self._calls)

    def _end_call(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._slots.release()

    async def _answer(self, number: int, call: _Call) -> None:
        """Answer one call, whatever happens to it."""
        operation = _operation_of(type(call))
        try:
            answer = await self._handle(call)
        except Exception as error:  # noqa: BLE001 (a call's failure is its answer)
            answer = failures.describe(error, operation=operation)
        self._service.metrics.requests(operation, _status_of(answer)).inc()
        with suppress(OSError):  # the client has left; what was committed stays committed
            await self._reply(number, answer, operation)

    async def _reply(self, number: int, answer: Answer, operation: str) -> None:
        try:
            await self._send(Reply(number, answer))
        except WireError as error:
            await self._send(Reply(number, failures.describe(error, operation=operation)))

    async def _handle(self, call: _Call) -> Answer:
        match call:
            case Prepare():
                return await self._prepare(call)
            case Submit():
                await self._service.committer.submit(call.content)
                return Submitted()
            case AskVerdict():
                return await self._verdict(call.transaction_id)
            case Evaluate():
                return await self._evaluate(call)
            case Describe():
                tips = self._service.tips
                return Described(
                    height=tips.tip.height,
                    genesis_hash=tips.genesis_hash.hex(),
                    newest_timestamp_ms=tips.tip.newest_timestamp_ms,
                )

    async def _prepare(self, call: Prepare) -> Answer:
        endorsed = await self._service.endorser.prepare(
            call.function,
            call.arguments,
            call.role,
            not_before_ms=self._service.tips.tip.newest_timestamp_ms,
            timeout_s=call.timeout_s,
        )
        if isinstance(endorsed, Refused):
            return failures.refused(endorsed)
        return Prepared(endorsed.transaction_id, endorsed.envelope, endorsed.result)

    async def _evaluate(self, call: Evaluate) -> Answer:
        answer = await self._service.endorser.evaluate(
            call.function,
            call.arguments,
            call.role,
            not_before_ms=self._service.tips.tip.newest_timestamp_ms,
            timeout_s=call.timeout_s,
        )
        return failures.refused(answer) if isinstance(answer, Refused) else Evaluated(answer)

    async def _verdict(self, transaction_id: str) -> VerdictFound | NoVerdict:
        return await self._service.reading.run(
            lambda connection: find_verdict(connection, transaction_id)
        )

    async def _stream(self, first: int) -> None:
        """Send blocks until the client leaves; a slow client is waited for, page by page."""
        metrics = self._service.metrics
        metrics.requests(_FOLLOWING, "success").inc()
        metrics.event_streams.add(1)
        leaving = asyncio.create_task(self._reader.read(1))
        sending = asyncio.create_task(self._send_blocks(max(first, 0)))
        try:
            await asyncio.wait((leaving, sending), return_when=asyncio.FIRST_COMPLETED)
            if self._service.tips.closing.is_set():
                await asyncio.wait((sending,))
            if sending.done():
                sending.result()
        finally:
            metrics.event_streams.add(-1)
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(leaving, sending, return_exceptions=True)
            # What `sending` raised has this frame in its traceback, and this frame has `sending`:
            # a circle that would hold a page of blocks until a collection, which is rare here.
            del leaving, sending

    async def _send_blocks(self, first: int) -> None:
        try:
            await self._follow(first)
        except (OSError, WireError):
            raise
        except Exception as error:  # noqa: BLE001 (a stream's failure is its last item)
            self._service.metrics.requests(_FOLLOWING, "error").inc()
            await self._send(failures.describe(error, operation=_FOLLOWING))

    async def _follow(self, number: int) -> None:
        tips, reading = self._service.tips, self._service.reading
        previous_hash: bytes | None = None
        while not tips.closing.is_set():
            last = tips.tip.newest
            if last < number:
                if not await tips.wait_beyond(number - 1, timeout_s=HEARTBEAT_S):
                    await self._send(Heartbeat())
                continue
            page = tips.blocks_from(number) or await reading.run(
                partial(load_page, first=number, last=last, previous_hash=previous_hash)
            )
            for block in page:
                await self._send(
                    BlockSent(
                        number=block.number,
                        previous_hash=block.previous_hash,
                        hash=block.hash,
                        metadata=block.metadata,
                        content=block.content,
                    )
                )
            number, previous_hash = page[-1].number + 1, page[-1].hash
        await self._send(failures.shutting_down())

    async def _read(self) -> bytes | None:
        return await read_frame(self._reader, bytes_max=self._service.frame_bytes_max)

    async def _send(self, message: msgspec.Struct) -> None:
        async with self._sending:
            write_frame(self._writer, message, bytes_max=self._service.frame_bytes_max)
            await self._writer.drain()


def _forget_frames(error: Exception) -> None:
    """Break the circle of a stream, the error it broke with, and frames that hold the stream.

    Several connections a second break, as readers leave when they have what they came for; what
    they leave would lie there until the next full collection, which is rare in a ledger.
    """
    error.__traceback__ = None


def _operation_of(request: type[Request]) -> str:
    """Name a kind of request as the wire does, and so as the port and the metrics do."""
    return str(request.__struct_config__.tag)


_FOLLOWING: Final = _operation_of(Follow)


def _status_of(answer: Answer) -> str:
    if not isinstance(answer, Failure):
        return "success"
    return "error" if answer.refusal is None else "refused"
