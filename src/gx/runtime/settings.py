"""Every knob, read once, with its bounds. Each is an environment variable `GX_<GROUP>_<NAME>`.

A secret may come from a file instead: a file named like the variable, in lower case, in the
folder that `GX_SECRETS_DIR` names (Kubernetes mounts secrets that way). Nothing else in the
project reads the environment.
"""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gx.domain.errors import GxError
from gx.ledger.kinds import LedgerKind
from gx.outbox.batching import Batching


class SettingsError(GxError):
    """A setting is missing or out of bounds; the text names the variable and the rule."""


class Environment(StrEnum):
    """Where this process runs. Development conveniences are refused outside devnet."""

    DEVNET = "devnet"
    TESTNET = "testnet"
    MAINNET = "mainnet"


class Group(BaseSettings):
    """Settings that belong together, read by `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")


class CommonSettings(Group):
    """Settings of every process: `GX_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_", frozen=True, extra="ignore")

    environment: Environment = Environment.DEVNET
    ledger: LedgerKind = LedgerKind.LOCAL
    channel: str = Field(default="gxchannel", pattern=r"^[a-z][a-z0-9.-]{0,248}$")
    data_dir: Path = Path("var")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    metrics_host: str = "127.0.0.1"
    drain_s: float = Field(default=20.0, ge=0.5, le=300)


class DatabaseSettings(Group):
    """Settings of PostgreSQL (the address also as `DATABASE_URL`): `GX_DATABASE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_DATABASE_", frozen=True, extra="ignore")

    dsn: SecretStr = SecretStr("")
    pool_max: int = Field(default=8, ge=1, le=200)
    statement_timeout_s: float = Field(default=30.0, ge=1, le=600)


class LedgerSettings(Group):
    """Settings of the embedded ledger and its clients: `GX_LEDGER_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_LEDGER_", frozen=True, extra="ignore")

    socket: Path = Path("var/run/ledger.sock")
    folder: Path = Path("var/ledger")
    metrics_port: int = Field(default=9094, ge=0, le=65_535)
    prepare_timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    submit_timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    verify_blocks_at_start: int = Field(default=64, ge=1, le=100_000)
    clock_offset_s: int = Field(default=0, ge=0, le=315_360_000)


class ChaincodeSettings(Group):
    """Settings of `gx chaincode serve`: `GX_CHAINCODE_<NAME>`.

    The package id (also as `CHAINCODE_ID`) is what the peers know the installed package by, the
    address (also as `CHAINCODE_SERVER_ADDRESS`) is where they connect. The three TLS files are
    given together or not at all. The unit `admin` of the listed MSPs (separated by commas) stands
    for a super admin in certificates without a role. The last `repeated_max` transactions are
    remembered, to be repeated for further peers without executing them again; 0 remembers none.
    """

    model_config = SettingsConfigDict(env_prefix="GX_CHAINCODE_", frozen=True, extra="ignore")

    package_id: str = Field(default="", pattern=r"^([A-Za-z0-9_.+-]+:[0-9a-f]{64})?$")
    address: str = Field(default="", pattern=r"^(.+:[0-9]{1,5})?$")
    metrics_port: int = Field(default=9092, ge=0, le=65_535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_roots: Path | None = None
    admin_ou_msps: str = Field(default="", pattern=r"^[A-Za-z0-9.,-]*$")
    transactions_max: int = Field(default=16, ge=1, le=256)
    transaction_timeout_s: float = Field(default=30.0, ge=0.5, le=600)
    registration_timeout_s: float = Field(default=10.0, ge=0.5, le=120)
    repeated_max: int = Field(default=8, ge=0, le=1_000)
    message_bytes_max: int = Field(default=104_857_600, ge=1_048_576, le=1_073_741_824)


class ApiSettings(Group):
    """Settings of `gx api serve`: `GX_API_<NAME>`; no `areas` (by commas) means all of them."""

    model_config = SettingsConfigDict(env_prefix="GX_API_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    areas: str = ""
    metrics_port: int = Field(default=9095, ge=0, le=65_535)
    body_bytes_max: int = Field(default=65_536, ge=1_024, le=16_777_216)
    group_max: int = Field(default=512, ge=1, le=10_000)
    backlog_age_max_s: float = Field(default=30.0, ge=0.1, le=86_400)
    rate_per_s: float = Field(default=2_000.0, gt=0, le=1_000_000)
    rate_burst: int = Field(default=4_000, ge=1, le=10_000_000)
    address_rate_per_s: float = Field(default=500.0, gt=0, le=1_000_000)
    address_rate_burst: int = Field(default=1_000, ge=1, le=10_000_000)
    trusted_proxies: str = ""
    wait_timeout_max_s: float = Field(default=30.0, ge=1, le=300)
    streams_max: int = Field(default=1_000, ge=1, le=100_000)
    redis_url: SecretStr | None = None
    token_issuer: str = "https://issuer.gx.local"  # noqa: S105 (a name, not a secret)
    token_audience: str = "gx-api"  # noqa: S105 (a name, not a secret)
    jwks_url: str | None = None
    keys_dir: Path = Path("var/keys")
    leeway_s: float = Field(default=5.0, ge=0, le=120)


class SubmitterSettings(Group):
    """Settings of `gx outbox submit`: `GX_SUBMITTER_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_SUBMITTER_", frozen=True, extra="ignore")

    metrics_port: int = Field(default=9090, ge=0, le=65_535)
    lease_s: float = Field(default=5.0, ge=0.3, le=600)
    batch_commands_max: int = Field(default=1_000, ge=1, le=10_000)
    batch_bytes_max: int = Field(default=1_000_000, ge=1_000, le=50_000_000)
    in_flight_max: int = Field(default=2, ge=1, le=256)
    linger_ms: int = Field(default=20, ge=0, le=1_000)
    attempts_max: int = Field(default=5, ge=1, le=100)
    verdict_timeout_s: float = Field(default=10.0, ge=0.2, le=600)
    batching: Batching = Batching.AUTO
    retention_days: int = Field(default=90, ge=1, le=3_650)


class ProjectorSettings(Group):
    """Settings of `gx projection run`: `GX_PROJECTOR_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_PROJECTOR_", frozen=True, extra="ignore")

    metrics_port: int = Field(default=9091, ge=0, le=65_535)
    lease_s: float = Field(default=5.0, ge=0.3, le=600)
    chunk_blocks_max: int = Field(default=500, ge=1, le=100_000)
    chunk_rows_max: int = Field(default=60_000, ge=1, le=1_000_000)
    linger_ms: int = Field(default=20, ge=0, le=1_000)


