"""The chaincode servers of the native network, run in its two slots by its supervisor."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from typing import Final
from urllib.request import urlopen

import psutil

from gx.fabric.deployment import ServerMissingError
from gx.fabric.network import HOST, Network
from gx.fabric.package import ChaincodePackage
from gx.fabric.slots import Served, Slot, choose_slot, read_slots, with_served, write_slots
from gx.monitoring.local import render_targets
from gx.runtime.fabric_slot import PACKAGE_VARIABLE
from gx.runtime.settings import CommonSettings, load
from gx.runtime.stack import StackFolder, is_alive
from gx.telemetry.metric import Process

START_TIMEOUT_S: Final = 60.0
PROBE_TIMEOUT_S: Final = 2.0
POLL_S: Final = 0.05


def slot_name(number: int) -> str:
    """Return the name of a slot's process in the stack."""
    return f"chaincode-{'ab'[number]}"


def slot_addresses(network: Network) -> list[str]:
    """List where the slots' servers listen."""
    return [f"{HOST}:{ports.service}" for ports in network.slots]


def ready_url(network: Network, number: int) -> str:
    """Return where a slot's server says whether it can work."""
    return f"http://{HOST}:{network.slots[number].metrics}/readyz"


class SlotServers:
    """Implements `gx.fabric.deployment.ChaincodeServers`; `folder` is of the supervisor."""

    def __init__(self, network: Network, folder: StackFolder) -> None:
        self._network = network
        self._folder = folder

    def slots(self) -> tuple[Slot, ...]:
        """Return what the slots serve now."""
        return read_slots(self._network.slots_path, slot_addresses(self._network))

    def address_for(self, version: str, *, in_force: str | None) -> str:
        """See `ChaincodeServers`."""
        slots = self.slots()
        return slots[choose_slot(slots, version=version, in_force=in_force)].address

    def serve(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`."""
        slots = self.slots()
        number = slot_addresses(self._network).index(package.address)
        wanted = Served(version=package.version, package_id=package.package_id)
        if slots[number].served != wanted:
            self._assign(slots, number, wanted)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._serves(number, package.package_id):
            if time.monotonic() > deadline:
                raise ServerMissingError(
                    f"the chaincode server {slot_name(number)} does not serve "
                    f"{package.package_id} after {START_TIMEOUT_S:.0f} s; "
                    f"see `gx fabric logs {slot_name(number)}`"
                )
            time.sleep(POLL_S)

    def retire_others(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`. Each ends once the calls that it has are answered."""
        for number, slot in enumerate(self.slots()):
            if slot.served is not None and slot.served.package_id != package.package_id:
                self._assign(self.slots(), number, None)

    def write_targets(self) -> None:
        """Tell Prometheus where to ask: the slots that serve, or the one that will first."""
        serving = [number for number, slot in enumerate(self.slots()) if slot.served is not None]
        ports = [self._network.slots[number].metrics for number in serving or (0,)]
        environment = load(CommonSettings).environment.value
        partial = self._network.chaincode_targets.with_suffix(".partial")
        partial.write_text(render_targets(Process.CHAINCODE, environment, ports))
        partial.replace(self._network.chaincode_targets)

    def _assign(self, slots: Sequence[Slot], number: int, served: Served | None) -> None:
        """Change what a slot serves; a server that runs in it ends and starts as the new one."""
        had = slots[number].served
        write_slots(self._network.slots_path, with_served(slots, number, served))
        self.write_targets()
        pid = self._pid(number)
        if had is not None and pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _serves(self, number: int, package_id: str) -> bool:
        pid = self._pid(number)
        return pid is not None and _package_of(pid) == package_id and self._is_ready(number)

    def _pid(self, number: int) -> int | None:
        state = self._folder.read()
        for item in state.items if state else ():
            if item.name == slot_name(number) and is_alive(item):
                return item.pid
        return None

    def _is_ready(self, number: int) -> bool:
        try:
            with urlopen(ready_url(self._network, number), timeout=PROBE_TIMEOUT_S):  # noqa: S310 (our own server, on loopback) # nosec B310
                return True
        except OSError:
            return False


def _package_of(pid: int) -> str | None:
    """Return the package that a process serves, as its own environment says."""
    try:
        return psutil.Process(pid).environ().get(PACKAGE_VARIABLE)
    except psutil.Error:
        return None
