"""The processes start with what the manifests give them: every variable is one that they read."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final

import pytest

from gx.ledger.kinds import LedgerKind
from gx.runtime import settings
from gx.runtime.fabric_settings import FabricSettings, ledger_settings
from gx.runtime.settings_reference import GROUPS
from gx.telemetry.exposition import TelemetryApp
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from tests.monitoring.kubernetes.manifests import (
    BACKENDS,
    MONITORING,
    Built,
    Container,
    Item,
    Workload,
    build,
)

pytestmark = [
    pytest.mark.xdist_group("kubernetes"),
    pytest.mark.timeout(600),  # the analyser and kubectl take their time on a machine under load
]

IMAGES: Final = ("gx-protocol", "gxtv3-chaincode")
SECRETS_DIR: Final = "/run/secrets/gx"
# Not fields of a group: `load` reads the first, `load_database` the second.
READ_BESIDE: Final = frozenset({"GX_SECRETS_DIR", "DATABASE_URL"})
# A dummy for each key of a Secret, by the setting that it is.
SECRETS: Final[Mapping[str, str]] = {
    "gx_database_dsn": "postgresql://gx:x@db/gx",
    "gx_api_redis_url": "redis://:x@valkey:6379/0",
    "gx_token": "a.b.c",
}


def _processes(built: Built) -> Iterator[tuple[Workload, Container]]:
    """List the containers that run `gx`."""
    for workload in built.workloads:
        for container in workload.pod.containers:
            if container.image.split(":")[0].startswith(IMAGES):
                yield workload, container


def _variables(built: Built, container: Container) -> dict[str, str]:
    given: dict[str, str] = {}
    for source in container.env_from:
        assert source.config_map_ref is not None, container.name
        given |= built.config_map(source.config_map_ref.name)
    return given | {each.name: each.value for each in container.env if each.value is not None}


def _secret_files(workload: Workload) -> list[Item]:
    return [
        item
        for volume in workload.pod.volumes
        if volume.name == "secrets" and volume.projected
        for source in volume.projected.sources
        if source.secret
        for item in source.secret.items
    ]


def _declared() -> set[str]:
    return {*READ_BESIDE} | {
        f"{group.model_config.get('env_prefix', '')}{name.upper()}"
        for group in GROUPS
        for name in group.model_fields
    }


@pytest.mark.parametrize("path", [*BACKENDS, MONITORING])
def test_every_variable_is_a_declared_setting(path: str) -> None:
    """A misspelt variable would be ignored, and the default used."""
    built, declared = build(path), _declared()
    processes = list(_processes(built))
    assert len(processes) == (3 if path == MONITORING else 6)
    for workload, container in processes:
        unknown = _variables(built, container).keys() - declared
        assert not unknown, f"{workload.metadata.name}: nothing reads {unknown}"
        for item in _secret_files(workload):
            assert item.path == item.key
            assert item.path.upper() in declared


@pytest.mark.parametrize("path", [*BACKENDS, MONITORING])
def test_every_process_loads_its_settings(
    path: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Values are within bounds, and what has no usable default is given."""
    built = build(path)
    for workload, container in _processes(built):
        folder = tmp_path_factory.mktemp("secrets")
        for item in _secret_files(workload):
            (folder / item.path).write_text(SECRETS[item.key], encoding="utf-8")
        with monkeypatch.context() as patch:
            for name in _declared():
                patch.delenv(name, raising=False)
            for name, value in _variables(built, container).items():
                patch.setenv(name, str(folder) if value == SECRETS_DIR else value)
            _load_as(container, str(workload.metadata.namespace))


def _load_as(container: Container, namespace: str) -> None:
    """Read what the container's process reads, and require what only production needs."""
    common = settings.load(settings.CommonSettings)
    match container.args:
        case ["console", "serve"]:
            console = settings.load(settings.ConsoleSettings)
            assert console.host == "0.0.0.0"  # noqa: S104 (a pod's own address)
            assert console.allowed
            return
        case ["chaincode", "serve"]:
            chaincode = settings.load(settings.ChaincodeSettings)
            assert chaincode.package_id
            assert chaincode.address == "0.0.0.0:9999"
            assert chaincode.tls_key is not None
        case ["bootstrap"]:
            caller = settings.load(settings.CliSettings)
            assert caller.url == "http://api:8000"
            assert caller.token is not None
        case _:
            _load_of_ledger_and_database(container, common)
    if container.args == ["api", "serve"]:
        _load_of_edge()
    assert namespace == f"backend-{common.environment}"
    assert common.channel == f"gxchannel-{common.environment}"
    assert common.metrics_host == "0.0.0.0"  # noqa: S104 (a pod's own address)


def _load_of_ledger_and_database(container: Container, common: settings.CommonSettings) -> None:
    assert common.ledger is LedgerKind.FABRIC
    ledger = ledger_settings(common)
    assert isinstance(ledger, FabricSettings)
    if container.args != ["db", "migrate"]:
        mounts = {mount.mount_path for mount in container.volume_mounts}
        assert str(ledger.profile.parent) in mounts
    assert settings.load_database().dsn.get_secret_value() == SECRETS["gx_database_dsn"]


def _load_of_edge() -> None:
    edge = settings.load(settings.ApiSettings)
    assert edge.redis_url is not None
    assert edge.jwks_url is not None, "there is no local issuer outside of one machine"
    assert edge.trusted_proxies


@pytest.mark.parametrize("path", BACKENDS)
async def test_probes_ask_what_the_processes_answer(path: str) -> None:
    """A probe of a path that nobody serves restarts a healthy process for ever."""
    telemetry = TelemetryApp(MetricsRegistry(), Probes())
    try:
        for workload, container in _processes(build(path)):
            for probe in container.probes:
                answered = await _status(telemetry, probe.path)
                assert answered == 200, (workload.metadata.name, probe.path)
                assert probe.path in {"/livez", "/readyz"}, "the API's own port has these alone"
        assert await _status(telemetry, "/healthz") == 404
    finally:
        telemetry.close()


async def _status(app: TelemetryApp, path: str) -> int:
    """Ask the telemetry port's application as a server would."""
    sent: list[MutableMapping[str, object]] = []

    async def receive() -> MutableMapping[str, object]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, object]) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": path}, receive, send)
    return int(str(sent[0]["status"]))


@pytest.mark.parametrize("path", BACKENDS)
def test_processes_have_time_to_drain(path: str) -> None:
    """The kubelet kills later than a process needs to finish, its wait before that included."""
    built = build(path)
    drain_s = float(built.config_map("gx-settings")["GX_DRAIN_S"])
    for workload, _ in _processes(built):
        if workload.kind == "Deployment":
            assert workload.pod.termination_grace_period_seconds >= drain_s + 10
