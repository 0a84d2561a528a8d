"""What a NetworkPolicy means, point by point, in the words of Kubernetes' reference."""

from typing import Final

import pytest
import yaml

from gx.proof.reachability.inventory import Inventory, Pods, take_stock
from gx.proof.reachability.policies import (
    Connection,
    Direction,
    End,
    Outside,
    directions_of,
    find_obstacles,
)

CLUSTER: Final = """
{kind: Namespace, metadata: {name: shop, labels: {team: red}}}
---
{kind: Namespace, metadata: {name: watch}}
---
kind: Deployment
metadata: {name: till, namespace: shop}
spec:
  template:
    metadata: {labels: {app: till, tier: front}}
    spec:
      containers:
        - ports:
            - {name: web, containerPort: 80}
            - {name: dns, containerPort: 53, protocol: UDP}
---
{kind: Pod, metadata: {name: clerk, namespace: shop, labels: {app: clerk}}, spec: {containers: []}}
---
{kind: Pod, metadata: {name: eye, namespace: watch, labels: {app: eye}}, spec: {containers: []}}
---
kind: DaemonSet
metadata: {name: node, namespace: watch}
spec: {template: {metadata: {labels: {app: node}}, spec: {hostNetwork: true, containers: []}}}
"""
TILL, CLERK, EYE, NODE = "shop/till", "shop/clerk", "watch/eye", "watch/node"
FAR: Final = "10.1.2.3"


def _cluster(*specs: str, namespace: str = "shop") -> Inventory:
    """Return the cluster with a policy for each spec."""
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"policy-{at}", "namespace": namespace},
            "spec": yaml.safe_load(spec),
        }
        for at, spec in enumerate(specs)
    ]
    return take_stock([*yaml.safe_load_all(CLUSTER), *policies])


def _pods(inventory: Inventory, name: str) -> Pods:
    (found,) = (each for each in inventory.pods if str(each) == name)
    return found


def _closed(
    inventory: Inventory, source: str, target: str, *, port: int = 80, protocol: str = "TCP"
) -> list[str]:
    """Return the sides on which a connection is closed."""

    def end(name: str) -> End:
        return _pods(inventory, name) if "/" in name else Outside(name, (f"{name}/32",))

    connection = Connection(end(source), end(target), port, protocol)
    return [each.direction.value for each in find_obstacles(inventory, connection)]


INGRESS: Final = "podSelector: {}\npolicyTypes: [Ingress]\ningress: "
EGRESS: Final = "podSelector: {}\npolicyTypes: [Egress]\negress: "


@pytest.mark.parametrize(
    ("rules", "opens"),
    [
        ("[]", set()),
        ("[{}]", {CLERK, EYE, NODE, FAR}),
        ("[{from: []}]", {CLERK, EYE, NODE, FAR}),
        ("[{from: [{podSelector: {}}]}]", {CLERK}),
        ("[{from: [{namespaceSelector: {}}]}]", {CLERK, EYE}),
        ("[{from: [{namespaceSelector: {}, podSelector: {}}]}]", {CLERK, EYE}),
        ("[{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]", {CLERK}),
        (
            "[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: watch}}}]}]",
            {EYE},
        ),
        ("[{from: [{podSelector: {matchLabels: {app: eye}}}]}]", set()),
        (
            "[{from: [{podSelector: {matchLabels: {app: eye}}, namespaceSelector: {}}]}]",
            {EYE},
        ),
        (
            "[{from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {team: blue}}}]}]",
            {CLERK},
        ),
        ("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", {FAR}),
        ("[{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]", set()),
        ("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", {FAR}),
        ("[{from: [{ipBlock: {cidr: '::/0'}}]}]", set()),
    ],
)
def test_who_a_rule_lets_in(rules: str, opens: set[str]) -> None:
    """Missing and empty is everybody; a bare pod selector is the policy's own namespace."""
    inventory = _cluster(INGRESS + rules)
    everybody = (CLERK, EYE, NODE, FAR)
    assert {each for each in everybody if not _closed(inventory, each, TILL)} == opens


