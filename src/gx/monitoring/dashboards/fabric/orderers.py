"""The dashboard of the orderers: consensus, blocks, what clients are answered, what it costs."""

from typing import Final

from gx.monitoring.alerts.fabric import (
    ORDERER_DASHBOARD,
)
from gx.monitoring.dashboards.fabric.parts import (
    CHANNEL,
    CHANNEL_LEGEND,
    CHANNEL_NODE,
    LEADER,
    NODE,
    NODE_LEGEND,
    cpu,
    largest,
    memory,
    query,
    seconds,
)
from gx.monitoring.dashboards.model import (
    IN_NAMESPACE,
    NAMESPACE,
    Dashboard,
    LabelVariable,
    Measure,
    Row,
)
from gx.monitoring.dashboards.parts import (
    chart,
    rates,
    stacked,
)
from gx.monitoring.exporters.fabric import (
    ACTIVE_NODES,
    BLOCK_FILL,
    BROADCAST_ENQUEUE,
    BROADCAST_VALIDATE,
    BROADCASTS,
    CLUSTER_SIZE,
    COMMITTED_BLOCK,
    DELIVERED_BLOCKS,
    IS_LEADER,
    LEADER_CHANGES,
    ORDERER_CPU,
    ORDERER_MEMORY,
    RAFT_PERSIST,
    RAFT_PROPOSALS,
    WAL_FSYNC,
    on_nodes,
)
from gx.monitoring.promql import (
    changes,
    max_by,
)

ORDERERS: Final = Dashboard(
    uid=ORDERER_DASHBOARD,
    title="GX Protocol - Orderer Performance",
    description="Consensus, cutting of blocks, what clients are answered, what it costs.",
    tags=("gx-protocol", "fabric"),
    variables=(LabelVariable(NAMESPACE, "Namespace", largest(IS_LEADER, NAMESPACE), NAMESPACE),),
    rows=(
        Row(
            "Consensus",
            (
                LEADER,
                chart(
                    "Changes of the leader",
                    "Within 5 minutes. Each stops submissions for as long as the election takes.",
                    (
                        query(
                            expr=max_by(
                                changes(on_nodes(LEADER_CHANGES, IN_NAMESPACE), 300), *CHANNEL
                            ),
                            legend="{{channel}}",
                        ),
                    ),
                    measure=Measure.COUNT,
                    runbooks=("NoLeader",),
                ),
                chart(
                    "Nodes of the cluster",
                    "How many there are and how many can be reached. Without a majority nothing "
                    "is ordered.",
                    (
                        query(expr=largest(CLUSTER_SIZE, *CHANNEL), legend="all {{channel}}"),
                        query(expr=largest(ACTIVE_NODES, *CHANNEL), legend="reached {{channel}}"),
                    ),
                    measure=Measure.COUNT,
                    runbooks=("NoLeader",),
                ),
            ),
        ),
        Row(
            "Blocks",
            (
                chart(
                    "Time to fill a block",
                    "From its first transaction until it is cut: at most the batch timeout. "
                    "Without traffic it reads idle.",
                    seconds(BLOCK_FILL, 50, 95),
                    measure=Measure.SECONDS,
                ),
                chart(
                    "Blocks committed by consensus",
                    "The number of the last one, at each node.",
                    (query(expr=largest(COMMITTED_BLOCK, *CHANNEL_NODE), legend=CHANNEL_LEGEND),),
                    measure=Measure.COUNT,
                ),
                chart(
                    "Blocks sent",
                    "To peers and clients, per second.",
                    (
                        query(
                            expr=rates(on_nodes(DELIVERED_BLOCKS, IN_NAMESPACE), *NODE),
                            legend=NODE_LEGEND,
                        ),
                    ),
                    measure=Measure.PER_SECOND,
                ),
            ),
        ),
        Row(
            "Transactions",
            (
                stacked(
                    chart(
                        "Answers to clients",
                        "Transactions that were sent, per second and by answer. SUCCESS is taken, "
                        "SERVICE_UNAVAILABLE is no leader, FORBIDDEN a signature.",
                        (
                            query(
                                expr=rates(on_nodes(BROADCASTS, IN_NAMESPACE), NAMESPACE, "status"),
                                legend="{{status}}",
                            ),
                        ),
                        measure=Measure.PER_SECOND,
                    )
                ),
                chart(
                    "Given to consensus",
                    "Transactions per second, at each node.",
                    (
                        query(
                            expr=rates(on_nodes(RAFT_PROPOSALS, IN_NAMESPACE), *NODE),
                            legend=NODE_LEGEND,
                        ),
                    ),
                    measure=Measure.PER_SECOND,
                ),
                chart(
                    "Time to check and to take a transaction",
                    "P95 of both steps. Without traffic it reads idle.",
                    (
                        *seconds(BROADCAST_VALIDATE, 95, legend="check "),
                        *seconds(BROADCAST_ENQUEUE, 95, legend="take "),
                    ),
                    measure=Measure.SECONDS,
                ),
            ),
        ),
        Row(
            "Machine",
            (
                chart(
                    "Time to store the consensus log",
                    "Entries to storage, and the flush to disk in it. A slow disk costs the "
                    "leader its office. Without traffic it reads idle.",
                    (
                        *seconds(RAFT_PERSIST, 95, legend="store "),
                        *seconds(WAL_FSYNC, 99, legend="flush "),
                    ),
                    measure=Measure.SECONDS,
                ),
                cpu(ORDERER_CPU),
                memory(ORDERER_MEMORY),
            ),
        ),
    ),
    refresh_s=10,
)
