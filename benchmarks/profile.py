"""Which subsystem the CPU time goes to: py-spy samples every process of a loop under full load.

A sample counts for the innermost frame that a subsystem owns; time in C code (SQLite, TLS, JSON)
counts for the Python that called it. py-spy reads from outside and costs the processes little, but
it takes CPU time of its own, so nothing else is measured meanwhile.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.driver import drive_closed, driving
from benchmarks.programs import run_program
from benchmarks.stack import API, PROJECTOR, SUBMITTER, BenchmarkError, Loop
from benchmarks.systems import Amount, System, seeds
from benchmarks.timeline import now_ms, until_done

SAMPLES_PER_S: Final = 200
SECONDS: Final = 8
COMMANDS: Final = 10_000
"""At a time, until the samples are taken."""

FRAME: Final = re.compile(r"\(([^()]*?):\d+\)$")

SUBSYSTEMS: Final = (
    ("contracts", "gx/contracts/"),
    ("chaincode executor", "gx/chaincode/"),
    ("domain: codec and identifiers", "gx/domain/"),
    ("ledger", "gx/ledger/"),
    ("outbox", "gx/outbox/"),
    ("projection", "gx/projection/"),
    ("API", "gx/api/"),
    ("telemetry", "gx/telemetry/"),
    ("telemetry", "prometheus_client/"),
    ("telemetry", "structlog/"),
    ("asyncpg and pools", "gx/database/"),
    ("asyncpg and pools", "asyncpg/"),
    ("HTTP server", "uvicorn/"),
    ("HTTP framework", "starlette/"),
    ("HTTP framework", "fastapi/"),
    ("tokens", "jwt/"),
    ("JSON", "json/"),
    ("threads", "threading.py"),
    ("threads", "concurrent/futures/"),
    ("event loop", "asyncio/"),
    ("event loop", "uvloop/"),
    ("the rest", ""),
)


WAITING: Final = ("/threading.py", "/queue.py", "/concurrent/futures/thread.py")
"""Where the innermost frame of a thread is that waits."""


def has_profiler() -> bool:
    """Tell whether py-spy is installed here."""
    return _program().exists()


async def profile(system: System, amount: Amount, token: str) -> dict[str, dict[str, float]]:
    """Sample every process of a loop under full load; return each one's shares by subsystem."""
    loop = system.loop
    await loop.start(SUBMITTER, PROJECTOR)
    names = [name for name in loop.parts if name != API]
    sampling = asyncio.gather(*(_sample(loop, name) for name in names))
    async with driving(loop) as driver:
        while not sampling.done():
            await drive_closed(driver, seed=next(seeds), count=COMMANDS, accounts=system.accounts)
    found = dict(zip(names, await sampling, strict=True))
    since_ms = await now_ms(loop)
    sampler = asyncio.create_task(_sample(loop, API))
    while not sampler.done():
        await system.post(amount, token)
    found[API] = await sampler
    await until_done(loop, since_ms)
    await loop.stop(PROJECTOR, SUBMITTER)
    return found


async def _sample(loop: Loop, name: str) -> dict[str, float]:
    output = loop.folder / f"{name}.stacks"
    pid = str(loop.parts[name].process.pid)
    record = ("record", "--pid", pid, "--duration", str(SECONDS), "--full-filenames")
    written = ("--rate", str(SAMPLES_PER_S), "--format", "raw", "--output", str(output))
    ended = await run_program((str(_program()), *record, *written))
    if ended.status != 0:
        raise BenchmarkError(f"py-spy could not sample the {name}: {ended.errors.decode()[-500:]}")
    return shares(_lines(output))


def _lines(output: Path) -> list[str]:
    return output.read_text(encoding="utf-8").splitlines()


def _program() -> Path:
    return Path(sys.executable).parent / "py-spy"


def shares(stacks: Iterable[str]) -> dict[str, float]:
    """Return each subsystem's share of the samples, the largest first.

    A stack is `outermost (file:line);...;innermost (file:line) count`. A thread whose innermost
    frame is a pool's or a lock's waits for work; py-spy takes some of them for busy.
    """
    counts: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not _path_of(frames[-1]).endswith(WAITING):
            counts[_subsystem(frames)] += int(count)
    return {name: round(count / counts.total(), 4) for name, count in counts.most_common()}


def _path_of(frame: str) -> str:
    match = FRAME.search(frame)
    return match.group(1) if match else ""


def _subsystem(frames: list[str]) -> str:
    for frame in reversed(frames):
        path = _path_of(frame)
        for name, part in SUBSYSTEMS[:-1]:
            if f"/{part}" in path:
                return name
    return SUBSYSTEMS[-1][0]
