"""Every manifest builds, is what Kubernetes understands, and refers to what is there."""

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from tests.monitoring.kubernetes.manifests import (
    BACKENDS,
    EVERYTHING,
    MONITORING,
    OPTIONS,
    TWO_VERSIONS,
    Built,
    Selector,
    Workload,
    build,
    containers_of,
    metadata_of,
)

pytestmark = [
    pytest.mark.xdist_group("kubernetes"),  # what is built once serves all of them
    pytest.mark.timeout(600),  # the analyser and kubectl take their time on a machine under load
]

KUBERNETES_VERSION: Final = "1.37"
WITH_PODS: Final = (*BACKENDS, MONITORING, *OPTIONS, TWO_VERSIONS)
HOST_ACCESS: Final = frozenset({"node-exporter"})
TALKS_TO_KUBERNETES: Final = frozenset({"prometheus", "kube-state-metrics"})
_PINNED: Final = re.compile(r"[a-z0-9./_-]+:v?[0-9][a-z0-9.-]*|[^@]+@sha256:[0-9a-f]{64}")


@pytest.mark.parametrize("path", EVERYTHING)
def test_every_document_is_what_kubernetes_understands(path: str, tmp_path: Path) -> None:
    """An unknown field is an error too: `podSelectr` would select everything."""
    known = build(MONITORING).documents if path in OPTIONS else []
    documents = [_without_texts(each) for each in build(path).documents if each not in known]
    manifest = tmp_path / "built.yaml"
    manifest.write_text(yaml.safe_dump_all(documents), encoding="utf-8")

    said = _validate(manifest)

    assert said.returncode == 0, said.stdout
    assert said.stdout.count(" passed ") == len(documents) > 0


def test_the_validator_refuses_a_misspelt_field(tmp_path: Path) -> None:
    """Negative control: a selector that is misspelt selects everything, and must not pass."""
    manifest = tmp_path / "built.yaml"
    manifest.write_text(build("k8s/fabric").text.replace("podSelector", "podSelectr"))

    assert _validate(manifest).returncode != 0


@pytest.mark.parametrize("path", EVERYTHING)
def test_every_document_is_in_the_namespace_of_its_overlay(path: str) -> None:
    """Nothing lands in whichever namespace the operator's shell happens to be in."""
    built = build(path)
    namespaces = {
        metadata_of(each).namespace for each in built.documents if each["kind"] != "Namespace"
    }
    assert len(namespaces) == 1
    assert built.names("Namespace") in (set(), namespaces)


@pytest.mark.parametrize("path", EVERYTHING)
def test_no_secret_is_in_git(path: str) -> None:
    """Secrets are referred to by name; whoever deploys makes them."""
    assert build(path).of("Secret") == []
    for _, container in containers_of(build(path)):
        for variable in container.env:
            if re.search(r"PASSWORD|TOKEN|SECRET|KEY|DSN", variable.name):
                value = variable.value
                assert value is None or value.startswith("/run/secrets/"), variable


@pytest.mark.parametrize("path", WITH_PODS)
def test_pods_keep_to_the_restricted_level(path: str) -> None:
    """And to a read-only root besides; only the node exporter sees its host's files."""
    for workload in build(path).workloads:
        pod, who = workload.pod, workload.metadata.name
        assert {pod.host_network, pod.host_pid, pod.host_ipc} == {False}, who
        assert pod.security_context.run_as_non_root, who
        assert pod.security_context.run_as_user, who
        assert pod.security_context.seccomp_profile == {"type": "RuntimeDefault"}, who
        has_host_path = any(volume.host_path for volume in pod.volumes)
        assert has_host_path == (who in HOST_ACCESS)
    for workload, container in containers_of(build(path)):
        security, who = container.security_context, f"{workload.metadata.name}/{container.name}"
        assert not security.allow_privilege_escalation, who
        assert not security.privileged, who
        assert security.read_only_root_filesystem, who
        assert security.capabilities == {"drop": ["ALL"]}, who


