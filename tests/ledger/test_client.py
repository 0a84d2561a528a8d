"""The client against servers that misbehave: each failure is told by its phase."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
    VerdictError,
)
from gx.ledger.local import client as client_module
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.wire import (
    NUMBERED,
    PROTOCOL,
    Described,
    Failure,
    Heartbeat,
    Reply,
    Welcome,
    read_frame,
    write_frame,
)
from gx.ledger.ports import Envelope
from tests.ledger.calls import a_call

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ENVELOPE = Envelope(
    transaction_id=TransactionId("ab" * 32), role=LedgerRole.ADMIN, content=b"bytes", result=""
)


async def send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    """Send one frame."""
    write_frame(writer, message, bytes_max=1_000_000)
    await writer.drain()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the client's greeting."""
    await read_frame(reader, bytes_max=1_000_000)
    await send(writer, Welcome(PROTOCOL))


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take one request and close the connection without an answer."""
    await greet(reader, writer)
    await read_frame(reader, bytes_max=1_000_000)


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take requests and never answer."""
    await greet(reader, writer)
    while await read_frame(reader, bytes_max=1_000_000) is not None:
        pass


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what is no frame of this protocol."""
    await greet(reader, writer)
    await read_frame(reader, bytes_max=1_000_000)
    writer.write(b"\x00\x00\x00\x04junk")
    await writer.drain()


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[LocalLedger]:
    """Serve with a handler; yield a client of it."""
    with tempfile.TemporaryDirectory(prefix="gxc") as folder:
        socket = Path(folder) / "s"
        served: list[asyncio.Task[None]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            finally:
                writer.close()

        listening = await asyncio.start_unix_server(
            lambda reader, writer: served.append(asyncio.create_task(serve(reader, writer))),
            str(socket),
        )
        ledger = LocalLedger(socket, deadline_s=5)
        try:
            yield ledger
        finally:
            await ledger.close()
            listening.close()
            await asyncio.gather(*served, return_exceptions=True)
            await listening.wait_closed()


def calls(ledger: LocalLedger) -> list[tuple[Awaitable[object], type[LedgerError]]]:
    """List every call with the error that its phase has."""
    return [
        (ledger.prepare(a_call("get")), EndorseError),
        (ledger.submit(ENVELOPE), SubmitError),
        (ledger.verdict(ENVELOPE.transaction_id), VerdictError),
        (ledger.evaluate(a_call("get")), EvaluateError),
        (ledger.chain_info(), LedgerUnavailableError),
    ]


@pytest.mark.parametrize("handler", [hang_up, babble])
async def test_a_connection_that_breaks_after_the_request_is_the_phases_own_error(
    handler: Handler,
) -> None:
    """A submission may have arrived; it is not called unavailable, which would mean it did not."""
    async with server(handler) as ledger:
        for call, kind in calls(ledger):
            with pytest.raises(kind) as caught:
                await call
            assert type(caught.value) is kind
            assert caught.value.code == "CONNECTION_LOST"
            assert caught.value.is_transient


async def test_a_deadline_is_the_phases_own_error() -> None:
    """Every call ends in time; what was asked may still happen."""
    async with server(stay_silent) as ledger:
        for call, kind in (
            (ledger.prepare(a_call("get"), deadline_s=0.05), EndorseError),
            (ledger.submit(ENVELOPE, deadline_s=0.05), SubmitError),
            (ledger.verdict(ENVELOPE.transaction_id, deadline_s=0.05), VerdictError),
            (ledger.evaluate(a_call("get"), deadline_s=0.05), EvaluateError),
            (ledger.chain_info(deadline_s=0.05), LedgerUnavailableError),
        ):
            with pytest.raises(kind) as caught:
                await call
            assert caught.value.code == "DEADLINE_EXCEEDED"
            assert caught.value.is_transient


async def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    """Where the request was never sent, every phase says so."""
    ledger = LocalLedger(tmp_path / "nobody")

    for call, _ in calls(ledger):
        with pytest.raises(LedgerUnavailableError) as caught:
            await call
        assert "gx ledger serve" in str(caught.value)
    with pytest.raises(LedgerUnavailableError):
        await anext(ledger.blocks(BlockNumber(0)))


async def test_a_path_too_long_is_said_clearly(tmp_path: Path) -> None:
    """The limit of Unix sockets is named, and waiting would not help."""
    ledger = LocalLedger(tmp_path / ("x" * 120))

    with pytest.raises(LedgerUnavailableError) as caught:
        await ledger.chain_info()

    assert "107" in str(caught.value)
    assert not caught.value.is_transient


async def test_another_protocol_version_is_refused_in_words() -> None:
    """A client and a server of different releases say so instead of misreading each other."""

    async def newer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_frame(reader, bytes_max=1_000_000)
        await send(writer, Failure("PROTOCOL_MISMATCH", "server speaks 9", is_transient=False))

    async with server(newer) as ledger:
        with pytest.raises(LedgerUnavailableError) as caught:
            await ledger.chain_info()

    assert caught.value.code == "PROTOCOL_MISMATCH"
    assert not caught.value.is_transient


async def test_answers_may_come_in_any_order() -> None:
    """Each call gets the answer that bears its number."""

    async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        frames = [await read_frame(reader, bytes_max=1_000_000) for _ in range(3)]
        for frame in reversed(frames):
            assert frame is not None
            number = NUMBERED.decode(frame).number
            await send(writer, Reply(number, Described(number, "", 0)))
        await reader.read()

    async with server(reverse) as ledger:
        infos = await asyncio.gather(*(ledger.chain_info() for _ in range(3)))

    assert [info.height for info in infos] == [1, 2, 3]


async def test_a_late_answer_disturbs_nobody() -> None:
    """What arrives after its deadline is dropped; the connection goes on."""

    async def lag(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        frames = [await read_frame(reader, bytes_max=1_000_000) for _ in range(2)]
        for number, frame in enumerate(frames, start=1):
            assert frame is not None
            await send(writer, Reply(NUMBERED.decode(frame).number, Described(number, "", 0)))
        await reader.read()

    async with server(lag) as ledger:
        with pytest.raises(LedgerUnavailableError):
            await ledger.chain_info(deadline_s=0.05)
        assert (await ledger.chain_info()).height == 2


async def test_an_answer_of_the_wrong_kind_is_an_error() -> None:
    """A confused server is not believed."""

    async def confused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        frame = await read_frame(reader, bytes_max=1_000_000)
        assert frame is not None
        await send(writer, Reply(NUMBERED.decode(frame).number, Described(1, "", 0)))
        await reader.read()

    async with server(confused) as ledger:
        with pytest.raises(SubmitError) as caught:
            await ledger.submit(ENVELOPE)

    assert caught.value.code == "UNEXPECTED_ANSWER"


async def test_a_silent_stream_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen server sends no heartbeat: the stream ends instead of looking merely quiet."""
    monkeypatch.setattr(client_module, "_SILENCE_MAX_S", 0.2)

    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        for _ in range(2):
            await send(writer, Heartbeat())
            await asyncio.sleep(0.1)
        await reader.read(1_000)
        await reader.read()

    async with server(freeze) as ledger:
        with pytest.raises(StreamError) as caught:
            await anext(ledger.blocks(BlockNumber(0)))

    assert caught.value.code == "DEADLINE_EXCEEDED"
