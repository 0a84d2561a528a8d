"""The gateways of a stand-in network, where its configuration files say that they are."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from tests.ledger.fabric.certificates import Authority, Pair
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


def serve_gateways(sections: Sequence[PeerSection]) -> None:
    """Serve one channel from these peers until SIGTERM."""
    asyncio.run(_serve(sections))


async def _serve(sections: Sequence[PeerSection]) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    channel, authority = StandInChannel(), Authority("unused")
    peers = [_peer(section, channel, authority) for section in sections]
    for peer in peers:
        await peer.start()
    await stopped.wait()
    for peer in peers:
        await peer.stop()


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
