"""NetworkPolicies as Kubernetes means them: what of a connection is open, and who closes it.

A pod that no policy selects for a direction is open in it; one that some select lets through
what any of them allows. A connection needs both of its sides. Pods on the host's network stand
outside: policies do not select them, and as a peer they are their node's address, which no
selector of pods matches (most network plugins do so, and the API leaves them the choice).
A block of addresses matches no pod, since pods' addresses are not in manifests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from typing_extensions import override

from gx.proof.reachability.addresses import Ranges, block_ranges, make_ranges, subtract
from gx.proof.reachability.inventory import TCP, Inventory, Pods, namespace_of
from gx.proof.reachability.objects import Peer, Policy, PolicyPort, Rule, Selector

EVERYTHING: Final = Selector()


class Direction(StrEnum):
    """The side of a connection on which a policy stands."""

    EGRESS = "egress"
    INGRESS = "ingress"


@dataclass(frozen=True, slots=True)
class Outside:
    """Somebody outside the cluster, by addresses."""

    name: str
    networks: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    @property
    def ranges(self) -> Ranges:
        """Its addresses."""
        return make_ranges(self.networks, self.excluded)

    @override
    def __str__(self) -> str:
        return self.name


End: TypeAlias = Pods | Outside


@dataclass(frozen=True, slots=True)
class Connection:
    """What `source` opens to a port of `target`."""

    source: End
    target: End
    port: int
    protocol: str = TCP


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One side on which a connection is closed: by which policies, and why none opens it.

    `policies` isolate the pod at this side; `reasons` has a line for each rule that comes near.
    """

    direction: Direction
    pods: Pods
    policies: tuple[Policy, ...]
    reasons: tuple[str, ...]

    @override
    def __str__(self) -> str:
        names = ", ".join(f"`{each.metadata.name}`" for each in self.policies)
        return f"{self.direction} of {self.pods} is closed by {names}"


def find_obstacles(inventory: Inventory, connection: Connection) -> tuple[Obstacle, ...]:
    """Return the sides that are closed, the source's first; nothing where all are open.

    The pods of one workload are taken for several; what a single pod asks of itself, no policy
    can close.
    """
    source = connection.source
    if isinstance(source, Pods) and source.kind == "Pod" and source == connection.target:
        return ()
    found = (_obstacle(inventory, connection, direction) for direction in Direction)
    return tuple(each for each in found if each is not None)


def isolating(inventory: Inventory, pods: Pods, direction: Direction) -> tuple[Policy, ...]:
    """Return the policies that select these pods for a direction."""
    if pods.is_on_host_network:
        return ()
    return tuple(
        policy
        for policy in inventory.policies_in(pods.namespace)
        if direction in directions_of(policy)
        and (policy.spec.pod_selector or EVERYTHING).matches(pods.labels)
    )


def directions_of(policy: Policy) -> frozenset[Direction]:
    """Return the directions that a policy is about; without `policyTypes`, as the API fills it in.

    Ingress it is then always, and egress only if it has a rule for it.
    """
    if policy.spec.policy_types:
        return frozenset(
            each for each in Direction if each.capitalize() in policy.spec.policy_types
        )
    has_egress = bool(policy.spec.egress)
    return frozenset({Direction.INGRESS} | ({Direction.EGRESS} if has_egress else set()))


def rules_of(policy: Policy, direction: Direction) -> list[Rule]:
    """Return a policy's rules for a direction."""
    rules = policy.spec.egress if direction is Direction.EGRESS else policy.spec.ingress
    return rules or []


def is_open(inventory: Inventory, connection: Connection, direction: Direction) -> bool:
    """Say whether one side of a connection is open; outside the cluster, every side is."""
    pods = _own_end(connection, direction)
    if isinstance(pods, Outside):
        return True
    policies = isolating(inventory, pods, direction)
    return not policies or _allows(inventory, connection, direction, policies)


def _own_end(connection: Connection, direction: Direction) -> End:
    return connection.source if direction is Direction.EGRESS else connection.target


def _obstacle(
    inventory: Inventory, connection: Connection, direction: Direction
) -> Obstacle | None:
    pods = _own_end(connection, direction)
    if isinstance(pods, Outside) or is_open(inventory, connection, direction):
        return None
    policies = isolating(inventory, pods, direction)
    reasons = [
        reason
        for policy in policies
        for reason in _near_misses(inventory, connection, direction, policy)
    ]
    return Obstacle(direction, pods, policies, tuple(dict.fromkeys(reasons)))


def _allows(
    inventory: Inventory,
    connection: Connection,
    direction: Direction,
    policies: tuple[Policy, ...],
) -> bool:
    other = other_end(connection, direction)
    rules = [
        (policy, rule)
        for policy in policies
        for rule in rules_of(policy, direction)
        if allows_port(rule, connection)
    ]
    if isinstance(other, Outside):
        return not _closed_ranges(other, [rule for _, rule in rules])
    return any(_allows_pods(inventory, policy, rule, other) for policy, rule in rules)


