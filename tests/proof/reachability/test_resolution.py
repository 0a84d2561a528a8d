"""What is said where discovery finds nothing: which step, and what comes nearest."""

import copy
from collections.abc import Callable
from typing import Final, cast

import pytest

from gx.proof.reachability.catalogue import Catalogue, Kind
from gx.proof.reachability.explain import explain_flows
from gx.proof.reachability.findings import Finding, Verdict
from gx.proof.reachability.inventory import Document, take_stock
from tests.monitoring.kubernetes.manifests import MONITORING, build

pytestmark = pytest.mark.xdist_group("kubernetes")

CATALOGUE: Final = Catalogue.of(["devnet"])


def _change(kind: str, name: str, mutate: Callable[[Document], None]) -> list[Document]:
    """Return devnet and the monitoring with one object changed."""
    documents = [*build("k8s/overlays/devnet").documents, *build(MONITORING).documents]
    changed = []
    for each in documents:
        if (each["kind"], _at(each, "metadata")["name"]) == (kind, name):
            found = copy.deepcopy(each)
            mutate(found)
            changed.append(found)
        else:
            changed.append(each)
    return changed


def _at(document: Document, *path: str) -> Document:
    for part in path:
        document = cast("Document", document[part])
    return document


def _template(document: Document) -> Document:
    return _at(document, "spec", "template")


def _first_port(document: Document) -> Document:
    containers = cast("list[Document]", _at(_template(document), "spec")["containers"])
    return cast("list[Document]", containers[0]["ports"])[-1]


def _scrape(documents: list[Document], job: str) -> Finding:
    (found,) = (
        each
        for each in explain_flows(take_stock(documents), CATALOGUE)
        if each.wish.kind is Kind.SCRAPE and each.wish.name == job
    )
    return found


def _relabel(document: Document) -> None:
    _at(_template(document), "metadata", "labels")["component"] = "apis"


def _rename_port(document: Document) -> None:
    _first_port(document)["name"] = "prom"


def _scale_down(document: Document) -> None:
    _at(document, "spec")["replicas"] = 0


def _unannotate(document: Document) -> None:
    _at(_template(document), "metadata", "annotations")["prometheus.io/scrape"] = "false"


def _move_annotation(document: Document) -> None:
    _at(_template(document), "metadata", "annotations")["prometheus.io/port"] = "9999"


def _rename(document: Document) -> None:
    _at(document, "metadata")["name"] = "projector-metric"


def _rename_service_port(document: Document) -> None:
    cast("list[Document]", _at(document, "spec")["ports"])[0]["name"] = "http"


def _select_nobody(document: Document) -> None:
    _at(document, "spec", "selector")["app.kubernetes.io/name"] = "projectr"


API, PROJECTOR = "gx-backend-services", "gx-projector"


@pytest.mark.parametrize(
    ("changed", "job", "verdict", "says"),
    [
        (("Deployment", "api", _relabel), API, Verdict.MISMATCH, "which has component=apis"),
        (("Deployment", "api", _rename_port), API, Verdict.NO_SUCH_PORT, "port named metrics"),
        (("Deployment", "api", _scale_down), API, Verdict.NO_POD, "scaled to 0 replicas"),
        (("Deployment", "api", _unannotate), API, Verdict.MISMATCH, "says 'false'"),
        (("Deployment", "api", _move_annotation), API, Verdict.NO_SUCH_PORT, "no port TCP 9999"),
        (
            ("Service", "projector-metrics", _rename),
            PROJECTOR,
            Verdict.MISMATCH,
            "nearest is projector-metric",
        ),
        (
            ("Service", "projector-metrics", _rename_service_port),
            PROJECTOR,
            Verdict.NO_SUCH_PORT,
            "has no port named metrics; it has http",
        ),
        (
            ("Service", "projector-metrics", _select_nobody),
            PROJECTOR,
            Verdict.MISMATCH,
            "has no endpoints: no pod in backend-devnet has app.kubernetes.io/name=projectr",
        ),
    ],
)
def test_a_gap_is_named_with_what_comes_nearest(
    changed: tuple[str, str, Callable[[Document], None]], job: str, verdict: Verdict, says: str
) -> None:
    """Each step of discovery fails in words of its own."""
    found = _scrape(_change(*changed), job)
    assert found.verdict is verdict
    assert says in found.evidence[0]
    assert found.connection is None


def test_a_prometheus_that_is_not_there_is_told_for_every_scrape() -> None:
    """A selector that no pod of the monitoring meets leaves all targets unseen."""

    def rename(document: Document) -> None:
        _at(_template(document), "metadata", "labels")["app.kubernetes.io/name"] = "prom"

    documents = _change("StatefulSet", "prometheus", rename)
    found = [
        each
        for each in explain_flows(take_stock(documents), CATALOGUE)
        if each.wish.kind is Kind.SCRAPE
    ]
    assert found
    assert {each.verdict for each in found} == {Verdict.MISMATCH}
    assert "StatefulSet prometheus, which has app.kubernetes.io/name=prom" in found[0].evidence[0]


@pytest.mark.parametrize(
    ("endpoints", "verdict", "says"),
    [
        ([], Verdict.NO_POD, "none is listed"),
        ([{"conditions": {"ready": False}}], Verdict.NO_POD, "1 are listed, and none is ready"),
        ([{"conditions": {"ready": False}}, {}], Verdict.REACHABLE, ""),
    ],
)
def test_the_slices_of_a_live_cluster_say_whether_a_pod_is_ready(
    endpoints: list[object], verdict: Verdict, says: str
) -> None:
    """Labels fit, pods are there, and still nobody stands behind the Service."""
    listed: Document = {
        "kind": "EndpointSliceList",
        "apiVersion": "discovery.k8s.io/v1",
        "items": [
            {
                "metadata": {
                    "name": "projector-metrics-x7k",
                    "namespace": "backend-devnet",
                    "labels": {"kubernetes.io/service-name": "projector-metrics"},
                },
                "endpoints": endpoints,
            }
        ],
    }
    found = _scrape([*_change("Service", "", lambda _: None), listed], PROJECTOR)

    assert found.verdict is verdict
    assert says in " ".join(found.evidence)


def test_a_live_cluster_lists_owners_and_owned_and_each_workload_counts_once() -> None:
    """Deployment, ReplicaSet and pods are one; a pod without its owner's manifest is another."""
    template: Document = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}
    owned = {"kind": "ReplicaSet", "name": "a-1"}
    pods: list[Document] = [
        {
            "kind": "Pod",
            "metadata": {
                "name": f"a-1-{at}",
                "namespace": "n",
                "labels": {"app": "a", "pod-template-hash": "1"},
                "ownerReferences": [owned],
            },
            "spec": {"containers": []},
            "status": {"phase": phase},
        }
        for at, phase in enumerate(("Running", "Running", "Failed"))
    ]
    deployment: Document = {
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {"template": template},
    }
    assert [str(each) for each in take_stock([deployment, *pods]).pods] == ["n/a"]
    assert [str(each) for each in take_stock(pods).pods] == ["n/a-1-0"]
