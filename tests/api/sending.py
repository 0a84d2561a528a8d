"""Commands as clients send them, and what becomes of them in the store."""

from collections.abc import Mapping

import httpx

from gx.domain.identifiers import CommandId
from gx.outbox.ports import NewCommand
from tests.api.parts import TRANSFER, Backend

TRANSFERS = "/api/v1/transfers"


def stored(backend: Backend, response: httpx.Response) -> NewCommand:
    """Return what an answer says was stored."""
    return backend.outbox.commands[CommandId(response.json()["commandId"])].command


async def post_transfer(
    backend: Backend, changes: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send a transfer of alice's with some fields changed; None takes one out."""
    body = {name: value for name, value in {**TRANSFER, **changes}.items() if value is not None}
    async with backend.client() as client:
        return await client.post(TRANSFERS, json=body, headers=headers)


async def a_transfer(backend: Backend, subject: str = "alice") -> CommandId:
    """Accept a transfer."""
    async with backend.client(subject) as client:
        answer = await client.post("/api/v1/transfers", json={**TRANSFER, "fromId": subject})
    return CommandId(answer.json()["commandId"])


def url_of(command_id: str) -> str:
    """Return the command's status resource."""
    return f"/api/v1/commands/{command_id}"
