"""A native network in a process tree of its own, which a test may kill and start again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from gx.fabric.administration import load_administration
from gx.fabric.lifecycle import Definition
from gx.fabric.peer_cli import PeerLifecycle
from gx.fabric.release import Binaries, Program
from gx.ledger.fabric.client import FabricLedger, FabricOptions
from gx.ledger.fabric.profile import ConnectionProfile, load_profile
from gx.runtime.clock import SystemClock
from tests.fabric.networks import free_ports
from tests.fabric.programs import path_with

START_S: Final = 180.0
POLL_S: Final = 0.1
PORTS: Final = (
    "ORDERER_PORT",
    "ORDERER_ADMIN_PORT",
    "ORDERER_OPERATIONS_PORT",
    "PEER1_PORT",
    "PEER1_CHAINCODE_PORT",
    "PEER1_OPERATIONS_PORT",
    "PEER2_PORT",
    "PEER2_CHAINCODE_PORT",
    "PEER2_OPERATIONS_PORT",
    "CHAINCODE_A_PORT",
    "CHAINCODE_A_METRICS_PORT",
    "CHAINCODE_B_PORT",
    "CHAINCODE_B_METRICS_PORT",
)


class NetworkFailedError(Exception):
    """The network did not start; its log says why."""


class NativeNetwork:
    """`gx fabric up` in a folder, on ports of its own."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.folder: Final = folder
        self._binaries: Final = binaries
        self.environment: Final = {
            **os.environ,  # noqa: TID251 (a child's)
            **{
                f"GX_FABRIC_NETWORK_{name}": str(port)
                for name, port in zip(PORTS, free_ports(), strict=True)
            },
            "GX_DATA_DIR": str(folder),
            "PATH": path_with(binaries),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[FabricLedger] = []

    @property
    def profile(self) -> ConnectionProfile:
        """How to reach it."""
        return load_profile(self.folder / "fabric" / "profile.json")

    def start(self) -> None:
        """Start it, or start it again with what it has on disk; return when it endorses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._state.unlink(missing_ok=True)
        with (self.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "gx.cli.main", "fabric", "up"),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_up_s = time.monotonic() + START_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up_s:
                text = (self.folder / "up.log").read_text(errors="replace")
                raise NetworkFailedError(text[-4_000:])
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End every process of it as a power cut does, its supervisor first."""
        assert self._process is not None
        family = [psutil.Process(self._process.pid)]
        with suppress(psutil.NoSuchProcess):
            family += family[0].children(recursive=True)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family[1:], timeout=30)

    def wait(self) -> None:
        """Wait until its supervisor has ended, which somebody else has asked for."""
        assert self._process is not None
        self._process.wait(timeout=60)

    def client(self, options: FabricOptions | None = None) -> FabricLedger:
        """Make a client."""
        client = FabricLedger(self.profile, clock=SystemClock(), options=options)
        self._clients.append(client)
        return client

    def commit_next_definition(self) -> None:
        """Commit what is in force anew, as the next sequence: an upgrade to the same package."""
        people = load_administration(self.folder / "fabric" / "administration.json")
        lifecycle = PeerLifecycle(people, peer=self._binaries[Program.PEER], folder=self.folder)
        there = lifecycle.committed()
        assert there is not None
        definition = Definition(version=there.version, sequence=there.sequence + 1)
        for organisation in lifecycle.organisations:
            approval = lifecycle.approved(organisation, there.sequence)
            assert approval is not None
            lifecycle.approve(organisation, definition, approval.package_id or "")
        lifecycle.commit(definition)

    async def close_clients(self) -> None:
        """Close the clients that a test made."""
        clients, self._clients = self._clients, []
        for client in clients:
            await client.close()

    @property
    def _state(self) -> Path:
        return self.folder / "fabric" / "run" / "stack.json"

    def _is_ready(self) -> bool:
        try:
            state = json.loads(self._state.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return bool(state["items"]) and all(
            item["state"] in {"ready", "done"} for item in state["items"]
        )


@contextmanager
def native_network(folder: Path, binaries: Binaries) -> Iterator[NativeNetwork]:
    """Run a network until the tests are done with it."""
    network = NativeNetwork(folder, binaries)
    try:
        network.start()
        yield network
    finally:
        with suppress(psutil.NoSuchProcess, AssertionError):
            network.kill()
