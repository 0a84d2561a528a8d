"""A running stack with a browser in front of it, and what the tests do to the stack."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
import httpx
import msgspec
from playwright.async_api import Browser

from gx.client.client import open_client
from gx.client.transport import ClientSettings
from gx.domain.amounts import Amount
from gx.domain.identifiers import CommandId
from tests.browser.chromium import open_browser
from tests.end_to_end.loop import Loop, running_loop

SCRAPE_INTERVAL_S: Final = 1
NAMESPACE: Final = "backend-devnet"
PATIENCE_S: Final = 90.0

# What the submitter does when it gives a command up, without the five failures that lead to it.
BURY: Final = """
    WITH given_up AS (DELETE FROM outbox WHERE command_id = $1::uuid RETURNING *)
    INSERT INTO dead_letters (command_id, scopes, attempts, reason, history, buried_at_ms, state)
    SELECT command_id, scopes, 5, 'gave up after 5 attempts: the ledger failed on it',
           '[{"atMs": 1795295704850, "attempts": 1, "reason": "the ledger failed on it"}]',
           now_ms(), 'dead'
      FROM given_up
"""
# Copies of one dead letter under ids of their own.
COPY: Final = """
    WITH copies AS (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)),
    commands AS (
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              accepted_at_ms)
        SELECT id, command_type, arguments, actor, subject, role, accepted_at_ms
          FROM copies, commands WHERE command_id = $1::uuid
    )
    INSERT INTO dead_letters (command_id, scopes, attempts, reason, history, buried_at_ms, state)
    SELECT id, scopes, attempts, reason, history, buried_at_ms, state
      FROM copies, dead_letters WHERE command_id = $1::uuid
"""
FORGET_COPIES: Final = "UPDATE dead_letters SET state = 'discarded' WHERE command_id <> $1::uuid"


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(msgspec.Struct):
    result: list[_Sample]


class _Answer(msgspec.Struct):
    data: _Result


@dataclass(frozen=True, slots=True)
class Living:
    """The stack, the browser, and tokens of an administrator and of who may create coins."""

    loop: Loop
    browser: Browser
    token: str
    root: str

    @property
    def console(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.loop.environment['GX_CONSOLE_PORT']}"

    @property
    def prometheus(self) -> str:
        """Prometheus' address."""
        return f"http://127.0.0.1:{self.loop.environment['GX_STACK_PROMETHEUS_PORT']}"

    async def ask(self, query: str, *, at_s: int) -> dict[str, float]:
        """Ask Prometheus itself; values by namespace, or by nothing."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(
                f"{self.prometheus}/api/v1/query", data={"query": query, "time": str(at_s)}
            )
        samples = msgspec.json.decode(answer.content, type=_Answer).data.result
        return {each.metric.get("namespace", ""): float(each.value[1]) for each in samples}

    async def mint(self) -> CommandId:
        """Send a command that takes effect, and return its id at once."""
        base = self.loop.url.removesuffix("/api/v1")
        async with open_client(ClientSettings(base_url=base, token=self.root)) as client:
            accepted = await client.mint_coins(
                account_id="SYSTEM_OPERATIONS_FUND", amount=Amount(1_000), remark="for the console"
            )
        return accepted.command_id

    async def give_up(self, *, copies: int = 0) -> CommandId:
        """Have a real command given up, and as many copies of it; the submitter sleeps meanwhile.

        The real one takes effect if it is replayed.
        """
        self.loop.send("outbox-submitter", signal.SIGSTOP)
        try:
            command_id = await self.mint()
            await self.execute(BURY, command_id)
            if copies:
                await self.execute(COPY, command_id, copies)
        finally:
            self.loop.send("outbox-submitter", signal.SIGCONT)
        return command_id

    async def execute(self, statement: str, *arguments: object) -> None:
        """Run a statement in the stack's database."""
        connection = await asyncpg.connect(self.loop.dsn)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()


@asynccontextmanager
async def living() -> AsyncIterator[Living]:
    """Run a stack that nobody uses yet, and a browser."""
    environment = {"GX_STACK_SCRAPE_INTERVAL_S": str(SCRAPE_INTERVAL_S)}
    async with running_loop(environment=environment) as loop, open_browser() as browser:
        token, root = await loop.token("admin", "ops"), await loop.token("super_admin", "root")
        yield Living(loop, browser, token, root)
