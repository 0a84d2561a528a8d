"""What a Fabric network's nodes export, as lines of a case: two peers, three orderers."""

from typing import Final

from gx.monitoring.cases.model import Line, line
from gx.monitoring.exporters.fabric import PEER_TRANSACTIONS, PROPOSAL_DURATION, PROPOSALS_RECEIVED
from gx.monitoring.exporters.names import EXPORTER_JOBS, Exporter
from gx.monitoring.external import UP
from gx.monitoring.selectors import ExternalMetric

LEDGER: Final = "fabric"
OTHER_LEDGER: Final = "fabric-testnet"
CHANNEL: Final = "gxchannel"
CONFLICT: Final = "MVCC_READ_CONFLICT"


def node(metric: ExternalMetric, values: str, instance: str = "a:1", **labels: str) -> Line:
    """Write a series of one node of the network."""
    job = EXPORTER_JOBS[Exporter(metric.exporter)]
    channel = {"channel": CHANNEL} if "channel" in metric.label_names else {}
    known = {"namespace": LEDGER, "job": job, "instance": instance} | channel | labels
    return line(metric, values, **known)


def transactions(values: str, code: str, instance: str = "a:1", **labels: str) -> Line:
    """Write how many transactions with this verdict a peer has."""
    return node(PEER_TRANSACTIONS, values, instance, validation_code=code, **labels)


def proposals(values: str, success: str, instance: str = "a:1", **labels: str) -> Line:
    """Write how many proposals a peer has answered."""
    name, text = node(PROPOSAL_DURATION, values, instance, success=success, **labels)
    return name.replace(PROPOSAL_DURATION.name, f"{PROPOSAL_DURATION.name}_count"), text


def received(values: str, instance: str = "a:1") -> Line:
    """Write how many proposals a peer was given, whatever became of them."""
    return node(PROPOSALS_RECEIVED, values, instance)


def orderers(metric: ExternalMetric, *values: str) -> list[Line]:
    """Write the same gauge of several orderers."""
    return [node(metric, each, f"o{index}:1") for index, each in enumerate(values)]


def peer_up(values: str, instance: str = "a:1", **labels: str) -> Line:
    """Write whether a peer answers its scrapes."""
    job = EXPORTER_JOBS[Exporter.PEER]
    known = {"namespace": LEDGER, "job": job, "instance": instance, "service": "peer"}
    return line(UP, values, **(known | labels))
