"""Deploying the chaincode: to the native network that runs here, or to one of somebody else."""

from dataclasses import dataclass
from pathlib import Path

from gx import __version__
from gx.domain.errors import GxError
from gx.fabric.administration import load_administration
from gx.fabric.deployment import ChaincodeServers
from gx.fabric.lifecycle import Approval, Committed, DeploymentPlan, Lifecycle, plan_deployment
from gx.fabric.package import ChaincodePackage, build_package, read_package
from gx.fabric.peer_cli import PeerLifecycle
from gx.fabric.release import find_peer
from gx.fabric.servers import ForeignServers
from gx.runtime.fabric_launch import own_network, running_network
from gx.runtime.fabric_servers import SlotServers
from gx.runtime.settings import FabricNetworkSettings, load


class NoNetworkError(GxError):
    """It is not said which network is meant, and none runs here."""


class NoAddressError(GxError):
    """It is not said where the chaincode server of somebody else's network is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be deployed: a package that exists, or a version and where its server is."""

    package: Path | None = None
    version: str = __version__
    address: str | None = None
    sequence: int | None = None
    signature_policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationStatus:
    """What one organisation has of the chaincode; `approved` is for the sequence in force.

    `approved_next` is for the one after that: somebody has begun what is not in force yet.
    """

    msp_id: str
    installed: tuple[str, ...]
    approved: Approval | None
    approved_next: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeStatus:
    """What is in force on the channel, and what each organisation has."""

    committed: Committed | None
    organisations: tuple[OrganisationStatus, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Say what keeps the chaincode from running everywhere; nothing if all is well."""
        if self.committed is None:
            return ("no version is in force; deploy one with `gx chaincode upgrade`",)
        found = []
        for each in self.organisations:
            if each.approved is None or each.approved.package_id is None:
                found.append(f"{each.msp_id} has approved no package of {self.committed.version}")
            elif each.approved.package_id not in each.installed:
                found.append(f"{each.msp_id} has not installed the package that it approved")
        return tuple(found)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Say which organisations have approved what is not in force yet."""
        sequence = self.committed.sequence + 1 if self.committed else 1
        return tuple(
            f"{each.msp_id} has approved version {each.approved_next.version} for sequence "
            f"{sequence}, which is not committed"
            for each in self.organisations
            if each.approved_next is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployer:
    """The lifecycle and the servers of one network's chaincode."""

    lifecycle: Lifecycle
    servers: ChaincodeServers | None

    def plan(self, wanted: Wanted) -> DeploymentPlan:
        """Plan how a version comes into force; nothing is changed.

        Raises:
            NoAddressError: where its server is was not said.
            GxError: the version cannot be deployed; the text says why.
        """
        return plan_deployment(
            self.lifecycle,
            self._package(wanted),
            sequence=wanted.sequence,
            signature_policy=wanted.signature_policy,
        )

    def servers_for(self, package: ChaincodePackage) -> ChaincodeServers:
        """Return who runs the package's server."""
        return self.servers or ForeignServers(package.address)

    def status(self) -> ChaincodeStatus:
        """Ask what is in force, and what each organisation has."""
        committed = self.lifecycle.committed()
        sequence = committed.sequence if committed else 0
        return ChaincodeStatus(
            committed=committed,
            organisations=tuple(
                OrganisationStatus(
                    msp_id=each,
                    installed=tuple(sorted(self.lifecycle.installed(each))),
                    approved=self.lifecycle.approved(each, sequence),
                    approved_next=self.lifecycle.approved(each, sequence + 1),
                )
                for each in self.lifecycle.organisations
            ),
        )

    def _package(self, wanted: Wanted) -> ChaincodePackage:
        if wanted.package is not None:
            return read_package(wanted.package)
        return build_package(
            version=wanted.version, address=wanted.address or self._address(wanted)
        )

    def _address(self, wanted: Wanted) -> str:
        if self.servers is None:
            raise NoAddressError(
                "say with --address where the peers will find the chaincode server (host:port), "
                "or name its package with --package"
            )
        committed = self.lifecycle.committed()
        in_force = committed.version if committed else None
        return self.servers.address_for(wanted.version, in_force=in_force)


def open_deployer(administration: Path | None) -> Deployer:
    """Find the network: the one that runs here, or the one that the file describes.

    Raises:
        NoNetworkError: no file is named, and no network runs here.
        FabricMissingError: `peer` is not on this machine.
        AdministrationError: the file cannot be used.
    """
    peer = find_peer(load(FabricNetworkSettings).cache_dir)
    client = own_network().config / "client"
    if administration is not None:
        found = load_administration(administration)
        return Deployer(lifecycle=PeerLifecycle(found, peer=peer, folder=client), servers=None)
    running = running_network()
    if running is None:
        raise NoNetworkError(
            "no Fabric network runs here: start one with `gx fabric up`, or name the "
            "administration file of yours with --administration"
        )
    found = load_administration(running.network.administration)
    return Deployer(
        lifecycle=PeerLifecycle(found, peer=peer, folder=client),
        servers=SlotServers(running.network, running.folder),
    )
