"""Starts the native Fabric network by itself, and finds the one that runs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gx.domain.errors import GxError
from gx.fabric.files import wipe_network
from gx.fabric.network import Network
from gx.fabric.release import find_binaries
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_network import ORDERER, NetworkStack, network_of
from gx.runtime.process import StackObserver
from gx.runtime.settings import CommonSettings, FabricNetworkSettings, environment, load
from gx.runtime.stack import StackFolder, stack_folder, stop_stack
from gx.runtime.supervisor import Supervisor


class NetworkInStackError(GxError):
    """The network runs as a part of the local stack; the text says how to stop that."""


@dataclass(frozen=True, slots=True)
class RunningNetwork:
    """A network that runs, and the files of the supervisor that runs it."""

    network: Network
    folder: StackFolder


def own_network() -> Network:
    """Describe the network that this process's settings ask for."""
    return network_of(load(CommonSettings), load(FabricNetworkSettings))


def network_folder(network: Network) -> StackFolder:
    """Return the files of the network's own supervisor."""
    return StackFolder(network.folder)


def running_network() -> RunningNetwork | None:
    """Find the network that runs here, by itself or as a part of the local stack."""
    network = own_network()
    for folder in (network_folder(network), stack_folder()):
        state = folder.read() if folder.is_running() else None
        if state is not None and any(item.name == ORDERER for item in state.items):
            return RunningNetwork(network, folder)
    return None


def current_folder() -> StackFolder:
    """Return the files of the supervisor that runs the network, else of the one that would."""
    running = running_network()
    return network_folder(own_network()) if running is None else running.folder


async def run_network(announce: Callable[[NetworkStack], StackObserver]) -> None:
    """Run the network until Ctrl-C, `gx fabric down`, or a failure.

    `announce` is told what will run before anything starts, and returns who watches it.

    Raises:
        FabricMissingError: Fabric's programs are not on this machine.
        GxError: it cannot start; the text says what is wrong and what to do.
    """
    network = own_network()
    binaries = find_binaries(load(FabricNetworkSettings).cache_dir)
    folder = network_folder(network)
    with folder.lock():
        await asyncio.to_thread(folder.end_leftovers)
        stack = NetworkStack(
            network=network,
            binaries=binaries,
            folder=folder,
            common=load(CommonSettings),
            environment=environment(),
        )
        items = await asyncio.to_thread(stack.items)
    supervisor = Supervisor(
        items, folder=folder, clock=SystemClock(), observer=announce(stack), urls=stack.urls()
    )
    await supervisor.run()


def stop_network(*, wipe: bool) -> str:
    """Stop the network, and with `wipe` remove its keys and ledgers; say what was done.

    Raises:
        NetworkInStackError: it is a part of the local stack.
        StackStopError: it did not stop in time.
    """
    network = own_network()
    running = running_network()
    if running is not None and running.folder.root != network.folder:
        raise NetworkInStackError(
            f"the network is a part of the stack in {running.folder.root}: `gx down` stops both"
        )
    outcome = str(stop_stack(network_folder(network))).replace("the stack", "the network")
    if wipe:
        wipe_network(network)
        outcome += f"; {network.folder} has been removed"
    return outcome
