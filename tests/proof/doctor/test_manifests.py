"""What the doctor says of manifests alone: each gap in discovery, and each policy in the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.examine import Sources, examine
from gx.proof.reachability.inventory import Document, take_stock
from tests.monitoring.kubernetes.manifests import MONITORING, build
from tests.proof.incident import manifests_of_the_incident

pytestmark = pytest.mark.xdist_group("kubernetes")

PROJECTOR: Final = "gx-projector"
OPERATED: Final = (
    Path(__file__).parents[3] / "k8s" / "monitoring" / "prometheus" / "operator" / "scraping.yaml"
)


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


def operated() -> list[Document]:
    """The ServiceMonitors of the operator's variant, as they are rendered."""
    text = OPERATED.read_text(encoding="utf-8")
    return [each for each in yaml.safe_load_all(text) if each["kind"] == "ServiceMonitor"]


def said_of_monitors(monitors: list[Document]) -> list[Finding]:
    """What the doctor says of ServiceMonitors beside devnet."""
    return [each for each in said([*devnet(), *monitors]) if each.where.startswith("Service")]


def test_the_rendered_service_monitors_find_their_services() -> None:
    """In the namespaces whose Services are known."""
    assert operated()
    assert not said_of_monitors(operated())


@pytest.mark.parametrize(
    ("spec", "cause", "told"),
    [
        (
            {"selector": {"matchLabels": {"app.kubernetes.io/name": "projectr"}}},
            Cause.SELECTOR_MISMATCH,
            "Service projector-metrics has app.kubernetes.io/name=projector",
        ),
        ({"endpoints": [{"port": "metric"}]}, Cause.WRONG_PORT, "has metrics"),
    ],
)
def test_a_service_monitor_that_finds_nothing_is_named(
    spec: dict[str, object], cause: Cause, told: str
) -> None:
    """By the labels of Services, which it selects, or by the name of their port."""
    (monitor,) = (each for each in operated() if not without(each, "ServiceMonitor", PROJECTOR))
    before = monitor["spec"]
    assert isinstance(before, dict)
    (found,) = said_of_monitors([{**monitor, "spec": {**before, **spec}}])

    assert (found.cause, found.where) == (cause, f"ServiceMonitor {PROJECTOR}: backend-devnet")
    assert told in " ".join(found.evidence)
    assert found.fix
