"""A network that `gx fabric up` runs for the tests, and the command lines that act on it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest

from gx.fabric.files import administration
from gx.fabric.network import Network
from gx.fabric.peer_cli import peer_environment
from gx.fabric.release import Binaries, Program
from tests.fabric.native import PORTS
from tests.fabric.networks import free_ports, network_in
from tests.fabric.programs import path_with

START_S: Final = 240.0
RUN_S: Final = 300.0
POLL_S: Final = 0.1
BOOTSTRAP: Final = {"function": "AdminContract:BootstrapSystem", "Args": []}
MINT: Final = {
    "function": "TokenomicsContract:Mint",
    "Args": ["SYSTEM_USER_GENESIS_POOL", "50000000000000000", "Bootstrap: User genesis pool"],
}
"""What operators of the field have always typed, letter for letter."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class CliNetwork:
    """A network that runs in another process, and what can be typed about it."""

    network: Network
    environment: Mapping[str, str]
    binaries: Binaries

    def gx(self, *arguments: str) -> Ran:
        """Run a subcommand of gx against this network."""
        return run([sys.executable, "-m", "gx.cli.main", *arguments], self.environment)

    def peer(self, *arguments: str) -> Ran:
        """Run Fabric's own `peer` as the first organisation's administrator."""
        people = administration(self.network).resolved(self.network.folder)
        first = people.organisations[0]
        named = peer_environment(first, first.peers[0], self.network.config / "client")
        return run([self.binaries[Program.PEER], *arguments], {**self.environment, **named})

    def invoke(self, call: Mapping[str, object]) -> None:
        """Invoke a function with Fabric's own command line, and wait for the block."""
        channel = ("-C", self.network.channel, "-n", self.network.chaincode)
        said = json.dumps(call)
        ran = self.peer(
            *("chaincode", "invoke", *channel, "-c", said, "--waitForEvent"), *self.endorsers()
        )
        assert ran.code == 0, ran.err

    def endorsers(self) -> list[str]:
        """Return the options that have both organisations endorse, and name the orderer."""
        people = administration(self.network).resolved(self.network.folder)
        options = ["--tls", "--cafile", str(people.orderer.tls_ca), "-o", people.orderer.address]
        for organisation in people.organisations:
            (peer,) = organisation.peers
            options += ["--peerAddresses", peer.address, "--tlsRootCertFiles", str(peer.tls_ca)]
        return options

    def pid_of(self, name: str) -> int | None:
        """Return the process that now runs under this name."""
        for item in self.items():
            pid = item["pid"]
            if item["name"] == name and isinstance(pid, int) and psutil.pid_exists(pid):
                return pid
        return None

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        pid = self.pid_of(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def is_ready(self) -> bool:
        """Say whether everything runs."""
        items = self.items()
        return bool(items) and all(item["state"] in {"ready", "done"} for item in items)

    def items(self) -> list[dict[str, object]]:
        """List the items of the network's supervisor, as its state file has them."""
        try:
            state: dict[str, list[dict[str, object]]] = json.loads(
                (self.network.folder / "run" / "stack.json").read_text()
            )
        except FileNotFoundError:
            return []
        return state["items"]


def run(command: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run a program to its end."""
    ended = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, check=False, timeout=RUN_S
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def cli_network(folder: Path, binaries: Binaries) -> Iterator[CliNetwork]:
    """Run `gx fabric up` in a folder until the block ends; then `gx fabric down` ends all of it."""
    ports = free_ports()
    settings = {
        f"GX_FABRIC_NETWORK_{name}": str(port) for name, port in zip(PORTS, ports, strict=True)
    }
    environment = {
        **os.environ,  # noqa: TID251 (a child's)
        **settings,
        "GX_DATA_DIR": str(folder),
        "PATH": path_with(binaries),
    }
    started = CliNetwork(network_in(folder / "fabric", ports), environment, binaries)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gx.cli.main", "fabric", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await_ready(started, process, folder / "up.log")
        yield started
    finally:
        left = [started.pid_of(str(item["name"])) for item in started.items()]
        stopped = started.gx("fabric", "down")
        process.wait(timeout=120)
    assert stopped.code == 0, stopped.err
    assert not [pid for pid in left if pid is not None and psutil.pid_exists(pid)]


def _await_ready(started: CliNetwork, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not started.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the network did not start: {log.read_text(errors='replace')[-4000:]}")
        time.sleep(POLL_S)
