"""The policies allow the declared flows and nothing more: an independent analyser says so."""

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from gx.monitoring.kubernetes.cluster import Parties, Party
from gx.monitoring.kubernetes.flows import Flow, declare_flows, declare_option_flows
from gx.monitoring.kubernetes.policies import INTERNAL_BACKEND
from tests.monitoring.kubernetes.manifests import (
    BACKENDS,
    MONITORING,
    POLICIES_ONLY,
    Built,
    Workload,
    build,
    kubectl,
    metadata_of,
)
from tests.monitoring.kubernetes.oracle import (
    Connection,
    analyse,
    expected,
    relevant,
    strangers,
)

pytestmark = [
    pytest.mark.xdist_group("kubernetes"),
    pytest.mark.timeout(600),  # the analyser and kubectl take their time on a machine under load
]

PARTIES: Final = Parties()
# What mended the original's dashboards when the policies had forgotten Prometheus.
INCIDENT_PATCH: Final = [
    {
        "op": "add",
        "path": "/spec/ingress/-",
        "value": {
            "from": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}
                    }
                }
            ],
            "ports": [{"protocol": "TCP", "port": 9090}, {"protocol": "TCP", "port": 9091}],
        },
    }
]
OPTION_FLOWS: Final = {
    "ha": declare_option_flows(PARTIES).high_availability,
    "remote-write": declare_option_flows(PARTIES).remote_write,
    "nodeport": declare_option_flows(PARTIES).node_ports,
}


def _reachable(documents: Iterable[dict[str, object]], folder: Path) -> set[Connection]:
    """List what is allowed between ends of which we police at least one."""
    return {each for each in analyse(documents, folder) if _is_policed(each)}


def _is_policed(connection: Connection) -> bool:
    ours = ("backend-", "monitoring/", "fabric/")
    stores = {f"{party.namespace}/{party.name}" for party in _stores()}
    return connection.source.startswith(ours) or (
        connection.target.startswith(ours) or connection.target in stores
    )


def _stores() -> list[Party]:
    return [store for each in PARTIES.backends for store in (each.postgresql, each.valkey)]


def _cluster(monitoring: str = MONITORING) -> list[dict[str, object]]:
    built = [build(path) for path in (*BACKENDS, monitoring, *POLICIES_ONLY)]
    return [*relevant(built), *strangers(PARTIES)]


def test_the_built_overlays_allow_the_declared_flows_and_nothing_more(tmp_path: Path) -> None:
    """All namespaces at once, with a stranger in each; both sides of every flow are open."""
    assert _reachable(_cluster(), tmp_path) == expected(declare_flows(PARTIES))


@pytest.mark.parametrize("option", OPTION_FLOWS)
def test_an_optional_component_adds_its_own_flows_and_nothing_more(
    option: str, tmp_path: Path
) -> None:
    """What it opens is in its own policies, and goes when it goes."""
    flows = (*declare_flows(PARTIES), *OPTION_FLOWS[option])

    found = _reachable(_cluster(f"k8s/overlays/monitoring-{option}"), tmp_path)

    assert found == expected(flows)


def test_managed_stores_are_reached_by_their_addresses(tmp_path: Path) -> None:
    """Where PostgreSQL and Valkey are no pods, a component opens their addresses."""
    added = []
    for component, namespaces in (
        ("managed-stores", [f"backend-{each.environment}" for each in PARTIES.backends]),
        ("monitoring-managed-stores", ["monitoring"]),
    ):
        path = f"k8s/components/{component}/network-policies.yaml"
        for namespace in namespaces:
            for document in yaml.safe_load_all(Path(path).read_text(encoding="utf-8")):
                document["metadata"]["namespace"] = namespace
                added.append(document)

    found = _reachable([*_cluster(), *added], tmp_path)

    flows = (*declare_flows(PARTIES), *declare_option_flows(PARTIES).managed_stores)
    assert found == expected(flows)


def test_no_backend_may_talk_to_monitoring() -> None:
    """What is watched does not know its watchers, and cannot hurt them."""
    watching = {
        flow.target.name
        for flow in declare_flows(PARTIES)
        if flow.source in [member for each in PARTIES.backends for member in each.members]
        and isinstance(flow.target, Party)
        and flow.target.namespace == PARTIES.cluster.monitoring
    }
    assert watching == set()


