"""The gateways of a stand-in network, where its configuration files say that they are."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from tests.fabric.stand_in_programs import state_in
from tests.ledger.fabric.certificates import Authority, Pair
from tests.ledger.fabric.endorsed_by_chaincode import ChaincodeChannel, Endorsers, InForce
from tests.ledger.fabric.stand_in import StandInChannel
from tests.ledger.fabric.stand_in_peer import StandInPeer


class TlsFile(TypedDict):
    """A file in a peer's TLS section."""

    file: str


class TlsSection(TypedDict):
    """A peer's TLS section."""

    cert: TlsFile
    key: TlsFile


class PeerSection(TypedDict):
    """What of a core.yaml matters here."""

    id: str
    listenAddress: str
    tls: TlsSection


def serve_gateways(sections: Sequence[PeerSection], state: Path) -> None:
    """Serve one channel from these peers until SIGTERM; the definition in force is in `state`."""
    asyncio.run(_serve(sections, state))


async def _serve(sections: Sequence[PeerSection], state: Path) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    endorsers = Endorsers(lambda: _in_force(state))
    channel, authority = ChaincodeChannel(endorsers), Authority("unused")
    peers = [_peer(section, channel, authority) for section in sections]
    for peer in peers:
        await peer.start()
    await stopped.wait()
    for peer in peers:
        await peer.stop()
    endorsers.close()


def _in_force(folder: Path) -> InForce | None:
    """Find the package that the organisations approved for the committed sequence."""
    with state_in(folder) as state:
        approvals = [each.get(str(state["sequence"])) for each in state["approved"].values()]
        for approval in approvals:
            if approval is not None:
                package_id = approval["package_id"]
                return InForce(package_id=package_id, address=state["addresses"][package_id])
    return None


def _peer(section: PeerSection, channel: StandInChannel, authority: Authority) -> StandInPeer:
    """Make a peer with the certificate and the port of its configuration."""
    peer = StandInPeer(section["id"], channel, authority, Path())
    tls = section["tls"]
    peer._pair = Pair(
        certificate=Path(tls["cert"]["file"]).read_bytes(),
        key=Path(tls["key"]["file"]).read_bytes(),
    )
    peer._port = int(section["listenAddress"].rpartition(":")[2])
    return peer