def test_namespaces_enforce_the_level_that_their_pods_keep_to() -> None:
    """A backend's admits nothing less; monitoring's warns, for the node exporter's sake."""
    level = "pod-security.kubernetes.io/"
    for path in (*BACKENDS, MONITORING):
        (namespace,) = build(path).of("Namespace")
        labels = metadata_of(namespace).labels
        assert labels[level + "warn"] == labels[level + "audit"] == "restricted"
        assert labels[level + "enforce"] == ("privileged" if path == MONITORING else "restricted")


@pytest.mark.parametrize("path", WITH_PODS)
def test_images_are_pinned(path: str) -> None:
    """A tag that moves, or none, runs something else tomorrow."""
    for workload, container in containers_of(build(path)):
        assert _PINNED.fullmatch(container.image), (workload.metadata.name, container.image)


@pytest.mark.parametrize("path", WITH_PODS)
def test_containers_ask_for_what_they_need_and_get_no_more_memory_than_that_allows(
    path: str,
) -> None:
    """Without requests the scheduler guesses; without a limit one leak takes the node."""
    for workload, container in containers_of(build(path)):
        for amounts in (container.resources.requests, container.resources.limits):
            assert set(amounts) == {"cpu", "memory"}, (workload.metadata.name, container.name)


@pytest.mark.parametrize("path", WITH_PODS)
def test_only_who_talks_to_kubernetes_has_a_token_for_it(path: str) -> None:
    """Each workload has an account of its own, and it is there."""
    built = build(path)
    for workload in built.workloads:
        pod, who = workload.pod, workload.metadata.name
        assert pod.service_account_name in built.names("ServiceAccount"), who
        assert pod.automount_service_account_token == (who in TALKS_TO_KUBERNETES), who


@pytest.mark.parametrize("path", WITH_PODS)
def test_selectors_match_pods(path: str) -> None:
    """A Service, budget or workload whose selector matches nothing fails silently."""
    built = build(path)
    for workload in built.workloads:
        if workload.kind != "Job":
            assert workload.spec.selector is not None
            assert _matches(workload.spec.selector.match_labels, workload)
    for service in built.services:
        (workload,) = _selected(built, service.spec.selector)
        names = {port.name for each in workload.pod.containers for port in each.ports}
        for port in service.spec.ports:
            assert port.target_port in names, (service.metadata.name, port)
    for budget in built.of("PodDisruptionBudget"):
        selector = msgspec.convert(budget["spec"], _Selecting).selector
        (workload,) = _selected(built, selector.match_labels)
        assert workload.metadata.name == metadata_of(budget).name


@pytest.mark.parametrize("path", WITH_PODS)
def test_probes_and_services_name_ports_that_are_there(path: str) -> None:
    """Everything that serves is asked whether it is alive and ready, on a port that it declares."""
    for workload, container in containers_of(build(path)):
        if workload.kind == "Job" or container.name == "config-reloader":
            continue
        names = {port.name for port in container.ports}
        assert container.liveness_probe, workload.metadata.name
        assert container.readiness_probe, workload.metadata.name
        assert {probe.port for probe in container.probes} <= names, workload.metadata.name


@pytest.mark.parametrize("path", WITH_PODS)
def test_mounts_and_references_lead_somewhere(path: str) -> None:
    """A ConfigMap that is not there keeps a pod from starting."""
    built = build(path)
    there = built.names("ConfigMap")
    for workload in built.workloads:
        volumes = {volume.name: volume for volume in workload.pod.volumes}
        claims = {"data"} if workload.kind == "StatefulSet" else set()
        for container in workload.pod.containers:
            mounted = {mount.name for mount in container.volume_mounts}
            assert mounted <= volumes.keys() | claims, workload.metadata.name
            assert not any(mount.sub_path for mount in container.volume_mounts)
        assert set(_config_maps(workload)) <= there, workload.metadata.name


