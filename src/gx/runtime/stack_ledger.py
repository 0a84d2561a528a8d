"""The local stack's ledger: the embedded one, or a native Fabric network with the chaincode."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gx.fabric.network import Network
from gx.fabric.release import find_binaries
from gx.ledger.kinds import LedgerKind
from gx.runtime.fabric_network import CHAINCODE, NetworkStack, network_of
from gx.runtime.fabric_servers import SlotServers
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec, StackItem
from gx.runtime.readiness import HttpReady
from gx.runtime.settings import CommonSettings, FabricNetworkSettings, LedgerSettings, load
from gx.runtime.stack import LEDGER, StackFolder

HOST: Final = "127.0.0.1"
STOP_GRACE_S: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTargets:
    """Where the ledger's processes tell their metrics: the embedded one, or Fabric's."""

    embedded: int | None = None
    orderers: tuple[int, ...] = ()
    peers: tuple[int, ...] = ()
    chaincode: tuple[int, ...] = ()
    chaincode_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPart:
    """What of the stack is the ledger: its clients get `environment`, and start after `ready`."""

    items: Sequence[StackItem] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    targets: LedgerTargets = field(default_factory=LedgerTargets)


def plan_ledger(
    kind: LedgerKind, common: CommonSettings, inherited: Mapping[str, str]
) -> LedgerPart:
    """Decide what runs as the ledger; `inherited` is what every process of the stack gets.

    Raises:
        FabricMissingError: it is Fabric's, and Fabric's programs are not on this machine.
        GxError: the network's files cannot be made; the text says what to do.
    """
    if kind is LedgerKind.FABRIC:
        return _plan_fabric(common, inherited)
    return _plan_embedded(common, inherited)


def embedded_environment(data: Path) -> dict[str, str]:
    """Say where the embedded ledger of a stack in this folder is."""
    return {
        "GX_LEDGER": LedgerKind.LOCAL.value,
        "GX_LEDGER_SOCKET": str(data / "run" / "ledger.sock"),
        "GX_LEDGER_FOLDER": str(data / "ledger"),
    }


def _plan_embedded(common: CommonSettings, inherited: Mapping[str, str]) -> LedgerPart:
    environment = embedded_environment(common.data_dir.absolute())
    port = load(LedgerSettings).metrics_port
    ledger = ProcessSpec(
        name=LEDGER,
        command=(sys.executable, "-m", "gx.cli.main", "ledger", "serve"),
        environment={**inherited, **environment},
        readiness=HttpReady(url=f"http://{HOST}:{port}/readyz"),
        ports=(PortNeed(port=port, setting="GX_LEDGER_METRICS_PORT"),),
        stop_grace_s=STOP_GRACE_S,
    )
    return LedgerPart(
        items=(ledger,),
        environment=environment,
        ready=LEDGER,
        urls={"ledger metrics": f"http://{HOST}:{port}/metrics"},
        targets=LedgerTargets(embedded=port),
    )


def _plan_fabric(common: CommonSettings, inherited: Mapping[str, str]) -> LedgerPart:
    settings = load(FabricNetworkSettings)
    network = network_of(common, settings)
    environment = {
        "GX_LEDGER": LedgerKind.FABRIC.value,
        "GX_FABRIC_PROFILE": str(network.connection_profile),
    }
    stack = NetworkStack(
        network=network,
        binaries=find_binaries(settings.cache_dir),
        folder=StackFolder(common.data_dir),
        common=common,
        environment={**inherited, **environment},
    )
    return LedgerPart(
        items=stack.items(),
        environment=environment,
        ready=CHAINCODE,
        urls=stack.urls(),
        targets=_fabric_targets(network, SlotServers(network, stack.folder)),
    )


def _fabric_targets(network: Network, servers: SlotServers) -> LedgerTargets:
    """Say where the network's processes tell their metrics.

    The chaincode's servers move from slot to slot with each upgrade; a file keeps track.
    """
    servers.write_targets()
    return LedgerTargets(
        orderers=(network.orderer.operations,),
        peers=tuple(each.ports.operations for each in network.organisations),
        chaincode=tuple(slot.metrics for slot in network.slots),
        chaincode_file=network.chaincode_targets,
    )