class StackSettings(Group):
    """Settings of the local stack (`gx up`): `GX_STACK_<NAME>`.

    The default ports lie below 32768, where Linux begins to hand out ports to clients.
    """

    model_config = SettingsConfigDict(env_prefix="GX_STACK_", frozen=True, extra="ignore")

    postgres_port: int = Field(default=15_432, ge=1, le=65_535)
    valkey_port: int = Field(default=16_379, ge=1, le=65_535)
    prometheus_port: int = Field(default=30_090, ge=1, le=65_535)
    alertmanager_port: int = Field(default=30_093, ge=1, le=65_535)
    blackbox_port: int = Field(default=30_115, ge=1, le=65_535)
    deadman_port: int = Field(default=9_096, ge=1, le=65_535)
    postgres_exporter_port: int = Field(default=30_187, ge=1, le=65_535)
    node_exporter_port: int = Field(default=30_100, ge=1, le=65_535)
    redis_exporter_port: int = Field(default=30_121, ge=1, le=65_535)
    scrape_interval_s: int = Field(default=5, ge=1, le=300)
    retention_days: int = Field(default=45, ge=1, le=3_650)
    cache_dir: Path = Path(".cache")


class FabricNetworkSettings(Group):
    """Settings of the native Fabric network (`gx fabric up`): `GX_FABRIC_NETWORK_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GX_FABRIC_NETWORK_", frozen=True, extra="ignore")

    cache_dir: Path = Path("~/.cache/gx-protocol/fabric")
    orderer_port: int = Field(default=7_050, ge=1, le=65_535)
    orderer_admin_port: int = Field(default=7_053, ge=1, le=65_535)
    orderer_operations_port: int = Field(default=17_050, ge=1, le=65_535)
    peer1_port: int = Field(default=7_051, ge=1, le=65_535)
    peer1_chaincode_port: int = Field(default=7_052, ge=1, le=65_535)
    peer1_operations_port: int = Field(default=17_051, ge=1, le=65_535)
    peer2_port: int = Field(default=8_051, ge=1, le=65_535)
    peer2_chaincode_port: int = Field(default=8_052, ge=1, le=65_535)
    peer2_operations_port: int = Field(default=18_051, ge=1, le=65_535)
    chaincode_a_port: int = Field(default=9_999, ge=1, le=65_535)
    chaincode_a_metrics_port: int = Field(default=9_092, ge=1, le=65_535)
    chaincode_b_port: int = Field(default=9_998, ge=1, le=65_535)
    chaincode_b_metrics_port: int = Field(default=9_093, ge=1, le=65_535)
    batch_timeout_ms: int = Field(default=20, ge=1, le=10_000)
    batch_messages_max: int = Field(default=100, ge=1, le=10_000)


class ConsoleSettings(Group):
    """Settings of `gx console serve`: `GX_CONSOLE_<NAME>`.

    It answers requests for loopback names and for the `allowed_hosts`, separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix="GX_CONSOLE_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=30_300, ge=1, le=65_535)
    allowed_hosts: str = Field(default="", pattern=r"^[A-Za-z0-9.,-]*$")
    prometheus_url: str = Field(default="http://127.0.0.1:30090", pattern=r"^https?://[^\s?#]+$")
    alertmanager_url: str = Field(default="http://127.0.0.1:30093", pattern=r"^https?://[^\s?#]+$")
    api_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s?#]+$")
    scrape_interval_s: int = Field(default=15, ge=1, le=300)

    @property
    def allowed(self) -> frozenset[str]:
        """The names that it answers to beside those of loopback."""
        return frozenset(name for name in self.allowed_hosts.lower().split(",") if name)


