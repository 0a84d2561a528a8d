"""NetworkPolicies: nothing is allowed, except the declared flows, on both of their sides.

In a policed namespace `default-deny` selects every pod and allows nothing. What every pod of a
backend that has a port of some name takes from somebody stands in `allow-internal-backend`; the
rest stands in one policy for each party. Ingress names ports, so that a pod's own declaration
says where they are; egress gives their numbers, since not every network plugin looks names up in
another namespace's pods.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from gx.monitoring.kubernetes.cluster import (
    BACKEND_TIER,
    Addresses,
    Backend,
    Parties,
    Party,
)
from gx.monitoring.kubernetes.flows import Flow, declare_flows

INTERNAL_BACKEND: Final = "allow-internal-backend"
DEFAULT_DENY: Final = "default-deny"
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
_LABELS: Final = {"app.kubernetes.io/part-of": "gx-protocol"}
_TIER: Final = {"tier": BACKEND_TIER}

Document = dict[str, object]


def backend_policies(parties: Parties, backend: Backend) -> Iterator[Document]:
    """Build the policies of one environment's backend."""
    flows = declare_flows(parties)
    everywhere = _taken_by_all(flows, backend)
    yield _default_deny()
    yield _policy(INTERNAL_BACKEND, _TIER, ingress=_ingress(everywhere))
    for party in backend.members:
        yield from _party_policy(party, flows, known=everywhere)


def monitoring_policies(parties: Parties) -> Iterator[Document]:
    """Build the policies of the monitoring's namespace."""
    yield from _closed(parties, parties.cluster.monitoring)


def fabric_policies(parties: Parties) -> Iterator[Document]:
    """Build the policies of Fabric's namespace, whose nodes are not ours."""
    yield from _closed(parties, parties.cluster.fabric)


def store_policies(parties: Parties, backend: Backend) -> Iterator[Document]:
    """Build what protects an environment's stores; the rest of their namespace is not ours."""
    flows = declare_flows(parties)
    for store in (backend.postgresql, backend.valkey):
        taken = (flow for flow in flows if flow.target == store)
        yield _policy(f"allow-{store.name}", store.labels, ingress=_ingress(taken))


def option_policies(flows: Sequence[Flow], namespace: str, name: str) -> Iterator[Document]:
    """Build what an optional component adds in a namespace; policies add up, so no other changes.

    `name` ends the policies' names.
    """
    ends = (end for flow in flows for end in (flow.source, flow.target))
    members = {
        end.name: end for end in ends if isinstance(end, Party) and end.namespace == namespace
    }
    for member in members.values():
        yield from _party_policy(member, flows, suffix=f"-{name}")


def _closed(parties: Parties, namespace: str) -> Iterator[Document]:
    flows = declare_flows(parties)
    ends = (end for flow in flows for end in (flow.source, flow.target))
    members = {
        end.name: end for end in ends if isinstance(end, Party) and end.namespace == namespace
    }
    yield _default_deny()
    for name in sorted(members):
        yield from _party_policy(members[name], flows)


def _taken_by_all(flows: Sequence[Flow], backend: Backend) -> list[Flow]:
    """List the flows into a port that go to every pod of the backend that has such a port."""

    def key(flow: Flow) -> tuple[str, str]:
        return f"{_namespace_of(flow.source)}/{flow.source.name}", flow.ports[0]

    inward = sorted((flow for flow in flows if flow.target in backend.members), key=key)
    kept: list[Flow] = []
    for (_, port), group in groupby(inward, key):
        same = list(group)
        having = [each for each in backend.members if port in {one.name for one in each.ports}]
        if {flow.target.name for flow in same} == {each.name for each in having}:
            kept.extend(same)
    return kept


def _party_policy(
    party: Party, flows: Sequence[Flow], known: Sequence[Flow] = (), suffix: str = ""
) -> Iterator[Document]:
    """Build a party's policy, without the ingress that another policy is `known` to allow."""
    ingress = _ingress(flow for flow in flows if flow.target == party and flow not in known)
    egress = _egress(flow for flow in flows if flow.source == party)
    if ingress or egress:
        yield _policy(f"allow-{party.name}{suffix}", party.labels, ingress=ingress, egress=egress)


def _ingress(flows: Iterable[Flow]) -> list[object]:
    """Merge flows into rules: one for each set of ports, with everybody who may use it."""
    rules: dict[tuple[tuple[str, str], ...], list[object]] = {}
    for flow in flows:
        ports = tuple((flow.target.port(name).protocol, name) for name in flow.ports)
        sources = rules.setdefault(ports, [])
        for end in _ends(flow.source, seen_from=_namespace_of(flow.target)):
            if end not in sources:
                sources.append(end)
    return [{"from": sources, "ports": _ports(ports)} for ports, sources in rules.items()]


def _egress(flows: Iterable[Flow]) -> list[object]:
    rules: dict[tuple[tuple[str, int], ...], list[object]] = {}
    for flow in flows:
        named = [flow.target.port(name) for name in flow.ports]
        ports = tuple((port.protocol, port.number) for port in named)
        ends = _ends(flow.target, seen_from=_namespace_of(flow.source))
        rules.setdefault(ports, []).extend(ends)
    return [{"to": ends, "ports": _ports(ports)} for ports, ends in rules.items()]


def _ports(ports: Iterable[tuple[str, str | int]]) -> list[object]:
    return [{"protocol": protocol, "port": port} for protocol, port in ports]


def _ends(target: Party | Addresses, *, seen_from: str) -> list[object]:
    if isinstance(target, Party):
        return [_pods(target, seen_from=seen_from)]
    excluded: Document = {"except": list(target.excluded)} if target.excluded else {}
    return [{"ipBlock": {"cidr": each, **excluded}} for each in target.ranges]


def _namespace_of(end: Party | Addresses) -> str:
    return end.namespace if isinstance(end, Party) else ""


def _pods(party: Party, *, seen_from: str) -> Document:
    """Select pods; both selectors in one item, so that a pod has to match both."""
    pods: Document = {"podSelector": {"matchLabels": dict(party.labels)}}
    if party.namespace == seen_from:
        return pods
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: party.namespace}}, **pods}


def _default_deny() -> Document:
    return _document(DEFAULT_DENY, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def _policy(
    name: str,
    labels: Mapping[str, str],
    *,
    ingress: Sequence[object] = (),
    egress: Sequence[object] = (),
) -> Document:
    rules = {"ingress": list(ingress), "egress": list(egress)}
    directions = {direction: each for direction, each in rules.items() if each}
    return _document(
        name,
        {
            "podSelector": {"matchLabels": dict(labels)},
            "policyTypes": [direction.capitalize() for direction in directions],
            **directions,
        },
    )


def _document(name: str, spec: Document) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "spec": spec,
    }
