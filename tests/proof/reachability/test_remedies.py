"""What opens a closed side: it works, kubectl takes it, and it opens nothing that is not meant."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from gx.proof.reachability.catalogue import Catalogue
from gx.proof.reachability.explain import explain_flows
from gx.proof.reachability.findings import Finding, Verdict
from gx.proof.reachability.inventory import Document, Inventory, convert, take_stock
from gx.proof.reachability.objects import Policy
from gx.proof.reachability.policies import Connection, Direction, find_obstacles, is_open
from gx.proof.reachability.remedies import Remedy, propose
from tests.monitoring.kubernetes.manifests import MONITORING, build, kubectl
from tests.proof.incident import manifests_of_the_incident
from tests.proof.reachability.random_clusters import PORTS, random_cluster

pytestmark = pytest.mark.xdist_group("kubernetes")

CATALOGUE: Final = Catalogue.of(["devnet"])


def _documents() -> list[Document]:
    return [*build("k8s/overlays/devnet").documents, *build(MONITORING).documents]


def _name(document: Document) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def _without(policy: str) -> list[Document]:
    """Return the cluster without one of its policies."""
    return [
        each for each in _documents() if each["kind"] != "NetworkPolicy" or _name(each) != policy
    ]


def _blocked(documents: Iterable[Document]) -> tuple[Finding, ...]:
    return tuple(
        each for each in explain_flows(take_stock(documents), CATALOGUE) if not each.is_reachable
    )


def _applied(documents: list[Document], remedy: Remedy, folder: Path) -> list[Document]:
    """Return the cluster with a remedy; what is patched, kubectl itself has patched."""
    if remedy.patched is None:
        return [*documents, remedy.policy]
    name = f"{remedy.namespace}/{remedy.patched}"

    def patched(document: Document) -> Document:
        if document["kind"] != "NetworkPolicy" or _name(document) != name:
            return document
        file = folder / "policy.yaml"
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        words = ("patch", "--local", "-f", str(file), "--type=json", "-o", "yaml")
        said = kubectl(*words, "-p", remedy.patch_json)
        return msgspec.convert(yaml.safe_load(said), Document)

    return [patched(each) for each in documents]


def _all_open(inventory: Inventory) -> set[tuple[str, str, int, str]]:
    """Return every connection between pods to a declared port that is open."""
    return {
        (str(source), str(target), port.number, port.protocol)
        for source in inventory.pods
        for target in inventory.pods
        for port in target.ports
        if not find_obstacles(inventory, Connection(source, target, port.number, port.protocol))
    }


@pytest.mark.parametrize(
    "policy",
    [
        "backend-devnet/allow-internal-backend",
        "backend-devnet/allow-api",
        "backend-devnet/allow-outbox-submitter",
        "monitoring/allow-alertmanager",
    ],
)
def test_remedies_bring_back_what_a_lost_policy_had_opened_and_nothing_more(
    policy: str, tmp_path: Path
) -> None:
    """After all of them every flow is reachable, and no other connection is open than before."""
    documents = _without(policy)
    assert _blocked(documents)
    while found := _blocked(documents):
        assert found[0].verdict is Verdict.BLOCKED
        assert len(found[0].remedies) == len(found[0].obstacles)
        for remedy in found[0].remedies:
            documents = _applied(documents, remedy, tmp_path)
        assert len(_blocked(documents)) < len(found), found[0]
    # Of what else the policy had opened, the catalogue of one environment does not know.
    assert _all_open(take_stock(documents)) <= _all_open(take_stock(_documents()))


def test_a_rule_has_both_selectors_in_one_peer_and_the_ports_name() -> None:
    """Two peers would let in every pod there, and every namesake from elsewhere."""
    found = _blocked(_without("backend-devnet/allow-internal-backend"))
    remedy = found[0].remedies[0]
    assert remedy.direction is Direction.INGRESS
    assert remedy.rule == {
        "from": [
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
            }
        ],
        "ports": [{"protocol": "TCP", "port": "metrics"}],
    }


def test_the_line_is_one_that_a_shell_and_kubectl_take() -> None:
    """Quoting is part of it: what is pasted is what is meant."""
    remedy = _blocked(manifests_of_the_incident())[0].remedies[0]
    start = f"kubectl patch networkpolicy {remedy.patched} -n backend-devnet --type=json -p '"
    assert remedy.kubectl.startswith(start)
    patch = json.loads(remedy.kubectl.removeprefix(start).removesuffix("'"))
    assert patch == [{"op": "add", "path": "/spec/ingress/-", "value": remedy.rule}]


def _closed_connections(inventory: Inventory) -> Iterator[Connection]:
    for source in inventory.pods:
        for target in inventory.pods:
            if source != target:
                for port in PORTS:
                    connection = Connection(source, target, port)
                    if find_obstacles(inventory, connection):
                        yield connection


@pytest.mark.parametrize("seed", range(12))
def test_a_new_policy_opens_exactly_its_connection_in_any_cluster(seed: int) -> None:
    """Where nothing else is meant to be open, it is a policy of its own."""
    inventory = take_stock(random_cluster(seed))
    for wanted in list(_closed_connections(inventory))[:3]:
        mended = inventory
        for obstacle in find_obstacles(inventory, wanted):
            remedy = propose(inventory, wanted, obstacle, is_meant=lambda _: False, identities={})
            assert remedy is not None
            assert remedy.patched is None
            mended = mended.with_policies([convert(remedy.policy, Policy)])
        assert all(is_open(mended, wanted, direction) for direction in Direction)
