"""The native Fabric network as items of a stack: nodes, channel, chaincode servers, deployment."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gx import __version__
from gx.fabric.channel import join_orderer, join_peers
from gx.fabric.deployment import carry_out
from gx.fabric.files import administration, prepare_network
from gx.fabric.lifecycle import plan_deployment
from gx.fabric.network import (
    HOST,
    Batching,
    Network,
    OrdererPorts,
    Organisation,
    PeerPorts,
    SlotPorts,
)
from gx.fabric.package import build_package
from gx.fabric.peer_cli import PeerLifecycle
from gx.fabric.release import Binaries, Program
from gx.fabric.slots import SlotsError
from gx.runtime.clock import SystemClock
from gx.runtime.fabric_ready import (
    wait_until_endorsing,
    wait_until_listening,
    wait_until_ordering,
)
from gx.runtime.fabric_servers import SlotServers, ready_url, slot_name
from gx.runtime.ports import PortNeed
from gx.runtime.process import ProcessSpec, StackItem, StepSpec
from gx.runtime.readiness import HttpReady, Unready
from gx.runtime.settings import CommonSettings, FabricNetworkSettings
from gx.runtime.stack import StackFolder

ORDERER: Final = "orderer"
CHANNEL: Final = "channel"
CHAINCODE: Final = "chaincode"
"""The step after which the chaincode answers."""

STOP_GRACE_S: Final = 15.0  # a peer takes 5 s to end while a chaincode server is connected
START_TIMEOUT_S: Final = 120.0
SETTING: Final = "GX_FABRIC_NETWORK_"
CHAINCODE_NAME: Final = "gxtv3"


def network_of(common: CommonSettings, settings: FabricNetworkSettings) -> Network:
    """Describe the network that the settings ask for."""
    return Network(
        folder=common.data_dir.absolute() / "fabric",
        channel=common.channel,
        chaincode=CHAINCODE_NAME,
        orderer=OrdererPorts(
            service=settings.orderer_port,
            admin=settings.orderer_admin_port,
            operations=settings.orderer_operations_port,
        ),
        organisations=(
            Organisation(
                name="org1",
                ports=PeerPorts(
                    service=settings.peer1_port,
                    chaincode=settings.peer1_chaincode_port,
                    operations=settings.peer1_operations_port,
                ),
            ),
            Organisation(
                name="org2",
                ports=PeerPorts(
                    service=settings.peer2_port,
                    chaincode=settings.peer2_chaincode_port,
                    operations=settings.peer2_operations_port,
                ),
            ),
        ),
        slots=(
            SlotPorts(service=settings.chaincode_a_port, metrics=settings.chaincode_a_metrics_port),
            SlotPorts(service=settings.chaincode_b_port, metrics=settings.chaincode_b_metrics_port),
        ),
        batching=Batching(
            timeout_ms=settings.batch_timeout_ms, messages_max=settings.batch_messages_max
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStack:
    """Puts the network's items together; `folder` is the supervisor's that will run them."""

    network: Network
    binaries: Binaries
    folder: StackFolder
    common: CommonSettings
    environment: Mapping[str, str]
    """What our own processes, the chaincode servers, inherit."""

    def items(self) -> list[StackItem]:
        """Write the network's files and list what is to run.

        Raises:
            GxError: the files cannot be made; the text says what to do.
        """
        prepare_network(self.network, self.binaries, SystemClock())
        peers = [self._peer(organisation) for organisation in self.network.organisations]
        slots = [self._slot(number) for number in range(len(self.network.slots))]
        nodes = (ORDERER, *(peer.name for peer in peers))
        return [
            self._orderer(),
            *peers,
            *slots,
            StepSpec(name=CHANNEL, action=self._join, after=nodes),
            StepSpec(name=CHAINCODE, action=self._deploy, after=(CHANNEL, slot_name(0))),
        ]

    def urls(self) -> dict[str, str]:
        """List addresses for people."""
        network = self.network
        urls = {"orderer operations": f"http://{HOST}:{network.orderer.operations}/metrics"}
        for each in network.organisations:
            urls[f"{each.name} operations"] = f"http://{HOST}:{each.ports.operations}/metrics"
        return {**urls, "Fabric connection profile": str(network.connection_profile)}

    def lifecycle(self) -> PeerLifecycle:
        """Return the chaincode's lifecycle on this network."""
        return lifecycle_of(self.network, self.binaries)

    def _orderer(self) -> ProcessSpec:
        ports = self.network.orderer
        return ProcessSpec(
            name=ORDERER,
            command=(self.binaries[Program.ORDERER],),
            environment=_node_environment(self.network.config / "orderer"),
            working_folder=self.network.folder,
            readiness=HttpReady(url=f"http://{HOST}:{ports.operations}/healthz"),
            ports=(
                PortNeed(port=ports.service, setting=f"{SETTING}ORDERER_PORT"),
                PortNeed(port=ports.admin, setting=f"{SETTING}ORDERER_ADMIN_PORT"),
                PortNeed(port=ports.operations, setting=f"{SETTING}ORDERER_OPERATIONS_PORT"),
            ),
            stop_grace_s=STOP_GRACE_S,
            ready_timeout_s=START_TIMEOUT_S,
        )

    def _peer(self, organisation: Organisation) -> ProcessSpec:
        ports, setting = organisation.ports, f"{SETTING}PEER{organisation.name.removeprefix('org')}"
        return ProcessSpec(
            name=f"peer-{organisation.name}",
            command=(self.binaries[Program.PEER], "node", "start"),
            environment=_node_environment(self.network.config / organisation.name),
            working_folder=self.network.folder,
            readiness=HttpReady(url=f"http://{HOST}:{ports.operations}/healthz"),
            ports=(
                PortNeed(port=ports.service, setting=f"{setting}_PORT"),
                PortNeed(port=ports.chaincode, setting=f"{setting}_CHAINCODE_PORT"),
                PortNeed(port=ports.operations, setting=f"{setting}_OPERATIONS_PORT"),
            ),
            stop_grace_s=STOP_GRACE_S,
            ready_timeout_s=START_TIMEOUT_S,
        )

    def _slot(self, number: int) -> ProcessSpec:
        ports, setting = self.network.slots[number], f"{SETTING}CHAINCODE_{'AB'[number]}"
        slots = str(self.network.slots_path)
        return ProcessSpec(
            name=slot_name(number),
            command=(
                *(sys.executable, "-m", "gx.runtime.fabric_slot"),
                *(slots, str(number), str(ports.metrics)),
            ),
            environment={
                **self.environment,
                # So Fabric's own `peer`, which acts as the administrator, may do what a super
                # admin may: nobody can give that identity, of `cryptogen`, a role.
                "GX_CHAINCODE_ADMIN_OU_MSPS": self.network.organisations[0].msp_id,
            },
            readiness=SlotReady(
                servers=SlotServers(self.network, self.folder),
                number=number,
                serving=HttpReady(url=ready_url(self.network, number)),
            ),
            ports=(
                PortNeed(port=ports.service, setting=f"{setting}_PORT"),
                PortNeed(port=ports.metrics, setting=f"{setting}_METRICS_PORT"),
            ),
            stop_grace_s=STOP_GRACE_S,
        )

    async def _join(self) -> None:
        peers = [organisation.ports.service for organisation in self.network.organisations]
        orderer = self.network.orderer
        await wait_until_listening(HOST, (orderer.service, orderer.admin, *peers))
        await asyncio.to_thread(join_orderer, self.network, self.binaries)
        people = administration(self.network).resolved(self.network.folder)
        await asyncio.to_thread(join_peers, self.network, people, self.binaries)

    async def _deploy(self) -> None:
        operations = f"http://{HOST}:{self.network.orderer.operations}"
        await wait_until_ordering(operations, self.network.channel)
        await asyncio.to_thread(deploy_first, self.network, self.lifecycle(), self.folder)
        await wait_until_endorsing(self.common, self.network.connection_profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReady:
    """Ready when the slot has nothing to serve, or its server says that it is."""

    servers: SlotServers
    number: int
    serving: HttpReady

    async def fault(self) -> Unready | None:
        """See `gx.runtime.readiness.Readiness`."""
        try:
            slot = self.servers.slots()[self.number]
        except SlotsError as error:
            return Unready(str(error))
        return None if slot.served is None else await self.serving.fault()


def lifecycle_of(network: Network, binaries: Binaries) -> PeerLifecycle:
    """Return the chaincode's lifecycle on a native network."""
    return PeerLifecycle(
        administration(network).resolved(network.folder),
        peer=binaries[Program.PEER],
        folder=network.config / "client",
    )


def deploy_first(network: Network, lifecycle: PeerLifecycle, folder: StackFolder) -> None:
    """Deploy this project's version where no version is in force yet; else leave that one.

    Raises:
        SlotsError: a version is in force, but no slot knows how to serve it.
        GxError: a step failed.
    """
    servers = SlotServers(network, folder)
    committed = lifecycle.committed()
    if committed is not None:
        versions = {slot.served.version for slot in servers.slots() if slot.served is not None}
        if committed.version not in versions:
            served = ", ".join(sorted(versions)) or "nothing"
            raise SlotsError(
                f"version {committed.version} is in force, but {network.slots_path} serves "
                f"{served}: restore that file, it belongs to the ledgers beside it"
            )
        return
    address = servers.address_for(__version__, in_force=None)
    package = build_package(version=__version__, address=address)
    plan = plan_deployment(lifecycle, package)
    carry_out(plan, lifecycle, servers, report=lambda _: None)


def _node_environment(config: Path) -> dict[str, str]:
    """Return what a node needs; builder scripts are found and run with its PATH.

    Several nodes share this machine: one that runs more threads than its share of the cores pays
    with wake-ups, most of all where chaincode asks for keys one by one.
    """
    return {
        "GOMAXPROCS": str(max(1, (os.cpu_count() or 1) // 2)),
        "FABRIC_CFG_PATH": str(config),
        "FABRIC_LOGGING_SPEC": "info:grpc,gossip=warning",
        "PATH": os.defpath,
    }
