"""Command lines of Prometheus, Alertmanager and the exporters, on loopback alone.

Debian's defaults listen on every interface, so each address is always given.
"""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gx.runtime.tools import Tool

HOST = "127.0.0.1"

# What rules and panels read of the machine; the exporter's default is forty collectors.
NODE_COLLECTORS: Final = ("cpu", "diskstats", "filesystem", "meminfo")
# Container runtimes mount single files, and each would count as a disk of its own.
MOUNTS_IGNORED: Final = r"^/(dev|proc|run|sys|etc|var/lib/(docker|containers|kubelet)/.+)($|/)"
# The exporter's default leaves `overlay` out, which is all that a container has.
FILE_SYSTEMS_IGNORED: Final = (
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|"
    "mqueue|nsfs|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs)$"
)
# The modes that Go's PostgreSQL driver knows; of libpq's it lacks `allow` and `prefer`.
TLS_MODES: Final = frozenset({"disable", "require", "verify-ca", "verify-full"})
LOOPBACK_HOSTS: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})


def prometheus_command(
    tool: Tool,
    *,
    configuration: Path,
    storage: Path,
    port: int,
    retention_days: int,
    external_url: str | None = None,
) -> tuple[str, ...]:
    """Run Prometheus; `POST /-/reload` and SIGHUP read the configuration again.

    Alerts are sent again after a second, so that a resolved one is told at once; they link to
    `external_url`, else to the address that it listens on.
    Ready: `GET /-/ready`. A `tool` with a working folder must run in it.
    """
    address = f"{HOST}:{port}"
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--storage.tsdb.path={storage.absolute()}",
        f"--storage.tsdb.retention.time={retention_days}d",
        f"--web.listen-address={address}",
        *_reached_at(external_url, address),
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=1s",
    )


def alertmanager_command(
    tool: Tool, *, configuration: Path, storage: Path, port: int, external_url: str | None = None
) -> tuple[str, ...]:
    """Run a single Alertmanager: the empty cluster address opens no gossip port.

    Notifications link to `external_url`, else to the address that it listens on.

    Ready: `GET /-/ready`.
    """
    address = f"{HOST}:{port}"
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--storage.path={storage.absolute()}",
        f"--web.listen-address={address}",
        *_reached_at(external_url, address),
        "--cluster.listen-address=",
    )


def blackbox_command(tool: Tool, *, configuration: Path, port: int) -> tuple[str, ...]:
    """Run the blackbox exporter. Ready: `GET /-/healthy`."""
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--web.listen-address={HOST}:{port}",
    )


def postgres_exporter_command(tool: Tool, *, queries: Path, port: int) -> tuple[str, ...]:
    """Run the PostgreSQL exporter; `DATA_SOURCE_NAME` in its environment is the database.

    Its collector of the background writer fails from PostgreSQL 17 on, where the columns moved.
    `queries` are further ones. Ready: `GET /`, which does not ask the database.
    """
    return (
        str(tool.path),
        f"--web.listen-address={HOST}:{port}",
        f"--extend.query-path={queries.absolute()}",
        "--no-collector.bgwriter",
    )


def node_exporter_command(tool: Tool, *, port: int) -> tuple[str, ...]:
    """Run the node exporter with the collectors that are read. Ready: `GET /`."""
    return (
        str(tool.path),
        f"--web.listen-address={HOST}:{port}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in NODE_COLLECTORS),
        f"--collector.filesystem.mount-points-exclude={MOUNTS_IGNORED}",
        f"--collector.filesystem.fs-types-exclude={FILE_SYSTEMS_IGNORED}",
    )


def redis_exporter_command(tool: Tool, *, address: str, port: int) -> tuple[str, ...]:
    """Run the Redis exporter; `REDIS_PASSWORD` in its environment opens the server.

    Ready: `GET /health`.
    """
    return (
        str(tool.path),
        f"-web.listen-address={HOST}:{port}",
        f"-redis.addr={address}",
    )


def exporter_dsn(dsn: str) -> str:
    """Say a database's address so that the exporter's driver connects as ours does.

    Ours tries TLS and goes on without; the exporter's demands it unless told otherwise. On this
    machine it does without; elsewhere it keeps to TLS, unless the address has a `sslmode` that
    both know.
    """
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    if query.get("sslmode") not in TLS_MODES:
        host = query.get("host", parts.hostname or "")
        is_local = host in LOOPBACK_HOSTS or host.startswith("/")
        query["sslmode"] = "disable" if is_local else "require"
    return urlunsplit(parts._replace(query=urlencode(query)))


def _reached_at(external_url: str | None, address: str) -> tuple[str, ...]:
    """Say the address in links; the paths stay where they are, also behind a proxy's prefix."""
    return (f"--web.external-url={external_url or f'http://{address}'}", "--web.route-prefix=/")
