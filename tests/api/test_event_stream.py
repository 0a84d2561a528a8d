"""A command's statuses as server-sent events."""

import asyncio
import json
from pathlib import Path

from gx.api.settings import EdgeSettings
from gx.domain.codec import JsonObject
from gx.domain.identifiers import CommandId
from tests.api.asgi import Conversation
from tests.api.parts import Backend, build_backend
from tests.api.sending import a_transfer


def a_stream(backend: Backend, command_id: CommandId, last_event_id: str = "") -> Conversation:
    """Ask for the events of a command."""
    headers = [(b"authorization", f"Bearer {backend.token()}".encode())]
    if last_event_id:
        headers.append((b"last-event-id", last_event_id.encode()))
    return Conversation(
        backend.app, "GET", f"/api/v1/commands/{command_id}/events", headers=headers
    )


def events_of(body: bytes) -> list[JsonObject]:
    """Read the data of each event."""
    return [
        json.loads(line.removeprefix("data: "))
        for line in body.decode().splitlines()
        if line.startswith("data: ")
    ]


async def test_a_stream_tells_each_status_until_the_final_one(backend: Backend) -> None:
    """The current status at once, each change as it comes; after the last the stream ends."""
    command_id = await a_transfer(backend)
    stream = a_stream(backend, command_id)
    answering = asyncio.create_task(stream.run())
    await stream.until(b"PENDING")
    await backend.settle(command_id)
    await stream.until(b"COMMITTED")
    backend.project()
    await asyncio.wait_for(answering, 30)

    assert stream.status == 200
    assert stream.headers[b"content-type"] == b"text/event-stream"
    assert stream.headers[b"cache-control"] == b"no-store"
    assert stream.is_complete
    assert [event["status"] for event in events_of(stream.body)] == [
        "PENDING", "COMMITTED", "PROJECTED",
    ]  # fmt: skip
    assert b"event: status\nid: PROJECTED\ndata: {" in stream.body
    assert stream.body.startswith(b"retry: ")


async def test_an_event_is_the_status_resource(backend: Backend) -> None:
    """A follower needs no other request to know everything."""
    command_id = await a_transfer(backend)
    await backend.settle(command_id)
    backend.project()
    stream = a_stream(backend, command_id)
    await stream.run()
    async with backend.client() as client:
        shown = (await client.get(f"/api/v1/commands/{command_id}")).json()

    assert events_of(stream.body) == [shown]


async def test_a_client_that_has_the_end_is_told_to_stay_away(backend: Backend) -> None:
    """204 to a reconnect after the final event: browsers then stop reconnecting."""
    command_id = await a_transfer(backend)
    await backend.settle(command_id)
    backend.project()
    stream = a_stream(backend, command_id, last_event_id="PROJECTED")
    await stream.run()

    assert (stream.status, stream.body) == (204, b"")


async def test_silence_is_filled_with_comments(tmp_path: Path) -> None:
    """Proxies see life on a stream whose command rests."""
    backend = build_backend(tmp_path, settings=EdgeSettings(heartbeat_s=0.02))
    stream = a_stream(backend, await a_transfer(backend))
    answering = asyncio.create_task(stream.run())
    await stream.until(b"\n: still watching\n\n: still watching\n\n")
    stream.leave()
    await asyncio.wait_for(answering, 30)

    assert [event["status"] for event in events_of(stream.body)] == ["PENDING"]


async def test_a_client_that_leaves_is_forgotten(backend: Backend) -> None:
    """The stream's place is free again, and nobody asks for its command any more."""
    stream = a_stream(backend, await a_transfer(backend))
    answering = asyncio.create_task(stream.run())
    await stream.until(b"PENDING")
    assert backend.parts.metrics.streams_open.read() == 1
    stream.leave()
    await asyncio.wait_for(answering, 30)

    assert backend.parts.metrics.streams_open.read() == 0
    assert not stream.is_complete


async def test_streams_are_bounded_in_number(tmp_path: Path) -> None:
    """One too many is told so, and what to do instead."""
    backend = build_backend(tmp_path, settings=EdgeSettings(streams_max=1))
    command_id = await a_transfer(backend)
    first, second = a_stream(backend, command_id), a_stream(backend, command_id)
    answering = asyncio.create_task(first.run())
    await first.until(b"PENDING")
    await second.run()
    first.leave()
    await asyncio.wait_for(answering, 30)

    assert second.status == 503
    assert json.loads(second.body)["code"] == "UNAVAILABLE"
    assert second.headers[b"retry-after"] == b"5"


async def test_streams_are_bounded_in_time(tmp_path: Path) -> None:
    """A stream ends properly when its time is up; the client opens a new one."""
    backend = build_backend(tmp_path, settings=EdgeSettings(stream_duration_max_s=0.05))
    stream = a_stream(backend, await a_transfer(backend))
    await asyncio.wait_for(stream.run(), 30)

    assert stream.is_complete


async def test_draining_ends_streams(backend: Backend) -> None:
    """A process that is to stop does not wait for followers."""
    stream = a_stream(backend, await a_transfer(backend))
    answering = asyncio.create_task(stream.run())
    await stream.until(b"PENDING")
    backend.app.drain()
    await asyncio.wait_for(answering, 30)

    assert stream.is_complete


async def test_other_peoples_commands_are_not_streamed(backend: Backend) -> None:
    """The owner's rule holds for streams too."""
    command_id = await a_transfer(backend)
    async with backend.client("bob") as bob:
        response = await bob.get(f"/api/v1/commands/{command_id}/events")

    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
