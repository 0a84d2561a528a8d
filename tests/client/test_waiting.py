"""Waiting for a command, and watching it."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from typing_extensions import override

from gx.client.answers import Command
from gx.client.errors import (
    ApiUnreachableError,
    CommandFailedError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)
from gx.domain.command_status import CommandStatus
from gx.domain.identifiers import CommandId
from tests.client.scripted import COMMAND_ID, a_client, command, command_wire, problem

ID = CommandId(COMMAND_ID)


async def test_waiting_asks_until_the_status_is_reached() -> None:
    """A long poll that ends early is simply asked again."""
    client, http, _ = a_client(command("PENDING"), command("COMMITTED"), command("PROJECTED"))

    found = await client.wait_for(ID, "PROJECTED", timeout_s=5)

    assert found.status is CommandStatus.PROJECTED
    assert http.requests[0].url.params["wait"] == "PROJECTED"
    assert 4 < float(http.requests[0].url.params["timeout"]) <= 5


@pytest.mark.parametrize("status", ["REJECTED", "DEAD", "DISCARDED"])
async def test_waiting_ends_at_any_final_status(status: str) -> None:
    """What will never be reached is not waited for."""
    client, _, _ = a_client(command(status, code="SELF_TRANSFER", detail="to oneself"))

    found = await client.wait_for(ID, "PROJECTED", timeout_s=30)

    with pytest.raises(CommandFailedError, match="SELF_TRANSFER"):
        found.require_effect()


async def test_a_command_that_takes_too_long_is_said_to_be_still_on_its_way() -> None:
    """The time-out names the status; the command itself goes on."""
    client, _, _ = a_client(command("PROCESSING"))

    with pytest.raises(WaitTimeoutError, match="still PROCESSING"):
        await client.wait_for(ID, "PROJECTED", timeout_s=0)


async def test_waiting_survives_an_api_that_restarts() -> None:
    """A broken long poll is one failed attempt like any other."""
    client, _, _ = a_client(httpx.ReadError("reset"), command("PROJECTED"))

    assert (await client.wait_for(ID, "PROJECTED")).status is CommandStatus.PROJECTED


@pytest.mark.parametrize(
    ("current", "wanted", "is_reached"),
    [
        ("PENDING", "PENDING", True),
        ("PENDING", "COMMITTED", False),
        ("COMMITTED", "PROCESSING", True),
        ("PROJECTED", "COMMITTED", True),
        ("COMMITTED", "PROJECTED", False),
        ("DEAD", "PROJECTED", True),
        ("COMMITTED", "REJECTED", False),
    ],
    ids=str,
)
def test_a_status_is_reached_when_it_or_a_later_one_holds(
    *, current: str, wanted: str, is_reached: bool
) -> None:
    """Progress has an order; the unhappy ends are reached only as themselves or as final."""
    found = Command.from_text(json.dumps(command_wire(current)))

    assert found.has_reached(CommandStatus(wanted)) is is_reached


class Stream(httpx.AsyncByteStream):
    """A body that comes piece by piece, and may break."""

    def __init__(self, *pieces: str, failure: httpx.TransportError | None = None) -> None:
        self._pieces = pieces
        self._failure = failure

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece.encode()
        if self._failure is not None:
            raise self._failure


def event(status: str) -> str:
    """One server-sent event, with a comment before it."""
    return f": ping\n\nevent: status\nid: 1\ndata: {json.dumps(command_wire(status))}\n\n"


def stream(*pieces: str, failure: httpx.TransportError | None = None) -> httpx.Response:
    """An open event stream."""
    return httpx.Response(200, stream=Stream(*pieces, failure=failure))


async def test_watching_yields_each_status_once_and_ends() -> None:
    """Events come as they are, comments are skipped, and the final status is the last."""
    client, http, _ = a_client(stream(event("PENDING"), event("COMMITTED"), event("PROJECTED")))

    seen = [found.status.value async for found in client.watch(ID)]

    assert seen == ["PENDING", "COMMITTED", "PROJECTED"]
    assert http.requests[0].headers["Accept"] == "text/event-stream"


async def test_a_broken_stream_is_opened_again_without_repeating_itself() -> None:
    """After a break the API tells the current status anew; it is shown only if it changed."""
    client, _, naps = a_client(
        stream(event("PENDING"), failure=httpx.ReadError("reset")),
        stream(event("PENDING"), event("PROJECTED")),
    )

    seen = [found.status.value async for found in client.watch(ID)]

    assert seen == ["PENDING", "PROJECTED"]
    assert len(naps.durations_s) == 1


async def test_a_stream_that_stays_broken_is_reported() -> None:
    """Reopening is bounded like every retry."""
    client, _, _ = a_client(*[httpx.ConnectError("refused")] * 4)

    with pytest.raises(ApiUnreachableError, match="refused"):
        _ = [found async for found in client.watch(ID)]


async def test_a_stream_that_ends_without_an_end_is_opened_again() -> None:
    """A server that closes its streams when it drains does not end the watching."""
    client, _, naps = a_client(stream(event("PENDING")), stream(event("PROJECTED")))

    seen = [found.status.value async for found in client.watch(ID)]

    assert seen == ["PENDING", "PROJECTED"]
    assert len(naps.durations_s) == 1


async def test_a_refused_stream_is_a_problem() -> None:
    """An unknown command is no broken connection."""
    client, _, _ = a_client(problem(404, "NOT_FOUND"))

    with pytest.raises(Exception, match="NOT_FOUND"):
        _ = [found async for found in client.watch(ID)]


async def test_an_event_that_is_no_command_is_named() -> None:
    """Garbage in a stream is an error, not silence."""
    client, _, _ = a_client(stream("data: {}\n\n"))

    with pytest.raises(UnexpectedAnswerError, match=r"Command\.\w+"):
        _ = [found async for found in client.watch(ID)]
