"""This release's processes beside a stack of another one: started, hurt, and asked."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import psutil

from tests.end_to_end.loop import Loop
from tests.ports import free_port

PATIENCE_S: Final = 120.0
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "outbox-submitter": ("outbox", "submit"),
    "projector": ("projection", "run"),
    "api": ("api", "serve"),
}
HOLDERS: Final = "SELECT name, holder, epoch FROM leases WHERE expires_at > clock_timestamp()"


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await holds():
        assert time.monotonic() < deadline_s, f"it never came to hold: {what}"
        await asyncio.sleep(0.1)


@dataclass(slots=True)
class Newer:
    """This release's processes on another stack's database and ledger, with ports of their own."""

    loop: Loop
    environment: dict[str, str]
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The base address of this release's API."""
        return f"http://127.0.0.1:{self.environment['GX_API_PORT']}/api/v1"

    @property
    def probes(self) -> Mapping[str, str]:
        """Where each process says whether it is ready."""
        ports = {
            "outbox-submitter": "GX_SUBMITTER_METRICS_PORT",
            "projector": "GX_PROJECTOR_METRICS_PORT",
            "api": "GX_API_PORT",
        }
        return {
            name: f"http://127.0.0.1:{self.environment[port]}/readyz"
            for name, port in ports.items()
        }

    async def start(self, *names: str) -> None:
        """Start processes; they are not awaited."""
        for name in names:
            with await asyncio.to_thread(self.log_of(name).open, "ab") as log:
                self.processes[name] = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "gx.cli.main", *COMMANDS[name]),
                    env=self.environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    async def end(self, number: signal.Signals, *names: str) -> None:
        """End processes and wait for it."""
        for name in names:
            process = self.processes[name]
            if process.returncode is None:
                process.send_signal(number)
        for name in names:
            await self.processes[name].wait()

    async def until_ready(self, *names: str) -> None:
        """Wait until these processes may get work."""
        for name in names:
            await eventually(lambda name=name: self._is_ready(name), f"{name} is ready")  # type: ignore[misc]  # mypy cannot infer a default

    async def _is_ready(self, name: str) -> bool:
        log = self.log_of(name).read_text(errors="replace")
        assert self.processes[name].returncode is None, log
        return (await self.readiness(name)).get("ok") is True

    async def readiness(self, name: str) -> Mapping[str, object]:
        """Return what a process says of itself; nothing while it does not answer."""
        async with httpx.AsyncClient() as client:
            try:
                answer: Mapping[str, object] = (await client.get(self.probes[name])).json()
            except (httpx.TransportError, json.JSONDecodeError):
                return {}
            return answer

    def log_of(self, name: str) -> Path:
        """Where a process writes."""
        return self.loop.folder / f"newer-{name}.log"


@asynccontextmanager
async def beside(loop: Loop) -> AsyncIterator[Newer]:
    """Let this release's processes join a stack; whatever still runs at the end is stopped."""
    ports = ("GX_SUBMITTER_METRICS_PORT", "GX_PROJECTOR_METRICS_PORT", "GX_API_PORT")
    environment = {
        **{name: value for name, value in loop.environment.items() if name != "PYTHONPATH"},
        **{name: str(free_port()) for name in (*ports, "GX_API_METRICS_PORT")},
        "GX_DATABASE_DSN": loop.dsn,
        "GX_LEDGER_SOCKET": str(loop.folder / "run" / "ledger.sock"),
        "GX_API_KEYS_DIR": str(loop.folder / "keys"),
    }
    newer = Newer(loop, environment)
    try:
        yield newer
    finally:
        await newer.end(signal.SIGTERM, *newer.processes)


async def holders(dsn: str) -> Mapping[str, int]:
    """Return the process that holds each lease, by the lease's name."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(HOLDERS)
    finally:
        await connection.close()
    return {row["name"]: int(row["holder"].split(":")[1]) for row in rows}


def release_of(pid: int) -> str | None:
    """Return the folder whose code a process runs, None for the checkout's or an ended process."""
    try:
        return psutil.Process(pid).environ().get("PYTHONPATH")
    except psutil.NoSuchProcess:
        return None
