"""What faults are made with: traffic of the drill's own, the database, signals."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import httpx

from gx.client.requests import API_PREFIX
from gx.domain.roles import TokenRole
from gx.proof.drills.stack import DrillStack

ACCOUNT: Final = "drill"
POISON: Final = "drill: poison"
_TIMEOUT_S: Final = 60.0
_WRITE_EVERY_S: Final = 0.3
_RETRY_S: Final = 0.2
_PATIENCE_S: Final = 120.0


@dataclass(slots=True)
class Playground:
    """The stack, and a client that has every right."""

    stack: DrillStack
    client: httpx.AsyncClient

    async def mint(self, remark: str = "drill", *, amount: str = "1") -> bool:
        """Send one command; False if the API did not take it. The smallest amount succeeds."""
        body = {"accountId": ACCOUNT, "amount": amount, "remark": remark}
        headers = {"Idempotency-Key": str(uuid4())}
        try:
            answer = await self.client.post("/admin/mint", json=body, headers=headers)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.ACCEPTED

    async def flood(self, commands: int, *, remark: str = "drill", at_once: int = 16) -> None:
        """Have the API accept so many commands.

        Raises:
            TimeoutError: It does not take them.
        """
        left = [commands]

        async def send() -> None:
            while left[0] > 0:
                left[0] -= 1
                await self._mint_for_sure(remark)

        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(send())

    async def _mint_for_sure(self, remark: str) -> None:
        while True:
            if await self.mint(remark):
                return
            await asyncio.sleep(_RETRY_S)

    async def read(self, path: str) -> None:
        """Ask for something; whatever comes is an answer."""
        with contextlib.suppress(httpx.HTTPError):
            await self.client.get(path)

    async def write_on(self) -> None:
        """Send a command every moment: what every rate and ratio is taken of."""
        while True:
            await self.mint()
            await self.read("/supply")
            await asyncio.sleep(_WRITE_EVERY_S)

    async def restart(self, name: str) -> None:
        """Kill a process of the loop; its supervisor starts it again."""
        self.stack.send(name, signal.SIGKILL)

    async def execute(self, *statements: str) -> None:
        """Change the database by hand, as one unit of work."""
        connection = await self.stack.connect()
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()

    async def order_stand_in(self, what: str) -> None:
        """Tell the stand-in to burn, fill or rest."""
        url = f"{self.stack.places.url('stand_in')}/{what}"
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            (await client.post(url)).raise_for_status()


@asynccontextmanager
async def playing(stack: DrillStack) -> AsyncIterator[Playground]:
    """Open a playground in which traffic flows until the block ends."""
    async with httpx.AsyncClient(
        base_url=stack.places.url("api") + API_PREFIX,
        headers={"Authorization": f"Bearer {stack.token(TokenRole.SUPER_ADMIN)}"},
        trust_env=False,
        timeout=_TIMEOUT_S,
        limits=httpx.Limits(max_connections=64),
    ) as client:
        playground = Playground(stack, client)
        traffic = asyncio.create_task(playground.write_on())
        try:
            yield playground
        finally:
            traffic.cancel()
            await asyncio.gather(traffic, return_exceptions=True)


@asynccontextmanager
async def beside(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let something go on while the block runs."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
