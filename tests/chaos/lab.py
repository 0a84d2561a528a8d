"""A small world for one planted bug: real processes, a real database and ledger, few commands.

What clients send goes through the same inbox as the API's; everything that they are told is noted
for the judge. Nothing here is random, and nothing depends on how fast the machine is.
"""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from gx.database.pool import Pool, PoolSettings
from gx.domain.catalogue import COMMANDS
from gx.domain.clock import Clock
from gx.domain.roles import LedgerRole
from gx.outbox.command_ids import CommandIds
from gx.outbox.ports import Acceptance, NewCommand
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.runtime.clock import SystemClock
from tests.chaos.notes import Request
from tests.chaos.nursery import Child, begin, begin_judge
from tests.chaos.proxy import Proxy, to_port, to_socket
from tests.ports import free_port

PATIENCE_S: Final = 180.0
HOPELESS_S: Final = 2.0
COIN: Final = 100_000_000
FUNDS: Final = 10_000 * COIN
_POLL_S: Final = 0.02
_ENVIRONMENT: Final = {
    "GX_API_METRICS_PORT": "0",
    "GX_LEDGER_METRICS_PORT": "0",
    "GX_PROJECTOR_METRICS_PORT": "0",
    "GX_SUBMITTER_METRICS_PORT": "0",
    "GX_PROJECTOR_LEASE_S": "5",
    "GX_SUBMITTER_LEASE_S": "5",
    "GX_SUBMITTER_VERDICT_TIMEOUT_S": "0.5",
}
_SETTLED: Final = "SELECT count(*) FROM command_results WHERE command_id = ANY ($1::uuid[])"
_LEFT: Final = "SELECT count(*) FROM outbox"
_BEHIND: Final = """
    SELECT coalesce(max(block_number), -1)
           > coalesce((SELECT max(block_number) FROM projection_checkpoints), -1)
      FROM command_results
"""


