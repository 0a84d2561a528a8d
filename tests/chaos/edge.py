"""A client of the API in a lab, whose way to it can be spoiled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from gx.api.issuer import Claims, LocalIssuer
from gx.domain.roles import TokenRole
from gx.runtime.clock import SystemClock
from gx.runtime.settings import ApiSettings, Environment
from tests.chaos.lab import COIN, Lab, until
from tests.chaos.notes import request_to_api
from tests.chaos.proxy import Proxy, to_port
from tests.ports import free_port

_TIMEOUT_S: Final = 10.0
_TOKEN_TTL_S: Final = 3_600


class Edge:
    """Asks once, and notes what it is told."""

    def __init__(self, lab: Lab, link: Proxy, url: str) -> None:
        self.link: Final = link
        self._lab: Final = lab
        self._url: Final = url
        self._token: Final = _token(lab)

    async def mint(self, account: str, *, key: str) -> str | None:
        """Ask for coins; None without an answer, or with one that says "not now"."""
        body = {"accountId": account, "amount": str(COIN), "remark": "planted"}
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            try:
                answer = await client.post(f"{self._url}/admin/mint", json=body, headers=headers)
            except httpx.TransportError:
                return None
        if answer.is_server_error:
            return None
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        command_id = str(answer.json()["commandId"])
        self._lab.accepted[command_id] = key
        self._lab.requests[command_id] = request_to_api(
            "/admin/mint", body, key=key, token=self._token
        )
        return command_id


@asynccontextmanager
async def open_edge(lab: Lab, *plants: str) -> AsyncIterator[Edge]:
    """Start the API and have a client of it; end it afterwards."""
    port, open_port = free_port(), free_port()
    child = lab.start("api", *plants, api_port=port)
    async with Proxy(to_port(port)).on_port(open_port) as link:
        edge = Edge(lab, link, f"http://127.0.0.1:{open_port}/api/v1")
        await until(lambda: _listens(port), "API that listens")
        yield edge
    await asyncio.to_thread(child.end)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _token(lab: Lab) -> str:
    settings = ApiSettings.model_construct()
    issuer = LocalIssuer.open(
        lab.folder / "keys",
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        clock=SystemClock(),
        environment=Environment.DEVNET,
    )
    role = TokenRole.SUPER_ADMIN
    return issuer.issue(Claims(subject="root", role=role, act_for=(), ttl_s=_TOKEN_TTL_S))
