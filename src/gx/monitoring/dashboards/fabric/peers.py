"""The dashboard of the peers: endorsing, committing, the gateway, the chaincode, gossip."""

from typing import Final

from gx.monitoring.alerts.fabric import (
    PEER_DASHBOARD,
    endorsement_failure_percent,
)
from gx.monitoring.dashboards.fabric.parts import (
    BEHIND,
    CHANNEL_LEGEND,
    CHANNEL_NODE,
    NODE,
    NODE_LEGEND,
    cpu,
    largest,
    memory,
    query,
    seconds,
    work,
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
    limit,
    quantile,
    rates,
    stacked,
)
from gx.monitoring.exporters.fabric import (
    BLOCK_PROCESSING,
    BLOCK_STORE_COMMIT,
    EXPORTED_SERVICE,
    GOSSIP_BUFFER,
    GOSSIP_HEIGHT,
    GOSSIP_PEERS,
    PEER_CPU,
    PEER_HEIGHT,
    PEER_MEMORY,
    PROPOSAL_DURATION,
    PROPOSALS_RECEIVED,
    SHIM_REQUESTS,
    STATE_COMMIT,
    UNARY_REQUESTS,
    buckets_on_nodes,
    count_on_nodes,
    on_nodes,
)
from gx.monitoring.selectors import is_
from gx.monitoring.thresholds import ENDORSEMENT_SHARE

_GATEWAY: Final = is_(EXPORTED_SERVICE, "gateway_Gateway")
PEERS: Final = Dashboard(
    uid=PEER_DASHBOARD,
    title="GX Protocol - Peer Performance",
    description="Endorsing, committing, the gateway, the chaincode, gossip.",
    tags=("gx-protocol", "fabric"),
    variables=(LabelVariable(NAMESPACE, "Namespace", largest(PEER_HEIGHT, NAMESPACE), NAMESPACE),),
    rows=(
        Row(
            "Endorsing",
            (
                chart(
                    "Proposals",
                    "Given to each peer, per second: to endorse, and to evaluate alone.",
                    (
                        query(
                            expr=rates(on_nodes(PROPOSALS_RECEIVED, IN_NAMESPACE), *NODE),
                            legend=NODE_LEGEND,
                        ),
                    ),
                    measure=Measure.PER_SECOND,
                ),
                chart(
                    "Time to endorse",
                    "Simulating, with the chaincode's part, and signing. Without traffic it reads "
                    "idle.",
                    seconds(PROPOSAL_DURATION, 50, 95, 99),
                    measure=Measure.SECONDS,
                ),
                chart(
                    "Endorsements that fail",
                    "Percent of the last 5 minutes' proposals, without those that the chaincode "
                    "itself refused. Without traffic it reads idle.",
                    (work(expr=endorsement_failure_percent(IN_NAMESPACE), legend=NODE_LEGEND),),
                    measure=Measure.PERCENT,
                    runbooks=("EndorsementFailures",),
                    bands=limit(ENDORSEMENT_SHARE.default),
                ),
            ),
        ),
        Row(
            "Committing",
            (
                chart(
                    "Time for a block",
                    "All steps: checks, block store, world state. Without traffic it reads idle.",
                    seconds(BLOCK_PROCESSING, 50, 95),
                    measure=Measure.SECONDS,
                ),
                chart(
                    "Time to store a block",
                    "World state and block store. One long simulation holds every commit of the "
                    "peer up, and shows here. Without traffic it reads idle.",
                    (
                        *seconds(STATE_COMMIT, 95, legend="state "),
                        *seconds(BLOCK_STORE_COMMIT, 95, legend="blocks "),
                    ),
                    measure=Measure.SECONDS,
                ),
                BEHIND,
            ),
        ),
        Row(
            "Gateway and chaincode",
            (
                stacked(
                    chart(
                        "Calls of the gateway by answer",
                        "Per second. Aborted is an endorsement or a submission that failed, a "
                        "contract's refusal among them; FailedPrecondition too few peers; Unknown "
                        "often too many calls at once. Without traffic it reads idle.",
                        (
                            work(
                                expr=rates(
                                    count_on_nodes(UNARY_REQUESTS, _GATEWAY, IN_NAMESPACE),
                                    NAMESPACE,
                                    "method",
                                    "code",
                                )
                                > 0,
                                legend="{{method}} {{code}}",
                            ),
                        ),
                        measure=Measure.PER_SECOND,
                        runbooks=("EndorsementFailures",),
                    )
                ),
                chart(
                    "Time of the gateway's calls",
                    "P95 by method; a call that waits for a commit waits for the block. Without "
                    "traffic it reads idle.",
                    (
                        work(
                            expr=quantile(
                                buckets_on_nodes(UNARY_REQUESTS, _GATEWAY, IN_NAMESPACE),
                                0.95,
                                NAMESPACE,
                                "method",
                            ),
                            legend="{{method}}",
                        ),
                    ),
                    measure=Measure.SECONDS,
                ),
                stacked(
                    chart(
                        "Requests of the chaincode",
                        "What it asks its peer for, per second. Many small reads for one proposal "
                        "cost more than one large one. Without traffic it reads idle.",
                        (
                            work(
                                expr=rates(
                                    count_on_nodes(SHIM_REQUESTS, IN_NAMESPACE),
                                    NAMESPACE,
                                    "type",
                                    "success",
                                )
                                > 0,
                                legend="{{type}} success={{success}}",
                            ),
                        ),
                        measure=Measure.PER_SECOND,
                        runbooks=("EndorsementFailures",),
                    )
                ),
            ),
        ),
        Row(
            "Gossip and machine",
            (
                chart(
                    "Height as gossip tells it, and blocks that wait",
                    "Blocks of each peer, and those that it has and has not committed.",
                    (
                        query(
                            expr=largest(GOSSIP_HEIGHT, *CHANNEL_NODE),
                            legend=f"height {CHANNEL_LEGEND}",
                        ),
                        query(
                            expr=largest(GOSSIP_BUFFER, *CHANNEL_NODE),
                            legend=f"waiting {CHANNEL_LEGEND}",
                        ),
                    ),
                    measure=Measure.COUNT,
                ),
                chart(
                    "Other peers known",
                    "By each peer. With too few, no combination of peers can satisfy the "
                    "endorsement policy.",
                    (query(expr=largest(GOSSIP_PEERS, *CHANNEL_NODE), legend=CHANNEL_LEGEND),),
                    measure=Measure.COUNT,
                    runbooks=("EndorsementFailures",),
                ),
                cpu(PEER_CPU),
                memory(PEER_MEMORY),
            ),
        ),
    ),
    refresh_s=10,
)
