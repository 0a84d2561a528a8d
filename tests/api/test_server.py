"""The edge behind the real HTTP server: what travels over a socket."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import httpx
import pytest
import uvicorn
from typing_extensions import override

from tests.api.parts import TRANSFER, Backend, build_backend


class QuietServer(uvicorn.Server):
    """A uvicorn that leaves the test's signals alone."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.asynccontextmanager
async def serving(backend: Backend) -> AsyncIterator[str]:
    """Serve on a free port of loopback while the block runs; yields the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        backend.app, log_config=None, access_log=False, ws="none", http="httptools"
    )
    server = QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn sets no event)
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        backend.app.drain()
        server.should_exit = True
        await asyncio.wait_for(task, 30)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[tuple[Backend, httpx.AsyncClient]]:
    """An edge on a socket, and a client of alice's."""
    backend = build_backend(tmp_path)
    headers = {"Authorization": f"Bearer {backend.token()}"}
    async with (
        serving(backend) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client,
    ):
        yield backend, client


Live = tuple[Backend, httpx.AsyncClient]


async def test_a_write_and_its_status_over_a_socket(live: Live) -> None:
    """The whole way, kept alive."""
    backend, client = live
    accepted = await client.post("/api/v1/transfers", json=TRANSFER)
    await backend.settle(accepted.json()["commandId"])
    shown = await client.get(accepted.headers["location"], params={"wait": "COMMITTED"})

    assert (accepted.status_code, shown.json()["status"]) == (202, "COMMITTED")


async def test_events_arrive_as_they_happen(live: Live) -> None:
    """Each event travels at once, not with the next one."""
    backend, client = live
    accepted = (await client.post("/api/v1/transfers", json=TRANSFER)).json()
    seen: list[str] = []
    async with client.stream("GET", f"{accepted['statusUrl']}/events") as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: "):
                continue
            seen.append(json.loads(line.removeprefix("data: "))["status"])
            if seen == ["PENDING"]:
                await backend.settle(accepted["commandId"])
            elif seen == ["PENDING", "COMMITTED"]:
                backend.project()
    again = await client.get(
        f"{accepted['statusUrl']}/events", headers={"Last-Event-ID": "PROJECTED"}
    )

    assert seen == ["PENDING", "COMMITTED", "PROJECTED"]
    assert again.status_code == 204
    assert "content-length" not in again.headers


async def test_a_follower_that_hangs_up_frees_its_place(live: Live) -> None:
    """The server notices a closed connection while the stream is silent."""
    backend, client = live
    accepted = (await client.post("/api/v1/transfers", json=TRANSFER)).json()
    gauge = backend.parts.metrics.streams_open
    async with client.stream("GET", f"{accepted['statusUrl']}/events") as response:
        await anext(response.aiter_lines())
        assert gauge.read() == 1
    async with asyncio.timeout(30):
        while gauge.read():  # noqa: ASYNC110 (the gauge sets no event)
            await asyncio.sleep(0.01)


async def test_a_chunked_body_beyond_the_bound_is_refused(live: Live) -> None:
    """413 on a body of unknown length, and the connection is closed."""
    _, client = live

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 4_096

    response = await client.post("/api/v1/transfers", content=endless())

    assert (response.status_code, response.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert response.headers["connection"] == "close"


async def test_stopping_lets_waiting_clients_go_first(tmp_path: Path) -> None:
    """A server that is told to stop answers its long polls within moments."""
    backend = build_backend(tmp_path)
    headers = {"Authorization": f"Bearer {backend.token()}"}
    async with serving(backend) as url:
        client = httpx.AsyncClient(base_url=url, headers=headers, trust_env=False)
        accepted = (await client.post("/api/v1/transfers", json=TRANSFER)).json()
        waiting = asyncio.create_task(
            client.get(accepted["statusUrl"], params={"wait": "COMMITTED", "timeout": "30"})
        )
        await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        response = await waiting
    await client.aclose()

    assert (response.status_code, response.json()["status"]) == (200, "PENDING")
