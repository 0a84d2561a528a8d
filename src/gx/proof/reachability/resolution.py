"""Which pods and ports a wish means in given manifests, or what about them does not fit.

Prometheus' discovery is followed step by step: Service, its port's name, its pods, their port;
or pods by labels, their annotations, the name of their port. Where a step finds nothing, what
comes nearest is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from enum import Enum, auto
from typing import Final, TypeAlias

from gx.monitoring.kubernetes.cluster import Addresses, Party
from gx.monitoring.scrape import PodPort
from gx.monitoring.scrape import ServicePort as ServiceSelection
from gx.proof.reachability.catalogue import (
    APP_LABEL,
    ENVIRONMENT_LABEL,
    Addressed,
    Discovered,
    Known,
)
from gx.proof.reachability.inventory import TCP, DeclaredPort, Inventory, Pods
from gx.proof.reachability.objects import Labels, Service, ServicePort
from gx.proof.reachability.policies import End, Outside

SCRAPE_ANNOTATION: Final = "prometheus.io/scrape"
PORT_ANNOTATION: Final = "prometheus.io/port"


class Lack(Enum):
    """What is missing."""

    POD = auto()
    PORT = auto()
    MATCH = auto()


@dataclass(frozen=True, slots=True)
class Gap:
    """A step that finds nothing, and what comes near; `where` is what was looked at."""

    lack: Lack
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Door:
    """Somebody's port; `name` is what the pods call it."""

    end: End
    port: int
    protocol: str = TCP
    name: str = ""


Found: TypeAlias = Door | Gap


def find_ends(inventory: Inventory, end: Party | Addresses) -> tuple[End, ...] | Gap:
    """Return who is meant by a party, a workload each."""
    if isinstance(end, Addresses):
        return (Outside(end.name, end.ranges, end.excluded),)
    return _select(inventory, end.namespace, end.labels)


def find_doors(inventory: Inventory, aim: Discovered | Addressed | Known) -> Iterator[Found]:
    """Yield every port that a wish is about, and every gap in the way to one."""
    match aim:
        case Known():
            yield from _known(inventory, aim)
        case Addressed():
            yield from _addressed(inventory, aim)
        case Discovered():
            yield from _discovered(inventory, aim)


def _known(inventory: Inventory, aim: Known) -> Iterator[Found]:
    port = aim.party.port(aim.port)
    ends = find_ends(inventory, aim.party)
    if isinstance(ends, Gap):
        yield ends
        return
    for end in ends:
        # What others deploy names its ports as it likes.
        if isinstance(end, Outside) or (isinstance(aim.party, Party) and not aim.party.is_ours):
            yield Door(end, port.number, port.protocol, port.name)
        else:
            yield _named_door(end, port.name, port.protocol)


def _named_door(pods: Pods, name: str, protocol: str = TCP) -> Found:
    ports = pods.named(name, protocol)
    if ports:
        return Door(pods, ports[0].number, protocol, name)
    text = f"{pods.kind} {pods} declares no {protocol} port named {name}; {_ports_text(pods)}"
    return Gap(Lack.PORT, str(pods), text)


def _numbered_door(pods: Pods, number: int, protocol: str = TCP) -> Found:
    for each in pods.ports:
        if (each.number, each.protocol) == (number, protocol):
            return Door(pods, number, protocol, each.name)
    text = f"{pods.kind} {pods} declares no port {protocol} {number}; {_ports_text(pods)}"
    return Gap(Lack.PORT, str(pods), text)


def _ports_text(pods: Pods) -> str:
    ports = ", ".join(_port_text(each) for each in pods.ports)
    return f"it has {ports}" if ports else "it declares none"


def _port_text(port: DeclaredPort) -> str:
    number = f"{port.protocol} {port.number}"
    return f"{port.name} ({number})" if port.name else number


