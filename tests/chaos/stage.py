"""Where faults happen: a staged stack, its clients, and every handle that a fault may turn."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import psutil

from gx.ledger.kinds import LedgerKind
from tests.chaos.clocks import Clocks, faketime_prefix, find_faketime, swept_shared_memory
from tests.chaos.disks import Disk, LimitedFiles, mounted
from tests.chaos.driver import Driver
from tests.chaos.faults.kind import LEASE_S, WORKERS, FaultImpossibleError
from tests.chaos.guard import guarded
from tests.chaos.proxy import Link, Proxy, to_port, to_socket
from tests.chaos.scenes import a_driver
from tests.chaos.stack import Staging, Standby, Way
from tests.end_to_end.loop import Loop, loop_in
from tests.fabric.native import PORTS as FABRIC_PORTS
from tests.fabric.networks import free_ports, network_in
from tests.fabric.programs import path_with, require_programs
from tests.ports import free_port
from tests.upgrade.previous import environment_of, load_previous, unpacked

IS_CI: Final = bool(os.environ.get("CI"))  # noqa: TID251 (tests have no settings)
STACK: Final = ("-m", "tests.chaos.stack")
PORT_SETTINGS: Final = {
    "outbox-submitter": "GX_SUBMITTER_METRICS_PORT",
    "projector": "GX_PROJECTOR_METRICS_PORT",
}
CONNECT_WITHIN_S: Final = 60.0
PATIENCE_S: Final = 100.0
CLOCKS_OF: Final = (*WORKERS, *(f"{name}-b" for name in WORKERS), "api", "ledger")
PEER_PORTS: Final = (3, 6)
"""Where the peers' own ports stand among a network's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running stack, and how to hurt it. A worker is called by its name, whichever is active."""

    ledger: LedgerKind
    loop: Loop
    driver: Driver
    links: Mapping[str, Link]
    disks: Mapping[str, Disk]
    clocks: Clocks
    chain: Path

    # ------------------------------------------------------------ processes

    async def send(self, name: str, number: signal.Signals) -> Sequence[psutil.Process]:
        """Send a signal to a process and its children, once it runs; return those that got it."""
        async with asyncio.timeout(CONNECT_WITHIN_S):
            while True:
                reached = _signal_family(self.loop.pid_of(await self.active(name)), number)
                if reached:
                    return reached
                await asyncio.sleep(0.05)

    def signal_one(self, name: str, number: signal.Signals) -> int | None:
        """Send a signal to a process alone, and return its id; None if it does not run now."""
        pid = self.loop.pid_of(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def wake(self, stopped: Sequence[psutil.Process]) -> None:
        """Let stopped processes go on."""
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    async def active(self, name: str) -> str:
        """Return which of a worker and its standby holds the lease; the worker if nobody knows."""
        if name not in WORKERS:
            return name
        try:
            async with asyncio.timeout(2), self.database() as connection:
                rows = await connection.fetch("SELECT holder FROM leases")
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return name
        holders = {str(row[0]).split(":")[-2] for row in rows}
        standby = f"{name}-b"
        return standby if str(self.loop.pid_of(standby)) in holders else name

    @contextmanager
    def nobody_restarts(self) -> Iterator[None]:
        """Hold the supervisor, so that what dies meanwhile stays dead."""
        state = json.loads((self.loop.folder / "run" / "stack.json").read_text())
        supervisor = psutil.Process(state["supervisor_pid"])
        supervisor.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            supervisor.send_signal(signal.SIGCONT)

    async def kill_for_good(self, name: str) -> None:
        """Kill a process and wait until it has let go of its files; hold the supervisor before."""
        killed = _signal_family(self.loop.pid_of(name), signal.SIGKILL)
        async with asyncio.timeout(CONNECT_WITHIN_S):
            while any(map(_is_running, killed)):  # noqa: ASYNC110 (a process that is not ours)
                await asyncio.sleep(0.02)

    # ------------------------------------------------------------ the rest

    @asynccontextmanager
    async def database(self, name: str = "gx") -> AsyncIterator[asyncpg.Connection]:
        """Connect past every proxy, as soon as the database lets us in."""
        connection = await _connect(self.loop.dsn.removesuffix("gx") + name)
        try:
            yield connection
        finally:
            connection.terminate()

    async def link(self, name: str) -> Link:
        """Return the link from a process, the active one of its kind, to what it uses."""
        process, _, other = name.rpartition("-")
        return self.links[f"{await self.active(process)}-{other}"]

    async def gx(self, *arguments: str) -> tuple[int, str]:
        """Run a subcommand of gx and return its exit status and standard output."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gx.cli.main", *arguments),
            env=dict(self.loop.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    def logged(self, *events: str) -> int:
        """Count what the loop's processes said, in what is left of their logs."""
        marks = [f'"{event}"'.encode() for event in events]
        logs = (self.loop.folder / "log").glob("*.log*")
        return sum(data.count(mark) for data in map(Path.read_bytes, logs) for mark in marks)


async def _connect(dsn: str) -> asyncpg.Connection:
    async with asyncio.timeout(CONNECT_WITHIN_S):
        while True:
            try:
                return await asyncpg.connect(dsn, timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)


def _signal_family(pid: int | None, number: signal.Signals) -> Sequence[psutil.Process]:
    if pid is None:
        return ()
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return ()
    reached = []
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.send_signal(number)
            reached.append(member)
    return reached


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---------------------------------------------------------------- building it


@dataclass(slots=True)
class _Set:
    """What is put together before the stack starts."""

    stack: AsyncExitStack
    root: Path
    ledger: LedgerKind
    seed: int
    environment: dict[str, str]
    links: dict[str, Link]
    ways: dict[str, Way]
    fabric_ports: Sequence[int] = ()

    @property
    def folder(self) -> Path:
        """Return the stack's own folder."""
        return self.root / "var"

    async def lead(self, name: str, clocks: Clocks) -> None:
        """Lead a process to the database and to the ledger through proxies of its own."""
        port = free_port()
        server = to_port(int(self.environment["GX_STACK_POSTGRES_PORT"]))
        database = Proxy(server, seed=f"{self.seed}/{name}/database")
        await self.stack.enter_async_context(database.on_port(port))
        self.links[f"{name}-database"] = Link([database])
        peers = {original: free_port() for original in self._peers()}
        environment = {} if peers else {"GX_LEDGER_SOCKET": await self._to_ledger(name)}
        if peers:
            self.links[f"{name}-ledger"] = Link(
                [await self._to_peer(original, own, name) for original, own in peers.items()]
            )
        self.ways[name] = Way(
            database_port=port,
            peer_ports=peers,
            environment=environment,
            clock_file=str(clocks.file(name)),
        )

    def _peers(self) -> Sequence[int]:
        return [self.fabric_ports[place] for place in PEER_PORTS] if self.fabric_ports else []

    async def _to_peer(self, original: int, own: int, name: str) -> Proxy:
        proxy = Proxy(to_port(original), seed=f"{self.seed}/{name}/{original}")
        return await self.stack.enter_async_context(proxy.on_port(own))

    async def _to_ledger(self, name: str) -> str:
        proxy = Proxy(to_socket(self.folder / "run" / "ledger.sock"), seed=f"{self.seed}/{name}")
        socket = self.root / f"{name}.sock"
        self.links[f"{name}-ledger"] = Link(
            [await self.stack.enter_async_context(proxy.on_socket(socket))]
        )
        return str(socket)


@asynccontextmanager
async def a_stage(
    ledger: LedgerKind, seed: int, *, rate_per_s: float, with_previous: bool = False
) -> AsyncIterator[Stage]:
    """Start a staged stack with standbys, ready and with funds; stop all of it at the end.

    With `with_previous` the standbys are of the release before this one.
    """
    async with AsyncExitStack() as stack:
        name = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="gx-loop-", ignore_cleanup_errors=True)
        )
        stack.enter_context(swept_shared_memory())
        await stack.enter_async_context(guarded(Path(name)))
        Path(name).chmod(0o755)  # noqa: ASYNC240 (nothing else runs yet)
        fabric_ports = free_ports() if ledger is LedgerKind.FABRIC else ()
        environment = _environment(fabric_ports)
        prepared = _Set(stack, Path(name), ledger, seed, environment, {}, {}, fabric_ports)
        clocks = Clocks(prepared.root / "clocks")
        disks = {each: await _a_disk(prepared, each) for each in ("postgres", "ledger")}
        code: Mapping[str, str] = {}
        if with_previous:
            code = environment_of(stack.enter_context(unpacked(load_previous())))
        staging = await _staging(prepared, clocks, code)
        file = prepared.root / "staging.json"
        file.write_bytes(msgspec.json.encode(staging))
        loop = await stack.enter_async_context(
            loop_in(prepared.folder, (str(file),), environment, program=STACK)
        )
        driver = await a_driver(loop, seed, rate_per_s=rate_per_s)
        driver.patience_s = PATIENCE_S
        await driver.prepare()
        yield Stage(
            ledger=ledger,
            loop=loop,
            driver=driver,
            links=prepared.links,
            disks={each: disk or _limits(loop, each) for each, disk in disks.items()},
            clocks=clocks,
            chain=_chain(prepared, loop),
        )


