"""The original's incident, with real packets: policies without a rule for the monitoring.

The manifests are the committed ones; from the policy that lets Prometheus in, the rule for it is
taken out. Everything else, what opens and closes included, follows from them.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import yaml

from gx.monitoring.kubernetes.policies import INTERNAL_BACKEND
from gx.proof.laboratory.cluster import Laboratory
from gx.proof.laboratory.filters import Refusal
from gx.proof.laboratory.prometheus import (
    LaboratoryPrometheus,
    scrape_configuration,
    serve_metrics,
    start_prometheus,
)
from gx.proof.laboratory.tools import NetworkTools
from gx.proof.reachability.catalogue import Catalogue, Kind
from gx.proof.reachability.explain import explain_flows
from gx.proof.reachability.findings import Finding
from gx.proof.reachability.inventory import Document, Inventory, take_stock
from gx.runtime.tools import Tool
from tests.monitoring.kubernetes.manifests import MONITORING, build, kubectl

ENVIRONMENT: Final = "devnet"
BACKEND: Final = f"backend-{ENVIRONMENT}"
PROMETHEUS: Final = "monitoring/prometheus"
CATALOGUE: Final = Catalogue.of([ENVIRONMENT])


def manifests_of_the_incident() -> list[Document]:
    """Return the cluster's manifests as they were: nothing lets Prometheus into the backend."""
    documents = [
        *build(f"k8s/overlays/{ENVIRONMENT}").documents,
        *build(MONITORING).documents,
    ]
    return [_forgetful(each) if _lets_prometheus_in(each) else each for each in documents]


def _lets_prometheus_in(document: Document) -> bool:
    metadata = msgspec.convert(document.get("metadata", {}), dict[str, object])
    return document["kind"] == "NetworkPolicy" and metadata["name"] == INTERNAL_BACKEND


def _forgetful(policy: Document) -> Document:
    """Return a policy without its rules for Prometheus."""
    found = copy.deepcopy(policy)
    spec = msgspec.convert(found["spec"], dict[str, object])
    rules = msgspec.convert(spec["ingress"], list[dict[str, object]])
    kept = [rule for rule in rules if "prometheus" not in str(rule["from"])]
    assert len(kept) == len(rules) - 1
    return found | {"spec": spec | {"ingress": kept}}


def apply_patch(documents: Sequence[Document], finding: Finding, folder: Path) -> list[Document]:
    """Have kubectl itself replay a finding's patch on the policy that it names."""
    (remedy,) = finding.remedies
    assert remedy.patched is not None

    def patched(document: Document) -> Document:
        metadata = msgspec.convert(document.get("metadata", {}), dict[str, object])
        key = (document["kind"], metadata.get("name"), metadata.get("namespace"))
        if key != ("NetworkPolicy", remedy.patched, remedy.namespace):
            return document
        file = folder / "policy.yaml"
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        words = ("patch", "--local", "-f", str(file), "--type=json", "-o", "yaml")
        said = kubectl(*words, "-p", remedy.patch_json)
        return msgspec.convert(yaml.safe_load(said), Document)

    return [patched(each) for each in documents]


@dataclass(slots=True)
class Incident:
    """A cluster in which Prometheus sees nothing, and what it is made of.

    `documents` are the manifests in force, `findings` the scrapes of the backend under them.
    """

    laboratory: Laboratory
    prometheus: LaboratoryPrometheus
    documents: list[Document]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the manifests in force let Prometheus scrape."""
        return scrapes(take_stock(self.documents))

    def apply(self, documents: list[Document], refusal: Refusal = Refusal.DROP) -> None:
        """Put other manifests into force, as a cluster would after `kubectl patch`."""
        self.documents = documents
        self.laboratory.enforce(_stage(take_stock(documents)), refusal)


def scrapes(inventory: Inventory) -> tuple[Finding, ...]:
    """Return the findings on the backend's scrape jobs."""
    return tuple(
        each
        for each in explain_flows(inventory, CATALOGUE)
        if each.wish.kind is Kind.SCRAPE and each.target.startswith(f"{BACKEND}/")
    )


def _stage(inventory: Inventory) -> Inventory:
    """Return the part with Prometheus and the backend: the others need no namespaces."""
    pods = (each for each in inventory.pods if each.namespace == BACKEND or str(each) == PROMETHEUS)
    return replace(inventory, pods=tuple(pods))


@contextmanager
def open_incident(tools: NetworkTools, prometheus: Tool, folder: Path) -> Iterator[Incident]:
    """Have the incident: every target answers where it is, and Prometheus reaches none."""
    documents = manifests_of_the_incident()
    inventory = take_stock(documents)
    found = scrapes(inventory)
    with Laboratory(tools, _stage(inventory)) as laboratory:
        for each in found:
            assert each.connection is not None
            serve_metrics(laboratory, each.target, each.connection.port)
        configuration = scrape_configuration(found, laboratory.address)
        running = start_prometheus(
            laboratory, prometheus, member=PROMETHEUS, configuration=configuration, folder=folder
        )
        incident = Incident(laboratory, running, documents)
        incident.apply(documents)
        yield incident
