"""The smallest change of policies that lets a connection through, and nothing undeclared with it.

A rule is added to a policy that closes the side, if everything that it opens is meant to be open.
A policy of its own for the two workloads always does, whatever the others select.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import yaml

from gx.proof.reachability.inventory import Inventory, Pods, convert, namespace_of
from gx.proof.reachability.objects import NAMESPACE_LABEL, Labels, Policy, Rule
from gx.proof.reachability.policies import (
    EVERYTHING,
    Connection,
    Direction,
    End,
    Obstacle,
    Outside,
    is_allowed_by,
    is_open,
    other_end,
    rules_of,
)

Document: TypeAlias = dict[str, object]

IsMeant: TypeAlias = Callable[[Connection], bool]
"""Whether a connection is one that the catalogue declares."""

_NAME_MAX: Final = 253  # RFC 1123, which Kubernetes' names follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What opens one side.

    `rule` is the whole of what is opened. `policy` is a new NetworkPolicy with it; `patched` names
    the policy to which `patch` adds it instead, where that opens nothing that is not meant to be.
    """

    direction: Direction
    namespace: str
    rule: Document
    policy: Document
    patched: str | None = None
    patch: tuple[Document, ...] = ()

    @property
    def rule_yaml(self) -> str:
        """The rule, as it stands in a manifest."""
        return yaml.safe_dump({self.direction.value: [self.rule]}, sort_keys=False)

    @property
    def policy_yaml(self) -> str:
        """The new policy, as `kubectl apply -f` takes it."""
        return yaml.safe_dump(self.policy, sort_keys=False)

    @property
    def patch_json(self) -> str:
        """The patch, as RFC 6902 has it."""
        return json.dumps(list(self.patch))

    @property
    def kubectl(self) -> str:
        """The line to type: the patch, or the new policy."""
        if self.patched is None:
            return f"kubectl apply -f - <<'EOF'\n{self.policy_yaml}EOF"
        return (
            f"kubectl patch networkpolicy {self.patched} -n {self.namespace} --type=json "
            f"-p {shlex.quote(self.patch_json)}"
        )


def propose(
    inventory: Inventory,
    connection: Connection,
    obstacle: Obstacle,
    *,
    is_meant: IsMeant,
    identities: Mapping[str, Labels],
) -> Remedy | None:
    """Return what opens one side; None where only addresses that are not in manifests would.

    `identities` has the labels by which a rule is to know a workload, where they are fewer than
    its pods'.
    """
    other = other_end(connection, obstacle.direction)
    if isinstance(other, Pods) and other.is_on_host_network:
        return None
    rule = build_rule(connection, obstacle, identities)
    policy = _new_policy(connection, obstacle, rule, identities)
    remedy = Remedy(
        direction=obstacle.direction,
        namespace=obstacle.pods.namespace,
        rule=rule,
        policy=policy,
    )
    chosen = _to_patch(inventory, obstacle, rule, is_meant, like=connection)
    if chosen is None:
        return remedy
    patch = _patch(chosen, obstacle.direction, rule)
    return replace(remedy, patched=chosen.metadata.name, patch=(patch,))


def build_rule(
    connection: Connection, obstacle: Obstacle, identities: Mapping[str, Labels]
) -> Document:
    """Build the rule for exactly this connection.

    Ingress names the port where the pod does, so that it may move; egress gives its number, since
    not every network plugin looks up names in another namespace's pods.
    """
    other = other_end(connection, obstacle.direction)
    is_egress = obstacle.direction is Direction.EGRESS
    port = connection.port if is_egress else _name_of_port(connection)
    return {
        "to" if is_egress else "from": _peers(other, obstacle.pods.namespace, identities),
        "ports": [{"protocol": connection.protocol, "port": port}],
    }


def _name_of_port(connection: Connection) -> str | int:
    target = connection.target
    ports = target.ports if isinstance(target, Pods) else ()
    names = [
        each.name
        for each in ports
        if each.name and (each.number, each.protocol) == (connection.port, connection.protocol)
    ]
    return names[0] if names else connection.port


