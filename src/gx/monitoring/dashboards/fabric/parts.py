"""What the three dashboards of a Fabric network share: how a node is asked, and two panels."""

from functools import partial
from typing import Final

from gx.monitoring.alerts.fabric import (
    blocks_behind,
)
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Band,
    Color,
    Drawing,
    Measure,
    Panel,
    Query,
    State,
)
from gx.monitoring.dashboards.parts import (
    chart,
    limit,
    quantile,
)
from gx.monitoring.exporters.fabric import (
    IS_LEADER,
    buckets_on_nodes,
    on_nodes,
)
from gx.monitoring.promql import (
    RATE_INTERVAL,
    Expr,
    max_by,
    rate,
    sum_by,
)
from gx.monitoring.selectors import ExternalMetric
from gx.monitoring.thresholds import BLOCKS_BEHIND
from gx.telemetry.metric import Condition

CHANNEL: Final = (NAMESPACE, "channel")
NODE: Final = (NAMESPACE, "instance")
CHANNEL_NODE: Final = (*CHANNEL, "instance")
NODE_LEGEND: Final = "{{instance}}"
CHANNEL_LEGEND: Final = "{{channel}} {{instance}}"

# Nobody exports any of it where the ledger is the embedded one.
query = partial(Query, condition=Condition.FABRIC)
work = partial(Query, condition=Condition.FABRIC, needs_traffic=True)


def largest(metric: ExternalMetric, *labels: str) -> Expr:
    """Take the largest of the chosen nodes that share these labels."""
    return max_by(on_nodes(metric, IN_NAMESPACE), *labels)


def seconds(metric: ExternalMetric, *percents: int, legend: str = "") -> tuple[Query, ...]:
    """Ask for quantiles of a duration, node by node."""
    return tuple(
        work(
            expr=quantile(buckets_on_nodes(metric, IN_NAMESPACE), each / 100, *NODE),
            legend=f"P{each} {legend}{NODE_LEGEND}",
        )
        for each in percents
    )


def cpu(metric: ExternalMetric) -> Panel:
    """Show what a kind of node computes."""
    return chart(
        "CPU of each node",
        "Percent of one CPU. Most of what a peer computes are checks of signatures.",
        (
            query(
                expr=100 * sum_by(rate(on_nodes(metric, IN_NAMESPACE), RATE_INTERVAL), *NODE),
                legend=NODE_LEGEND,
            ),
        ),
        measure=Measure.PERCENT,
    )


def memory(metric: ExternalMetric) -> Panel:
    """Show what a kind of node keeps in memory."""
    return chart(
        "Memory of each node",
        "Bytes of resident memory.",
        (query(expr=largest(metric, *NODE), legend=NODE_LEGEND),),
        measure=Measure.BYTES,
    )


LEADER: Final = Panel(
    title="Leader",
    description="LED: a node of the cluster orders this channel. NONE: nothing can be submitted.",
    drawing=Drawing.STAT,
    measure=Measure.STATE,
    queries=(query(expr=largest(IS_LEADER, *CHANNEL), legend="{{channel}}"),),
    runbooks=("NoLeader",),
    bands=(Band(None, Color.RED), Band(1, Color.GREEN)),
    states=(State(0, "NONE", Color.RED), State(1, "LED", Color.GREEN)),
)
BEHIND: Final = chart(
    "Blocks behind the orderer",
    "What each peer still has to take. The gateway on such a peer answers from old state, and "
    "endorsements by peers at different heights do not match.",
    (query(expr=blocks_behind(IN_NAMESPACE), legend=CHANNEL_LEGEND),),
    measure=Measure.COUNT,
    runbooks=("PeerBehindOrderer",),
    bands=limit(BLOCKS_BEHIND.default),
)
