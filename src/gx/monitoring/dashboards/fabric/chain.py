"""The dashboard of the chain: its nodes, its height, the verdicts in its blocks."""

from typing import Final

from gx.monitoring.alerts.fabric import (
    CHAIN_DASHBOARD,
    blocks_behind,
    invalid_percent,
)
from gx.monitoring.dashboards.fabric.parts import (
    BEHIND,
    CHANNEL,
    CHANNEL_LEGEND,
    CHANNEL_NODE,
    LEADER,
    largest,
    query,
    work,
)
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Band,
    Color,
    Dashboard,
    LabelVariable,
    Measure,
    Row,
)
from gx.monitoring.dashboards.parts import (
    chart,
    limit,
    or_zero,
    rates,
    rises,
    stacked,
    tile,
)
from gx.monitoring.exporters.fabric import (
    ORDERER_HEIGHT,
    PEER_HEIGHT,
    PEER_TRANSACTIONS,
    on_nodes,
)
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import UP
from gx.monitoring.promql import (
    Expr,
    max_by,
    select,
)
from gx.monitoring.selectors import is_, matches
from gx.monitoring.thresholds import BLOCKS_BEHIND, INVALID_SHARE


def _nodes_up(exporter: Exporter) -> Expr:
    return or_zero(select(UP, is_("job", EXPORTER_JOBS[exporter]), IN_NAMESPACE))


VERDICTS: Final = stacked(
    chart(
        "Transactions by verdict",
        "Per second, as one peer counts them. DUPLICATE_TXID is a copy that was submitted again "
        "to be sure, and harmless. Without traffic it reads idle.",
        (
            work(
                expr=max_by(
                    rates(
                        on_nodes(PEER_TRANSACTIONS, IN_NAMESPACE),
                        *CHANNEL_NODE,
                        "validation_code",
                    ),
                    *CHANNEL,
                    "validation_code",
                )
                > 0,
                legend="{{validation_code}} {{channel}}",
            ),
        ),
        measure=Measure.PER_SECOND,
        runbooks=("InvalidTransactions",),
    )
)
INVALID: Final = chart(
    "Invalid transactions",
    "Percent of the last 5 minutes' transactions whose verdict was neither VALID nor that of a "
    "copy. The line is where somebody is told. Without traffic it reads idle.",
    (work(expr=invalid_percent(IN_NAMESPACE), legend="{{channel}}"),),
    measure=Measure.PERCENT,
    runbooks=("InvalidTransactions",),
    bands=limit(INVALID_SHARE.default),
)
CHAIN: Final = Dashboard(
    uid=CHAIN_DASHBOARD,
    title="GX Protocol - Blockchain Overview",
    description="The nodes of the network, the height of the chain, the verdicts in its blocks.",
    tags=("gx-protocol", "fabric"),
    variables=(
        LabelVariable(NAMESPACE, "Namespace", select(UP, matches("job", "fabric-.+")), NAMESPACE),
    ),
    rows=(
        Row(
            "Network",
            (
                tile(
                    "Peers up",
                    "Peers that answered their last scrape.",
                    query(expr=_nodes_up(Exporter.PEER), legend="peers"),
                    bands=(Band(None, Color.RED), Band(1, Color.GREEN)),
                ),
                tile(
                    "Orderers up",
                    "Orderers that answered their last scrape.",
                    query(expr=_nodes_up(Exporter.ORDERER), legend="orderers"),
                    runbooks=("NoLeader",),
                    bands=(Band(None, Color.RED), Band(1, Color.GREEN)),
                ),
                LEADER,
                tile(
                    "Furthest behind",
                    "Blocks that the slowest peer still has to take.",
                    query(expr=max_by(blocks_behind(IN_NAMESPACE)), legend="behind"),
                    runbooks=("PeerBehindOrderer",),
                    bands=rises(2, BLOCKS_BEHIND.default),
                ),
            ),
        ),
        Row(
            "Chain",
            (
                chart(
                    "Height",
                    "Blocks of the channel at each orderer and peer.",
                    (
                        query(
                            expr=largest(ORDERER_HEIGHT, *CHANNEL_NODE),
                            legend=f"orderer {CHANNEL_LEGEND}",
                        ),
                        query(
                            expr=largest(PEER_HEIGHT, *CHANNEL_NODE),
                            legend=f"peer {CHANNEL_LEGEND}",
                        ),
                    ),
                    measure=Measure.COUNT,
                ),
                BEHIND,
            ),
        ),
        Row("Verdicts", (VERDICTS, INVALID)),
    ),
    refresh_s=10,
)