def test_the_autoscaler_and_the_binding_of_roles_name_what_is_there() -> None:
    """The API's autoscaler scales the API; a Role is bound to an account that exists."""
    accounts = build(MONITORING).names("ServiceAccount")
    for path in (*BACKENDS, MONITORING, "k8s/fabric"):
        built = build(path)
        for binding in built.of("RoleBinding"):
            bound = msgspec.convert(binding, _Binding)
            assert bound.role_ref.name in built.names("Role")
            assert {subject.name for subject in bound.subjects} <= accounts
            assert {subject.namespace for subject in bound.subjects} == {"monitoring"}
        for scaler in built.of("HorizontalPodAutoscaler"):
            target = msgspec.convert(scaler["spec"], _Scaling).scale_target_ref
            assert target.name in built.names("Deployment")
            (scaled,) = [each for each in built.workloads if each.metadata.name == target.name]
            assert scaled.spec.replicas is None, "an apply would undo what the autoscaler did"


def test_nothing_may_read_secrets_or_change_anything() -> None:
    """Watchers have Roles to look, in the watched namespaces alone, not in the whole cluster."""
    for path in EVERYTHING:
        assert build(path).of("ClusterRole", "ClusterRoleBinding") == []
        for role in build(path).of("Role"):
            for rule in msgspec.convert(role["rules"], list[_Rule]):
                assert set(rule.verbs) == {"get", "list", "watch"}
                assert "secrets" not in rule.resources
                assert "*" not in rule.resources


def _without_texts(document: dict[str, object]) -> dict[str, object]:
    """Leave out the files in a ConfigMap: any text is valid, and dashboards are long."""
    data = document.get("data")
    if document["kind"] != "ConfigMap" or not isinstance(data, dict):
        return document
    return document | {"data": {key: "a text" for key in data if isinstance(key, str)}}


def _validate(manifest: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("kubernetes-validate")
    return subprocess.run(
        [str(program), "--strict", "-k", KUBERNETES_VERSION, str(manifest)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class _Selecting(msgspec.Struct):
    selector: Selector


class _Reference(msgspec.Struct):
    name: str


class _Subject(msgspec.Struct):
    name: str
    namespace: str


class _Binding(msgspec.Struct, rename="camel"):
    role_ref: _Reference
    subjects: list[_Subject]


class _Scaling(msgspec.Struct, rename="camel"):
    scale_target_ref: _Reference


class _Rule(msgspec.Struct):
    resources: list[str]
    verbs: list[str]


def _matches(selector: dict[str, str], workload: Workload) -> bool:
    return selector.items() <= workload.labels.items()


def _selected(built: Built, selector: dict[str, str]) -> list[Workload]:
    return [each for each in built.workloads if _matches(selector, each)]


def _config_maps(workload: Workload) -> list[str]:
    volumes = [volume.config_map for volume in workload.pod.volumes]
    projected = [
        source.config_map
        for volume in workload.pod.volumes
        for source in (volume.projected.sources if volume.projected else [])
    ]
    variables = [
        source.config_map_ref
        for container in workload.pod.containers
        for source in container.env_from
    ]
    return [each.name for each in chain(volumes, projected, variables) if each is not None]


@pytest.mark.parametrize("path", BACKENDS)
def test_the_steps_of_the_guide_apply_everything_in_an_order_that_works(path: str) -> None:
    """First what others need, then the schema, then who serves; each step selects by labels."""
    labels = {
        (str(each["kind"]), metadata_of(each).name): metadata_of(each).labels
        for each in build(path).documents
    }
    names = {key: found.get("app.kubernetes.io/name", "") for key, found in labels.items()}
    parts = {key: found.get("component", "") for key, found in labels.items()}
    ground = {key for key, part in parts.items() if part == ""}
    schema = {key for key, name in names.items() if name == "migrations"}
    served = {key for key, part in parts.items() if part in {"api", "worker"}}
    chaincode = {key for key, name in names.items() if name == "chaincode"}
    first = {key for key, name in names.items() if name == "bootstrap"}

    assert {kind for kind, _ in ground}.isdisjoint({"Deployment", "Job"})
    assert {("Namespace", f"backend-{Path(path).name}"), ("ConfigMap", "gx-settings")} <= ground
    assert {kind for kind, _ in schema} == {"ServiceAccount", "Job"}
    assert {kind for kind, _ in served} == {"Deployment"}
    assert labels.keys() == ground | schema | served | chaincode | first
