"""Private systems to measure: one PostgreSQL server, and any number of loops beside each other.

A loop is a database, a ledger folder and the four processes that serve them: what `gx up` starts,
each an operating-system process of its own, with the settings that ship. They are started one by
one, because some questions are about a part alone.
"""

import asyncio
import contextlib
import os
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import asyncpg
import httpx
import psutil

from gx.api.issuer import Claims, LocalIssuer
from gx.database.connections import ConnectionSettings
from gx.database.embedded import EmbeddedPostgres, PreparedPostgres
from gx.database.migrations import migrate
from gx.database.pool import Pool, PoolSettings
from gx.database.tether import tethered
from gx.domain.roles import TokenRole
from gx.ledger.kinds import LedgerKind
from gx.runtime.clock import SystemClock
from gx.runtime.settings import ApiSettings, Environment

LEDGER: Final = "ledger"
SUBMITTER: Final = "submitter"
PROJECTOR: Final = "projector"
API: Final = "api"
LOOP: Final = (LEDGER, SUBMITTER, PROJECTOR)

SCRAPES: Final = 20

READY_AT: Final = {
    LEDGER: "GX_LEDGER_METRICS_PORT",
    SUBMITTER: "GX_SUBMITTER_METRICS_PORT",
    PROJECTOR: "GX_PROJECTOR_METRICS_PORT",
    API: "GX_API_PORT",
}
"""The setting that says at which port a process tells whether it is ready."""

SCRAPED_AT: Final = {API: "GX_API_METRICS_PORT"}
"""And the one at which it is scraped, where that is another."""

RUN: Final = "from gx.runtime.processes.{part} import run_{part}; run_{part}()"

START_S: Final = 60.0
STOP_S: Final = 30.0
POLL_S: Final = 0.05

# One partner sends everything here, as fast as it can: the limits that protect a service from
# such a client are lifted, everything else is as it ships.
UNLIMITED: Final = {
    "GX_API_RATE_PER_S": "1000000",
    "GX_API_RATE_BURST": "10000000",
    "GX_API_BACKLOG_AGE_MAX_S": "3600",
}


class BenchmarkError(Exception):
    """A part did not start, or did not do what was measured; the text says which and why."""


@dataclass(slots=True)
class Part:
    """A running process of a loop."""

    process: asyncio.subprocess.Process
    log: Path

    def cpu_s(self) -> float:
        """Return the CPU time that it has used, in seconds."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mib(self) -> float:
        """Return its resident memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


