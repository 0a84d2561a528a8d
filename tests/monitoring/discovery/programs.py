"""Runs vmagent, and Prometheus, on a scrape configuration; asks them what their targets are."""

import fcntl
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

import httpx
import pytest
import yaml

from gx.runtime.debian import AptFetcher, FetchError, unpack
from gx.runtime.prometheus import prometheus_command
from gx.runtime.tools import Tool
from tests.ports import free_port

PACKAGE: Final = "victoria-metrics"
WITHIN_S: Final = 60.0

Labels: TypeAlias = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a program would scrape: where, and what it calls it."""

    url: str
    labels: Labels

    @property
    def job(self) -> str:
        """Its job's name."""
        return dict(self.labels)["job"]


def find_vmagent(cache: Path) -> Path:
    """Return vmagent: from PATH, else from the cache, else from Debian's package, unpacked.

    It alone, of what Debian packages, can ask a Kubernetes API.
    """
    installed = shutil.which("vmagent")
    if installed:
        return Path(installed)
    folder = cache.absolute() / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"{PACKAGE}-1" / "usr" / "bin" / "vmagent"
    with (folder / f"{PACKAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _fetch(folder, folder / f"{PACKAGE}-1")
    return program


def _fetch(folder: Path, tree: Path) -> None:
    downloads, fresh = folder / f"{PACKAGE}.downloads", folder / f"{PACKAGE}.fresh"
    for each in (downloads, fresh, tree):
        shutil.rmtree(each, ignore_errors=True)
    downloads.mkdir()
    try:
        AptFetcher(folder / "apt").fetch([PACKAGE], downloads)
        unpack(downloads, fresh)
    except FetchError as error:
        pytest.fail(f"vmagent is missing: {error}. Type: apt-get install {PACKAGE}")
    fresh.rename(tree)
    shutil.rmtree(downloads)


@contextmanager
def _running(command: Sequence[str], folder: Path, cwd: Path | None = None) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def check_with_vmagent(
    program: Path, configuration: Mapping[str, object], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Let vmagent read a configuration strictly, and do nothing."""
    path = folder / "checked.yml"
    path.write_text(yaml.safe_dump(dict(configuration)))
    return subprocess.run(
        [
            str(program),
            f"-promscrape.config={path}",
            "-promscrape.config.dryRun",
            "-promscrape.config.strictParse",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def vmagent(
    program: Path, configuration: Mapping[str, object], api: str, folder: Path
) -> Iterator[str]:
    """Run vmagent on a configuration; yields its address."""
    path, port = folder / "scrape.yml", free_port()
    path.write_text(yaml.safe_dump(dict(configuration)))
    command = [
        str(program),
        f"-promscrape.config={path}",
        "-promscrape.config.strictParse",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-remoteWrite.url={api}/write",
        f"-remoteWrite.tmpDataPath={folder / 'queue'}",
    ]
    with _running(command, folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def prometheus(tool: Tool, configuration: Mapping[str, object], folder: Path) -> Iterator[str]:
    """Run Prometheus on a configuration; yields its address."""
    path, port = folder / "prometheus.yml", free_port()
    path.write_text(yaml.safe_dump(dict(configuration)))
    command = prometheus_command(
        tool, configuration=path, storage=folder / "data", port=port, retention_days=1
    )
    with _running(command, folder, tool.working_folder):
        yield f"http://127.0.0.1:{port}"


def targets_of(url: str) -> Callable[[], set[Target]]:
    """Return what asks the program at `url` for its targets."""
    return lambda: _targets(url)


class Told(TypedDict, total=False):
    """One target, or one sample, as the programs spell it."""

    scrapeUrl: str
    labels: dict[str, str]
    discoveredLabels: dict[str, str]
    metric: dict[str, str]
    value: tuple[float, str]


def get(url: str, **query: str) -> dict[str, list[Told]]:
    """Return what a program's API answers; nothing while it starts."""
    try:
        answer = httpx.get(url, params=query, timeout=10, trust_env=False)
    except httpx.HTTPError:
        return {}
    data: dict[str, list[Told]] = answer.json()["data"] if answer.is_success else {}
    return data


def dropped_jobs(url: str) -> set[str]:
    """Return the jobs for which something was discovered and dropped."""
    dropped = get(f"{url}/api/v1/targets").get("droppedTargets", [])
    return {each["discoveredLabels"]["job"] for each in dropped}


def _targets(url: str) -> set[Target]:
    active = get(f"{url}/api/v1/targets").get("activeTargets", [])
    return {
        Target(url=each["scrapeUrl"], labels=frozenset(each["labels"].items())) for each in active
    }


def until(
    ask: Callable[[], set[Target]],
    expected: set[Target],
    *,
    and_then: Callable[[], bool] = lambda: True,
) -> None:
    """Ask until the targets are exactly the expected ones, and something else is true as well.

    Fails with what is missing and what should not be there.
    """
    found: set[Target] = set()
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = ask()
        if found == expected and and_then():
            return
        time.sleep(0.3)
    lost, strange = _spelt(expected - found), _spelt(found - expected)
    pytest.fail("\n".join(["missing:", *lost, "not expected:", *strange]))


def _spelt(targets: set[Target]) -> list[str]:
    return sorted(f"  {each.url} {dict(sorted(each.labels))}" for each in targets)
