"""What the peers and orderers of a Fabric network say of themselves.

From their operations endpoints with `metrics.provider: prometheus`; compared with real nodes in
`tests/monitoring/dashboards/test_on_a_fabric_network.py`. Both kinds of node export some of the
same names, so each is declared once for each kind and selected with its job (`on_nodes`).
"""

from typing import Final

from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.promql import Selector, buckets_of, count_of, select
from gx.monitoring.selectors import ExternalMetric, Matcher, is_
from gx.telemetry.catalogue.client_library import PROCESS_CPU, PROCESS_RESIDENT_MEMORY
from gx.telemetry.catalogue.read_path import LEDGER_BLOCKCHAIN_HEIGHT
from gx.telemetry.metric import Kind

# The peer's own label `service` gives way to the target's; Prometheus keeps it under this name.
EXPORTED_SERVICE: Final = "exported_service"
_CHANNEL: Final = ("channel",)
_CHAINCODE: Final = ("channel", "chaincode")


def _peer(name: str, kind: Kind, text: str, *labels: str) -> ExternalMetric:
    return ExternalMetric(
        name=name, kind=kind, exporter=Exporter.PEER, help=text, label_names=labels
    )


def _orderer(name: str, kind: Kind, text: str, *labels: str) -> ExternalMetric:
    return ExternalMetric(
        name=name, kind=kind, exporter=Exporter.ORDERER, help=text, label_names=labels
    )


def job_of(metric: ExternalMetric) -> Matcher:
    """Match the job that scrapes the nodes which this metric was declared for."""
    return is_("job", EXPORTER_JOBS[Exporter(metric.exporter)])


def on_nodes(metric: ExternalMetric, *matchers: Matcher) -> Selector:
    """Select a metric of the nodes which it was declared for."""
    return select(metric, job_of(metric), *matchers)


def buckets_on_nodes(metric: ExternalMetric, *matchers: Matcher) -> Selector:
    """Select a histogram's buckets on the nodes which it was declared for."""
    return buckets_of(metric, job_of(metric), *matchers)


def count_on_nodes(metric: ExternalMetric, *matchers: Matcher) -> Selector:
    """Select how many values a histogram has seen on the nodes which it was declared for."""
    return count_of(metric, job_of(metric), *matchers)


PEER_HEIGHT: Final = _peer(
    LEDGER_BLOCKCHAIN_HEIGHT.name, Kind.GAUGE, "Blocks of the channel that the peer has.", *_CHANNEL
)
PEER_TRANSACTIONS: Final = _peer(
    "ledger_transaction_count",
    Kind.COUNTER,
    "Transactions in committed blocks, by verdict.",
    *_CHAINCODE,
    "transaction_type",
    "validation_code",
)
BLOCK_PROCESSING: Final = _peer(
    "ledger_block_processing_time",
    Kind.HISTOGRAM,
    "Seconds for a block, all of its steps.",
    *_CHANNEL,
)
STATE_COMMIT: Final = _peer(
    "ledger_statedb_commit_time",
    Kind.HISTOGRAM,
    "Seconds to write a block's changes into the world state.",
    *_CHANNEL,
)
BLOCK_STORE_COMMIT: Final = _peer(
    "ledger_blockstorage_commit_time",
    Kind.HISTOGRAM,
    "Seconds to append a block to the block store.",
    *_CHANNEL,
)
PROPOSALS_RECEIVED: Final = _peer(
    "endorser_proposals_received", Kind.COUNTER, "Proposals that the peer was given."
)
PROPOSAL_DURATION: Final = _peer(
    "endorser_proposal_duration",
    Kind.HISTOGRAM,
    "Seconds to simulate and endorse a proposal.",
    *_CHAINCODE,
    "success",
)
ENDORSEMENTS_REFUSED: Final = _peer(
    "endorser_endorsement_failures",
    Kind.COUNTER,
    "Proposals without an endorsement; chaincodeerror says that the chaincode refused.",
    *_CHAINCODE,
    "chaincodeerror",
)
PROPOSALS_INVALID: Final = _peer(
    "endorser_proposal_validation_failures",
    Kind.COUNTER,
    "Proposals of an unknown identity, or with a wrong signature.",
)
PROPOSALS_DENIED: Final = _peer(
    "endorser_proposal_acl_failures",
    Kind.COUNTER,
    "Proposals of an identity that may not write to the channel.",
    *_CHAINCODE,
)
SHIM_REQUESTS: Final = _peer(
    "chaincode_shim_request_duration",
    Kind.HISTOGRAM,
    "Seconds for a request of the chaincode to its peer, by what it asked.",
    *_CHAINCODE,
    "type",
    "success",
)
UNARY_REQUESTS: Final = _peer(
    "grpc_server_unary_request_duration",
    Kind.HISTOGRAM,
    "Seconds for a call to the peer, by gRPC service, method and code (OK, Aborted, ...).",
    EXPORTED_SERVICE,
    "method",
    "code",
)
GOSSIP_HEIGHT: Final = _peer(
    "gossip_state_height", Kind.GAUGE, "Height that the peer tells other peers.", *_CHANNEL
)
GOSSIP_BUFFER: Final = _peer(
    "gossip_payload_buffer_size", Kind.GAUGE, "Blocks that wait to be committed.", *_CHANNEL
)
GOSSIP_PEERS: Final = _peer(
    "gossip_membership_total_peers_known", Kind.GAUGE, "Other peers that are known.", *_CHANNEL
)
PEER_CPU: Final = _peer(PROCESS_CPU.name, Kind.COUNTER, "Seconds of CPU time that the node used.")
PEER_MEMORY: Final = _peer(
    PROCESS_RESIDENT_MEMORY.name, Kind.GAUGE, "Bytes of memory that the node uses."
)

