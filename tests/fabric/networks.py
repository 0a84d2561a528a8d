"""Networks for tests."""

from pathlib import Path

from gx.fabric.network import Network, OrdererPorts, Organisation, PeerPorts, SlotPorts


def network_in(folder: Path, ports: range = range(21_000, 21_013)) -> Network:
    """A network in this folder that listens on these thirteen ports."""
    number = iter(ports)
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