def _peers(end: End, seen_from: str, identities: Mapping[str, Labels]) -> list[Document]:
    """Build the peers of a rule: both selectors in one, so that pods have to match both."""
    if isinstance(end, Outside):
        excluded: Document = {"except": list(end.excluded)} if end.excluded else {}
        return [{"ipBlock": {"cidr": each, **excluded}} for each in end.networks]
    pods: Document = {"podSelector": {"matchLabels": _identity(end, identities)}}
    if end.namespace == seen_from:
        return [pods]
    return [{"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: end.namespace}}, **pods}]


def _identity(pods: Pods, identities: Mapping[str, Labels]) -> dict[str, str]:
    return dict(identities.get(str(pods), pods.lasting_labels))


def _new_policy(
    connection: Connection,
    obstacle: Obstacle,
    rule: Document,
    identities: Mapping[str, Labels],
) -> Document:
    source, target = _short(connection.source), _short(connection.target)
    name = f"allow-{source}-to-{target}-{connection.port}-{obstacle.direction}"
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name[:_NAME_MAX], "namespace": obstacle.pods.namespace},
        "spec": {
            "podSelector": {"matchLabels": _identity(obstacle.pods, identities)},
            "policyTypes": [obstacle.direction.capitalize()],
            obstacle.direction.value: [rule],
        },
    }


def _short(end: End) -> str:
    return end.name.lower()


def _to_patch(
    inventory: Inventory,
    obstacle: Obstacle,
    rule: Document,
    is_meant: IsMeant,
    *,
    like: Connection,
) -> Policy | None:
    """Choose the policy to which the rule is best added; None where each would open too much.

    One that has rules already, for a plain denial should stay one; then the one with which the
    most of what is meant is mended at once; then the one for the fewest pods.
    """
    fitting = []
    for policy in obstacle.policies:
        opened = set(_opened(inventory, policy, obstacle, rule, like=like))
        if all(map(is_meant, opened)):
            is_denial = not rules_of(policy, obstacle.direction)
            width = len(_selected(inventory, policy))
            fitting.append(((is_denial, -len(opened), width, policy.metadata.name), policy))
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


def _selected(inventory: Inventory, policy: Policy) -> list[Pods]:
    selector = policy.spec.pod_selector or EVERYTHING
    namespace = namespace_of(policy.metadata)
    return [each for each in inventory.pods_in(namespace) if selector.matches(each.labels)]


def _patch(policy: Policy, direction: Direction, rule: Document) -> Document:
    rules = policy.spec.egress if direction is Direction.EGRESS else policy.spec.ingress
    if rules is None:
        return {"op": "add", "path": f"/spec/{direction}", "value": [rule]}
    return {"op": "add", "path": f"/spec/{direction}/-", "value": rule}


def _opened(
    inventory: Inventory, policy: Policy, obstacle: Obstacle, rule: Document, *, like: Connection
) -> Iterator[Connection]:
    """Yield what a rule added to a policy newly allows on its side, for every pod it selects."""
    direction, added = obstacle.direction, convert(rule, Rule)
    others: tuple[End, ...] = inventory.pods
    if isinstance(other_end(like, direction), Outside):
        others = (other_end(like, direction),)
    for pods in _selected(inventory, policy):
        for other in others:
            for each in _connections(pods, other, direction, like):
                if is_allowed_by(
                    inventory, policy, added, each, direction=direction
                ) and not is_open(inventory, each, direction):
                    yield each


def _connections(
    pods: Pods, other: End, direction: Direction, like: Connection
) -> Iterator[Connection]:
    """Yield the connections between two ends that a rule for one like this could mean."""
    is_egress = direction is Direction.EGRESS
    source, target = (pods, other) if is_egress else (other, pods)
    name = None if is_egress else _name_of_port(like)
    numbers = {like.port}
    if isinstance(name, str) and isinstance(target, Pods):
        numbers = {each.number for each in target.named(name, like.protocol)}
    for number in sorted(numbers):
        yield Connection(source, target, number, like.protocol)
