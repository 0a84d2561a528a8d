"""Starts, kills and breaks real ledger processes for tests."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from gx.ledger.local.client import LocalLedger
from gx.ledger.local.schema import FILE_NAME

_ROOT: Final = Path(__file__).parents[2]
_START_TIMEOUT_S: Final = 30.0


class LedgerProcess:
    """A ledger in a folder of its own, served by a process that is started and killed at will."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder: Final = folder / "ledger"
        # pytest's folders can be too deep for a socket's path.
        self._sockets: Final = tempfile.TemporaryDirectory(prefix="gxl")
        self.socket: Final = Path(self._sockets.name) / "s"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._clients: list[LocalLedger] = []
        self.output: list[str] = []

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / FILE_NAME

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start the server and wait until it answers; fail with its words if it does not."""
        status = await self.try_start()
        assert status is None, f"the ledger ended with {status}: {self.output}"

    async def try_start(self) -> int | None:
        """Start the server; return its exit status if it ended instead of serving."""
        options = {"folder": str(self.folder), "socket": str(self.socket), **self._options}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.ledger.serve_for_tests", json.dumps(options)),
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},  # noqa: TID251 (a test passes its environment on)
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(_START_TIMEOUT_S):
            while line := (await self._process.stdout.readline()).decode():
                if line == "ready\n":
                    return None
                self.output.append(line)
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill the server as a crash would: nothing is drained or flushed."""
        await self.signal_and_wait(signal.SIGKILL)

    async def terminate(self) -> int:
        """Ask the server to stop; return its exit status."""
        return await self.signal_and_wait(signal.SIGTERM)

    async def signal_and_wait(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; read what the server still says."""
        assert self._process is not None
        assert self._process.stdout is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        rest = (await self._process.stdout.read()).decode()
        self.output.extend(rest.splitlines())
        return await self._process.wait()

    def client(self, *, deadline_s: float = 30.0) -> LocalLedger:
        """Make a client, to be closed with the rest."""
        client = LocalLedger(self.socket, deadline_s=deadline_s)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close the clients and end the server."""
        for client in self._clients:
            await client.close()
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        self._sockets.cleanup()
