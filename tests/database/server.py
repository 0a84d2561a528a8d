"""One PostgreSQL server for a whole test run, shared by all of pytest-xdist's workers.

Run as `python -m tests.database.server FOLDER OWNER_PID`: it writes its DSN and process id
to FOLDER/server.json when it is ready, and stops when it gets SIGTERM or when the process
OWNER_PID (pytest itself) is gone, however that ended. It is nobody's child, so it
outlives the worker that happened to need it first.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, TypedDict

import psutil

from gx.database.embedded import EmbeddedPostgres
from tests.ports import free_port

START_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 15
POLL_S: Final = 0.1


class RunningServer(TypedDict):
    """What FOLDER/server.json says."""

    dsn: str
    pid: int


def start_server(folder: Path, owner_pid: int) -> RunningServer:
    """Start the server in the background and wait for it."""
    ready, log = folder / "server.json", folder / "server.log"
    command = [sys.executable, "-m", "tests.database.server", str(folder), str(owner_pid)]
    subprocess.run(
        ["/bin/sh", "-c", 'log="$1"; shift; "$@" >"$log" 2>&1 &', "sh", str(log), *command],
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
        start_new_session=True,
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no test server after {START_TIMEOUT_S} s: {log.read_text()}")
        time.sleep(POLL_S)
    server: RunningServer = json.loads(ready.read_text())
    return server


def stop_server(pid: int) -> None:
    """Stop a server that `start_server` started and wait until it has gone."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        process = psutil.Process(pid)
        process.terminate()
        process.wait(STOP_TIMEOUT_S)


def make_home() -> Path:
    """Make a temporary folder that the server's user can pass through."""
    home = Path(tempfile.mkdtemp(prefix="gx-test-postgres-"))
    home.chmod(0o711)
    return home


async def serve(folder: Path, owner_pid: int) -> None:
    """Run the server until SIGTERM, SIGINT or the end of the owner."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    home = make_home()
    try:
        embedded = EmbeddedPostgres(home=home / "postgres", port=free_port(), durable=False)
        async with embedded.running() as prepared:
            server = RunningServer(dsn=prepared.dsn, pid=os.getpid())
            partial = folder / "server.partial"
            partial.write_text(json.dumps(server))
            partial.rename(folder / "server.json")
            await wait_for_end(stop, owner_pid)
    finally:
        shutil.rmtree(home)


async def wait_for_end(stop: asyncio.Event, owner_pid: int) -> None:
    """Return when told to stop or when the owner has ended."""
    while psutil.pid_exists(owner_pid):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
            return


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
