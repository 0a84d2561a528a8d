"""How long a start takes: `gx up` as a newcomer types it, and each process by itself.

`gx up` tells the seconds itself once everything is ready. A process is ready when its own
`/readyz` says so; each is started alone, in the order of `gx up`, on a free machine.
"""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.stack import API, LOOP, BenchmarkError, Loop, free_port, inherited, tail
from gx.database.tether import tethered

PORTS: Final = (
    "GX_STACK_POSTGRES_PORT",
    "GX_STACK_VALKEY_PORT",
    "GX_STACK_PROMETHEUS_PORT",
    "GX_STACK_ALERTMANAGER_PORT",
    "GX_STACK_BLACKBOX_PORT",
    "GX_STACK_POSTGRES_EXPORTER_PORT",
    "GX_STACK_NODE_EXPORTER_PORT",
    "GX_STACK_REDIS_EXPORTER_PORT",
    "GX_STACK_DEADMAN_PORT",
    "GX_CONSOLE_PORT",
    "GX_API_PORT",
    "GX_API_METRICS_PORT",
    "GX_LEDGER_METRICS_PORT",
    "GX_SUBMITTER_METRICS_PORT",
    "GX_PROJECTOR_METRICS_PORT",
)
TOLD: Final = re.compile(r"Everything runs after ([0-9.]+) s")
PATIENCE_S: Final = 180.0


class Startup(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the start to ready."""

    first_up_s: float
    """`gx up` in an empty folder: databases, keys and tables are made."""
    second_up_s: float
    """`gx up` where that is there."""
    ready_s: dict[str, float]
    """Each process by itself, interpreter and imports included."""


async def measure_startup(loop: Loop, folder: Path) -> Startup:
    """Measure with the loop's processes stopped; they run again afterwards but for the last two."""
    await loop.stop_all()
    ready_s: dict[str, float] = {}
    for name in (*LOOP, API):
        started_s = time.perf_counter()
        await loop.start(name)
        ready_s[name] = round(time.perf_counter() - started_s, 2)
    await loop.stop_all()
    return Startup(first_up_s=await _up_s(folder), second_up_s=await _up_s(folder), ready_s=ready_s)


async def _up_s(folder: Path) -> float:
    """Run `gx up` until it says that everything runs, then stop it."""
    async with _gx_up(folder) as (process, log):
        deadline_s = time.monotonic() + PATIENCE_S
        while (told := TOLD.search(log.read_text(encoding="utf-8"))) is None:
            if process.returncode is not None or time.monotonic() > deadline_s:
                raise BenchmarkError(f"`gx up` does not become ready:\n{tail(log)}")
            await asyncio.sleep(0.05)
    return float(told.group(1))


@asynccontextmanager
async def _gx_up(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    log = _log_in(folder)
    ports = {name: str(free_port()) for name in PORTS}
    environment = inherited(os.environ)  # noqa: TID251 (a child's environment)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *tethered(
                (sys.executable, "-m", "gx.cli.main", "up", "--data-dir", str(folder / "data")),
                death_signal=signal.SIGTERM,  # which stops the rest, too
            ),
            env={**environment, **ports},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _log_in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / "up.log"
