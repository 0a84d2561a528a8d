"""The files for one Docker host: valid, closed, and about services that are there."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from gx.monitoring.compose import FOLDER, SERVICES, render_compose
from gx.runtime.settings_reference import GROUPS
from gx.runtime.tools import Program
from tests.monitoring.conftest import RunTool

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "compose.yaml"
OUR_IMAGE: Final = "gx-protocol:"
_PINNED: Final = re.compile(r"[a-z0-9./_-]+:v?[0-9][a-z0-9.-]*")
_PUBLISHED: Final = re.compile(r"127\.0\.0\.1:\d+:\d+")


class Service(msgspec.Struct):
    """What the rules are about of one service."""

    image: str
    environment: dict[str, str] = {}
    secrets: list[str] = []
    ports: list[str] = []
    volumes: list[str] = []
    depends_on: dict[str, dict[str, str]] = {}
    cap_drop: list[str] = []
    security_opt: list[str] = []
    read_only: bool = False
    command: list[str] = []


class Compose(msgspec.Struct):
    """The file."""

    services: dict[str, Service]
    secrets: dict[str, dict[str, str]]
    volumes: dict[str, None]


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The file as Compose reads it, merged where it merges."""
    return msgspec.convert(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")), Compose)


def test_the_file_fits_the_compose_specification() -> None:
    """Checked by its own JSON schema, which refuses keys that it does not know."""
    program = Path(sys.executable).with_name("check-jsonschema")
    said = subprocess.run(
        [str(program), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert said.returncode == 0, said.stdout


def test_everything_that_is_referred_to_is_there(compose: Compose) -> None:
    """Services, secrets, volumes and mounted files."""
    for name, service in compose.services.items():
        assert service.depends_on.keys() <= compose.services.keys(), name
        assert set(service.secrets) <= compose.secrets.keys(), name
        for volume in service.volumes:
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume
            else:
                assert source in compose.volumes, volume


def test_images_are_pinned_and_ports_are_on_loopback(compose: Compose) -> None:
    """Nothing is published to the network that the host is in."""
    for name, service in compose.services.items():
        assert _PINNED.fullmatch(service.image), name
        for port in service.ports:
            assert _PUBLISHED.fullmatch(port), name


def test_containers_are_restricted(compose: Compose) -> None:
    """A read-only root and no capability; PostgreSQL alone starts as root to change its user."""
    for name, service in compose.services.items():
        assert service.security_opt == ["no-new-privileges:true"], name
        if name != "postgres":
            assert service.read_only, name
            assert service.cap_drop == ["ALL"], name


def test_every_variable_of_our_processes_is_a_declared_setting(compose: Compose) -> None:
    """A misspelt variable would be ignored, and the default used."""
    declared = {"GX_SECRETS_DIR"} | {
        f"{group.model_config.get('env_prefix', '')}{name.upper()}"
        for group in GROUPS
        for name in group.model_fields
    }
    ours = {n: s for n, s in compose.services.items() if s.image.startswith(OUR_IMAGE)}
    assert len(ours) == 7
    for name, service in ours.items():
        assert service.environment.keys() <= declared, name
        for secret in service.secrets:
            assert secret.upper() in declared, name


def test_secrets_are_files_that_git_does_not_have(compose: Compose) -> None:
    """They are made on the host, below a folder that is ignored."""
    for secret in compose.secrets.values():
        ignored = subprocess.run(
            ["git", "check-ignore", "--quiet", secret["file"]], cwd=ROOT, check=False
        )
        assert ignored.returncode == 0, secret


def test_prometheus_asks_services_that_are_there(compose: Compose, run_tool: RunTool) -> None:
    """Its configuration is the local stack's with services for ports; promtool accepts it."""
    text = render_compose()[FOLDER / "prometheus.yml"]

    assert "127.0.0.1" not in text
    for address in SERVICES.values():
        assert address in text
        assert address.partition(":")[0] in {*compose.services, "localhost"}
    said = run_tool(Program.PROMTOOL, "check", "config", str(ROOT / FOLDER / "prometheus.yml"))
    assert said.returncode == 0, said.stdout


def test_alertmanager_accepts_its_file(run_tool: RunTool) -> None:
    """The receivers keep alerts until somebody connects them."""
    said = run_tool(Program.AMTOOL, "check-config", str(ROOT / FOLDER / "alertmanager.yml"))
    assert said.returncode == 0, said.stdout


def test_the_image_is_pinned_built_apart_and_runs_as_nobody_special() -> None:
    """No compiler, package manager or source is in the image that runs."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    stages = [line.split()[3] for line in lines if line.startswith("FROM ")]

    assert stages == ["build", "runtime", "chaincode"]
    assert bases[0] == bases[1]
    assert _PINNED.fullmatch(bases[0])
    assert bases[2] == "runtime"
    assert "USER 10001:10001" in lines
    assert not any("ADD " in line or "curl" in line for line in lines)


def test_the_image_is_built_from_files_that_the_context_has() -> None:
    """What is copied is there and not ignored; no data goes to a builder."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        source
        for line in dockerfile.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]

    assert "*" in ignored
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in let_in), source
