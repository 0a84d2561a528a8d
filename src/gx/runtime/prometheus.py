"""Command lines of Prometheus, Alertmanager and the blackbox exporter, on loopback alone.

Debian's defaults listen on every interface, so each address is always given.
"""

from pathlib import Path

from gx.runtime.tools import Tool

HOST = "127.0.0.1"


def prometheus_command(
    tool: Tool, *, configuration: Path, storage: Path, port: int, retention_days: int
) -> tuple[str, ...]:
    """Run Prometheus; `POST /-/reload` and SIGHUP read the configuration again.

    Alerts are sent again after a second, so that a resolved one is told at once.
    Ready: `GET /-/ready`. A `tool` with a working folder must run in it.
    """
    address = f"{HOST}:{port}"
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--storage.tsdb.path={storage.absolute()}",
        f"--storage.tsdb.retention.time={retention_days}d",
        f"--web.listen-address={address}",
        f"--web.external-url=http://{address}",
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=1s",
    )


def alertmanager_command(
    tool: Tool, *, configuration: Path, storage: Path, port: int
) -> tuple[str, ...]:
    """Run a single Alertmanager: the empty cluster address opens no gossip port.

    Ready: `GET /-/ready`.
    """
    address = f"{HOST}:{port}"
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--storage.path={storage.absolute()}",
        f"--web.listen-address={address}",
        f"--web.external-url=http://{address}",
        "--cluster.listen-address=",
    )


def blackbox_command(tool: Tool, *, configuration: Path, port: int) -> tuple[str, ...]:
    """Run the blackbox exporter. Ready: `GET /-/healthy`."""
    return (
        str(tool.path),
        f"--config.file={configuration.absolute()}",
        f"--web.listen-address={HOST}:{port}",
    )
