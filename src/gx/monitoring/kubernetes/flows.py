"""Who opens connections to whom, on which port, and why. What is not here is not allowed.

The policies of every namespace follow from this list, on both sides of each flow. There is no
flow from a backend to monitoring: what is watched does not know its watchers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gx.monitoring.kubernetes.cluster import (
    Addresses,
    Backend,
    Fabric,
    Monitoring,
    Options,
    Outsiders,
    Parties,
    Party,
)

SCRAPES: Final = "scrapes"
"""Why Prometheus alone has a flow: what a scrape job asks for."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Connections that `source` opens to ports of `target`, by the ports' names."""

    source: Party | Addresses
    target: Party | Addresses
    ports: tuple[str, ...]
    why: str


def declare_flows(parties: Parties) -> tuple[Flow, ...]:
    """List every flow of a cluster."""
    watching, fabric, outside = parties.monitoring, parties.fabric, parties.outsiders
    return (
        *(flow for each in parties.backends for flow in _serving(each, fabric, outside)),
        *(flow for each in parties.backends for flow in _watching_backend(each, watching)),
        *_watching_cluster(watching, outside),
        *_watching_fabric(fabric, watching),
        *_telling(watching, outside),
        *_ledger(fabric, outside),
        *_resolving(parties, watching, outside),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionFlows:
    """The flows that each optional component adds, and the namespaces where it adds them."""

    high_availability: tuple[Flow, ...]
    remote_write: tuple[Flow, ...]
    node_ports: tuple[Flow, ...]
    managed_stores: tuple[Flow, ...]


def declare_option_flows(parties: Parties) -> OptionFlows:
    """List the flows that only an optional component needs."""
    watching, outside, options = parties.monitoring, parties.outsiders, parties.options
    mesh = Flow(
        watching.alertmanager,
        watching.alertmanager,
        ("cluster", "cluster-udp"),
        "what one has sent, the others need not",
    )
    shipping = Flow(watching.prometheus, outside.public, ("https",), "samples for a remote store")
    return OptionFlows(
        high_availability=(mesh,),
        remote_write=(shipping,),
        node_ports=tuple(_through_gate(watching, options, outside)),
        managed_stores=tuple(
            flow for own in parties.backends for flow in _managed_stores(own, options)
        ),
    )


def _through_gate(watching: Monitoring, options: Options, outside: Outsiders) -> Iterator[Flow]:
    gate = options.gate
    for port, behind in (
        ("prometheus", watching.prometheus),
        ("alertmanager", watching.alertmanager),
        ("grafana", watching.grafana),
    ):
        yield Flow(options.people, gate, (port,), "people, by TLS and with a password")
        yield Flow(gate, behind, ("http",), "what they asked for")
    yield Flow(gate, outside.dns, ("dns", "dns-tcp"), "names")


def _managed_stores(own: Backend, options: Options) -> Iterator[Flow]:
    for party in (own.api, own.submitter, own.projector, own.migrations, own.postgres_exporter):
        yield Flow(party, options.postgresql, ("postgresql",), "PostgreSQL as a service")
    for party in (own.api, own.redis_exporter):
        yield Flow(party, options.valkey, ("valkey",), "Valkey as a service")


def _serving(own: Backend, fabric: Fabric, outside: Outsiders) -> Iterator[Flow]:
    """What an environment does for its users."""
    yield Flow(outside.ingress, own.api, ("http",), "users' requests")
    yield Flow(outside.ingress, own.console, ("http",), "people on call")
    yield Flow(own.bootstrap, own.api, ("http",), "the first commands of a new system")
    yield Flow(own.api, outside.public, ("https",), "the keys of the token issuer (JWKS)")
    yield Flow(own.api, own.valkey, ("valkey",), "rate limits shared by the replicas")
    for party in (own.api, own.submitter, own.projector, own.migrations):
        yield Flow(party, own.postgresql, ("postgresql",), "commands, outbox and read models")
    yield Flow(own.postgresql, own.postgresql, ("postgresql",), "replication")
    yield Flow(own.valkey, own.valkey, ("valkey",), "replication")
    yield Flow(own.submitter, fabric.peer, ("gateway",), "transactions and their verdicts")
    yield Flow(own.projector, fabric.peer, ("gateway",), "blocks and their events")
    yield Flow(own.api, fabric.peer, ("gateway",), "whether the ledger answers (ledger_up)")
    yield Flow(fabric.peer, own.chaincode, ("chaincode",), "calls of contracts")


def _watching_backend(own: Backend, watching: Monitoring) -> Iterator[Flow]:
    """What is asked of an environment, and of the exporters that look into its stores."""
    for party in (own.api, own.submitter, own.projector, own.chaincode):
        yield Flow(watching.prometheus, party, ("metrics",), SCRAPES)
    # The API where its users reach it; the workers have no other port than this.
    yield Flow(watching.blackbox, own.api, ("http",), "probes of /readyz")
    yield Flow(watching.blackbox, own.submitter, ("metrics",), "probes of /readyz")
    yield Flow(watching.blackbox, own.projector, ("metrics",), "probes of /readyz")
    yield Flow(own.console, own.api, ("http",), "a command's journey, dead letters")
    yield Flow(own.console, watching.prometheus, ("http",), "the panels' queries")
    yield Flow(own.console, watching.alertmanager, ("http",), "what was notified or silenced")
    for exporter, store, port in (
        (own.postgres_exporter, own.postgresql, "postgresql"),
        (own.redis_exporter, own.valkey, "valkey"),
    ):
        yield Flow(watching.prometheus, exporter, ("metrics",), SCRAPES)
        yield Flow(exporter, store, (port,), "the store's own figures")


def _watching_cluster(watching: Monitoring, outside: Outsiders) -> Iterator[Flow]:
    """What Prometheus asks of its own surroundings."""
    for exporter in (watching.state_metrics, watching.node_exporter):
        yield Flow(watching.prometheus, exporter, ("metrics",), SCRAPES)
    yield Flow(watching.prometheus, watching.blackbox, ("http",), "requests for probes")
    yield Flow(watching.prometheus, watching.alertmanager, ("http",), "alerts, and scrapes")
    api = ("https", "https-host")
    yield Flow(watching.prometheus, outside.api_server, api, "discovery of targets")
    yield Flow(watching.state_metrics, outside.api_server, api, "the state of pods")


def _watching_fabric(fabric: Fabric, watching: Monitoring) -> Iterator[Flow]:
    for node in (fabric.peer, fabric.orderer):
        yield Flow(watching.prometheus, node, ("operations",), SCRAPES)


def _telling(watching: Monitoring, outside: Outsiders) -> Iterator[Flow]:
    """How people see it, and are told."""
    yield Flow(watching.alertmanager, outside.public, ("https",), "Slack, PagerDuty, a dead-man")
    yield Flow(watching.alertmanager, outside.dead_man, ("http",), "heartbeats to our own dead-man")
    yield Flow(watching.grafana, watching.prometheus, ("http",), "the panels' queries")
    yield Flow(outside.ingress, watching.grafana, ("http",), "people")


def _ledger(fabric: Fabric, outside: Outsiders) -> Iterator[Flow]:
    """What Fabric's nodes need of each other; a default-deny would cut the network apart."""
    for source in (fabric.peer, fabric.admin):
        yield Flow(source, fabric.peer, ("gateway",), "gossip; endorsement for a gateway; tools")
        yield Flow(source, fabric.orderer, ("orderer",), "transactions and blocks")
    yield Flow(fabric.orderer, fabric.orderer, ("orderer",), "consensus")
    yield Flow(fabric.admin, fabric.orderer, ("admin",), "joining channels")
    for source in (fabric.peer, fabric.orderer, fabric.admin):
        yield Flow(source, outside.dns, ("dns", "dns-tcp"), "names")


def _resolving(parties: Parties, watching: Monitoring, outside: Outsiders) -> Iterator[Flow]:
    """Everybody who calls somebody by a name."""
    askers = (
        *(member for each in parties.backends for member in _askers(each)),
        *(each.postgres_exporter for each in parties.backends),
        *(each.redis_exporter for each in parties.backends),
        *(each.console for each in parties.backends),
        *(watching.prometheus, watching.alertmanager, watching.grafana, watching.blackbox),
    )
    for asker in askers:
        yield Flow(asker, outside.dns, ("dns", "dns-tcp"), "names")


def _askers(own: Backend) -> Iterator[Party]:
    """List a backend's members without the chaincode server, which is only called."""
    return (member for member in own.members if member != own.chaincode)
