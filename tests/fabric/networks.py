"""Networks for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gx.fabric.network import Network, OrdererPorts, Organisation, PeerPorts, SlotPorts
from tests import ports

PORTS: Final = 13


def free_ports() -> list[int]:
    """Find ports that nobody listens on, as many as a network needs."""
    return ports.free_ports(PORTS)


def network_in(folder: Path, numbers: Sequence[int] = range(21_000, 21_013)) -> Network:
    """A network in this folder that listens on these thirteen ports."""
    number = iter(numbers)
    return Network(
        folder=folder,
        channel="gxchannel",
        chaincode="gxtv3",
        orderer=OrdererPorts(service=next(number), admin=next(number), operations=next(number)),
        organisations=tuple(
            Organisation(
                name=name,
                ports=PeerPorts(
                    service=next(number), chaincode=next(number), operations=next(number)
                ),
            )
            for name in ("org1", "org2")
        ),
        slots=tuple(SlotPorts(service=next(number), metrics=next(number)) for _ in range(2)),
    )
