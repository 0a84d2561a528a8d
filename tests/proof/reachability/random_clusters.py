"""Clusters at random: some namespaces, a pod or two in each, and policies of every form.

Few names, labels and ports, so that selectors and rules meet often; what Kubernetes' API would
refuse is not made.
"""

from collections.abc import Sequence
from random import Random
from typing import Final, TypeAlias

Document: TypeAlias = dict[str, object]

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
PORTS: Final = (80, 90, 100)
PORT_NAMES: Final = ("web", "metrics", "dns")
KEYS: Final = ("app", "tier")
VALUES: Final = ("a", "b", "c")
CIDRS: Final[dict[str, tuple[str, ...]]] = {
    "0.0.0.0/0": ("10.0.0.0/8",),
    "10.0.0.0/8": ("10.1.0.0/16", "10.2.0.0/16"),
    "10.1.0.0/16": (),
    "192.0.2.0/24": ("192.0.2.128/25",),
}
OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
NAMESPACES: Final = ("north", "south", "west")


def random_cluster(seed: int) -> list[Document]:
    """Make the manifests of one cluster; the same for the same seed."""
    chance = Random(seed)  # noqa: S311 (a test's chance must be repeatable)
    documents = [_namespace(chance, name) for name in NAMESPACES]
    for name in NAMESPACES:
        documents += [_pod(chance, name, number) for number in range(chance.randint(1, 2))]
    return documents + [
        _policy(chance, f"policy-{number}") for number in range(chance.randint(2, 6))
    ]


def _namespace(chance: Random, name: str) -> Document:
    labels = _labels(chance)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _pod(chance: Random, namespace: str, number: int) -> Document:
    ports = [
        {"name": name, "containerPort": port, "protocol": chance.choice(PROTOCOLS)}
        for name, port in zip(chance.sample(PORT_NAMES, 2), chance.sample(PORTS, 2), strict=True)
    ]
    metadata = {"name": f"pod-{number}", "namespace": namespace, "labels": _labels(chance)}
    container = {"name": "it", "image": "x:1", "ports": ports}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container]},
    }


def _labels(chance: Random) -> dict[str, str]:
    return {key: chance.choice(VALUES) for key in KEYS if chance.random() < 0.8}


def _policy(chance: Random, name: str) -> Document:
    spec: Document = {"podSelector": _selector(chance)}
    if chance.random() < 0.7:
        spec["policyTypes"] = chance.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    types = spec.get("policyTypes", ["Ingress", "Egress"])
    for direction, end in (("ingress", "from"), ("egress", "to")):
        # Rules for a direction that a policy is not about mean nothing: the analyser refuses them.
        if direction.capitalize() in str(types) and chance.random() < 0.75:
            # Without `policyTypes`, Kubernetes takes an empty egress for none at all (defaults.go
            # of its networking API); the analyser takes it for a policy about egress.
            is_told = direction == "ingress" or "policyTypes" in spec
            least = 0 if is_told else 1
            spec[direction] = [_rule(chance, end) for _ in range(chance.randint(least, 3))]
    metadata = {"name": name, "namespace": chance.choice(NAMESPACES)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec,
    }


def _rule(chance: Random, end: str) -> Document:
    """Make a rule; a list that is missing, and one that is empty, are both everything."""
    rule: Document = {}
    if chance.random() < 0.9:
        rule[end] = [_peer(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    if chance.random() < 0.8:
        rule["ports"] = [_port(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    return rule


def _peer(chance: Random) -> Document:
    form = chance.randrange(5)
    if form == 0:
        cidr = chance.choice(list(CIDRS))
        excluded = CIDRS[cidr]
        some: Document = {"except": list(excluded)} if excluded and chance.random() < 0.6 else {}
        return {"ipBlock": {"cidr": cidr, **some}}
    peer: Document = {}
    # In a peer, the analyser (2.1.0) looks for Exists and DoesNotExist in the policy's own
    # namespace alone, whatever the namespace selector says.
    if form in {1, 2, 4}:
        peer["podSelector"] = _selector(chance, OPERATORS if form == 1 else ("In", "NotIn"))
    if form in {2, 3, 4}:
        peer["namespaceSelector"] = _namespace_selector(chance)
    return peer


def _namespace_selector(chance: Random) -> Document:
    if chance.random() < 0.5:
        return {"matchLabels": {"kubernetes.io/metadata.name": chance.choice(NAMESPACES)}}
    return _selector(chance)


def _selector(chance: Random, operators: Sequence[str] = OPERATORS) -> Document:
    form = chance.randrange(4)
    if form == 0:
        return {}
    if form == 1:
        return {"matchLabels": {chance.choice(KEYS): chance.choice(VALUES)}}
    return {"matchExpressions": [_requirement(chance, operators) for _ in range(form - 1)]}


def _requirement(chance: Random, operators: Sequence[str]) -> Document:
    operator = chance.choice(operators)
    requirement: Document = {"key": chance.choice(KEYS), "operator": operator}
    if operator in {"In", "NotIn"}:
        requirement["values"] = chance.sample(VALUES, chance.randint(1, 2))
    return requirement


def _port(chance: Random) -> Document:
    port: Document = {"protocol": chance.choice(PROTOCOLS)} if chance.random() < 0.6 else {}
    match chance.randrange(4):
        case 0:
            port["port"] = chance.choice(PORT_NAMES)
        case 1:
            port["port"] = chance.choice(PORTS)
        case 2:
            first = chance.choice(PORTS)
            port |= {"port": first, "endPort": first + chance.choice([0, 10, 25])}
        case _:
            pass
    return port or {"protocol": "TCP"}