class MonitoringSettings(Group):
    """Settings of the files that operators get (`gx monitoring render`): `GX_<NAME>`.

    `environments` are those that are deployed, separated by commas: one that is named and not
    there counts as down. The addresses are those under which people reach the pages; where an
    external address is not set, it is the one that the program listens on.
    """

    model_config = SettingsConfigDict(env_prefix="GX_", frozen=True, extra="ignore")

    environments: str = Field(
        default="devnet,testnet,mainnet",
        pattern=r"^(devnet|testnet|mainnet)(,(devnet|testnet|mainnet))*$",
    )
    cluster: str = Field(default="gx", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    runbook_base_url: str = Field(
        default="http://127.0.0.1:30300/runbooks", pattern=r"^https?://[^\s?#]+$"
    )
    dashboard_base_url: str = Field(
        default="http://127.0.0.1:30300/dashboards", pattern=r"^https?://[^\s?#]+$"
    )
    prometheus_external_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    alertmanager_external_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    operator_release: str = Field(
        default="kube-prometheus-stack", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
    )


class AlertingSettings(Group):
    """Settings of what Alertmanager is told, by whoever renders it: `GX_ALERTING_<NAME>`.

    The two files connect the local stack; on Kubernetes they are keys of a Secret.
    Office hours are from Monday to Friday; the rest of the week somebody is on call.
    """

    model_config = SettingsConfigDict(env_prefix="GX_ALERTING_", frozen=True, extra="ignore")

    slack_url_file: Path | None = None
    slack_url_per_channel: bool = False
    slack_channel_prefix: str = Field(default="#gx-", pattern=r"^[#@]?[a-z0-9_-]{0,60}$")
    pagerduty_key_file: Path | None = None
    pagerduty_url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue", pattern=r"^https?://[^\s?#]+$"
    )
    deadman_url: str = Field(
        default="http://deadman.example.org:9096/heartbeat", pattern=r"^https?://[^\s#]+$"
    )
    office_start: str = Field(default="08:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    office_end: str = Field(default="18:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")
    time_zone: str = Field(default="UTC", pattern=r"^[A-Za-z0-9_+/-]{1,64}$")


class DeadmanSettings(Group):
    """Settings of `gx deadman`: `GX_DEADMAN_<NAME>`. What a file holds is never shown."""

    model_config = SettingsConfigDict(env_prefix="GX_DEADMAN_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=9_096, ge=0, le=65_535)
    system: str = Field(default="gx", pattern=r"^[A-Za-z0-9._/-]{1,64}$")
    period_s: float = Field(default=60.0, ge=0.5, le=3_600)
    periods_max: int = Field(default=3, ge=2, le=100)
    state_file: Path = Path("var/deadman/state.json")
    token_file: Path | None = None
    slack_url_file: Path | None = None
    pagerduty_key_file: Path | None = None
    pagerduty_url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue", pattern=r"^https?://[^\s?#]+$"
    )
    webhook_url_file: Path | None = None


class CliSettings(Group):
    """Settings of the command line: `GX_<NAME>`. What is unset is found out from the stack."""

    model_config = SettingsConfigDict(env_prefix="GX_", frozen=True, extra="ignore")

    url: str | None = None
    token: SecretStr | None = None
    partner_token: SecretStr | None = None
    debug: bool = False


_G = TypeVar("_G", bound=Group)


def load(group: type[_G]) -> _G:
    """Read one group of settings.

    Raises:
        SettingsError: a value is missing or out of bounds; the text names each variable.
    """
    folder = os.environ.get("GX_SECRETS_DIR")  # noqa: TID251 (this is gx.runtime.settings)
    try:
        return group(_secrets_dir=folder) if folder else group()
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(group, error))) from error


