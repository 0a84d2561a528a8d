"""Who reaches whom by the policies of built manifests, as network-config-analyzer reads them."""

import re
import subprocess
import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from gx.monitoring.kubernetes.cluster import Addresses, Parties, Party
from gx.monitoring.kubernetes.flows import Flow
from tests.monitoring.kubernetes.manifests import WORKLOADS, Built

ANALYZER_TIMEOUT_S: Final = 300
_OPTIONS: Final = (
    "--connectivity",
    *("-o", "txt_no_fw_rules"),
    *("--output_endpoints", "pods"),
)
_KINDS: Final = (*WORKLOADS, "NetworkPolicy", "Namespace")
_LINE: Final = re.compile(r"^(\S+) => (\S+) : (.+)$")
_REPLICA: Final = re.compile(r"-\d+$")
_PORTS: Final = re.compile(r"\{protocols:([\w, ]+),dst_ports:([\d,-]+)\}$")


_End = str | tuple[int, int]


class _Found(NamedTuple):
    source: _End
    target: _End
    port: str


class Connection(NamedTuple):
    """Who may open what to whom; an end is `namespace/workload`, or ranges of addresses."""

    source: str
    target: str
    port: str


def analyse(documents: Iterable[dict[str, object]], folder: Path) -> set[Connection]:
    """List every connection that the policies among the documents allow."""
    (folder / "manifests.yaml").write_text(yaml.safe_dump_all(list(documents)), encoding="utf-8")
    program = Path(sys.executable).with_name("nca")
    done = subprocess.run(
        # Single pods: between replicas of one workload the analyser shows nothing else.
        [str(program), *_OPTIONS, "-r", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=ANALYZER_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    found = [each for line in done.stdout.splitlines() for each in _connections(line)]
    assert found, done.stderr
    return _merged(found)


def relevant(built: Iterable[Built]) -> list[dict[str, object]]:
    """Return what the analyser needs of built manifests."""
    return [document for each in built for document in each.of(*_KINDS)]


def strangers(parties: Parties) -> list[dict[str, object]]:
    """Stand in for the pods that are not ours, and for all namespaces that have none of our own."""
    cluster = parties.cluster
    everybody = [
        *(store for each in parties.backends for store in (each.postgresql, each.valkey)),
        *(parties.fabric.peer, parties.fabric.orderer, parties.fabric.admin),
        *(parties.outsiders.dns, parties.outsiders.ingress),
        # Somebody whom nobody has heard of, where he would do most harm.
        *(
            Party(name="stranger", namespace=name, labels={"app": "stranger"}, is_ours=False)
            for name in (cluster.monitoring, cluster.backend(cluster.environments[0]), "elsewhere")
        ),
    ]
    named = {party.namespace for party in everybody}
    ours = {cluster.monitoring, *(cluster.backend(name) for name in cluster.environments)}
    return [*(_namespace(name) for name in sorted(named - ours)), *map(_pods, everybody)]


def expected(flows: Iterable[Flow]) -> set[Connection]:
    """Spell declared flows as the analyser spells what it finds."""
    return _merged(
        _Found(source, target, f"{port.protocol} {port.number}")
        for flow in flows
        for port in (flow.target.port(name) for name in flow.ports)
        for source in _ends(flow.source)
        for target in _ends(flow.target)
    )


def _ends(end: Party | Addresses) -> list[_End]:
    if isinstance(end, Party):
        return [f"{end.namespace}/{end.name}"]
    left = [IPv4Network(each) for each in end.ranges]
    for hole in map(IPv4Network, end.excluded):
        left = [part for each in left for part in _without(each, hole)]
    return [(int(each[0]), int(each[-1])) for each in left]


def _without(network: IPv4Network, hole: IPv4Network) -> list[IPv4Network]:
    return list(network.address_exclude(hole)) if hole.subnet_of(network) else [network]


def _merged(found: Iterable[_Found]) -> set[Connection]:
    """Write the ranges of each pair and port as one text, whatever pieces they came in."""
    pieces: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    whole: set[Connection] = set()
    for source, target, port in found:
        match source, target:
            case str(), str():
                whole.add(Connection(source, target, port))
            case str(), (int(), int()):
                pieces.setdefault((source, "", port), []).append(target)
            case (int(), int()), str():
                pieces.setdefault(("", target, port), []).append(source)
            case _:
                raise AssertionError(f"neither end of {source} => {target} is a pod")
    for (source, target, port), ranges in pieces.items():
        text = _joined(ranges)
        whole.add(Connection(source or text, target or text, port))
    return whole


def _joined(ranges: Iterable[tuple[int, int]]) -> str:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return ", ".join(f"{IPv4Address(first)}-{IPv4Address(last)}" for first, last in joined)


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _pods(party: Party) -> dict[str, object]:
    ports = [
        {"name": port.name, "containerPort": port.number, "protocol": port.protocol}
        for port in party.ports
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": party.name, "namespace": party.namespace},
        "spec": {
            "replicas": 2,  # so that what they may say to each other shows
            "selector": {"matchLabels": dict(party.labels)},
            "template": {
                "metadata": {"labels": dict(party.labels)},
                "spec": {"containers": [{"name": "it", "image": "x:1", "ports": ports}]},
            },
        },
    }


def _connections(line: str) -> list[_Found]:
    match = _LINE.match(line)
    if match is None:
        return []
    source, target, allowed = match.groups()
    if not (ports := _PORTS.match(allowed)):
        return [_Found(_end(source), _end(target), allowed)]
    return [
        _Found(_end(source), _end(target), f"{protocol.strip()} {number}")
        for protocol in ports[1].split(",")
        for part in ports[2].split(",")
        for number in _numbers(part)
    ]


def _numbers(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def _end(text: str) -> _End:
    """Read an end: `a/api-1` is a pod of a/api; addresses are a range."""
    if "/" in text:
        return _REPLICA.sub("", text)
    first, _, last = text.partition("-")
    return int(IPv4Address(first)), int(IPv4Address(last or first))
