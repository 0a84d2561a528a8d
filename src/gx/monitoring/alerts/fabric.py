"""A Fabric network as its own nodes see it: leader, heights, verdicts, endorsements.

They need the orderers and peers to be scraped. Where those are run by somebody else, or the ledger
is the embedded one, nothing is selected and all of them are silent; what the backend sees of the
ledger (LedgerUnreachable, FabricCircuitBreakerOpen, ...) speaks in any case.
"""

from typing import Final

from gx.monitoring.exporters.fabric import (
    ENDORSEMENTS_REFUSED,
    IS_LEADER,
    ORDERER_HEIGHT,
    PEER_HEIGHT,
    PEER_TRANSACTIONS,
    PROPOSAL_DURATION,
    PROPOSALS_DENIED,
    PROPOSALS_INVALID,
    PROPOSALS_RECEIVED,
    count_on_nodes,
    on_nodes,
)
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import UP
from gx.monitoring.model import Alert, Component, Fault, Severity
from gx.monitoring.promql import (
    Expr,
    Selector,
    both,
    clamp_min,
    combine,
    either,
    increase,
    last_over,
    max_by,
    select,
    sum_by,
)
from gx.monitoring.recording import NAMESPACE
from gx.monitoring.selectors import Matcher, is_, is_not, matches_not
from gx.monitoring.thresholds import (
    BLOCKS_BEHIND,
    ENDORSEMENT_FAILURES,
    ENDORSEMENT_SHARE,
    INVALID_SHARE,
    INVALID_VOLUME,
    beyond,
)

CHAIN_DASHBOARD: Final = "01-blockchain-overview"
ORDERER_DASHBOARD: Final = "02-orderer-performance"
PEER_DASHBOARD: Final = "03-peer-performance"
_CHANNEL: Final = (NAMESPACE, "channel")
_NODE: Final = (NAMESPACE, "instance")
_CHANNEL_NODE: Final = (*_CHANNEL, "instance")
_WINDOW_S: Final = 300
_REMEMBERED_S: Final = 3_600
# A copy of a transaction that was submitted again to be sure: the first verdict counts, and
# nothing is wrong.
_COPY: Final = "DUPLICATE_TXID"
# Asking a peer's own chaincodes for what is not there, a transaction for example, is a proposal
# that fails, too, and tells nothing of the peer.
_OF_APPLICATIONS: Final = matches_not("chaincode", "_lifecycle|[clq]scc")


def blocks_behind(*where: Matcher) -> Expr:
    """Return how many blocks each peer lacks of the most that any orderer has.

    A peer that hangs answers no scrape and its gauge ends: it counts with what it had last, for
    an hour, while it is a target.
    """
    ordered = max_by(on_nodes(ORDERER_HEIGHT, *where), *_CHANNEL)
    known = max_by(last_over(on_nodes(PEER_HEIGHT, *where), _REMEMBERED_S), *_CHANNEL_NODE)
    held = both(known, select(UP, is_("job", EXPORTER_JOBS[Exporter.PEER]), *where), on=_NODE)
    return -1 * combine(held, "-", ordered, on=_CHANNEL, many_to_one=True)


def invalid_percent(*where: Matcher) -> Expr:
    """Return the share of transactions with a bad verdict, of the peer that saw the most.

    Every peer counts every transaction, so peers are never added up.
    """
    every = _grown(_transactions(*where), *_CHANNEL_NODE)
    bad = _grown(
        on_nodes(PEER_TRANSACTIONS, matches_not("validation_code", f"VALID|{_COPY}"), *where),
        *_CHANNEL_NODE,
    )
    return max_by(_percent(bad, every, on=_CHANNEL_NODE), *_CHANNEL)


def endorsement_failure_percent(*where: Matcher) -> Expr:
    """Return the share of proposals that failed for another reason than the chaincode's no."""
    received = _grown(on_nodes(PROPOSALS_RECEIVED, *where), *_NODE)
    return _percent(_own_failures(*where), received, on=_NODE)


def _transactions(*where: Matcher) -> Selector:
    return on_nodes(PEER_TRANSACTIONS, is_not("validation_code", _COPY), *where)


