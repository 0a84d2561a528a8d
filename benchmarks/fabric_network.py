"""A private Fabric network to measure: `gx fabric up` in a folder and on ports of its own."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from benchmarks.stack import BenchmarkError, free_port, inherited, tail
from gx.database.tether import tethered
from gx.runtime.process import ItemState
from gx.runtime.settings import FabricNetworkSettings
from gx.runtime.stack import StackFolder

START_S: Final = 180.0
STOP_S: Final = 60.0
POLL_S: Final = 0.1
SETTING: Final = "GX_FABRIC_NETWORK_"
ORDERER: Final = "orderer"
PEERS: Final = ("peer-org1", "peer-org2")
CHAINCODE: Final = "chaincode-a"
NODES: Final = (ORDERER, *PEERS, CHAINCODE)
SETTINGS: Final = FabricNetworkSettings.model_construct()
"""What ships, whatever this process's environment says."""

_SHIM_REQUEST: Final = re.compile(
    r'^chaincode_shim_requests_completed\{.*type="(?P<type>\w+)"\} (?P<count>\S+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network that runs."""

    folder: Path
    ports: Mapping[str, int]
    version: str

    @property
    def profile(self) -> Path:
        """How its clients reach it."""
        return self.folder / "fabric" / "profile.json"

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time that each node has used, the chaincode's server included."""
        return {name: _cpu_s(pid) for name, pid in self._pids().items()}

    def memory_mib(self) -> dict[str, float]:
        """Return each node's resident memory."""
        return {
            name: round(psutil.Process(pid).memory_info().rss / 2**20, 1)
            for name, pid in self._pids().items()
        }

    async def shim_requests(self) -> Counter[str]:
        """Return how often the first peer's chaincode has asked it for what, by message."""
        url = f"http://127.0.0.1:{self.ports['PEER1_OPERATIONS_PORT']}/metrics"
        async with httpx.AsyncClient() as client:
            text = (await client.get(url)).text
        counts: Counter[str] = Counter()
        for found in _SHIM_REQUEST.finditer(text):
            counts[found["type"]] += round(float(found["count"]))
        return counts

    def _pids(self) -> dict[str, int]:
        state = StackFolder(self.folder / "fabric").read()
        assert state is not None
        return {one.name: one.pid for one in state.items if one.name in NODES and one.pid}


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def running_network(folder: Path) -> AsyncIterator[Network]:
    """Run a network in this folder, as it ships; at the end nothing runs any more.

    Raises:
        BenchmarkError: it did not start; the text is its log's end.
    """
    ports = {name: free_port() for name in _port_names()}
    log = folder / "up.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *tethered(
                (sys.executable, "-m", "gx.cli.main", "fabric", "up"),
                death_signal=signal.SIGTERM,  # which stops the nodes, too
            ),
            env={
                **inherited(os.environ),  # noqa: TID251 (a child's environment)
                **{f"{SETTING}{name}": str(port) for name, port in ports.items()},
                "GX_DATA_DIR": str(folder),
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _until_ready(StackFolder(folder / "fabric"), process, log)
        version = await _version(ports["PEER1_OPERATIONS_PORT"])
        yield Network(folder=folder, ports=ports, version=version)
    finally:
        await _stop(process)


def _port_names() -> list[str]:
    return [name.upper() for name in FabricNetworkSettings.model_fields if name.endswith("_port")]


async def _until_ready(folder: StackFolder, process: asyncio.subprocess.Process, log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while not _is_ready(folder):
        if process.returncode is not None or time.monotonic() > deadline_s:
            raise BenchmarkError(f"the Fabric network did not start: {tail(log)}")
        await asyncio.sleep(POLL_S)


def _is_ready(folder: StackFolder) -> bool:
    state = folder.read()
    return (
        state is not None
        and bool(state.items)
        and all(item.state in {ItemState.READY, ItemState.DONE} for item in state.items)
    )


async def _version(port: int) -> str:
    async with httpx.AsyncClient() as client:
        answer = (await client.get(f"http://127.0.0.1:{port}/version")).json()
    return f"{answer.get('Version')} ({answer.get('CommitSHA')})"


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop the supervisor as Ctrl-C does; kill it and its nodes if that takes too long."""
    if process.returncode is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.kill()
        await process.wait()