def test_every_party_of_ours_is_a_workload_with_its_labels_and_ports() -> None:
    """A policy that selects labels which no pod has protects nothing."""
    ends = [
        end
        for flow in declare_flows(PARTIES)
        for end in (flow.source, flow.target)
        if isinstance(end, Party) and end.is_ours
    ]
    by_name = {f"{end.namespace}/{end.name}": end for end in ends}
    workloads = _workloads([build(path) for path in (*BACKENDS, MONITORING)])
    assert by_name.keys() == workloads.keys()
    for name, party in by_name.items():
        assert party.labels.items() <= workloads[name].labels.items(), name
        declared = {
            (port.name, port.container_port)
            for container in workloads[name].pod.containers
            for port in container.ports
        }
        needed = {(port.name, port.number) for port in party.ports if port.name in _asked(party)}
        assert needed <= declared, name


def _asked(party: Party) -> set[str]:
    return {name for flow in declare_flows(PARTIES) if flow.target == party for name in flow.ports}


def test_a_flow_says_why() -> None:
    """Whoever wants to remove one must be able to see what would break."""
    options = declare_option_flows(PARTIES)
    every: tuple[Flow, ...] = (*declare_flows(PARTIES), *options.managed_stores)
    assert all(len(flow.why) > 4 for flow in every)
    assert len({_key(flow) for flow in every}) == len(every), "a flow is declared twice"


def _key(flow: Flow) -> tuple[str, str, tuple[str, ...]]:
    ends = [
        f"{end.namespace}/{end.name}" if isinstance(end, Party) else f"{end.name} {end.ranges}"
        for end in (flow.source, flow.target)
    ]
    return ends[0], ends[1], flow.ports


@pytest.mark.parametrize("environment", ["devnet", "testnet", "mainnet"])
def test_the_patch_of_the_incident_mends_a_policy_that_forgot_prometheus(
    environment: str, tmp_path: Path
) -> None:
    """Without our rule nothing is scraped; the patch makes 9090 and 9091 reachable again."""
    namespace = f"backend-{environment}"
    forgot = _without_prometheus(_internal(build(f"k8s/overlays/{environment}")))
    scrapes = {
        Connection("monitoring/prometheus", f"{namespace}/{name}", f"TCP {port}")
        for name, port in (("outbox-submitter", 9090), ("projector", 9091))
    }

    (tmp_path / "before").mkdir()
    before = _reachable(_replaced(forgot, environment), tmp_path / "before")
    (tmp_path / "after").mkdir()
    after = _reachable(_replaced(_patched(forgot, tmp_path), environment), tmp_path / "after")

    assert not {each for each in before if each.target.startswith(f"{namespace}/")} & scrapes
    assert scrapes == after - before


def _internal(built: Built) -> dict[str, object]:
    (found,) = [
        each for each in built.of("NetworkPolicy") if metadata_of(each).name == INTERNAL_BACKEND
    ]
    return found


class _Peer(msgspec.Struct, rename="camel"):
    pod_selector: dict[str, dict[str, str]]


class _Rule(msgspec.Struct):
    from_: list[_Peer] = msgspec.field(name="from")


def _without_prometheus(policy: dict[str, object]) -> dict[str, object]:
    """Return the policy as it was before the incident."""
    forgot = copy.deepcopy(policy)
    spec = msgspec.convert(forgot["spec"], dict[str, object])
    rules = msgspec.convert(spec["ingress"], list[dict[str, object]])
    kept = [rule for rule in rules if "prometheus" not in _sources(rule)]
    assert len(kept) == len(rules) - 1
    return forgot | {"spec": spec | {"ingress": kept}}


def _sources(rule: dict[str, object]) -> set[str]:
    return {
        peer.pod_selector["matchLabels"].get("app.kubernetes.io/name", "")
        for peer in msgspec.convert(rule, _Rule).from_
    }


def _patched(policy: dict[str, object], folder: Path) -> dict[str, object]:
    """Replay the patch with kubectl itself."""
    file = folder / "policy.yaml"
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    patch = json.dumps(INCIDENT_PATCH)
    said = kubectl(*("patch", "--local", "-f", str(file), "--type=json", "-p", patch, "-o", "yaml"))
    return msgspec.convert(yaml.safe_load(said), dict[str, object])


def _replaced(policy: dict[str, object], environment: str) -> list[dict[str, object]]:
    return [
        policy if _is_internal(each) else each
        for each in relevant([build(f"k8s/overlays/{environment}"), build(MONITORING)])
    ]


def _is_internal(document: dict[str, object]) -> bool:
    return document["kind"] == "NetworkPolicy" and metadata_of(document).name == INTERNAL_BACKEND


def _workloads(built: Iterable[Built]) -> dict[str, Workload]:
    return {
        f"{workload.metadata.namespace}/{workload.metadata.name}": workload
        for each in built
        for workload in each.workloads
    }
