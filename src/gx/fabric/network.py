"""The native network in values: who is in it, where each listens, and where its files are.

One orderer and two organisations with one peer each, all on loopback. Everything that is written
or started for it follows from a `Network`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Document = dict[str, object]
"""A configuration file's content."""

HOST: Final = "127.0.0.1"
DOMAIN: Final = "gx.local"
ORDERER_MSP: Final = "OrdererMSP"
PROFILE: Final = "Gx"
"""The name of the channel's profile in configtx.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPorts:
    """Where a peer listens: for clients, for chaincode that dials in, for operators."""

    service: int
    chaincode: int
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdererPorts:
    """Where the orderer listens: for clients, for `osnadmin`, for operators."""

    service: int
    admin: int
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPorts:
    """Where the chaincode server in a slot listens: for peers and for Prometheus."""

    service: int
    metrics: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """When the orderer cuts a block: after this time, this many transactions or these bytes.

    Our transactions carry many commands each, so a block is cut for nearly every one of them;
    a longer time-out would only delay it.
    """

    timeout_ms: int = 20
    messages_max: int = 100
    preferred_bytes_max: int = 2 * 1024 * 1024
    absolute_bytes_max: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation with one peer; `name` is `org1`, and everything else follows from it."""

    name: str
    ports: PeerPorts

    @property
    def msp_id(self) -> str:
        """Return the id of its membership service provider."""
        return f"{self.name.capitalize()}MSP"

    @property
    def domain(self) -> str:
        """Return the domain in its certificates."""
        return f"{self.name}.{DOMAIN}"

    @property
    def peer_name(self) -> str:
        """Return the peer's name, which its TLS certificate is for."""
        return f"peer0.{self.domain}"

    @property
    def endpoint(self) -> str:
        """Return where clients reach the peer."""
        return f"{HOST}:{self.ports.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network whose files are in `folder`."""

    folder: Path
    channel: str
    chaincode: str
    orderer: OrdererPorts
    organisations: Sequence[Organisation]
    slots: Sequence[SlotPorts]
    batching: Batching = Batching()

    @property
    def orderer_name(self) -> str:
        """Return the orderer's name, which its TLS certificate is for."""
        return f"orderer.{DOMAIN}"

    @property
    def orderer_endpoint(self) -> str:
        """Return where clients reach the orderer."""
        return f"{HOST}:{self.orderer.service}"

    @property
    def config(self) -> Path:
        """Return the folder of the configuration files, written anew at every start."""
        return self.folder / "config"

    @property
    def crypto(self) -> Path:
        """Return the folder that `cryptogen` writes, once."""
        return self.folder / "crypto"

    @property
    def builder(self) -> Path:
        """Return the folder of the external builder's scripts."""
        return self.folder / "builder"

    @property
    def genesis_block(self) -> Path:
        """Return the file of the channel's first block."""
        return self.folder / "channel" / f"{self.channel}.block"

    @property
    def packages(self) -> Path:
        """Return the folder of the chaincode packages."""
        return self.folder / "packages"

    @property
    def slots_path(self) -> Path:
        """Return the file that says which package each chaincode slot serves."""
        return self.folder / "slots.json"

    @property
    def chaincode_targets(self) -> Path:
        """Return the file that tells Prometheus where the chaincode's servers are by now."""
        return self.folder / "chaincode-targets.json"

    @property
    def connection_profile(self) -> Path:
        """Return the file that clients read."""
        return self.folder / "profile.json"

    @property
    def administration(self) -> Path:
        """Return the file that the chaincode's administrators read."""
        return self.folder / "administration.json"

    @property
    def orderer_home(self) -> Path:
        """Return the folder of the orderer's certificates and keys."""
        organisation = self.crypto / "ordererOrganizations" / DOMAIN
        return organisation / "orderers" / self.orderer_name

    def data(self, name: str) -> Path:
        """Return the folder where a node keeps its ledger."""
        return self.folder / "data" / name

    def organisation_home(self, organisation: Organisation) -> Path:
        """Return the folder of an organisation's certificates and keys."""
        return self.crypto / "peerOrganizations" / organisation.domain

    def peer_home(self, organisation: Organisation) -> Path:
        """Return the folder of a peer's certificates and keys."""
        return self.organisation_home(organisation) / "peers" / organisation.peer_name

    def admin_msp(self, organisation: Organisation) -> Path:
        """Return the identity folder of an organisation's administrator."""
        users = self.organisation_home(organisation) / "users"
        return users / f"Admin@{organisation.domain}" / "msp"
