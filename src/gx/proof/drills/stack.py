"""A real stack for drills: the whole loop as `gx up` runs it, and a scaled monitoring beside it.

Everything listens on free ports of loopback and keeps its data in one temporary folder. Every
process is tied to this one: whatever ends it ends them.
"""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import msgspec
import psutil

from gx.api.issuer import Claims, LocalIssuer
from gx.database.tether import tethered
from gx.domain.errors import GxError
from gx.domain.roles import TokenRole
from gx.monitoring.alertmanager.routing import Pace
from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.alerts.watching import NOTIFICATIONS_FAIL, TARGET_DOWN, WATCHDOG
from gx.monitoring.model import Severity
from gx.monitoring.scaling import Scale
from gx.proof.drills.monitoring import DEADMAN, DEADMAN_FILE, Monitoring, write_monitoring
from gx.proof.drills.numbers import healthy
from gx.proof.drills.places import Places
from gx.proof.drills.spoken import Statement
from gx.proof.drills.voices import VOICES
from gx.proof.sink import Sink
from gx.runtime.clock import SystemClock
from gx.runtime.process import ItemState
from gx.runtime.settings import ApiSettings, Environment, StackSettings, load
from gx.runtime.stack import StackFolder
from gx.runtime.tools import Program, Toolbox, find_tools

START_MAX_S: Final = 600.0
STOP_MAX_S: Final = 60.0
_POLL_S: Final = 0.1
_TAIL_LINES: Final = 20
_ASK_MAX_S: Final = 10.0
_ORDER_MAX_S: Final = 120.0
_TOKEN_TTL_S: Final = 86_400
SLOW_BURNS: Final = frozenset(
    alert.name for alert in BURN_ALERTS if alert.severity is Severity.WARNING
)
"""What a start that took long makes fire, and goes on for hours of scaled time."""
_BEFORE_ALERTMANAGER: Final = {
    WATCHDOG.name,
    TARGET_DOWN.name,
    NOTIFICATIONS_FAIL.name,
    *SLOW_BURNS,
}
_READY: Final = {
    "prometheus": "/-/ready",
    "alertmanager": "/-/ready",
    "blackbox": "/-/healthy",
    "postgres_exporter": "/",
    DEADMAN: "/readyz",
}


class _Alert(msgspec.Struct):
    labels: dict[str, str]


class _Alerts(msgspec.Struct):
    alerts: list[_Alert]


class _Answer(msgspec.Struct):
    data: _Alerts


class DrillStackError(GxError):
    """The stack for drills cannot start, or a part of it is gone; the text says which and why."""


@dataclass(slots=True, kw_only=True)
class DrillStack:
    """A running stack: its places, its receivers, and how to hurt it."""

    places: Places
    sink: Sink
    monitoring: Monitoring
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    told_wrong: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What a drill has a program be told at its next start, by the program's name."""

    @property
    def folder(self) -> StackFolder:
        """The loop's own files."""
        return StackFolder(self.places.data)

    def token(self, role: TokenRole) -> str:
        """Issue a token of the loop's local issuer."""
        settings = ApiSettings.model_construct()
        issuer = LocalIssuer.open(
            self.places.data / "keys",
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            clock=SystemClock(),
            environment=Environment.DEVNET,
        )
        return issuer.issue(Claims(subject="drill", role=role, act_for=(), ttl_s=_TOKEN_TTL_S))

    def pid_of(self, name: str) -> int | None:
        """Return the process that stands under a name now; None while there is none."""
        if name in self.processes:
            return self.processes[name].pid
        state = self.folder.read()
        for item in state.items if state else ():
            if item.name == name:
                return item.pid
        return None

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process of the stack and to its children; none of it may be there."""
        pid = self.pid_of(name)
        if pid is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.send_signal(number)

    @property
    def dsn(self) -> str:
        """The loop's database, by TCP."""
        password = (self.places.data / "postgres" / "password").read_text().strip()
        return f"postgresql://gx:{password}@127.0.0.1:{self.places.ports['postgres']}/gx"

    async def say(self, voice: str, statements: Sequence[Statement]) -> None:
        """Have a stand-in say these numbers from now on."""
        body = msgspec.json.encode(statements)
        async with httpx.AsyncClient(trust_env=False, timeout=_ORDER_MAX_S) as client:
            answer = await client.post(f"{self.places.url(voice)}/say", content=body)
            answer.raise_for_status()

    async def reload(self, name: str) -> bool:
        """Have Prometheus or Alertmanager read its configuration again; False if it refuses."""
        async with httpx.AsyncClient(trust_env=False, timeout=_ORDER_MAX_S) as client:
            return (await client.post(f"{self.places.url(name)}/-/reload")).is_success

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect to the loop's database."""
        return await asyncpg.connect(self.dsn)

    async def start(self, name: str) -> None:
        """Start a program of the monitoring (again) and wait until it is ready."""
        await _spawn(self, name)
        await _until(
            lambda: _answers(self.places.url(name) + _READY[name]),
            alive=self.processes[name],
            what=name,
            log=self.places.folder / f"{name}.log",
        )

    async def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a program of the monitoring and wait until it is gone."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), STOP_MAX_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running_stack(
    scale: Scale, *, report: Callable[[str], None] = lambda _: None
) -> AsyncIterator[DrillStack]:
    """Start the loop and its scaled monitoring; stop all of it, and remove it, at the end.

    Raises:
        DrillStackError: Something does not start, or Prometheus or Alertmanager cannot be had.
    """
    toolbox = await asyncio.to_thread(_find_tools, report)
    with tempfile.TemporaryDirectory(prefix="gx-drill-", ignore_cleanup_errors=True) as name:
        # The database's own user has to get through to its folder.
        await asyncio.to_thread(Path(name).chmod, 0o755)
        places = Places(folder=Path(name), scale=scale)
        with Sink() as sink:
            monitoring = await asyncio.to_thread(write_monitoring, places, toolbox, sink)
            stack = DrillStack(places=places, sink=sink, monitoring=monitoring)
            try:
                await _start(stack, report)
                yield stack
            finally:
                await _stop(stack)


