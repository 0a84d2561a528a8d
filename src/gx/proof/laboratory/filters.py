"""NetworkPolicies as nftables rules of each pod's own network namespace.

What a network plugin does: chains for what comes in and goes out, a rule for each policy's every
peer and port, and an end that drops or refuses. It is written from the policies' text and does
not ask the judgement that it is there to check.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from gx.proof.reachability.inventory import TCP, Inventory, Pods, namespace_of
from gx.proof.reachability.objects import Peer, Policy, PolicyPort, Rule, Selector

_CHAINS = {"Ingress": "input", "Egress": "output"}


class Refusal(StrEnum):
    """What happens to packets that no policy allows; the value is nftables' word for it."""

    DROP = "drop"  # Calico and Cilium: the caller waits until its time is up
    REJECT = "reject with tcp reset"  # kube-router: the caller is refused at once


def compile_filter(
    inventory: Inventory, pods: Pods, addresses: Mapping[str, str], refusal: Refusal
) -> str:
    """Write the rules of one workload's namespace; `addresses` has each by `namespace/name`."""
    chains = [
        _chain(direction, hook, _accepts(inventory, pods, direction, addresses), refusal)
        for direction, hook in _CHAINS.items()
        if _policies(inventory, pods, direction)
    ]
    return "flush ruleset\ntable inet gx {\n" + "".join(chains) + "}\n"


def _chain(direction: str, hook: str, accepts: Iterable[str], refusal: Refusal) -> str:
    lines = [
        f"type filter hook {hook} priority 0; policy accept;",
        "ct state established,related accept",
        "tcp flags rst accept",  # a refusal must get back to whoever is refused
        f"{'iif' if hook == 'input' else 'oif'} lo accept",
        *accepts,
        f"meta l4proto tcp counter {refusal}",
        "counter drop",
    ]
    body = "".join(f"    {line}\n" for line in lines)
    return f"  chain {direction.lower()} {{\n{body}  }}\n"


def _policies(inventory: Inventory, pods: Pods, direction: str) -> list[Policy]:
    """Return the policies that isolate a workload in a direction."""
    found = []
    for policy in inventory.policies_in(pods.namespace):
        types = policy.spec.policy_types or ["Ingress", *(["Egress"] if policy.spec.egress else [])]
        if direction in types and (policy.spec.pod_selector or Selector()).matches(pods.labels):
            found.append(policy)
    return found


def _accepts(
    inventory: Inventory, pods: Pods, direction: str, addresses: Mapping[str, str]
) -> Iterator[str]:
    for policy in _policies(inventory, pods, direction):
        rules = policy.spec.ingress if direction == "Ingress" else policy.spec.egress
        for rule in rules or []:
            for address, other in _peers(inventory, policy, rule, addresses):
                side = "saddr" if direction == "Ingress" else "daddr"
                where = f"ip {side} {address} " if address else ""
                # A port's name is the receiving pod's: of our own for what comes in.
                receiver = pods if direction == "Ingress" else other
                yield from (f"{where}{what}accept" for what in _ports(rule, receiver))


def _peers(
    inventory: Inventory, policy: Policy, rule: Rule, addresses: Mapping[str, str]
) -> Iterator[tuple[str, Pods | None]]:
    """Yield a match for each peer, and the pods behind it; an empty match is everybody."""
    if not rule.peers:
        yield from ((addresses[str(each)], each) for each in inventory.pods)
        yield "", None
    for peer in rule.peers:
        if peer.ip_block is not None:
            holes = ", ".join(peer.ip_block.except_ or ())
            side = "saddr" if rule.from_ else "daddr"
            but = f" ip {side} != {{ {holes} }}" if holes else ""
            yield f"{peer.ip_block.cidr}{but}", None
            continue
        for each in inventory.pods:
            if _is_selected(inventory, policy, peer, each):
                yield addresses[str(each)], each


def _is_selected(inventory: Inventory, policy: Policy, peer: Peer, pods: Pods) -> bool:
    if peer.namespace_selector is None:
        is_there = pods.namespace == namespace_of(policy.metadata)
    else:
        is_there = peer.namespace_selector.matches(inventory.namespace_labels(pods.namespace))
    return is_there and (peer.pod_selector or Selector()).matches(pods.labels)


def _ports(rule: Rule, receiver: Pods | None) -> Iterator[str]:
    if not rule.ports:
        yield ""
    for port in rule.ports or []:
        yield from _port(port, receiver)


def _port(port: PolicyPort, receiver: Pods | None) -> Iterator[str]:
    protocol = (port.protocol or TCP).lower()
    match port.port:
        case None:
            yield f"meta l4proto {protocol} "
        case str() as name:
            for each in receiver.named(name, port.protocol or TCP) if receiver else ():
                yield f"{protocol} dport {each.number} "
        case number:
            last = f"-{port.end_port}" if port.end_port is not None else ""
            yield f"{protocol} dport {number}{last} "
