"""The kubectl lines of runbooks: kubectl understands each, and what it names is deployed.

There is no cluster here. kubectl is given an address at which nothing listens: a line that it
understands ends there, one that it does not understand ends before.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.monitoring.conftest import ROOT
from tests.monitoring.runbooks.commands import KUBECTL_LINES, TypedLine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KUBECTL: Final = Path(sys.executable).with_name("kubectl")
NOWHERE: Final = "http://127.0.0.1:1"
NOT_REACHED: Final = re.compile(r"connection refused|was refused")
VARIABLES: Final = {"NS": "backend-mainnet", "POD": "api-0"}
# What people make themselves, or what runs apart from our manifests.
MADE_BY_HAND: Final = frozenset({"alertmanager-receivers", "gx-fabric-identity"})
CLAIMS: Final = frozenset({"data-prometheus-0"})
KINDS: Final = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "hpa": "HorizontalPodAutoscaler",
    "configmap": "ConfigMap",
}
_LABEL: Final = re.compile(r"app\.kubernetes\.io/name=(\S+)")
_CONTAINER: Final = re.compile(r" -c (\S+)")


@cache
def manifests() -> list[dict[str, object]]:
    """Read every object that the repository deploys."""
    found: list[dict[str, object]] = []
    for path in sorted((ROOT / "k8s").rglob("*.yaml")):
        documents: list[object] = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        found += [each for each in documents if isinstance(each, dict) and "kind" in each]
    return found


@cache
def named(kind: str) -> set[str]:
    """List the names of a kind's objects."""
    return {
        str(metadata["name"])
        for each in manifests()
        if each["kind"] == kind and isinstance(metadata := each["metadata"], dict)
    }


def words_of(line: TypedLine) -> list[str]:
    """Split a line as a shell does, with the variables in it."""
    text = line.text
    for name, value in VARIABLES.items():
        text = text.replace(f'"${name}"', value)
    return shlex.split(text, comments=True)


def run(line: TypedLine, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line without a cluster."""
    _, *arguments = words_of(line)
    return subprocess.run(
        [str(KUBECTL), f"--server={NOWHERE}", "--request-timeout=5s", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "KUBECONFIG": "/dev/null"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def fault_of(line: TypedLine, folder: Path) -> str | None:
    """Say why kubectl does not understand a line; it leaves a patch to the server, we do not."""
    words = words_of(line)
    if "-p" in words:
        try:
            json.loads(words[words.index("-p") + 1])
        except ValueError as error:
            return f"{line.text}: the patch is no JSON: {error}"
    done = run(line, folder)
    if done.returncode == 0 or NOT_REACHED.search(done.stdout):
        return None
    return f"{line.text}\n  ({', '.join(line.pages)}) {done.stdout[:300]}"


def test_kubectl_understands_every_line(tmp_path: Path) -> None:
    """Subcommands, flags, kinds and patches are kubectl's own."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("what a page tells to put into a Secret")
    with ThreadPoolExecutor(2) as executor:
        found = executor.map(lambda line: fault_of(line, tmp_path), KUBECTL_LINES)
        faults = [fault for fault in found if fault]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "kubectl -n monitoring get pods --tailing=5",
        "kubectl -n monitoring rollouts restart deployment/api",
        "kubectl -n monitoring patch secret x --type=merge -p '{'",
    ],
)
def test_a_mistake_is_noticed(text: str, tmp_path: Path) -> None:
    """Negative control: a wrong flag, a wrong subcommand, a patch that is no JSON."""
    assert fault_of(TypedLine(text, ("a page",)), tmp_path) is not None


@pytest.mark.parametrize("line", KUBECTL_LINES, ids=lambda line: line.text)
def test_what_a_line_names_is_deployed(line: TypedLine) -> None:
    """Workloads, labels and containers are those of the manifests."""
    text = " ".join(words_of(line))
    for kind, name in re.findall(r"\b([a-z]+)/([a-z][a-z0-9-]+)", text):
        if kind in KINDS:
            assert name in named(KINDS[kind]), text
    for kind, name in re.findall(r" (hpa|job|configmap) ([a-z][a-z0-9-]+)", text):
        assert name in named(KINDS[kind]), text
    workloads = {
        name for kind in ("Deployment", "StatefulSet", "DaemonSet") for name in named(kind)
    }
    for name in _LABEL.findall(text):
        assert name in workloads, text
    for name in _CONTAINER.findall(text):
        assert name in containers(), text
    for name in re.findall(r"secret (?:generic )?([a-z][a-z0-9-]+)", text):
        assert name in MADE_BY_HAND, text
    for name in re.findall(r"persistentvolumeclaim ([a-z][a-z0-9-]+)", text):
        assert name in CLAIMS, text


@cache
def containers() -> set[str]:
    """List the containers of every workload."""
    return set(_containers_in(manifests()))


def _containers_in(value: object) -> Iterator[str]:
    match value:
        case {"name": str(name), "image": _}:
            yield name
        case dict():
            for each in value.values():
                yield from _containers_in(each)
        case list():
            for each in value:
                yield from _containers_in(each)
        case _:
            pass
