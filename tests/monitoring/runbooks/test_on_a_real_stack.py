"""Every command and query of every runbook, run on a stack that works, with a dead letter in it.

A page's command that does not work is found here and not at three in the morning.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest

from gx.database.binaries import find_binaries
from gx.runtime.tools import Program, Tool
from tests.end_to_end.loop import Loop, LoopFailedError, running_loop
from tests.monitoring.conftest import ROOT
from tests.monitoring.runbooks.commands import QUERIES, SHELL_LINES, TypedLine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("runbooks-on-a-stack"),
]

LINE_TIMEOUT_S: Final = 180
AT_ONCE: Final = 3
DEAD_LETTERS: Final = 2
DEFAULT_PORTS: Final = {
    "8000": "GX_API_PORT",
    "9090": "GX_SUBMITTER_METRICS_PORT",
    "9091": "GX_PROJECTOR_METRICS_PORT",
    "9095": "GX_API_METRICS_PORT",
    "9096": "GX_STACK_DEADMAN_PORT",
    "30090": "GX_STACK_PROMETHEUS_PORT",
    "30093": "GX_STACK_ALERTMANAGER_PORT",
}


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs lines of runbooks as whoever is on call would."""

    environment: Mapping[str, str]
    folder: Path

    async def run(self, line: TypedLine, **more: str) -> str | None:
        """Run one line; say what is wrong with it, None if nothing is."""
        text = line.text
        for port, name in DEFAULT_PORTS.items():
            text = text.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{self.environment[name]}/")
            text = text.replace(f"127.0.0.1:{port} ", f"127.0.0.1:{self.environment[name]} ")
        folder = ROOT if "monitoring render" in text else self.folder
        process = await asyncio.create_subprocess_exec(
            *("bash", "-o", "pipefail", "-uc", text),
            env={**self.environment, **more},
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), LINE_TIMEOUT_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            return f"{line.text}\n  ({', '.join(line.pages)}) does not end"
        if process.returncode == line.exit_code:
            return None
        said = output.decode(errors="replace")[-600:]
        return f"{line.text}\n  ({', '.join(line.pages)}) ends with {process.returncode}: {said}"


@asynccontextmanager
async def session_of(dsn: str) -> AsyncIterator[int]:
    """Hold a transaction open in a session that may be ended; yields its process id."""
    connection = await asyncpg.connect(dsn)
    try:
        yield int(await connection.fetchval("select pg_backend_pid()"))
    finally:
        connection.terminate()


def tool_folder(tools: Mapping[Program, Tool], folder: Path) -> Path:
    """Gather the programs that runbooks name: they are on PATH where people work."""
    folder.mkdir()
    for program, tool in tools.items():
        (folder / program.value).symlink_to(tool.path)
    binaries = find_binaries()
    for name in ("psql", "pg_isready"):
        (folder / name).symlink_to(binaries.folder / name)
    return folder


def forge(file: Path, key: str, value: str) -> str:
    """Put a value under a key of the ledger's state, past the ledger; return the one before."""
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        (before,) = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        connection.execute("UPDATE state SET value = ? WHERE key = ?", (value, key))
    return str(before)


async def make_dead_letters(loop: Loop) -> list[str]:
    """Let the ledger fail on two commands until they are given up, and repair it afterwards."""
    for name in ("alice", "bob"):
        await loop.gx("user", "create", name, "--nationality", "US", "--age", "34")
    await loop.gx("genesis", "alice")
    await loop.gx("restart", "ledger")  # it writes its newest state to the table when it stops
    await loop.until_ready()
    before = forge(loop.ledger_file, "account_alice", "forged")
    for number in range(DEAD_LETTERS):
        amount = f"{number + 1}coin"
        with pytest.raises(LoopFailedError, match="is DEAD"):
            await loop.gx("transfer", "alice", "bob", amount, "--remark", "lunch", "--timeout=90")
    forge(loop.ledger_file, "account_alice", before)
    listed = json.loads(await loop.gx("dead-letters", "list", "--json"))
    return [str(item["commandId"]) for item in listed["items"]]


async def run_all(shell: Shell, lines: Sequence[TypedLine]) -> list[str]:
    """Run lines that only look, some at once; there is one comparison of everything at a time."""
    gate, comparing = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

    async def run(line: TypedLine) -> str | None:
        async with comparing if "gx reconcile" in line.text else gate:
            return await shell.run(line)

    return [fault for fault in await asyncio.gather(*(run(line) for line in lines)) if fault]


async def run_in_order(shell: Shell, lines: Sequence[TypedLine], loop: Loop) -> list[str]:
    """Run lines that change something, one after the other."""
    faults = []
    for line in sorted((each for each in lines if each.changes_something), key=lambda x: x.rank):
        async with session_of(loop.dsn) as pid:
            fault = await shell.run(line, PID=str(pid))
        if fault:
            faults.append(fault)
        if line.text.startswith("gx restart"):
            await loop.until_ready()
    return faults


async def query_faults(url: str) -> list[str]:
    """Ask Prometheus every query; say which it does not take."""
    faults = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        for line in QUERIES:
            answer = await client.get("/api/v1/query", params={"query": line.text})
            if answer.json()["status"] != "success":
                faults.append(f"{line.text}\n  ({', '.join(line.pages)}) {answer.text[:200]}")
    return faults


async def test_every_command_and_query_of_every_runbook_works(
    tools: dict[Program, Tool], tmp_path: Path
) -> None:
    """What looks runs first, what repairs afterwards, and at the end the system is sound."""
    programs = await asyncio.to_thread(tool_folder, tools, tmp_path / "bin")
    async with running_loop() as loop:
        first, second = await make_dead_letters(loop)
        (tmp_path / "certificate.pem").write_text(await asyncio.to_thread(certificate))
        environment = {
            **loop.environment,
            "PATH": f"{programs}:{loop.environment['PATH']}",
            "USER": "tester",
            "DSN": loop.dsn,
            "ID": first,
            "OTHER_ID": second,
            "BLOCK": "1",
            "POSITION": "0",
            "PID": "0",
            "CERTIFICATE": str(tmp_path / "certificate.pem"),
        }
        shell = Shell(environment, loop.folder / "monitoring")
        looking = [line for line in SHELL_LINES if not line.changes_something]
        faults = await run_all(shell, looking)
        faults += await query_faults(
            f"http://127.0.0.1:{loop.environment['GX_STACK_PROMETHEUS_PORT']}"
        )
        faults += await run_in_order(shell, SHELL_LINES, loop)
        assert not faults, "\n".join(faults)
        await check_outcome(loop, first, second)


async def check_outcome(loop: Loop, replayed: str, discarded: str) -> None:
    """The mitigations did what their pages say."""
    one = json.loads(await loop.gx("command", "watch", replayed, "--json"))
    two = json.loads(await loop.gx("command", "show", discarded, "--json"))

    assert "PROJECTED" in json.dumps(one)
    assert "DISCARDED" in json.dumps(two)
    assert "as they must be" in await loop.gx("ledger", "verify")


def certificate() -> str:
    """Make a certificate to look at."""
    done = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", "/dev/null", "-days", "20", "-subj", "/CN=submitter"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_stack_s_python_is_the_one_of_the_tests() -> None:
    """The lines run what is being tested, not what a machine may have installed."""
    assert Path(sys.executable).with_name("gx").exists()
