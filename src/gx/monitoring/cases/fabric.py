"""Cases of the alerts on a Fabric network's own metrics: two peers, three orderers."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import fabric
from gx.monitoring.cases.fabric_nodes import (
    CONFLICT,
    LEDGER,
    OTHER_LEDGER,
    node,
    orderers,
    proposals,
    received,
    transactions,
)
from gx.monitoring.cases.heights import HEIGHT_CASES
from gx.monitoring.cases.model import (
    Case,
    Line,
    Trap,
    at_rate,
    at_threshold,
    grow,
    hold,
    line,
    more,
    trap,
)
from gx.monitoring.exporters.fabric import (
    ENDORSEMENTS_REFUSED,
    IS_LEADER,
    PROPOSALS_DENIED,
    PROPOSALS_INVALID,
)
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import UP


def _up(*values: str) -> list[Line]:
    job = EXPORTER_JOBS[Exporter.ORDERER]
    return [
        line(UP, each, namespace=LEDGER, job=job, instance=f"o{index}:1", service="orderer")
        for index, each in enumerate(values)
    ]


def leader() -> Sequence[Case]:
    """One of three leads; none, or nobody there, is an outage."""
    alert = fabric.NO_LEADER
    return [
        *at_threshold(
            alert, lambda v: orderers(IS_LEADER, hold(0, 20), v, hold(0, 20)), over=0, under=1
        ),
        more(
            alert,
            "an election of 45 s",
            orderers(IS_LEADER, "1x8 0 0 0 0x30", "0x8 0 0 0 1x30"),
            *((minute, 0) for minute in range(1, 9)),
        ),
        more(
            alert,
            "all orderers are gone, and their gauges with them",
            [*_up(hold(0, 12), hold(0, 12)), *orderers(IS_LEADER, "1x8", "0x8")],
            (10, 1),
        ),
        more(
            alert,
            "one of two orderers is gone",
            [*_up(hold(0, 12), hold(1, 12)), *orderers(IS_LEADER, "0x8", hold(1, 12))],
            (4, 0),
            (10, 0),
        ),
        trap(
            alert,
            Trap.REPLICAS,
            orderers(IS_LEADER, hold(1, 12), hold(0, 12), hold(0, 12)),
            (8, 0),
            says="followers say 0",
        ),
        trap(alert, Trap.NOT_DEPLOYED, [], (8, 0), says="no Fabric at all"),
    ]


def _with_conflicts(values: str) -> list[Line]:
    return [transactions(grow(19, 40), "VALID"), transactions(values, CONFLICT)]


def verdicts() -> Sequence[Case]:
    """5 % of twenty transactions a sample, as each peer counts them."""
    alert = fabric.TRANSACTIONS_ARE_INVALID
    return [
        *at_rate(alert, _with_conflicts, over=1.1, under=0.9),
        trap(
            alert,
            Trap.REPLICAS,
            [
                *(transactions(grow(19, 20), "VALID", each) for each in ("a:1", "b:1")),
                *(transactions(grow(0.8, 20), CONFLICT, each) for each in ("a:1", "b:1")),
            ],
            (15, 0),
            says="two peers count the same conflicts",
        ),
        trap(alert, Trap.NO_TRAFFIC, _with_conflicts(hold(500, 20))[1:], (15, 0)),
        trap(
            alert,
            Trap.NEVER_CREATED,
            [transactions(f"_x20 {grow(5, 15, start=5)}", CONFLICT)],
            (15, 1),
            says="no transaction was ever valid",
        ),
        trap(
            alert,
            Trap.ONE_FAILURE,
            [transactions("0x20 1x60", "VALID"), transactions("0x20 1x60", CONFLICT)],
            *((minute, 0) for minute in range(5, 19)),
        ),
    ]


def verdicts_elsewhere() -> Sequence[Case]:
    """A busy network beside it, a restart, and copies."""
    alert = fabric.TRANSACTIONS_ARE_INVALID
    return [
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [
                *_with_conflicts(grow(2, 20)),
                transactions(grow(900, 20), "VALID", namespace=OTHER_LEDGER),
            ],
            (15, 1),
        ),
        trap(
            alert,
            Trap.COUNTER_RESET,
            [
                transactions("9000+19x30 0+19x50", "VALID"),
                transactions("900+0.5x30 0+0.5x50", CONFLICT),
            ],
            (9, 0),
            (15, 0),
            says="a peer that restarts",
        ),
        more(
            alert,
            "copies of transactions that were submitted again",
            [*_with_conflicts(hold(0, 20)), transactions(grow(10, 20), "DUPLICATE_TXID")],
            (15, 0),
        ),
    ]


def _with_failures(values: str) -> list[Line]:
    return [received(grow(20, 40)), proposals(grow(19, 40), "true"), proposals(values, "false")]


def _refused(values: str, *, by_chaincode: bool = True, chaincode: str = "gxtv3") -> Line:
    labels = {"chaincodeerror": str(by_chaincode).lower(), "chaincode": chaincode}
    return node(ENDORSEMENTS_REFUSED, values, **labels)


def endorsements() -> Sequence[Case]:
    """5 % of twenty proposals a sample, without the chaincode's own refusals."""
    alert = fabric.ENDORSEMENTS_FAIL
    return [
        *at_rate(alert, _with_failures, over=1.1, under=0.9),
        more(
            alert,
            "the chaincode refuses half of them",
            [*_with_failures(grow(19, 20)), _refused(grow(19, 20))],
            (15, 0),
        ),
        more(
            alert,
            "the peer cannot sign",
            [*_with_failures(grow(2, 20)), _refused(grow(2, 20), by_chaincode=False)],
            (15, 1),
        ),
        trap(
            alert,
            Trap.NEVER_CREATED,
            [received(grow(5, 20)), proposals(f"_x20 {grow(5, 15, start=5)}", "false")],
            (15, 1),
            says="no proposal ever succeeded",
        ),
        trap(
            alert,
            Trap.NO_TRAFFIC,
            [received(hold(900, 20)), proposals(hold(500, 20), "false")],
            (15, 0),
        ),
    ]