def _discovered(inventory: Inventory, aim: Discovered) -> Iterator[Found]:
    match aim.selection:
        case PodPort() as chosen:
            yield from _discovered_pods(inventory, aim.namespace, chosen)
        case ServiceSelection() as chosen:
            yield from _discovered_services(inventory, aim, chosen)


def _discovered_pods(inventory: Inventory, namespace: str, chosen: PodPort) -> Iterator[Found]:
    found = _select(inventory, namespace, dict(chosen.labels))
    if isinstance(found, Gap):
        yield found
        return
    for pods in found:
        if chosen.is_annotated and pods.annotations.get(SCRAPE_ANNOTATION) != "true":
            said = pods.annotations.get(SCRAPE_ANNOTATION)
            instead = f"says {said!r}" if said is not None else "is missing"
            text = f'{pods.kind} {pods}: annotation {SCRAPE_ANNOTATION} {instead}, not "true"'
            yield Gap(Lack.MATCH, str(pods), text)
            continue
        door = _named_door(pods, chosen.port)
        annotated = pods.annotations.get(PORT_ANNOTATION, "") if chosen.is_annotated else ""
        # The annotation replaces the number after the name has chosen the target.
        is_moved = isinstance(door, Door) and annotated.isascii() and annotated.isdigit()
        yield _numbered_door(pods, int(annotated)) if is_moved else door


def _discovered_services(
    inventory: Inventory, aim: Discovered, chosen: ServiceSelection
) -> Iterator[Found]:
    if _is_assumed(inventory, aim.namespace):
        for pods in inventory.pods_in(aim.namespace):
            if _wanted_labels(aim, chosen).items() <= pods.labels.items():
                yield _named_door(pods, chosen.port)
        return
    services = _services(inventory, aim, chosen)
    if isinstance(services, Gap):
        yield services
        return
    for service in services:
        ports = service.spec.ports or []
        named = [each for each in ports if each.name == chosen.port]
        if named:
            yield from _behind(inventory, aim.namespace, service, named[0])
            continue
        names = ", ".join(each.name or str(each.port) for each in ports)
        where = f"{aim.namespace}/{service.metadata.name}"
        text = f"Service {where} has no port named {chosen.port}; it has {names or 'none'}"
        yield Gap(Lack.PORT, where, text)


def _is_assumed(inventory: Inventory, namespace: str) -> bool:
    """Say whether no manifest speaks of a namespace, so that its Services are not known."""
    pods = inventory.pods_in(namespace)
    is_silent = not inventory.services_in(namespace) and bool(pods)
    return is_silent and all(each.is_assumed for each in pods)


def _wanted_labels(aim: Discovered, chosen: ServiceSelection) -> Labels:
    environment = {ENVIRONMENT_LABEL: aim.environment} if aim.environment else {}
    return {APP_LABEL: chosen.app, **environment}


def _services(
    inventory: Inventory, aim: Discovered, chosen: ServiceSelection
) -> tuple[Service, ...] | Gap:
    there = inventory.services_in(aim.namespace)
    if chosen.service is not None:
        found = tuple(each for each in there if each.metadata.name == chosen.service)
        names = [each.metadata.name for each in there]
        near = _near_text(chosen.service, names)
        text = f"no Service in {aim.namespace} is called {chosen.service}; {near}"
        return found or Gap(Lack.MATCH, f"{aim.namespace}/{chosen.service}", text)
    wanted = _wanted_labels(aim, chosen)
    found = tuple(each for each in there if wanted.items() <= (each.metadata.labels or {}).items())
    labelled = {f"Service {each.metadata.name}": each.metadata.labels or {} for each in there}
    text = f"no Service in {aim.namespace} has {_labels_text(wanted)}"
    return found or Gap(
        Lack.MATCH, f"{aim.namespace}/{chosen.app}", text + _nearest(labelled, wanted)
    )