@dataclass(slots=True, kw_only=True)
class Loop:
    """One system: its database and its processes, as far as they run."""

    name: str
    folder: Path
    dsn: str
    pool: Pool
    environment: dict[str, str]
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def api_port(self) -> int:
        """Where the API listens while it runs."""
        return int(self.environment["GX_API_PORT"])

    @property
    def keys(self) -> Path:
        """The folder of the token issuer's key; all loops of a server share it."""
        return Path(self.environment["GX_API_KEYS_DIR"])

    @property
    def listening(self) -> ConnectionSettings:
        """How a process of this loop connects outside a pool."""
        return self.pool.settings

    async def start(self, *names: str, **settings: str) -> None:
        """Start processes with these settings, and wait until each says that it is ready."""
        for name in names:
            command = (sys.executable, "-c", RUN.format(part=name))
            self.parts[name] = await self._launch(name, command, settings)
        await asyncio.gather(*(self._until_ready(name) for name in names))

    async def start_other(self, name: str, command: Sequence[str]) -> None:
        """Start a process in the submitter's place, which says where the submitter does."""
        self.parts[name] = await self._launch(name, command, {})
        await self._until_ready(name)

    async def stop_all(self) -> None:
        """Stop what runs, the newest process first."""
        await self.stop(*reversed(self.parts))

    async def stop(self, *names: str) -> None:
        """Stop processes as a supervisor does; one that does not end in time is killed."""
        parts = [self.parts.pop(name) for name in names if name in self.parts]
        for part in parts:
            if part.process.returncode is None:
                part.process.terminate()
        for part in parts:
            try:
                await asyncio.wait_for(part.process.wait(), STOP_S)
            except TimeoutError:
                part.process.kill()
                await part.process.wait()

    def cpu_s(self) -> dict[str, float]:
        """Return each running process's CPU time, by name."""
        return {name: part.cpu_s() for name, part in self.parts.items()}

    def memory_mib(self) -> dict[str, float]:
        """Return each running process's resident memory, by name."""
        return {name: round(part.memory_mib(), 1) for name, part in self.parts.items()}

    async def scrape_ms(self) -> dict[str, float]:
        """Return how long each running process takes to answer Prometheus, in the median."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return {name: await self._scrape_ms(client, name) for name in self.parts}

    async def _scrape_ms(self, client: httpx.AsyncClient, name: str) -> float:
        port = self.environment[SCRAPED_AT.get(name, READY_AT[name])]
        taken_ms = []
        for _ in range(SCRAPES):
            started_s = time.perf_counter()
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
            taken_ms.append((time.perf_counter() - started_s) * 1_000)
            answer.raise_for_status()
        return round(statistics.median(taken_ms), 2)

    def token(self, role: TokenRole) -> str:
        """Sign a token that may act for everybody."""
        settings = ApiSettings()
        issuer = LocalIssuer.open(
            self.keys,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            clock=SystemClock(),
            environment=Environment.DEVNET,
        )
        act_for = ("*",) if role is TokenRole.PARTNER else ()
        return issuer.issue(Claims(subject="benchmark", role=role, act_for=act_for, ttl_s=7_200))

    async def _launch(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> Part:
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *tethered(command),
                env={**self.environment, **settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return Part(process, log)

    async def _until_ready(self, name: str) -> None:
        part = self.parts[name]
        port = self.environment[READY_AT.get(name, READY_AT[SUBMITTER])]
        url = f"http://127.0.0.1:{port}/readyz"
        try:
            await until_answering(url, part.process)
        except BenchmarkError as error:
            raise BenchmarkError(f"the {name} of {self.name}: {error}\n{tail(part.log)}") from error


async def until_answering(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until a process says that it is ready.

    Raises:
        BenchmarkError: it ended, or it takes too long.
    """
    deadline_s = time.monotonic() + START_S
    async with httpx.AsyncClient() as client:
        while not await _answers(client, url):
            if process.returncode is not None:
                raise BenchmarkError(f"it ended with status {process.returncode}")
            if time.monotonic() > deadline_s:
                raise BenchmarkError(f"it was not ready within {START_S:.0f} s")
            await asyncio.sleep(POLL_S)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def tail(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(encoding="utf-8", errors="replace")[-2_000:]


@dataclass(slots=True, kw_only=True)
class Server:
    """The PostgreSQL server that everything is measured on. Open it with `running`."""

    folder: Path
    postgres: PreparedPostgres
    stack: AsyncExitStack

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncIterator[Self]:
        """Run a durable server in a folder of its own; at the end nothing runs any more.

        The server's user has to get through to the folder: else the data lay elsewhere, and
        stayed there when the folder is removed.
        """
        await asyncio.to_thread(folder.chmod, 0o711)
        embedded = EmbeddedPostgres(home=folder / "postgres", port=free_port())
        async with embedded.running() as postgres, AsyncExitStack() as stack:
            yield cls(folder=folder, postgres=postgres, stack=stack)

    @property
    def dsn(self) -> str:
        """The database in which the machine's limit is measured."""
        return self.postgres.socket_dsn

    def cpu_s(self) -> float:
        """Return the CPU time that the server has used, ended backends included."""
        postmaster, *backends = self.processes()
        ended = postmaster.cpu_times()
        total = float(ended.children_user + ended.children_system)
        for process in (postmaster, *backends):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def processes(self) -> list[psutil.Process]:
        """Return the server's processes, its first one first."""
        pid_file = self.postgres.data_folder / "postmaster.pid"
        postmaster = psutil.Process(int(pid_file.read_text(encoding="utf-8").split()[0]))
        return [postmaster, *postmaster.children(recursive=True)]

    async def version(self) -> str:
        """Return the server's version."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    async def open_loop(self, name: str) -> Loop:
        """Make a database and a folder for a loop; none of its processes runs yet."""
        folder = self.folder / name
        ledger = {
            "GX_LEDGER_SOCKET": str(folder / "ledger.sock"),
            "GX_LEDGER_FOLDER": str(folder / "ledger"),
        }
        return await self._open(name, ledger)

    async def open_fabric_loop(self, name: str, profile: Path) -> Loop:
        """Make a database and a folder for a loop on a Fabric channel."""
        ledger = {"GX_LEDGER": LedgerKind.FABRIC.value, "GX_FABRIC_PROFILE": str(profile)}
        return await self._open(name, ledger)

    async def open_replica(self, name: str, original: Loop) -> Loop:
        """Make an empty database for another projection of the original's ledger."""
        return await self._open(
            name, {"GX_LEDGER_SOCKET": original.environment["GX_LEDGER_SOCKET"]}
        )

    async def forget(self, loop: Loop) -> None:
        """Stop what runs of a loop and drop its database."""
        await loop.stop_all()
        await loop.pool.close()
        await self.drop_database(loop.name)

    async def _open(self, name: str, ledger: Mapping[str, str]) -> Loop:
        dsn = await self.create_database(name)
        await migrate(dsn)
        folder = self.folder / name
        folder.mkdir()
        pool = await Pool.open(PoolSettings(dsn=dsn, application_name="benchmark"))
        keys = {"GX_API_KEYS_DIR": str(self.folder / "keys")}
        environment = {**_environment(folder, dsn), **keys, **ledger}
        loop = Loop(name=name, folder=folder, dsn=dsn, pool=pool, environment=environment)
        self.stack.push_async_callback(pool.close)
        self.stack.push_async_callback(loop.stop_all)
        return loop

    async def create_database(self, name: str) -> str:
        """Make an empty database; return how to connect to it."""
        await self._administer(f'CREATE DATABASE "{name}"')
        path, question, query = self.dsn.partition("?")
        return f"{path.rpartition('/')[0]}/{name}{question}{query}"

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        await self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


_found_ports: Final = set[int]()


def free_port() -> int:
    """Find a port that nobody has now, and that was not found before: its finder may be slow."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _found_ports:
            _found_ports.add(port)
            return port


def _environment(folder: Path, dsn: str) -> dict[str, str]:
    ports = (
        "GX_API_PORT",
        "GX_API_METRICS_PORT",
        "GX_LEDGER_METRICS_PORT",
        "GX_SUBMITTER_METRICS_PORT",
        "GX_PROJECTOR_METRICS_PORT",
    )
    return {
        **inherited(os.environ),  # noqa: TID251 (a child's environment)
        **{name: str(free_port()) for name in ports},
        **UNLIMITED,
        "GX_DATABASE_DSN": dsn,
        "GX_DATA_DIR": str(folder),
        "GX_LOG_LEVEL": "WARNING",
    }


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep settings of whoever runs the benchmark out of what is measured."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("GX_") and name != "DATABASE_URL"
    }
