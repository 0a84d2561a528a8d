"""Bounds on what a request may bring."""

import asyncio
import json
from pathlib import Path

import pytest

from gx.api.exchange import DISCARDED_BYTES_MAX, Message
from gx.api.settings import EdgeSettings
from tests.api.asgi import Conversation
from tests.api.parts import TRANSFER, Backend, build_backend

LIMIT = EdgeSettings().body_bytes_max


def a_post(
    backend: Backend, chunks: list[bytes], headers: list[tuple[bytes, bytes]] | None = None
) -> Conversation:
    """Send a transfer in these pieces."""
    return Conversation(
        backend.app,
        "POST",
        "/api/v1/transfers",
        headers=[(b"authorization", f"Bearer {backend.token()}".encode()), *(headers or [])],
        chunks=chunks,
    )


def code_of(conversation: Conversation) -> str:
    """Read the code of a problem."""
    return str(json.loads(conversation.body)["code"])


async def test_a_body_may_come_in_pieces(backend: Backend) -> None:
    """Chunks are one body."""
    body = json.dumps(TRANSFER).encode()
    post = a_post(backend, [body[:10], b"", body[10:20], body[20:]])
    await post.run()

    assert post.status == 202


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
async def test_the_bound_on_bodies_is_exact(backend: Backend, size: int) -> None:
    """The largest body is read; one byte more is 413."""
    body = json.dumps(TRANSFER).encode()
    async with backend.client() as client:
        response = await client.post("/api/v1/transfers", content=body.ljust(size))

    assert response.status_code == (202 if size <= LIMIT else 413)


async def test_a_body_that_is_announced_far_too_large_is_not_read(backend: Backend) -> None:
    """413 before the first byte, and the connection has to go."""
    length = b"%d" % (DISCARDED_BYTES_MAX + 1)
    post = a_post(backend, [b"x"], [(b"content-length", length)])
    await post.run()

    assert (post.status, code_of(post), post.taken) == (413, "BODY_TOO_LARGE", 0)
    assert post.headers[b"connection"] == b"close"


async def test_a_body_that_is_somewhat_too_large_is_read_away(backend: Backend) -> None:
    """A client that sends before it listens gets its answer."""
    post = a_post(backend, [b" " * LIMIT, b" "], [(b"content-length", b"%d" % (LIMIT + 1))])
    await post.run()

    assert (post.status, code_of(post), post.taken) == (413, "BODY_TOO_LARGE", 2)


async def test_a_chunked_body_is_cut_off_at_a_bound(backend: Backend) -> None:
    """Without an announced length no more is read than two bounds and one piece."""
    piece = 65_536
    post = a_post(backend, [b" " * piece] * 1_000)
    await post.run()

    assert (post.status, code_of(post)) == (413, "BODY_TOO_LARGE")
    assert post.taken <= (LIMIT + DISCARDED_BYTES_MAX) // piece + 2


@pytest.mark.parametrize("length", [b"9" * 5_000, b"-1", b"1e9", b""], ids=len)
async def test_a_senseless_length_is_not_believed(backend: Backend, length: bytes) -> None:
    """What is no number counts as unknown; a number beyond all bounds is too large."""
    post = a_post(backend, [json.dumps(TRANSFER).encode()], [(b"content-length", length)])
    await post.run()

    assert post.status == (413 if length.isdigit() else 202)


async def test_a_client_that_leaves_in_the_middle_stores_nothing(backend: Backend) -> None:
    """Half a body is no request, and nobody is there to be answered."""
    body = json.dumps(TRANSFER).encode()
    messages: list[Message] = [
        {"type": "http.request", "body": body[:10], "more_body": True},
        {"type": "http.disconnect"},
    ]
    post = a_post(backend, [])

    async def receive() -> Message:
        return messages.pop(0)

    post._receive = receive  # type: ignore[method-assign]  # a client that breaks off
    await post.run()

    assert (post.status, post.body) == (0, b"")
    assert not backend.outbox.commands


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-%d" % number, b"") for number in range(64)],
        [(b"x-big", b"v" * 16_384)],
        [(b"x-same", b"v" * 1_000)] * 17,
    ],
    ids=["too many", "too big", "too much of one name"],
)
async def test_headers_are_bounded(backend: Backend, headers: list[tuple[bytes, bytes]]) -> None:
    """In number and in size, however they are spread."""
    post = a_post(backend, [json.dumps(TRANSFER).encode()], headers)
    await post.run()

    assert (post.status, code_of(post)) == (431, "HEADERS_TOO_LARGE")
    assert post.headers[b"connection"] == b"close"
    assert not backend.outbox.commands


@pytest.mark.parametrize("chunks", [[], [b'{"fromId"']], ids=["nothing", "the beginning"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, chunks: list[bytes]
) -> None:
    """408 when the time is up, whatever has come till then; the connection has to go."""
    backend = build_backend(tmp_path, settings=EdgeSettings(body_within_s=0.05))
    post = a_post(backend, [*chunks, b"never"], [(b"content-length", b"100")])
    stalled, pieces = asyncio.Event(), list(chunks)

    async def receive() -> Message:
        if not pieces:
            await stalled.wait()
        return {"type": "http.request", "body": pieces.pop(0), "more_body": True}

    post._receive = receive  # type: ignore[method-assign]  # a client that stops sending
    await post.run()

    assert (post.status, code_of(post)) == (408, "BODY_TOO_SLOW")
    assert post.headers[b"connection"] == b"close"
    assert not backend.outbox.commands


async def test_a_token_is_bounded(backend: Backend) -> None:
    """A token longer than any of ours is refused before its parts are looked at."""
    async with backend.anonymous({"Authorization": f"Bearer {'x' * 9_000}"}) as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)

    assert response.status_code == 401


async def test_closing_the_application_leaves_no_task(backend: Backend) -> None:
    """The lifespan's end lets waiting clients go and ends the watcher."""
    async with backend.client() as client:
        url = (await client.post("/api/v1/transfers", json=TRANSFER)).json()["statusUrl"]
        before = asyncio.all_tasks()
        async with backend.app.router.lifespan_context(backend.app):
            waiting = asyncio.create_task(client.get(f"{url}?wait=COMMITTED&timeout=30"))
            await asyncio.sleep(0.05)
        await asyncio.wait_for(waiting, 30)

    assert asyncio.all_tasks() <= before


async def test_web_sockets_are_not_spoken_here(backend: Backend) -> None:
    """What is no HTTP request gets no answer of ours."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Message = {"type": "websocket", "path": "/api/v1/transfers", "headers": []}
    await backend.app(scope, receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"]