def _environment(fabric_ports: Sequence[int]) -> dict[str, str]:
    own = {
        "GX_SUBMITTER_LEASE_S": f"{LEASE_S:g}",
        "GX_PROJECTOR_LEASE_S": f"{LEASE_S:g}",
        "GX_STACK_POSTGRES_PORT": str(free_port()),
        "GX_API_LEEWAY_S": "60",  # of tokens: the API's clock is set back
    }
    if not fabric_ports:
        return own
    named = zip(FABRIC_PORTS, fabric_ports, strict=True)
    ports = {f"GX_FABRIC_NETWORK_{name}": str(port) for name, port in named}
    return {**own, **ports, "PATH": path_with(require_programs())}


async def _a_disk(prepared: _Set, name: str) -> Disk | None:
    return await prepared.stack.enter_async_context(mounted(prepared.folder / name))


def _limits(loop: Loop, name: str) -> Disk:
    def family() -> Sequence[psutil.Process]:
        pid = loop.pid_of(name)
        try:
            process = psutil.Process(pid or -1)
            return [process, *process.children(recursive=True)]
        except (psutil.NoSuchProcess, ValueError):
            return ()

    return LimitedFiles(family)


async def _staging(prepared: _Set, clocks: Clocks, code: Mapping[str, str]) -> Staging:
    standbys = [
        Standby(
            name=f"{name}-b",
            beside=name,
            port_setting=setting,
            port=free_port(),
            environment=dict(code),
        )
        for name, setting in PORT_SETTINGS.items()
    ]
    for name in CLOCKS_OF[:-1]:
        await prepared.lead(name, clocks)
    prepared.ways["ledger"] = Way(clock_file=str(clocks.file("ledger")))
    library = await asyncio.to_thread(find_faketime, prepared.root)
    if library is not None:
        prefix = faketime_prefix(library, clocks.file("postgres"))
        prepared.ways["postgres"] = Way(prefix=tuple(prefix))
    elif IS_CI:
        raise FaultImpossibleError("CI needs libfaketime: apt-get must be able to fetch it")
    return Staging(ledger=prepared.ledger, ways=prepared.ways, standbys=tuple(standbys))


def _chain(prepared: _Set, loop: Loop) -> Path:
    if prepared.ledger is LedgerKind.LOCAL:
        return loop.ledger_file
    return network_in(loop.folder / "fabric", prepared.fabric_ports).connection_profile
