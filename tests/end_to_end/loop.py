"""The whole loop as `gx up` runs it, in a folder of its own and on ports of its own."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

from gx.database.tether import tethered
from tests.ports import free_port

START_S: Final = 180.0
"""How long a loaded machine may take, where the first start fetches the programs, too."""

POLL_S: Final = 0.1
MIX: Final = "transfer=70,mint=10,create_user=10,overdraw=10"
TRAFFIC_MAX_S: Final = 600
GX_UP: Final = ("-m", "gx.cli.main", "up")
PORTS: Final = (
    "GX_STACK_POSTGRES_PORT",
    "GX_STACK_VALKEY_PORT",
    "GX_STACK_PROMETHEUS_PORT",
    "GX_STACK_ALERTMANAGER_PORT",
    "GX_STACK_BLACKBOX_PORT",
    "GX_STACK_POSTGRES_EXPORTER_PORT",
    "GX_STACK_NODE_EXPORTER_PORT",
    "GX_STACK_REDIS_EXPORTER_PORT",
    "GX_CONSOLE_PORT",
    "GX_STACK_DEADMAN_PORT",
    "GX_API_PORT",
    "GX_API_METRICS_PORT",
    "GX_LEDGER_METRICS_PORT",
    "GX_SUBMITTER_METRICS_PORT",
    "GX_PROJECTOR_METRICS_PORT",
)


class LoopFailedError(Exception):
    """The loop did not start, or ended by itself; its log says why."""


class Loop:
    """A running stack: who is in it, and how to hurt it."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], process: asyncio.subprocess.Process
    ) -> None:
        self.folder = folder
        self.environment = environment
        self._process = process

    @property
    def url(self) -> str:
        """The API's base address."""
        return f"http://127.0.0.1:{self.environment['GX_API_PORT']}/api/v1"

    @property
    def dsn(self) -> str:
        """The database, by TCP."""
        password = (self.folder / "postgres" / "password").read_text().strip()
        port = self.environment["GX_STACK_POSTGRES_PORT"]
        return f"postgresql://gx:{password}@127.0.0.1:{port}/gx"

    @property
    def ledger_file(self) -> Path:
        """The embedded ledger's store."""
        return self.folder / "ledger" / "ledger.sqlite"

    async def token(self, role: str, subject: str, *options: str) -> str:
        """Have the local issuer sign a token."""
        output = await self.gx("token", "--role", role, "--subject", subject, *options, "--json")
        return str(json.loads(output)["token"])

    def pid_of(self, name: str) -> int | None:
        """Return the process that now stands under this name."""
        state = json.loads((self.folder / "run" / "stack.json").read_text())
        for item in state["items"]:
            if item["name"] == name and item["pid"] is not None:
                return int(item["pid"])
        return None

    def restarts(self) -> dict[str, int]:
        """Tell how often each process was started again."""
        state = json.loads((self.folder / "run" / "stack.json").read_text())
        return {item["name"]: item["restarts"] for item in state["items"]}

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a process and its children; False if it is not running now."""
        pid = self.pid_of(name)
        if pid is None:
            return False
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            for member in family:
                member.send_signal(number)
        except psutil.NoSuchProcess:
            return False
        return True

    def log_tail(self, lines: int = 40) -> str:
        """Return the end of what the supervisor said."""
        text = (self.folder / "up.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    async def gx(self, *arguments: str) -> str:
        """Run a subcommand of gx against this loop and return its standard output."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gx.cli.main", *arguments),
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            raise LoopFailedError(f"gx {arguments}: {errors.decode()}{output.decode()}")
        return output.decode()

    async def until_ready(self) -> None:
        """Wait until every process of the loop is ready."""
        async with asyncio.timeout(START_S):
            while not self._is_ready():
                if self._process.returncode is not None:
                    raise LoopFailedError(self.log_tail())
                await asyncio.sleep(POLL_S)

    def _is_ready(self) -> bool:
        try:
            state = json.loads((self.folder / "run" / "stack.json").read_text())
        except FileNotFoundError:
            return False
        return bool(state["items"]) and all(
            item["state"] in {"ready", "done"} for item in state["items"]
        )


@asynccontextmanager
async def running_loop(
    *options: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Loop]:
    """Start `gx up` with an empty folder, bootstrapped; stop it and all of it at the end.

    pytest's own folders are closed to the database's user, who would have to go elsewhere.
    """
    with tempfile.TemporaryDirectory(prefix="gx-loop-", ignore_cleanup_errors=True) as name:
        await asyncio.to_thread(Path(name).chmod, 0o755)
        async with loop_in(Path(name) / "var", options, environment or {}) as loop:
            yield loop


@asynccontextmanager
async def loop_in(
    folder: Path,
    options: Sequence[str],
    environment: Mapping[str, str],
    *,
    program: Sequence[str] = GX_UP,
) -> AsyncIterator[Loop]:
    """Start `gx up` on this folder, with whatever an earlier one left there; stop it at the end.

    Ports that the environment does not name are free ones. Another `program` is one that runs a
    stack as `gx up` does.
    """
    settings = {name: str(free_port()) for name in PORTS}
    full = {
        **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},  # noqa: TID251 (a child's)
        **settings,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # noqa: TID251 (a child's)
        "GX_DATA_DIR": str(folder),
        **environment,
    }
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with await asyncio.to_thread((folder / "up.log").open, "wb") as log:
        process = await asyncio.create_subprocess_exec(
            # The supervisor ends its own children only if it is asked to.
            *tethered((sys.executable, *program, *options), death_signal=signal.SIGTERM),
            env=full,
            stdout=log,
            stderr=log,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    loop = Loop(folder, full, process)
    try:
        await loop.until_ready()
        yield loop
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), timeout=60)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def traffic(loop: Loop, *, rate_per_s: int) -> AsyncIterator[None]:
    """Send commands that move every panel, until the block ends."""
    options = ("--rate", str(rate_per_s), "--duration", f"{TRAFFIC_MAX_S}s", "--mix", MIX)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gx.cli.main", "load", *options),
        env=dict(loop.environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