def identities() -> Sequence[Case]:
    """Whom a peer does not know, and what a peer is asked about itself."""
    alert = fabric.ENDORSEMENTS_FAIL
    busy = [received(grow(20, 40)), proposals(grow(18, 40), "true")]
    asked = [
        proposals(grow(2, 40), "false", chaincode="qscc"),
        _refused(grow(2, 40), chaincode="_lifecycle"),
    ]
    return [
        more(
            alert,
            "identities that the channel does not know",
            [*busy, node(PROPOSALS_INVALID, grow(2, 40))],
            (15, 1),
        ),
        more(
            alert,
            "an identity that may not write",
            [*busy, node(PROPOSALS_DENIED, grow(2, 40), chaincode="gxtv3")],
            (15, 1),
        ),
        more(alert, "questions to the peer for what it has not", [*busy, *asked], (15, 0)),
    ]


def endorsement_traps() -> Sequence[Case]:
    """One failure, a healthy peer beside a sick one, a restart."""
    alert = fabric.ENDORSEMENTS_FAIL
    return [
        trap(
            alert,
            Trap.ONE_FAILURE,
            [
                received("0x20 2x60"),
                proposals("0x20 1x60", "true"),
                proposals("0x20 1x60", "false"),
            ],
            *((minute, 0) for minute in range(5, 19)),
        ),
        trap(
            alert,
            Trap.REPLICAS,
            [
                *_with_failures(grow(2, 20)),
                received(grow(900, 20), "b:1"),
                proposals(grow(900, 20), "true", "b:1"),
            ],
            (15, 1),
            says="a healthy peer does not hide a sick one",
        ),
        trap(
            alert,
            Trap.COUNTER_RESET,
            [
                received("9900+20x30 0+20x50"),
                proposals("9000+19x30 0+19x50", "true"),
                proposals("900+0.5x30 0+0.5x50", "false"),
            ],
            (9, 0),
            (15, 0),
            says="a peer that restarts",
        ),
    ]


FABRIC_CASES: Final = (
    *HEIGHT_CASES,
    *leader(),
    *verdicts(),
    *verdicts_elsewhere(),
    *endorsements(),
    *identities(),
    *endorsement_traps(),
)
