"""Waiting for a command: until it got there, or until the time is up."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from gx.api.app import Collaborators
from gx.api.settings import Allowance, EdgeSettings
from gx.domain.batches import OutcomeKind
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.outbox.memory.reader import MemoryCommandReader
from gx.outbox.memory.rows import MemoryOutbox
from gx.outbox.ports import CommandView
from tests.api.parts import TRANSFER, Backend, build_backend
from tests.api.sending import a_transfer, url_of


async def test_waiting_returns_when_the_status_is_reached(backend: Backend) -> None:
    """`wait=COMMITTED` answers soon after the ledger did, not at the end of the time."""
    command_id = await a_transfer(backend)

    async def settle_later() -> None:
        await asyncio.sleep(0.05)
        await backend.settle(command_id)

    started_s = time.monotonic()
    async with backend.client() as client:
        response, _ = await asyncio.gather(
            client.get(url_of(command_id), params={"wait": "COMMITTED", "timeout": "20"}),
            settle_later(),
        )

    assert response.json()["status"] == "COMMITTED"
    assert time.monotonic() - started_s < 5


async def test_waiting_for_projected_passes_committed_by(backend: Backend) -> None:
    """COMMITTED is not yet what was waited for."""
    command_id = await a_transfer(backend)
    await backend.settle(command_id)

    async def project_later() -> None:
        await asyncio.sleep(0.1)
        backend.project()

    async with backend.client() as client:
        response, _ = await asyncio.gather(
            client.get(url_of(command_id), params={"wait": "PROJECTED", "timeout": "20"}),
            project_later(),
        )

    assert response.json()["status"] == "PROJECTED"


@pytest.mark.parametrize("wait", ["COMMITTED", "PROJECTED"])
async def test_any_final_status_ends_the_wait(backend: Backend, wait: str) -> None:
    """A refused command will never be committed: there is nothing to wait for."""
    command_id = await a_transfer(backend)
    await backend.settle(
        command_id, outcome=OutcomeKind.REJECTED, code=RefusalCode.INSUFFICIENT_FUNDS
    )
    async with backend.client() as client:
        response = await client.get(url_of(command_id), params={"wait": wait, "timeout": "20"})

    assert response.json()["status"] == "REJECTED"


async def test_when_the_time_is_up_the_current_status_is_answered(backend: Backend) -> None:
    """200 with what is so now: waiting in vain is no failure."""
    command_id = await a_transfer(backend)
    async with backend.client() as client:
        response = await client.get(
            url_of(command_id), params={"wait": "COMMITTED", "timeout": "0.05"}
        )

    assert (response.status_code, response.json()["status"]) == (200, "PENDING")


@pytest.mark.parametrize(
    "query",
    [
        "wait=PENDING",
        "wait=REJECTED",
        "wait=committed",
        "wait=COMMITTED&timeout=31",
        "wait=COMMITTED&timeout=-1",
        "wait=COMMITTED&timeout=1e1",
        "wait=COMMITTED&timeout=",
        "wait=COMMITTED&wait=PROJECTED",
        "await=COMMITTED",
        "wait=%ff",
    ],
)
async def test_an_impossible_wait_is_refused(backend: Backend, query: str) -> None:
    """Only the two steps can be waited for, and only for a bounded time."""
    command_id = await a_transfer(backend)
    async with backend.client() as client:
        response = await client.get(f"{url_of(command_id)}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_beyond_the_bound_waiting_clients_are_answered_at_once(tmp_path: Path) -> None:
    """Too many waiters cost each other nothing: the next one polls."""
    backend = build_backend(tmp_path, settings=EdgeSettings(waits_max=0))
    command_id = await a_transfer(backend)
    async with backend.client() as client:
        async with asyncio.timeout(2):
            response = await client.get(
                url_of(command_id), params={"wait": "COMMITTED", "timeout": "20"}
            )

    assert response.json()["status"] == "PENDING"


async def test_draining_lets_waiting_clients_go(backend: Backend) -> None:
    """A process that is to stop answers who waits, with what is so now."""
    command_id = await a_transfer(backend)

    async def drain_later() -> None:
        await asyncio.sleep(0.05)
        backend.app.drain()

    async with backend.client() as client:
        async with asyncio.timeout(5):
            response, _ = await asyncio.gather(
                client.get(url_of(command_id), params={"wait": "COMMITTED", "timeout": "20"}),
                drain_later(),
            )

    assert (response.status_code, response.json()["status"]) == (200, "PENDING")


class CountingReader(MemoryCommandReader):
    """Counts the questions."""

    singles = 0
    questions = 0

    @override
    async def find(self, command_id: CommandId) -> CommandView | None:
        self.singles += 1
        return await super().find(command_id)

    @override
    async def find_many(self, command_ids: Sequence[CommandId]) -> Sequence[CommandView]:
        self.questions += 1
        return await super().find_many(command_ids)


@pytest.mark.slow
async def test_a_thousand_waiters_share_their_questions(tmp_path: Path) -> None:
    """Waiting costs the store a few questions in all, not a loop of questions each."""
    readers: list[CountingReader] = []

    def count(parts: Collaborators, outbox: MemoryOutbox) -> Collaborators:
        readers.append(CountingReader(outbox))
        return replace(parts, reader=readers[0])

    generous = Allowance(rate_per_s=1e6, burst=10**6)
    backend = build_backend(
        tmp_path, settings=EdgeSettings(subject_allowance=generous), change=count
    )
    async with backend.client() as client:
        command_ids = [
            CommandId((await client.post("/api/v1/transfers", json=TRANSFER)).json()["commandId"])
            for _ in range(1_000)
        ]
        waiting = [
            asyncio.create_task(
                client.get(url_of(command_id), params={"wait": "COMMITTED", "timeout": "30"})
            )
            for command_id in command_ids
        ]
        await asyncio.sleep(1)
        for command_id in command_ids:
            await backend.settle(command_id)
        answers = await asyncio.gather(*waiting)

    assert {answer.json()["status"] for answer in answers} == {"COMMITTED"}
    assert readers[0].singles == 1_000
    assert readers[0].questions < 500


@pytest.mark.parametrize("seconds", ["0", "0.5", "0.12345678901234567", "5e-05"])
async def test_a_timeout_is_any_number_of_seconds(backend: Backend, seconds: str) -> None:
    """However a client's language writes its numbers."""
    async with backend.client() as client:
        url = (await client.post("/api/v1/transfers", json=TRANSFER)).json()["statusUrl"]
        response = await client.get(f"{url}?wait=COMMITTED&timeout={seconds}")

    assert response.status_code == 200
