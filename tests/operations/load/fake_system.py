"""A tiny system behind real HTTP: it executes commands at once, and can be told to err.

It keeps the real one's promise (a key takes effect once) unless a fault breaks it, so that a test
can show that the load generator notices.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gx.operations.load.books import SupplyCheck

PARAMETERS = {
    "feeFreeBelow": 300_000_000,
    "feeTierLimit": 10_000_000_000,
    "feeLowerBps": 5,
    "feeUpperBps": 10,
}


@dataclass
class Faults:
    """What goes wrong; counted down where it is a number."""

    lost_answers: int = 0
    """The command takes effect, and a proxy answers 502."""
    busy_answers: int = 0
    refuse_with: str = ""
    refuse_preparation_with: str = ""
    forgets_keys: bool = False
    """A repeated key takes effect again."""
    stuck_commands: int = 0
    """The first commands of the run proper stay PENDING for ever."""
    loses_coins: bool = False
    refused_by_ledger: str = ""
    answer_delay_s: float = 0.0


@dataclass
class FakeSystem:
    """Accounts, commands by id, command ids by key."""

    faults: Faults = field(default_factory=Faults)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    minted: int = 0
    commands: dict[str, dict[str, object]] = field(default_factory=dict)
    ids_by_key: dict[str, str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    headers_seen: list[Mapping[str, str]] = field(default_factory=list)

    async def accept(self, request: Request) -> Response:
        """Take a command in and execute it."""
        key = request.headers["Idempotency-Key"]
        is_preparation = "prepare" in key
        self.headers_seen.append(dict(request.headers))
        await asyncio.sleep(0 if is_preparation else self.faults.answer_delay_s)
        if (refusal := self._refuse(is_preparation=is_preparation)) is not None:
            return refusal
        known = self.ids_by_key.get(key)
        if known is None or self.faults.forgets_keys:
            known = self.ids_by_key[key] = str(uuid4())
            body = await request.json()
            self.commands[known] = self._execute(
                request.url.path, body, is_preparation=is_preparation
            )
        if not is_preparation and self.faults.lost_answers:
            self.faults.lost_answers -= 1
            return Response("the upstream went away", 502)
        return JSONResponse({"commandId": known, "status": "PENDING", "statusUrl": "x"}, 202)

    def _refuse(self, *, is_preparation: bool) -> Response | None:
        code = self.faults.refuse_preparation_with if is_preparation else self.faults.refuse_with
        if code:
            return JSONResponse({"code": code, "detail": "no"}, 403)
        if self.faults.busy_answers and not is_preparation:
            self.faults.busy_answers -= 1
            return JSONResponse({"code": "BACKLOG_FULL"}, 503)
        return None

    def _execute(
        self, path: str, body: dict[str, str], *, is_preparation: bool
    ) -> dict[str, object]:
        if not is_preparation and self.faults.stuck_commands:
            self.faults.stuck_commands -= 1
            return {"status": "PENDING"}
        if not is_preparation and self.faults.refused_by_ledger:
            return {"status": "REJECTED", "code": self.faults.refused_by_ledger}
        return self._take_effect(path.removeprefix("/api/v1"), body)

    def _take_effect(self, path: str, body: dict[str, str]) -> dict[str, object]:
        match path:
            case "/admin/mint":
                self.minted += int(body["amount"])
                self.balances[body["accountId"]] += int(body["amount"])
            case "/transfers":
                return self._transfer(body["fromId"], body["toId"], int(body["amount"]))
            case "/users":
                self.users.add(body["userId"])
            case "/genesis" if body["userId"] not in self.users:
                return {"status": "REJECTED", "code": "USER_NOT_FOUND"}
            case _:
                pass
        return {"status": "PROJECTED"}

    def _transfer(self, sender: str, receiver: str, amount: int) -> dict[str, object]:
        fee = (amount * 5 + 5_000) // 10_000 if amount >= PARAMETERS["feeFreeBelow"] else 0
        if self.balances[sender] < amount + fee:
            return {"status": "REJECTED", "code": "INSUFFICIENT_FUNDS"}
        self.balances[sender] -= amount + fee
        self.balances[receiver] += amount
        self.balances["SYSTEM_OPERATIONS_FUND"] += 0 if self.faults.loses_coins else fee
        return {"status": "PROJECTED"}

    async def query(self, request: Request) -> Response:
        """Tell many commands' statuses."""
        ids = (await request.json())["commandIds"]
        items = [{"commandId": i, **self.commands[i]} for i in ids if i in self.commands]
        return JSONResponse({"items": items, "nextCursor": None})

    async def show(self, request: Request) -> Response:
        """Tell one command's status."""
        command_id = request.path_params["id"]
        return JSONResponse({"commandId": command_id, **self.commands[command_id]})

    async def supply(self) -> SupplyCheck:
        """Read both sums."""
        return SupplyCheck(minted=self.minted, balances=sum(self.balances.values()))

    async def parameter(self, name: str) -> int:
        """Read a fee parameter."""
        return PARAMETERS[name]

    async def balance(self, account_id: str) -> int:
        """Read an account's balance."""
        return self.balances[account_id]


@asynccontextmanager
async def serving(system: FakeSystem) -> AsyncIterator[str]:
    """Serve the system on a free port of loopback and yield its address."""
    app = Starlette(
        routes=[
            Route("/api/v1/commands/query", system.query, methods=["POST"]),
            Route("/api/v1/commands/{id}", system.show, methods=["GET"]),
            Route("/api/v1/{rest:path}", system.accept, methods=["POST"]),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    # The listener queues connections from now on, so nobody has to wait for the server.
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
