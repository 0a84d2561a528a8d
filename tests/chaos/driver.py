"""Load from outside: clients that repeat a request with its key until they have an answer.

They know nothing of the system but its HTTP API, and write down what was accepted.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import msgspec

from tests.chaos.notes import Notes, Request, request_to_api

ACCOUNTS: Final = 40
CLIENTS: Final = 16
FUNDS: Final = "1000000000000"
PATIENCE_S: Final = 120.0
FACES: Final = 1_000

Body = dict[str, str | int]


@dataclass(slots=True)
class Driver:
    """Sends transfers, some mints and new users, and some commands that must be refused."""

    url: str
    admin_token: str
    partner_token: str
    seed: int
    rate_per_s: float = 200.0
    patience_s: float = PATIENCE_S
    accepted: dict[str, str] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    """What was asked for under each of these ids."""
    refusals_allowed: list[str] = field(default_factory=list)
    """Codes with which anything may be refused, as before a chaincode is upgraded."""
    poison: list[str] = field(default_factory=list)
    """Commands of no client, which can only become dead letters."""
    prior: list[str] | None = None
    """Commands that were stored before there was a client; None if nobody looked."""
    retries: int = 0
    unexpected: list[str] = field(default_factory=list)
    _probes: int = 0
    _runs: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self) -> None:
        """Give every account its funds, and wait until they are visible."""
        async with self._client() as client:
            ids = [
                await self._send(client, "/admin/mint", _mint(account), f"fund-{account}")
                for account in range(ACCOUNTS)
            ]
            for command_id in ids:
                answer = await client.get(
                    f"/commands/{command_id}",
                    params={"wait": "PROJECTED", "timeout": "30"},
                    headers=_bearer(self.admin_token),
                )
                if answer.json()["status"] != "PROJECTED":
                    raise AssertionError(f"the funds did not arrive: {answer.text}")

    async def run(self) -> None:
        """Send until told to stop; each run sends other commands than those before it."""
        self._stop.clear()
        self._runs += 1
        async with self._client() as client, asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._one_client(client, number))

    async def probe(self) -> None:
        """Send one command more, and return once everybody can see what it did."""
        self._probes += 1
        async with self._client() as client:
            mint = _mint(self._probes % ACCOUNTS)
            command_id = await self._send(client, "/admin/mint", mint, f"probe-{self._probes}")
            deadline_s = time.monotonic() + self.patience_s
            while not await self._is_projected(client, command_id):
                if time.monotonic() > deadline_s:
                    raise AssertionError(f"{command_id} is not projected in {self.patience_s} s")

    def stop(self) -> None:
        """Send nothing new; what was begun is brought to an answer."""
        self._stop.set()

    def write(self, path: Path) -> None:
        """Write down what was asked and accepted, and what was there already, for the checker."""
        notes = Notes(
            accepted=self.accepted,
            requests=self.requests,
            refusals_allowed=self.refusals_allowed,
            poison=self.poison,
            prior=self.prior,
        )
        path.write_bytes(msgspec.json.encode(notes))

    async def _is_projected(self, client: httpx.AsyncClient, command_id: str) -> bool:
        """Ask, and wait for a moment; no answer is a no."""
        try:
            answer = await client.get(
                f"/commands/{command_id}",
                params={"wait": "PROJECTED", "timeout": "1"},
                headers=_bearer(self.admin_token),
            )
            if answer.status_code == httpx.codes.OK and answer.json()["status"] == "PROJECTED":
                return True
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.02)
        return False

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, timeout=5.0, limits=httpx.Limits(max_connections=CLIENTS)
        )

    async def _one_client(self, client: httpx.AsyncClient, number: int) -> None:
        choose = random.Random(f"{self.seed}-{self._runs}-{number}")  # noqa: S311 (a schedule, not a secret)
        while not self._stop.is_set():
            key = str(UUID(int=choose.getrandbits(128)))
            path, body = _choose(choose)
            await self._send(client, path, body, key)
            await asyncio.sleep(choose.uniform(0, 2 * CLIENTS / self.rate_per_s))

    async def _send(self, client: httpx.AsyncClient, path: str, body: Body, key: str) -> str:
        headers = {"Idempotency-Key": key, **self._authority(path, body)}
        deadline_s = time.monotonic() + self.patience_s
        while True:
            try:
                answer = await client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
                command_id = str(answer.json()["commandId"])
                self._note(command_id, path, body, key)
                return command_id
            if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                self.unexpected.append(answer.text)
                return ""
            if time.monotonic() > deadline_s:
                raise AssertionError(f"no answer within {self.patience_s} s: {answer}")
            self.retries += 1
            await asyncio.sleep(0.05)

    def _note(self, command_id: str, path: str, body: Body, key: str) -> None:
        """Write down what was asked for; one id for two keys is no answer that belongs to one."""
        if self.accepted.setdefault(command_id, key) != key:
            self.unexpected.append(f"{command_id} for {self.accepted[command_id]} and for {key}")
        is_mint = path == "/admin/mint"
        self.requests[command_id] = request_to_api(
            path,
            body,
            key=key,
            token=self.admin_token if is_mint else self.partner_token,
            on_behalf_of=_sender_of(body),
        )

    def _authority(self, path: str, body: Body) -> dict[str, str]:
        if path == "/admin/mint":
            return _bearer(self.admin_token)
        sender = _sender_of(body)
        acting = {"X-On-Behalf-Of": sender} if sender else {}
        return {**_bearer(self.partner_token), **acting}


def _sender_of(body: Body) -> str | None:
    sender = body.get("fromId")
    return None if sender is None else str(sender)


def _choose(choose: random.Random) -> tuple[str, Body]:
    """Mostly transfers that succeed, some that the ledger must refuse, some mints and users."""
    lot = choose.random()
    if lot < 0.05:
        return "/admin/mint", _mint(choose.randrange(ACCOUNTS))
    if lot > 0.97:
        return "/users", _person(choose)
    sender, receiver = choose.sample(range(ACCOUNTS), 2)
    transfer: Body = {
        "fromId": f"chaos-{sender}",
        "toId": f"chaos-{receiver}",
        "amount": str(choose.randrange(1, 500_000_000)),
        "remark": "chaos",
    }
    if lot < 0.08:
        transfer["amount"] = "9000000000000000000"
    elif lot < 0.10:
        transfer["toId"] = "nobody"
    return "/transfers", transfer


def _person(choose: random.Random) -> Body:
    """A user under a new id; whose face somebody has already, is refused: the more, the longer."""
    face = sha256(f"face {choose.randrange(FACES)}".encode()).hexdigest()
    name = f"chaos-user-{choose.getrandbits(64):016x}"
    return {"userId": name, "biometricHash": face, "nationality": "US", "age": 34}


def _mint(account: int) -> Body:
    return {"accountId": f"chaos-{account}", "amount": FUNDS, "remark": "chaos"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
