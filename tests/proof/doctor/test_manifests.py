"""What the doctor says of manifests alone: each gap in discovery, and each policy in the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.proof.causes import Cause, Finding
from gx.proof.doctor.examine import Sources, examine
from gx.proof.doctor.manifests import Reach
from gx.proof.doctor.report import lines
from gx.proof.prometheus import Target
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


def no_services() -> list[Document]:
    """Devnet before any Service was applied."""
    return [
        each
        for each in devnet()
        if each["kind"] != "Service" or "backend-devnet" not in str(each["metadata"])
    ]


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (no_services, "apply the object"),
        (no_endpoints, "scale it above 0"),
        (nobody_selected, "give the object the labels"),
        (another_port, "give the Service a port"),
    ],
)
def test_a_gap_s_fix_fits_it(make: Callable[[], list[Document]], fix: str) -> None:
    """What is not there is applied, and not relabelled."""
    (found,) = (each for each in said(make()) if each.where.partition(":")[0] == PROJECTOR)

    assert found.fix.startswith(fix)


def target(port: int) -> Target:
    """The projector of devnet, scraped at a port where nothing answers."""
    return Target(
        labels={"environment": "devnet", "job": PROJECTOR},
        discovered_labels={},
        scrape_pool=PROJECTOR,
        scrape_url=f"http://10.0.0.7:{port}/metrics",
        health="down",
    )


def test_a_policy_explains_a_scrape_of_its_own_port_alone() -> None:
    """A wrong port stays a wrong port; the policy is then told beside it, once."""
    reach = Reach(take_stock(manifests_of_the_incident()))
    everything = [each.where for each in reach.rest()]

    assert reach.of_scrape(target(1234), is_refused=False) is None
    assert [each.where for each in reach.rest()] == everything
    found = reach.of_scrape(target(9091), is_refused=False)
    assert found is not None
    assert found.cause is Cause.POLICY_DROP
    left = [each.where for each in reach.rest()]
    assert [each for each in everything if each not in left] == [found.where]


def test_a_fix_that_is_given_already_is_named_by_its_number() -> None:
    """The others may be a screen away."""
    printed = list(lines(examine(Sources(inventory=take_stock(manifests_of_the_incident())))))

    assert printed[0].startswith("1. FAULT  policy")
    assert printed.count("  fix: the same as of 1") == 3


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
