"""Cases of a peer's height: of peers that are behind, lost, or somebody else's."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import fabric
from gx.monitoring.cases.fabric_nodes import OTHER_LEDGER, node, orderers, peer_up
from gx.monitoring.cases.model import Case, Trap, at_threshold, grow, hold, more, trap
from gx.monitoring.exporters.fabric import ORDERER_HEIGHT, PEER_HEIGHT


def heights() -> Sequence[Case]:
    """Eleven blocks behind are too many, ten are not."""
    alert = fabric.PEER_BEHIND
    peer = [node(PEER_HEIGHT, hold(100, 30)), peer_up(hold(1, 30))]
    return [
        *at_threshold(alert, lambda v: [*orderers(ORDERER_HEIGHT, v), *peer], over=111, under=110),
        trap(
            alert,
            Trap.REPLICAS,
            [*orderers(ORDERER_HEIGHT, hold(100, 12), hold(20, 12), hold(99, 12)), *peer],
            (8, 0),
            says="an orderer that lags",
        ),
        trap(
            alert,
            Trap.FROZEN_GAUGE,
            [*orderers(ORDERER_HEIGHT, grow(1, 20, start=100)), *peer],
            (3, 0),
            (8, 1),
            says="a peer that commits nothing while blocks are cut",
        ),
        trap(
            alert,
            Trap.CATCH_UP,
            [
                *orderers(ORDERER_HEIGHT, "100x7 160x60"),
                node(PEER_HEIGHT, "100+0x7 105+10x5 160x60"),
                peer_up(hold(1, 20)),
            ],
            *((minute, 0) for minute in range(1, 15)),
            says="a burst that is over in a minute",
        ),
    ]


def heights_elsewhere() -> Sequence[Case]:
    """Other peers, other networks, and orderers of others."""
    alert = fabric.PEER_BEHIND
    peer = [node(PEER_HEIGHT, hold(100, 30)), peer_up(hold(1, 30))]
    return [
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [
                *orderers(ORDERER_HEIGHT, hold(100, 12)),
                *peer,
                node(ORDERER_HEIGHT, hold(900, 12), namespace=OTHER_LEDGER),
                node(PEER_HEIGHT, hold(900, 12), namespace=OTHER_LEDGER),
                peer_up(hold(1, 12), namespace=OTHER_LEDGER),
            ],
            (8, 0),
            says="a longer chain of the same name elsewhere",
        ),
        more(
            alert,
            "each of two peers",
            [
                *orderers(ORDERER_HEIGHT, hold(150, 12)),
                *peer,
                node(PEER_HEIGHT, hold(120, 12), "b:1"),
                peer_up(hold(1, 12), "b:1"),
            ],
            (8, 2),
        ),
        trap(alert, Trap.NOT_DEPLOYED, peer, (8, 0), says="orderers that somebody else runs"),
    ]


def heights_of_lost_peers() -> Sequence[Case]:
    """A peer that is asked in vain is behind; one that nobody asks any more is not."""
    alert = fabric.PEER_BEHIND
    return [
        more(
            alert,
            "a peer that hangs: its gauge ends with its last scrape",
            [
                *orderers(ORDERER_HEIGHT, grow(1, 20, start=100)),
                node(PEER_HEIGHT, "100x4"),
                peer_up("1x4 0x75"),
            ],
            (3, 0),
            (8, 1),
            (18, 1),
        ),
        more(
            alert,
            "a peer that is no target any more",
            [
                *orderers(ORDERER_HEIGHT, grow(1, 20, start=100)),
                node(PEER_HEIGHT, "100x4"),
                peer_up("1x4"),
            ],
            (12, 0),
        ),
    ]


HEIGHT_CASES: Final = (*heights(), *heights_of_lost_peers(), *heights_elsewhere())