def other_end(connection: Connection, direction: Direction) -> End:
    """Return the end that a rule of this direction calls its peer."""
    return connection.target if direction is Direction.EGRESS else connection.source


def is_allowed_by(
    inventory: Inventory,
    policy: Policy,
    rule: Rule,
    connection: Connection,
    *,
    direction: Direction,
) -> bool:
    """Say whether one rule, in this policy, would by itself allow its side of a connection."""
    if not allows_port(rule, connection):
        return False
    other = other_end(connection, direction)
    if isinstance(other, Outside):
        return not _closed_ranges(other, [rule])
    return _allows_pods(inventory, policy, rule, other)


def _closed_ranges(outside: Outside, rules: list[Rule]) -> Ranges:
    """Return which of somebody's addresses no rule opens."""
    left = outside.ranges
    for rule in rules:
        if not rule.peers:
            return ()
        for peer in rule.peers:
            if peer.ip_block is not None:
                left = subtract(left, block_ranges(peer.ip_block))
    return left


def _allows_pods(inventory: Inventory, policy: Policy, rule: Rule, pods: Pods) -> bool:
    return not rule.peers or any(_is_peer(inventory, policy, peer, pods) for peer in rule.peers)


def _is_peer(inventory: Inventory, policy: Policy, peer: Peer, pods: Pods) -> bool:
    """Say whether pods are a rule's peer: without a namespace selector, in the policy's own."""
    if pods.is_on_host_network or (peer.pod_selector is None and peer.namespace_selector is None):
        return False
    if peer.namespace_selector is None:
        is_there = pods.namespace == namespace_of(policy.metadata)
    else:
        is_there = peer.namespace_selector.matches(inventory.namespace_labels(pods.namespace))
    return is_there and (peer.pod_selector or EVERYTHING).matches(pods.labels)


def allows_port(rule: Rule, connection: Connection) -> bool:
    """Say whether a rule is about a connection's port; one that lists none is about all."""
    return not rule.ports or any(_is_port(each, connection) for each in rule.ports)


def _is_port(port: PolicyPort, connection: Connection) -> bool:
    """Compare one port; a name means what the pod at the receiving end declares by it."""
    if (port.protocol or TCP) != connection.protocol:
        return False
    match port.port:
        case None:
            return True
        case str() as name:
            target = connection.target
            declared = target.named(name, connection.protocol) if isinstance(target, Pods) else ()
            return any(each.number == connection.port for each in declared)
        case number:
            last = number if port.end_port is None else port.end_port
            return number <= connection.port <= last


def _near_misses(
    inventory: Inventory, connection: Connection, direction: Direction, policy: Policy
) -> Iterator[str]:
    """Say for each rule what is missing; one that has neither peer nor port in common is silent."""
    name, other = policy.metadata.name, other_end(connection, direction)
    rules = rules_of(policy, direction)
    if not rules:
        yield f"`{name}` selects it ({policy.spec.pod_selector or EVERYTHING}) and allows nothing"
    for rule in rules:
        knows_port = allows_port(rule, connection)
        if isinstance(other, Outside):
            knows_peer = _closed_ranges(other, [rule]) != other.ranges
        else:
            knows_peer = _allows_pods(inventory, policy, rule, other)
        if knows_peer and not knows_port:
            ports = ", ".join(_port_text(each) for each in rule.ports or [])
            yield f"`{name}` knows {other}, with {ports} alone" + _unknown(rule, connection)
        elif knows_port and knows_peer:
            yield f"`{name}` opens some addresses of {other}, not all"
        elif knows_port and rule.ports:
            yield f"`{name}` opens this port to {_peers_text(rule)}"


def _unknown(rule: Rule, connection: Connection) -> str:
    """Say which names of ports the receiving pod does not declare, and so mean nothing."""
    target = connection.target
    names = [each.port for each in rule.ports or [] if isinstance(each.port, str)]
    if isinstance(target, Outside) or not names:
        return ""
    known = {(each.name, each.protocol) for each in target.ports}
    missing = [
        str(each.port)
        for each in rule.ports or []
        if isinstance(each.port, str) and (each.port, each.protocol or TCP) not in known
    ]
    return f"; {target} declares no port {', '.join(missing)}" if missing else ""


def _port_text(port: PolicyPort) -> str:
    protocol = port.protocol or TCP
    if port.port is None:
        return protocol
    last = "" if port.end_port is None else f"-{port.end_port}"
    return f"{protocol} {port.port}{last}"


def _peers_text(rule: Rule) -> str:
    return " and ".join(_peer_text(each) for each in rule.peers)


def _peer_text(peer: Peer) -> str:
    if peer.ip_block is not None:
        return peer.ip_block.cidr
    pods = f"pods with {peer.pod_selector}" if peer.pod_selector else "all pods"
    where = f" in namespaces with {peer.namespace_selector}" if peer.namespace_selector else ""
    return pods + where
