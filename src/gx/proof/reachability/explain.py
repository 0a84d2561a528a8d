"""The judgement: every wish of the catalogue against an inventory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gx.monitoring.kubernetes.cluster import Party
from gx.proof.reachability.catalogue import Catalogue, Wish
from gx.proof.reachability.findings import Finding, Verdict
from gx.proof.reachability.inventory import DeclaredPort, Inventory, Pods
from gx.proof.reachability.objects import Labels
from gx.proof.reachability.policies import Connection, End, find_obstacles
from gx.proof.reachability.remedies import IsMeant, propose
from gx.proof.reachability.resolution import Door, Gap, Lack, find_doors, find_ends

_VERDICTS: Final = {
    Lack.POD: Verdict.NO_POD,
    Lack.PORT: Verdict.NO_SUCH_PORT,
    Lack.MATCH: Verdict.MISMATCH,
}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A wish between two workloads that are there."""

    wish: Wish
    source: End
    door: Door

    @property
    def connection(self) -> Connection:
        return Connection(self.source, self.door.end, self.door.port, self.door.protocol)


def explain_flows(inventory: Inventory, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Say of every wish, between each two workloads that it means, how it stands.

    A namespace without pods that is no backend's is taken for one that was not given: what the
    catalogue says of its pods is assumed, so that the other side can be judged.
    """
    stocked = inventory.with_pods(_assumed(inventory, catalogue))
    judged = [each for wish in catalogue.wishes for each in _resolve(stocked, wish)]
    meant = {_key(each.connection) for each in judged if isinstance(each, _Pair)}
    identities = _identities(stocked, catalogue)
    return tuple(
        _judge(stocked, each, lambda found: _key(found) in meant, identities)
        if isinstance(each, _Pair)
        else each
        for each in judged
    )


def environments_in(inventory: Inventory, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the catalogue's environments of which the manifests have pods or policies."""
    cluster = catalogue.parties.cluster
    return tuple(
        name
        for name in cluster.environments
        if inventory.pods_in(cluster.backend(name)) or inventory.policies_in(cluster.backend(name))
    )


def _key(connection: Connection) -> tuple[str, str, int, str]:
    return (
        str(connection.source),
        str(connection.target),
        connection.port,
        connection.protocol,
    )


def _assumed(inventory: Inventory, catalogue: Catalogue) -> Iterator[Pods]:
    """Yield pods for the parties in namespaces that no manifest speaks of."""
    backends = {each.api.namespace for each in catalogue.parties.backends}
    for party in _parties(catalogue):
        if party.namespace in backends or inventory.pods_in(party.namespace):
            continue
        ports = (DeclaredPort(each.number, each.name, each.protocol) for each in party.ports)
        yield Pods(
            namespace=party.namespace,
            name=party.name,
            kind="assumed",
            labels=party.labels,
            ports=tuple(ports),
            is_assumed=True,
        )


def _parties(catalogue: Catalogue) -> tuple[Party, ...]:
    ends = (end for flow in catalogue.flows for end in (flow.source, flow.target))
    found = {str((end.namespace, end.name)): end for end in ends if isinstance(end, Party)}
    return tuple(found.values())


def _identities(inventory: Inventory, catalogue: Catalogue) -> dict[str, Labels]:
    """Return the labels by which the catalogue knows each workload."""
    return {
        str(pods): party.labels
        for party in _parties(catalogue)
        for pods in inventory.pods_in(party.namespace)
        if party.labels.items() <= pods.labels.items()
    }


def _resolve(inventory: Inventory, wish: Wish) -> Iterator[_Pair | Finding]:
    """Yield each two workloads that a wish means, and a finding for each that is not there."""
    sources = find_ends(inventory, wish.source)
    if isinstance(sources, Gap):
        yield _gap_finding(wish, wish.source.name, sources)
        return
    for source in sources:
        for found in find_doors(inventory, wish.aim):
            if isinstance(found, Gap):
                yield _gap_finding(wish, str(source), found)
            elif not (_is_assumed(source) and _is_assumed(found.end)):
                yield _Pair(wish, source, found)


def _is_assumed(end: End) -> bool:
    """Say whether no manifest has an end; what is outside a cluster never is in one."""
    return end.is_assumed if isinstance(end, Pods) else True


def _gap_finding(wish: Wish, source: str, gap: Gap) -> Finding:
    return Finding(
        wish=wish,
        source=source,
        target=gap.where,
        port="",
        verdict=_VERDICTS[gap.lack],
        evidence=(gap.text,),
    )


def _judge(
    inventory: Inventory, pair: _Pair, is_meant: IsMeant, identities: dict[str, Labels]
) -> Finding:
    connection = pair.connection
    obstacles = find_obstacles(inventory, connection)
    remedies = (
        propose(inventory, connection, each, is_meant=is_meant, identities=identities)
        for each in obstacles
    )
    door = pair.door
    number = f"{door.protocol} {door.port}"
    return Finding(
        wish=pair.wish,
        source=str(pair.source),
        target=str(door.end),
        port=f"{door.name} ({number})" if door.name else number,
        verdict=Verdict.BLOCKED if obstacles else Verdict.REACHABLE,
        evidence=(
            *(text for each in obstacles for text in (str(each), *each.reasons)),
            *_remarks(pair),
        ),
        connection=connection,
        obstacles=obstacles,
        remedies=tuple(each for each in remedies if each is not None),
    )


def _remarks(pair: _Pair) -> Iterator[str]:
    """Say what else the judgement rests on."""
    for end in (pair.source, pair.door.end):
        if not isinstance(end, Pods):
            continue
        if end.is_assumed:
            yield f"no manifest has {end}: assumed as the catalogue declares it"
        if end.is_on_host_network:
            yield f"{end} is on its node's network, which no selector of pods matches"