ORDERER_HEIGHT: Final = _orderer(
    LEDGER_BLOCKCHAIN_HEIGHT.name, Kind.GAUGE, "Blocks of the channel that are ordered.", *_CHANNEL
)
IS_LEADER: Final = _orderer(
    "consensus_etcdraft_is_leader", Kind.GAUGE, "1 if the node leads the channel.", *_CHANNEL
)
LEADER_CHANGES: Final = _orderer(
    "consensus_etcdraft_leader_changes", Kind.COUNTER, "Changes of the leader.", *_CHANNEL
)
ACTIVE_NODES: Final = _orderer(
    "consensus_etcdraft_active_nodes", Kind.GAUGE, "Nodes that the channel can reach.", *_CHANNEL
)
CLUSTER_SIZE: Final = _orderer(
    "consensus_etcdraft_cluster_size", Kind.GAUGE, "Nodes that the channel has.", *_CHANNEL
)
COMMITTED_BLOCK: Final = _orderer(
    "consensus_etcdraft_committed_block_number",
    Kind.GAUGE,
    "Number of the last block that consensus committed.",
    *_CHANNEL,
)
RAFT_PROPOSALS: Final = _orderer(
    "consensus_etcdraft_normal_proposals_received",
    Kind.COUNTER,
    "Transactions that consensus was given.",
    *_CHANNEL,
)
RAFT_PERSIST: Final = _orderer(
    "consensus_etcdraft_data_persist_duration",
    Kind.HISTOGRAM,
    "Seconds to store entries of the consensus log.",
    *_CHANNEL,
)
BLOCK_FILL: Final = _orderer(
    "blockcutter_block_fill_duration",
    Kind.HISTOGRAM,
    "Seconds from a block's first transaction until it is cut.",
    *_CHANNEL,
)
BROADCASTS: Final = _orderer(
    "broadcast_processed_count",
    Kind.COUNTER,
    "Transactions that clients sent, by answer.",
    "channel",
    "type",
    "status",
)
BROADCAST_VALIDATE: Final = _orderer(
    "broadcast_validate_duration",
    Kind.HISTOGRAM,
    "Seconds to check a transaction that a client sent.",
    "channel",
    "type",
    "status",
)
BROADCAST_ENQUEUE: Final = _orderer(
    "broadcast_enqueue_duration",
    Kind.HISTOGRAM,
    "Seconds to hand a transaction to consensus.",
    "channel",
    "type",
    "status",
)
WAL_FSYNC: Final = _orderer(
    "etcd_disk_wal_fsync_duration_seconds",
    Kind.HISTOGRAM,
    "Seconds to flush the consensus log to disk.",
)
DELIVERED_BLOCKS: Final = _orderer(
    "deliver_blocks_sent",
    Kind.COUNTER,
    "Blocks sent to peers and clients, whole or filtered.",
    *_CHANNEL,
    "data_type",
    "filtered",
)
ORDERER_CPU: Final = _orderer(
    PROCESS_CPU.name, Kind.COUNTER, "Seconds of CPU time that the node used."
)
ORDERER_MEMORY: Final = _orderer(
    PROCESS_RESIDENT_MEMORY.name, Kind.GAUGE, "Bytes of memory that the node uses."
)

FABRIC_METRICS: Final = (
    PEER_HEIGHT,
    PEER_TRANSACTIONS,
    BLOCK_PROCESSING,
    STATE_COMMIT,
    BLOCK_STORE_COMMIT,
    PROPOSALS_RECEIVED,
    PROPOSAL_DURATION,
    ENDORSEMENTS_REFUSED,
    PROPOSALS_INVALID,
    PROPOSALS_DENIED,
    SHIM_REQUESTS,
    UNARY_REQUESTS,
    GOSSIP_HEIGHT,
    GOSSIP_BUFFER,
    GOSSIP_PEERS,
    PEER_CPU,
    PEER_MEMORY,
    ORDERER_HEIGHT,
    IS_LEADER,
    LEADER_CHANGES,
    ACTIVE_NODES,
    CLUSTER_SIZE,
    COMMITTED_BLOCK,
    RAFT_PROPOSALS,
    RAFT_PERSIST,
    BLOCK_FILL,
    BROADCASTS,
    BROADCAST_VALIDATE,
    BROADCAST_ENQUEUE,
    WAL_FSYNC,
    DELIVERED_BLOCKS,
    ORDERER_CPU,
    ORDERER_MEMORY,
)