def _addressed(inventory: Inventory, aim: Addressed) -> Iterator[Found]:
    there = {each.metadata.name: each for each in inventory.services_in(aim.namespace)}
    where = f"{aim.namespace}/{aim.service}"
    if aim.service not in there:
        near = _near_text(aim.service, list(there))
        yield Gap(
            Lack.MATCH, where, f"no Service in {aim.namespace} is called {aim.service}; {near}"
        )
        return
    service = there[aim.service]
    ports = service.spec.ports or []
    for port in ports:
        if port.port == aim.port:
            yield from _behind(inventory, aim.namespace, service, port)
            return
    numbers = ", ".join(str(each.port) for each in ports)
    yield Gap(Lack.PORT, where, f"Service {where} has no port {aim.port}; it has {numbers}")


def _behind(
    inventory: Inventory, namespace: str, service: Service, port: ServicePort
) -> Iterator[Found]:
    """Yield the ports of the pods behind a Service's port."""
    where = f"{namespace}/{service.metadata.name}"
    if not service.spec.selector:
        yield Gap(Lack.POD, where, f"Service {where} selects nothing: it has no selector")
        return
    found = _select(inventory, namespace, service.spec.selector)
    if isinstance(found, Gap):
        # Pods are there, and not these: the Service's own labels are to blame.
        yield Gap(found.lack, where, f"Service {where} has no endpoints: {found.text}")
        return
    if (text := _unready(inventory, namespace, service.metadata.name)) is not None:
        yield Gap(Lack.POD, where, f"Service {where} has no endpoints: {text}")
        return
    aimed_at = port.target_port if port.target_port is not None else port.port
    for pods in found:
        if isinstance(aimed_at, str):
            yield _named_door(pods, aimed_at, port.protocol or TCP)
        else:
            yield _numbered_door(pods, aimed_at, port.protocol or TCP)


def _unready(inventory: Inventory, namespace: str, service: str) -> str | None:
    """Say what a live cluster's slices lack: pods are selected, and none of them is ready."""
    endpoints = inventory.endpoints_of(namespace, service)
    if endpoints is None or any(each.conditions.ready is not False for each in endpoints):
        return None
    return f"{len(endpoints)} are listed, and none is ready" if endpoints else "none is listed"


def _select(inventory: Inventory, namespace: str, wanted: Labels) -> tuple[Pods, ...] | Gap:
    """Return the workloads in a namespace whose pods have these labels."""
    there = inventory.pods_in(namespace)
    where = f"{namespace} with {_labels_text(wanted)}"
    if not there:
        return Gap(Lack.POD, where, f"no manifest has pods in namespace {namespace}")
    found = [each for each in there if wanted.items() <= each.labels.items()]
    running = tuple(each for each in found if not each.is_scaled_to_zero)
    if running:
        return running
    if found:
        text = f"{found[0].kind} {found[0]} is scaled to 0 replicas"
        return Gap(Lack.POD, str(found[0]), text)
    text = f"no pod in {namespace} has {_labels_text(wanted)}"
    labelled = {f"{each.kind} {each.name}": each.labels for each in there}
    return Gap(Lack.MATCH, where, text + _nearest(labelled, wanted))


def _nearest(labelled: Mapping[str, Labels], wanted: Labels) -> str:
    """Name whose labels are most like those that are wanted, and in what they differ."""
    if not labelled:
        return "; there is none at all"

    def likeness(labels: Labels) -> float:
        return sum(_likeness(labels.get(key, ""), value) for key, value in wanted.items())

    name, labels = max(labelled.items(), key=lambda each: likeness(each[1]))
    differing = [key for key, value in wanted.items() if labels.get(key) != value]
    texts = [f"{key}={labels[key]}" if key in labels else f"no {key}" for key in differing]
    return f"; nearest is {name}, which has {' and '.join(texts)}"


def _likeness(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right).ratio() if left else 0.0


def _near_text(wanted: str, names: list[str]) -> str:
    near = get_close_matches(wanted, names, n=1)
    if near:
        return f"nearest is {near[0]}"
    return f"there are {', '.join(sorted(names))}" if names else "there is none at all"


def _labels_text(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())
