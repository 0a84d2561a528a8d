"""A stand-in network with two peers and an identity for each role, and clients of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gx.domain.roles import LedgerRole
from gx.ledger.fabric.client import FabricLedger, FabricOptions
from gx.ledger.fabric.peers import Deadlines
from gx.ledger.fabric.profile import ConnectionProfile, IdentityFiles
from gx.ledger.fabric.stream import Watch
from gx.runtime.clock import SystemClock
from tests.ledger.fabric.certificates import Authority, write_pair
from tests.ledger.fabric.stand_in import CHAINCODE, CHANNEL, StandInChannel
from tests.ledger.fabric.stand_in_peer import StandInPeer

PATIENT = FabricOptions(
    deadlines=Deadlines(evaluate_s=30, endorse_s=30, submit_s=30, query_s=30),
    watch=Watch(every_s=0.2, silence_max_s=10),
)


@dataclass
class StandInNetwork:
    """Serves one channel from two peers; clients are closed with it."""

    folder: Path
    channel: StandInChannel = field(default_factory=StandInChannel)

    def __post_init__(self) -> None:
        """Make the certificates."""
        self.authority = Authority("ca.org1.gx.test")
        self.first, self.second = (
            StandInPeer(name, self.channel, self.authority, self.folder)
            for name in ("peer0.org1", "peer0.org2")
        )
        self.identities = {role: self.enrol(role) for role in LedgerRole}
        self._clients: list[FabricLedger] = []

    def enrol(self, role: LedgerRole) -> IdentityFiles:
        """Write an identity's files."""
        pair = self.authority.identity(role.value, role)
        certificate, key = write_pair(self.folder / "identities", role.value, pair)
        return IdentityFiles(msp_id="Org1MSP", certificate=certificate, key=key)

    async def start(self) -> None:
        """Start both peers."""
        for peer in (self.first, self.second):
            await peer.start()

    async def stop(self) -> None:
        """Kill both peers."""
        for peer in (self.first, self.second):
            await peer.stop()

    @property
    def profile(self) -> ConnectionProfile:
        """How to reach the network."""
        return ConnectionProfile(
            channel=CHANNEL,
            chaincode=CHAINCODE,
            peers=(self.first.node, self.second.node),
            identities=self.identities,
        )

    def client(
        self,
        options: FabricOptions = PATIENT,
        on_reendorsed: Callable[[str], None] = lambda _reason: None,
    ) -> FabricLedger:
        """Make a client, to be closed with the rest."""
        client = FabricLedger(
            self.profile, clock=SystemClock(), options=options, on_reendorsed=on_reendorsed
        )
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close the clients and end the peers."""
        for client in self._clients:
            await client.close()
        await self.stop()
