"""What the doctor says of manifests alone: each gap in discovery, and each policy in the way."""

from collections.abc import Callable

import pytest

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.examine import Sources, examine
from gx.proof.reachability.inventory import Document, take_stock
from tests.monitoring.kubernetes.manifests import MONITORING, build
from tests.proof.incident import manifests_of_the_incident

pytestmark = pytest.mark.xdist_group("kubernetes")

PROJECTOR = "gx-projector"


def said(documents: list[Document]) -> list[Finding]:
    """What the doctor says of manifests."""
    return list(examine(Sources(inventory=take_stock(documents))).faults)


def devnet() -> list[Document]:
    """The manifests of devnet and of the monitoring as they are committed."""
    return [*build("k8s/overlays/devnet").documents, *build(MONITORING).documents]


def without(document: Document, kind: str, name: str) -> bool:
    """Whether a document is another one."""
    metadata = document.get("metadata")
    return not (
        document["kind"] == kind and isinstance(metadata, dict) and metadata.get("name") == name
    )


def changed(kind: str, name: str, **spec: object) -> list[Document]:
    """Devnet with some of one object's spec replaced."""
    found: list[Document] = []
    for each in devnet():
        if without(each, kind, name):
            found.append(each)
            continue
        before = each["spec"]
        assert isinstance(before, dict)
        found.append({**each, "spec": {**before, **spec}})
    return found


def no_endpoints() -> list[Document]:
    """Devnet without replicas of the projector."""
    return changed("Deployment", "projector", replicas=0)


def nobody_selected() -> list[Document]:
    """Devnet with a Service whose selector is misspelt."""
    return changed("Service", "projector-metrics", selector={"app.kubernetes.io/name": "projectr"})


def another_port() -> list[Document]:
    """Devnet with a Service whose port has another name."""
    return changed("Service", "projector-metrics", ports=[{"name": "http", "port": 9091}])


@pytest.mark.parametrize(
    ("make", "cause", "told"),
    [
        (no_endpoints, Cause.NO_ENDPOINTS, "scaled to 0 replicas"),
        (nobody_selected, Cause.SELECTOR_MISMATCH, "app.kubernetes.io/name=projectr"),
        (another_port, Cause.WRONG_PORT, "has no port named metrics; it has http"),
        (manifests_of_the_incident, Cause.POLICY, "`default-deny`"),
    ],
)
def test_a_gap_in_manifests_has_its_cause_and_a_fix(
    make: Callable[[], list[Document]], cause: Cause, told: str
) -> None:
    """Without a Prometheus to ask: the scrape job that is lost, by what, and what mends it."""
    (found,) = (each for each in said(make()) if each.where.partition(":")[0] == PROJECTOR)

    assert found.cause is cause
    assert told in " ".join(found.evidence)
    assert found.fix


def test_the_committed_manifests_are_in_order() -> None:
    """What is deployed is reachable: nothing to say."""
    assert not said(devnet())