@pytest.mark.parametrize(
    ("ports", "opens"),
    [
        ("[]", {("TCP", 80), ("TCP", 81), ("UDP", 53)}),
        ("[{}]", {("TCP", 80), ("TCP", 81)}),
        ("[{protocol: UDP}]", {("UDP", 53)}),
        ("[{port: 80}]", {("TCP", 80)}),
        ("[{port: 80, endPort: 81}]", {("TCP", 80), ("TCP", 81)}),
        ("[{port: 70, endPort: 79}]", set()),
        ("[{port: web}]", {("TCP", 80)}),
        ("[{port: web, protocol: UDP}]", set()),
        ("[{port: dns, protocol: UDP}]", {("UDP", 53)}),
        ("[{port: metrics}]", set()),
        ("[{port: 80}, {protocol: UDP, port: 53}]", {("TCP", 80), ("UDP", 53)}),
    ],
)
@pytest.mark.parametrize("direction", [INGRESS, EGRESS])
def test_which_ports_a_rule_opens(direction: str, ports: str, opens: set[tuple[str, int]]) -> None:
    """A name is a port and protocol that the receiving pod declares, on both sides."""
    inventory = _cluster(f"{direction}[{{ports: {ports}}}]")
    asked = (("TCP", 80), ("TCP", 81), ("UDP", 53))
    source = CLERK if direction == EGRESS else EYE
    found = {
        each
        for each in asked
        if not _closed(inventory, source, TILL, port=each[1], protocol=each[0])
    }
    assert found == opens


@pytest.mark.parametrize(
    ("requirement", "matches"),
    [
        ("{key: tier, operator: In, values: [front, back]}", {TILL}),
        ("{key: tier, operator: NotIn, values: [front]}", {CLERK}),
        ("{key: tier, operator: Exists}", {TILL}),
        ("{key: tier, operator: DoesNotExist}", {CLERK}),
    ],
)
def test_what_expressions_select(requirement: str, matches: set[str]) -> None:
    """`NotIn` is met by who lacks the label."""
    spec = f"podSelector: {{matchExpressions: [{requirement}]}}"
    inventory = _cluster(spec)
    assert {each for each in (TILL, CLERK) if _closed(inventory, EYE, each)} == matches


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ("podSelector: {}", {Direction.INGRESS}),
        ("{podSelector: {}, egress: []}", {Direction.INGRESS}),
        ("{podSelector: {}, egress: [{}]}", {Direction.INGRESS, Direction.EGRESS}),
        ("{podSelector: {}, policyTypes: [], egress: [{}]}", set(Direction)),
        ("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", {Direction.EGRESS}),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", {Direction.INGRESS}),
    ],
)
def test_which_directions_a_policy_is_about(spec: str, directions: set[Direction]) -> None:
    """What is not said follows from the rules; what is said stands, whatever rules there are."""
    (policy,) = _cluster(spec).policies
    assert directions_of(policy) == directions


def test_policies_add_up() -> None:
    """One that denies takes nothing from one that allows."""
    inventory = _cluster(
        INGRESS + "[]",
        "{podSelector: {matchLabels: {app: till}}, ingress: [{ports: [{port: web}]}]}",
    )
    assert _closed(inventory, EYE, TILL) == []
    assert _closed(inventory, EYE, CLERK) == ["ingress"]


def test_both_sides_are_told() -> None:
    """Who opens one alone has mended nothing."""
    inventory = _cluster("{podSelector: {}, policyTypes: [Ingress, Egress]}")
    assert _closed(inventory, CLERK, TILL) == ["egress", "ingress"]
    assert _closed(inventory, EYE, TILL) == ["ingress"]
    assert _closed(inventory, TILL, FAR) == ["egress"]


def test_a_policy_is_about_its_own_namespace() -> None:
    """Selecting every pod is every pod there."""
    inventory = _cluster("{podSelector: {}}", namespace="watch")
    assert _closed(inventory, CLERK, TILL) == []
    assert _closed(inventory, CLERK, EYE) == ["ingress"]


def test_the_hosts_network_is_outside_of_policies() -> None:
    """Nothing isolates it, and no selector of pods lets it in."""
    inventory = _cluster("{podSelector: {}}", namespace="watch")
    assert _closed(inventory, CLERK, NODE) == []
    named = "[{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: node}}}]}]"
    assert _closed(_cluster(INGRESS + named), NODE, TILL) == ["ingress"]


def test_an_obstacle_names_its_policies_and_what_comes_near() -> None:
    """Whoever reads it knows where to look, and which part of a rule is wrong."""
    inventory = _cluster(
        INGRESS + "[]",
        INGRESS + "[{from: [{namespaceSelector: {}}], ports: [{port: metrics}]}]",
        INGRESS + "[{from: [{podSelector: {matchLabels: {app: clerk}}}], ports: [{port: 80}]}]",
    )
    connection = Connection(_pods(inventory, EYE), _pods(inventory, TILL), 80)
    (found,) = find_obstacles(inventory, connection)
    assert [each.metadata.name for each in found.policies] == ["policy-0", "policy-1", "policy-2"]
    assert found.reasons == (
        "`policy-0` selects it (everything) and allows nothing",
        "`policy-1` knows watch/eye, with TCP metrics alone; shop/till declares no port metrics",
        "`policy-2` opens this port to pods with app=clerk",
    )