def _find_tools(report: Callable[[str], None]) -> Toolbox:
    toolbox = find_tools(load(StackSettings).cache_dir, report=report)
    needed = {
        Program.PROMETHEUS,
        Program.ALERTMANAGER,
        Program.BLACKBOX,
        Program.POSTGRES_EXPORTER,
    }
    if not needed <= set(toolbox.tools):
        raise DrillStackError(f"drills need real programs. {toolbox.advice}")
    return toolbox


async def _start(stack: DrillStack, report: Callable[[str], None]) -> None:
    report("starting the loop: database, ledger, API, submitter, projector")
    await _spawn(stack, "loop")
    await _spawn(stack, "stand_in")
    await _until(
        lambda: asyncio.to_thread(_is_loop_ready, stack.folder),
        alive=stack.processes["loop"],
        what="the loop",
        log=stack.places.folder / "loop.log",
    )
    report("starting Prometheus, Alertmanager, the exporters and the dead-man's receiver")
    for voice, statements in healthy().items():
        await stack.say(voice, statements)
    await stack.start("blackbox")
    await stack.start("postgres_exporter")
    await stack.start("prometheus")
    # Until the first scrapes everything counts as missing. Whom Alertmanager told of that, it would
    # tell of the same alert only an interval later.
    url = stack.places.url("prometheus") + "/api/v1/alerts"
    await _until(lambda: _is_calm(url), alive=stack.processes["prometheus"], what="a calm start")
    await stack.start("alertmanager")
    # Not before somebody beats: it would speak at once.
    await stack.start(DEADMAN)


async def _stop(stack: DrillStack) -> None:
    for name in [name for name in stack.processes if name != "loop"]:
        await stack.end(name, signal.SIGKILL)
    # What was paused cannot stop by itself.
    for name in ("postgres", "ledger", "api", "outbox-submitter", "projector"):
        stack.send(name, signal.SIGCONT)
    await stack.end("loop")


async def _spawn(stack: DrillStack, name: str) -> None:
    python = (sys.executable, "-m")
    commands: Mapping[str, tuple[str, ...]] = {
        "loop": (*python, "gx.cli.main", "up", "--no-monitoring", "--no-redis"),
        "stand_in": (
            *(*python, "gx.proof.drills.stand_in"),
            *("--port", str(stack.places.ports["stand_in"])),
            *(f"--voice={stack.places.ports[voice]}" for voice in VOICES),
        ),
        **stack.monitoring.commands,
    }
    path = stack.places.folder / f"{name}.log"
    with await asyncio.to_thread(path.open, "ab") as log:
        stack.processes[name] = await asyncio.create_subprocess_exec(
            # The loop's supervisor ends its own children only if it is asked to.
            *tethered(commands[name], death_signal=signal.SIGTERM),
            env={
                **stack.places.environment,
                **_own_environment(stack, name),
                **stack.told_wrong.get(name, {}),
            },
            cwd=stack.monitoring.working_folders.get(name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _own_environment(stack: DrillStack, name: str) -> dict[str, str]:
    """Return what one program is told, and no other."""
    places = stack.places
    match name:
        case "postgres_exporter":
            return {"DATA_SOURCE_NAME": f"{stack.dsn}?sslmode=disable"}
        case "deadman":
            return {
                "GX_DEADMAN_PORT": str(places.ports[DEADMAN]),
                "GX_DEADMAN_PERIOD_S": str(max(places.scale.seconds(Pace().beat_s), 0.5)),
                "GX_DEADMAN_STATE_FILE": str(places.folder / "deadman.json"),
                "GX_DEADMAN_SLACK_URL_FILE": str(stack.monitoring.folder / DEADMAN_FILE),
            }
        case _:
            return {}


def _is_loop_ready(folder: StackFolder) -> bool:
    state = folder.read()
    ready = {ItemState.READY, ItemState.DONE}
    return state is not None and bool(state.items) and all(i.state in ready for i in state.items)


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=_ASK_MAX_S) as client:
        try:
            return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


async def _is_calm(url: str) -> bool:
    """Say whether no alert is there but those that fire because Alertmanager is not."""
    async with httpx.AsyncClient(trust_env=False, timeout=_ASK_MAX_S) as client:
        try:
            answer = msgspec.json.decode((await client.get(url)).content, type=_Answer)
        except (httpx.HTTPError, msgspec.DecodeError):
            return False
    names = {alert.labels["alertname"] for alert in answer.data.alerts}
    return WATCHDOG.name in names and names <= _BEFORE_ALERTMANAGER


async def _until(
    is_so: Callable[[], Awaitable[bool]],
    *,
    alive: asyncio.subprocess.Process,
    what: str,
    log: Path | None = None,
) -> None:
    """Wait until something is ready, while its process lives."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + START_MAX_S
    while not await is_so():
        if alive.returncode is not None or loop.time() > deadline_s:
            tail = "" if log is None else await asyncio.to_thread(_tail, log)
            raise DrillStackError(f"{what} is not ready (status {alive.returncode}). {tail}")
        await asyncio.sleep(_POLL_S)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