def load_database() -> DatabaseSettings:
    """Read the database settings; `DATABASE_URL` stands in for `GX_DATABASE_DSN`.

    Raises:
        SettingsError: neither names a database.
    """
    settings = load(DatabaseSettings)
    if settings.dsn.get_secret_value():
        return settings
    url = os.environ.get("DATABASE_URL", "")  # noqa: TID251 (this is gx.runtime.settings)
    if not url:
        raise SettingsError(
            "no database: set DATABASE_URL or GX_DATABASE_DSN to postgresql://user@host/name, "
            "or start the local stack with `gx up`"
        )
    return settings.model_copy(update={"dsn": SecretStr(url)})


def load_chaincode() -> ChaincodeSettings:
    """Read the chaincode's settings; Fabric's own names stand in for package id and address.

    Raises:
        SettingsError: there is no package id, or only some of the TLS files, or none of them
            where everybody could listen in.
    """
    settings = load(ChaincodeSettings)
    named = os.environ  # noqa: TID251 (this is gx.runtime.settings)
    update = {
        "package_id": settings.package_id or named.get("CHAINCODE_ID", ""),
        "address": settings.address or named.get("CHAINCODE_SERVER_ADDRESS", "127.0.0.1:9999"),
    }
    try:
        settings = ChaincodeSettings.model_validate(settings.model_dump() | update)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(ChaincodeSettings, error))) from error
    if not settings.package_id:
        raise SettingsError(
            "no package id: set CHAINCODE_ID or GX_CHAINCODE_PACKAGE_ID to what "
            "`peer lifecycle chaincode queryinstalled` shows, label:hash"
        )
    _require_tls(settings, load(CommonSettings).environment)
    return settings


def _require_tls(settings: ChaincodeSettings, place: Environment) -> None:
    files = (settings.tls_certificate, settings.tls_key, settings.tls_client_roots)
    names = "GX_CHAINCODE_TLS_CERTIFICATE, GX_CHAINCODE_TLS_KEY and GX_CHAINCODE_TLS_CLIENT_ROOTS"
    if None in files and any(files):
        raise SettingsError(f"{names} go together; some are not set")
    if not any(files) and place is not Environment.DEVNET:
        raise SettingsError(f"outside devnet peers connect with TLS alone: set {names}")


def database_url() -> str | None:
    """Return the database that the user named for the local stack; None to run an own one."""
    named = load(DatabaseSettings).dsn.get_secret_value()
    return named or os.environ.get("DATABASE_URL") or None  # noqa: TID251 (this is gx.runtime.settings)


def choose_data_dir(folder: Path) -> None:
    """Use this folder for the local stack, as if `GX_DATA_DIR` had named it."""
    os.environ["GX_DATA_DIR"] = str(folder)  # noqa: TID251 (this is gx.runtime.settings)


def environment() -> Mapping[str, str]:
    """Return this process's environment, to be handed to a child."""
    return dict(os.environ)  # noqa: TID251 (this is gx.runtime.settings)


def _complaints(group: type[Group], error: ValidationError) -> Iterator[str]:
    prefix = group.model_config.get("env_prefix", "")
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"]).upper()
        yield f"{prefix}{name}: {problem['msg']} (got {str(problem['input'])[:40]!r})"