@dataclass(slots=True)
class Lab:
    """What runs in it, and what was noted."""

    folder: Path
    dsn: str
    accepted: dict[str, str] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)
    verdict: list[str] | None = None
    """The judge's, where a scene had to ask for it itself."""

    @property
    def ledger_file(self) -> Path:
        """The embedded ledger's store."""
        return self.folder / "ledger" / "ledger.sqlite"

    @property
    def socket(self) -> Path:
        """Where the ledger listens."""
        return self.folder / "ledger.sock"

    @property
    def link(self) -> Path:
        """Where a proxy listens for those who want the ledger."""
        return self.folder / "link.sock"

    # ------------------------------------------------------------ processes

    def start(self, program: str, *plants: str, **settings: object) -> Child:
        """Start a program; settings by their names without `GX_`, in lower case."""
        environment = {
            **_ENVIRONMENT,
            "GX_DATABASE_DSN": self.dsn,
            "GX_LEDGER_FOLDER": str(self.folder / "ledger"),
            "GX_LEDGER_SOCKET": str(self.socket),
            "GX_API_KEYS_DIR": str(self.folder / "keys"),
            **{f"GX_{name.upper()}": str(value) for name, value in settings.items()},
        }
        log = self.folder / f"{len(self.children)}-{program}.log"
        child = begin(program, plants, environment, log)
        self.children.append(child)
        return child

    async def start_ledger(self, *plants: str) -> Child:
        """Start the ledger and wait until it listens."""
        child = self.start("ledger", *plants)
        await until(lambda: child.says("ledger_opened"), "ledger that listens")
        return child

    async def bootstrap(self, *accounts: str) -> None:
        """Have a ledger with coins on these accounts, and no submitter."""
        submitter = self.start("submitter")
        await self.accept("BOOTSTRAP_SYSTEM", {}, actor="root", role=LedgerRole.SUPER_ADMIN)
        for account in accounts:
            await self.mint(account)
        await self.until_settled()
        await asyncio.to_thread(submitter.end, signal.SIGTERM)

    def close(self) -> None:
        """End everything that runs."""
        for child in self.children:
            child.end()

    @asynccontextmanager
    async def link_to_ledger(self) -> AsyncIterator[Proxy]:
        """Have a way to the ledger that can be spoiled."""
        async with Proxy(to_socket(self.socket)).on_socket(self.link) as proxy:
            yield proxy

    @asynccontextmanager
    async def link_to_database(self) -> AsyncIterator[tuple[Proxy, str]]:
        """Have a way to the database that can be spoiled, and its address."""
        parts, port = urlsplit(self.dsn), free_port()
        assert parts.port is not None
        address = self.dsn.replace(f":{parts.port}/", f":{port}/")
        async with Proxy(to_port(parts.port)).on_port(port) as proxy:
            yield proxy, address

    # ------------------------------------------------------------ what clients send

    async def mint(self, account: str, *, clock: Clock | None = None) -> str:
        """Give an account coins, through an API with this clock."""
        arguments = {"accountId": account, "amount": str(FUNDS), "remark": "planted"}
        role = LedgerRole.SUPER_ADMIN
        return await self.accept("MINT_COINS", arguments, actor="root", role=role, clock=clock)

    async def transfer(self, sender: str, receiver: str) -> str:
        """Send a coin from one account to another."""
        (command_id,) = await self.transfers(sender, receiver, count=1)
        return command_id

    async def transfers(self, sender: str, receiver: str, *, count: int) -> Sequence[str]:
        """Send so many coins, each by itself."""
        arguments = {
            "fromId": sender,
            "toId": receiver,
            "amount": str(COIN),
            "remark": "planted",
        }
        role = LedgerRole.PARTNER_API
        commands = [_command("TRANSFER_TOKENS", arguments, sender, role)] * count
        return await self._store(commands, SystemClock())

    async def accept(
        self,
        command_type: str,
        arguments: Mapping[str, str],
        *,
        actor: str,
        role: LedgerRole,
        clock: Clock | None = None,
    ) -> str:
        """Store a command as an API with this clock does, and note its id."""
        command = _command(command_type, arguments, actor, role)
        (command_id,) = await self._store([command], clock or SystemClock())
        return command_id

    async def _store(self, commands: Sequence[NewCommand], clock: Clock) -> Sequence[str]:
        """Store them under keys that nobody used. A database that is to be copied has no guests."""
        first = len(self.accepted)
        keyed = [replace(each, key_hash=_key(first + n)) for n, each in enumerate(commands)]
        pool = await Pool.open(PoolSettings(dsn=self.dsn, application_name="client"))
        try:
            inbox = PostgresCommandInbox(pool, new_id=CommandIds(clock, os.urandom))
            answers = await inbox.accept(keyed)
        finally:
            await pool.close()
        ids = [answer.command_id for answer in answers if isinstance(answer, Acceptance)]
        assert len(ids) == len(commands), answers
        self.accepted.update((each, f"key {first + n}") for n, each in enumerate(ids))
        self.requests.update(zip(ids, map(_request, keyed), strict=True))
        return ids

    # ------------------------------------------------------------ looking

    async def ask(self, statement: str, *arguments: object) -> object:
        """Return the first cell of a statement's answer."""
        connection = await asyncpg.connect(self.dsn)
        try:
            answer: object = await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()
        return answer

    async def execute(self, statements: str) -> None:
        """Run statements that answer nothing."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    @property
    def database(self) -> str:
        """The database's name."""
        return urlsplit(self.dsn).path.removeprefix("/")

    def address_of(self, database: str) -> str:
        """Return the address of another database of the same server."""
        return urlsplit(self.dsn)._replace(path=f"/{database}").geturl()

    async def administer(self, statement: str) -> None:
        """Run a statement about the database, from outside it."""
        connection = await asyncpg.connect(self.address_of("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def until_settled(self, *command_ids: str) -> None:
        """Wait until these commands have an answer, all of them if none is named."""
        wanted = list(command_ids or self.accepted)

        async def are_settled() -> bool:
            return await self.ask(_SETTLED, wanted) == len(wanted)

        await until(are_settled, f"answer to each of {len(wanted)} commands")

    async def until_quiet(self, *, gives_up: bool = False) -> None:
        """Wait until nothing waits and what is settled is projected.

        Where a bug keeps that from ever happening, giving up after a while is no risk: a judge who
        comes too early finds more faults, not fewer.
        """

        async def is_quiet() -> bool:
            return await self.ask(_LEFT) == 0 and not await self.ask(_BEHIND)

        if gives_up:
            await asyncio.sleep(HOPELESS_S)
        else:
            await until(is_quiet, "quiet")

    async def judge(self) -> list[str]:
        """Have the judge recount everything, and return the faults that it names."""
        notes, answer = self.folder / "notes.json", self.folder / "finding.json"
        told = {
            "accepted": self.accepted,
            "requests": self.requests,
            "prior": [],
            **self.notes,
        }
        notes.write_bytes(msgspec.json.encode(told))
        answer.unlink(missing_ok=True)
        child = begin_judge(self.dsn, self.ledger_file, notes, answer)
        await until(lambda: not child.is_alive(), "verdict")
        assert answer.exists(), child.log()
        return [str(fault) for fault in json.loads(answer.read_text())["faults"]]


def _command(
    command_type: str, arguments: Mapping[str, str], actor: str, role: LedgerRole
) -> NewCommand:
    return NewCommand(
        command_type=command_type,
        arguments=arguments,
        actor=actor,
        subject=actor,
        role=role,
        scopes=COMMANDS[command_type].scopes(arguments, actor),
    )


def _request(command: NewCommand) -> Request:
    return Request(
        type=command.command_type,
        arguments=dict(command.arguments),
        actor=command.actor,
        key_hash=command.key_hash,
    )


def _key(number: int) -> str:
    return hashlib.sha256(f"planted {number}".encode()).hexdigest()


async def until(holds: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: It does not within `PATIENCE_S`.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise AssertionError(f"no {what} within {PATIENCE_S} s") from None
