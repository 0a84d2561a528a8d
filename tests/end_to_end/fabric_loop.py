"""The whole loop on a Fabric network of its own, and Fabric's own command line beside it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.loop import Loop, running_loop
from tests.fabric.cli_network import CliNetwork
from tests.fabric.native import PORTS
from tests.fabric.networks import free_ports, network_in
from tests.fabric.programs import path_with, require_programs

OPTIONS: Final = ("--ledger", "fabric", "--no-redis", "--no-monitoring")


@dataclass(frozen=True, slots=True)
class FabricLoop:
    """A running stack, and its network as an administrator sees it."""

    loop: Loop
    network: CliNetwork

    @property
    def profile(self) -> Path:
        """How clients reach the network."""
        return self.network.network.connection_profile


@asynccontextmanager
async def fabric_loop(
    *options: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[FabricLoop]:
    """Start `gx up --ledger fabric`; stop it and all of it at the end."""
    binaries, ports = require_programs(), free_ports()
    named = {
        f"GX_FABRIC_NETWORK_{name}": str(port) for name, port in zip(PORTS, ports, strict=True)
    }
    full = {**named, "PATH": path_with(binaries), **(environment or {})}
    async with running_loop(*OPTIONS, *options, environment=full) as loop:
        network = network_in(loop.folder / "fabric", ports)
        yield FabricLoop(loop, CliNetwork(network, loop.environment, binaries))