def _own_failures(*where: Matcher) -> Expr:
    """Count proposals without an endorsement, less those that the chaincode refused.

    Those of an identity that the channel does not know, or does not let write, are sorted out
    before the chaincode is asked, and counted apart. A peer has none of these counters before
    something fails, so what it was given stands for none of it.
    """
    failed = count_on_nodes(PROPOSAL_DURATION, is_("success", "false"), _OF_APPLICATIONS, *where)
    refused = on_nodes(
        ENDORSEMENTS_REFUSED, is_("chaincodeerror", "true"), _OF_APPLICATIONS, *where
    )
    invalid, denied = on_nodes(PROPOSALS_INVALID, *where), on_nodes(PROPOSALS_DENIED, *where)
    counted = -1 * increase(refused, _WINDOW_S)
    for counter in (failed, invalid, denied):  # no two of them have the same labels
        counted = either(counted, increase(counter, _WINDOW_S))
    none = 0 * increase(on_nodes(PROPOSALS_RECEIVED, *where), _WINDOW_S)
    return clamp_min(sum_by(either(counted, none), *_NODE), 0)


def _grown(counter: Selector, *labels: str) -> Expr:
    return sum_by(increase(counter, _WINDOW_S), *labels)


def _percent(part: Expr, whole: Expr, *, on: tuple[str, ...]) -> Expr:
    """Return 100 * part / whole, node by node; a part that never happened is 0."""
    busy = whole > 0
    return 100 * combine(either(part, 0 * busy, on=on), "/", busy, on=on)


PEER_BEHIND: Final = Alert(
    name="PeerBehindOrderer",
    expr=beyond(blocks_behind(), ">", BLOCKS_BEHIND),
    for_s=120,
    crossing_s=15,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="peer_height",
    summary="A peer lacks blocks that the orderers have long had.",
    description=(
        "{{ $labels.instance }} in {{ $labels.namespace }} is {{ $value }} blocks of "
        "{{ $labels.channel }} behind."
    ),
    thresholds=(BLOCKS_BEHIND,),
    dashboard=CHAIN_DASHBOARD,
    drill=Fault.STAND_IN,
)
# The gauge of a node that is gone is gone, too; that none of them answers is the same outage.
NO_LEADER: Final = Alert(
    name="NoLeader",
    expr=either(
        max_by(on_nodes(IS_LEADER), *_CHANNEL) < 1,
        max_by(select(UP, is_("job", EXPORTER_JOBS[Exporter.ORDERER])), NAMESPACE).equals(0),
    ),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.FABRIC,
    family="ordering",
    summary="No orderer leads: nothing can be submitted to the ledger.",
    description=(
        "In {{ $labels.namespace }} {{ with $labels.channel }}the channel {{ . }} has no leader"
        "{{ else }}no orderer answers{{ end }} (value {{ $value }})."
    ),
    dashboard=ORDERER_DASHBOARD,
    drill=Fault.STAND_IN,
)
TRANSACTIONS_ARE_INVALID: Final = Alert(
    name="InvalidTransactions",
    expr=both(
        beyond(invalid_percent(), ">", INVALID_SHARE),
        beyond(max_by(_grown(_transactions(), *_CHANNEL_NODE), *_CHANNEL), ">=", INVALID_VOLUME),
        on=_CHANNEL,
    ),
    for_s=300,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="invalid_transactions",
    summary="Transactions are ordered and then found invalid: work is done in vain.",
    description=(
        "{{ $value | humanize }} % of the transactions on {{ $labels.channel }} in "
        "{{ $labels.namespace }} are invalid."
    ),
    thresholds=(INVALID_SHARE, INVALID_VOLUME),
    dashboard=CHAIN_DASHBOARD,
    drill=Fault.STAND_IN,
)
ENDORSEMENTS_FAIL: Final = Alert(
    name="EndorsementFailures",
    expr=both(
        beyond(endorsement_failure_percent(), ">", ENDORSEMENT_SHARE),
        beyond(_own_failures(), ">=", ENDORSEMENT_FAILURES),
        on=_NODE,
    ),
    for_s=300,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="endorsement",
    summary="A peer cannot endorse: its chaincode, its state or the caller's identity is at fault.",
    description=(
        "{{ $labels.instance }} in {{ $labels.namespace }} fails {{ $value | humanize }} % of the "
        "proposals."
    ),
    thresholds=(ENDORSEMENT_SHARE, ENDORSEMENT_FAILURES),
    dashboard=PEER_DASHBOARD,
    drill=Fault.STAND_IN,
)

FABRIC_ALERTS: Final = (
    PEER_BEHIND,
    NO_LEADER,
    TRANSACTIONS_ARE_INVALID,
    ENDORSEMENTS_FAIL,
)
