"""A system small enough to be told to err: commands take effect at once, behind one transport."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
from typing_extensions import override

from gx.client.client import GxClient
from gx.client.transport import ClientSettings, Transport
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.economics import POOL_ALLOCATIONS
from gx.domain.identifiers import BlockNumber

GENESIS = 50_000_000_000
FEE = 250_000
FUND = "SYSTEM_OPERATIONS_FUND"


@dataclass
class SmallSystem(httpx.AsyncBaseTransport):
    """Accounts, users, countries, events by block. Each command is a block."""

    is_bootstrapped: bool = False
    refusals: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    entries: dict[str, list[JsonObject]] = field(default_factory=dict)
    countries: set[str] = field(default_factory=set)
    users: dict[str, JsonObject] = field(default_factory=dict)
    blocks: list[list[JsonObject]] = field(default_factory=list)
    commands: dict[str, JsonObject] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    minted: int = 0

    def client(self) -> GxClient:
        """A client of this system."""
        settings = ClientSettings(base_url="http://gx.test", token="t")
        return GxClient(Transport(settings, http=self))

    async def events_of(self, block_number: BlockNumber) -> Sequence[JsonObject]:
        """Return a block's events."""
        return self.blocks[block_number]

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        if request.method == "POST":
            return self._accept(path, json.loads(request.content))
        body = self._answer(path)
        if body is None:
            return httpx.Response(404, json={"code": "NOT_FOUND", "detail": path})
        return httpx.Response(200, json=body)

    def _accept(self, path: str, body: JsonObject) -> httpx.Response:
        self.before(path)
        self.sent.append(path)
        command_id = f"c{len(self.commands)}"
        code = self.refusals.get(path) or self._refusal(path, body)
        if code is None:
            self.blocks.append(self._take_effect(path, body))
        self.commands[command_id] = {
            "commandId": command_id,
            "commandType": path,
            "status": "PROJECTED" if code is None else "REJECTED",
            "arguments": {},
            "actor": "a",
            "subject": "a",
            "acceptedAtMs": 1,
            "code": code,
            "blockNumber": len(self.blocks) - 1,
        }
        return httpx.Response(
            202, json={"commandId": command_id, "status": "PENDING", "statusUrl": "x"}
        )

    def _refusal(self, path: str, body: JsonObject) -> str | None:
        if path == "/admin/bootstrap" and self.is_bootstrapped:
            return "ALREADY_BOOTSTRAPPED"
        if path == "/admin/countries/initialize":
            return "COUNTRY_EXISTS" if codes_of(body) & self.countries else None
        return None

    def _take_effect(self, path: str, body: JsonObject) -> list[JsonObject]:
        match path:
            case "/admin/bootstrap":
                self.is_bootstrapped = True
                return [self.credit(pool, amount) for pool, amount in POOL_ALLOCATIONS.items()]
            case "/admin/countries/initialize":
                self.countries |= codes_of(body)
                return []
            case "/users":
                return [self._create_user(body)]
            case "/genesis":
                return [self._distribute(str(body["userId"]))]
            case _:
                return [self._transfer(body)]

    def credit(self, account: str, amount: int) -> JsonObject:
        """Mint to an account."""
        self.minted += amount
        self.balances[account] = self.balances.get(account, 0) + amount
        self._enter(account, "mint", amount)
        return {"eventType": "CoinsMinted", "accountId": account, "amount": str(amount)}

    def _create_user(self, body: JsonObject) -> JsonObject:
        user = str(body["userId"])
        self.balances[user] = 0
        self.users[user] = {
            "userId": user, "nationality": body["nationality"], "age": body["age"],
            "status": "Active", "trustScore": 10, "genesisPhase": 0, "genesisAmount": "0",
        }  # fmt: skip
        return {"eventType": "UserCreated", "userId": user}

    def _distribute(self, user: str) -> JsonObject:
        self.balances["SYSTEM_USER_GENESIS_POOL"] -= GENESIS
        self._enter("SYSTEM_USER_GENESIS_POOL", "genesis", -GENESIS)
        self.balances[user] += GENESIS
        self.users[user]["genesisAmount"] = str(GENESIS)
        return {"eventType": "GenesisDistributed", "userId": user}

    def _transfer(self, body: JsonObject) -> JsonObject:
        amount = int(str(body["amount"]))
        self.balances[str(body["fromId"])] -= amount + FEE
        self.balances[str(body["toId"])] += amount
        self.balances[FUND] = self.balances.get(FUND, 0) + FEE
        return {"eventType": "TransferEvent", "fromId": body["fromId"]}

    def _enter(self, account: str, kind: str, delta: int) -> None:
        entry: JsonObject = {
            "accountId": account, "blockNumber": len(self.blocks), "position": 0, "ordinal": 0,
            "kind": kind, "delta": str(delta), "recordedAt": 1, "transactionId": "t",
        }  # fmt: skip
        self.entries.setdefault(account, []).insert(0, entry)

    def _answer(self, path: str) -> JsonObject | None:
        whole: dict[str, Callable[[], JsonObject]] = {
            "/admin/system/status": self._status,
            "/admin/countries": self._countries,
            "/supply": self._supply,
            "/pools": self._pools,
        }
        return whole[path]() if path in whole else self._answer_for_one(path)

    def _answer_for_one(self, path: str) -> JsonObject | None:
        match path.strip("/").split("/"):
            case ["admin", "countries", code, "stats"]:
                return country_wire(code) if code in self.countries else None
            case ["commands", command_id]:
                return self.commands[command_id]
            case ["users", user]:
                return self.users.get(user)
            case ["wallets", account, "transactions"]:
                return page(list(self.entries.get(account, [])))
            case ["wallets", account, "balance"]:
                return account_wire(account, self.balances[account])
            case _:
                return None

    def _status(self) -> JsonObject:
        return {"isBootstrapped": self.is_bootstrapped, "isPaused": False}

    def _countries(self) -> JsonObject:
        return page([country_wire(code) for code in sorted(self.countries)])

    def _supply(self) -> JsonObject:
        held = sum(self.balances.values())
        return {"minted": str(self.minted), "balances": str(held), "cap": "9"}

    def _pools(self) -> JsonObject:
        pools: list[JsonValue] = [
            account_wire(name, amount)
            for name, amount in self.balances.items()
            if name.startswith("SYSTEM_")
        ]
        return {"pools": pools, "genesis": {"distributed": 0, "remaining": 1, "phase": 1}}


def codes_of(body: JsonObject) -> set[str]:
    """The countries that a request wants to open."""
    countries = body["countries"]
    assert isinstance(countries, list)
    return {str(share["countryCode"]) for share in countries if isinstance(share, dict)}


def page(items: list[JsonObject]) -> JsonObject:
    """A list's only page."""
    return {"items": list[JsonValue](items), "nextCursor": None}


def country_wire(code: str) -> JsonObject:
    """An open country."""
    return {
        "countryCode": code, "percentage": "1", "treasuryId": f"treasury_{code}", "users": 0,
        "genesisUsers": 0, "genesisUserAmount": "0", "genesisTreasuryAmount": "0",
    }  # fmt: skip


def account_wire(account: str, balance: int) -> JsonObject:
    """An account."""
    return {
        "accountId": account, "balance": str(balance), "kind": "user", "status": "Active",
        "isFrozen": False,
    }  # fmt: skip
