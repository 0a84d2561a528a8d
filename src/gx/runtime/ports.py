"""The ports that a stack needs, and who has them if we cannot."""

import contextlib
import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from gx.domain.errors import GxError


class PortTakenError(GxError):
    """Ports that we need are taken; the text names each, its user and its setting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortNeed:
    """A port that a process will listen on, and the setting that changes it."""

    port: int
    setting: str
    host: str = "127.0.0.1"


def require_free_ports(needs: Iterable[tuple[str, PortNeed]]) -> None:
    """Require that each (process name, need) can be had, and that no two are the same.

    Raises:
        PortTakenError: Names all that cannot, not just the first.
    """
    problems: list[str] = []
    first_user: dict[tuple[str, int], str] = {}
    for name, need in needs:
        address = (need.host, need.port)
        if address in first_user:
            problems.append(_describe(name, need, f"is also the one of `{first_user[address]}`"))
        elif not is_free(need):
            problems.append(_describe(name, need, f"is taken by {port_user(need.port)}"))
        first_user.setdefault(address, name)
    if problems:
        raise PortTakenError("\n".join(problems))


def _describe(name: str, need: PortNeed, problem: str) -> str:
    return (
        f"Port {need.port} ({need.host}), which `{name}` needs, {problem}."
        f" Free it, or choose another with {need.setting}."
    )


def is_free(need: PortNeed) -> bool:
    """Say whether we could listen there now (also where someone listens on every address)."""
    with socket.socket() as probe:
        # Without this a port in TIME_WAIT, free to every server that sets it, looks taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((need.host, need.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise PortTakenError(
                f"Port {need.port} ({need.host}) cannot be used: {error.strerror}."
                f" Choose another with {need.setting}."
            ) from error
    return True


def port_user(port: int) -> str:
    """Name the process that listens on a port, as far as we are allowed to see it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("inet"):
            is_there = port in tuple(connection.laddr)[1:]
            if is_there and connection.status == psutil.CONN_LISTEN and connection.pid is not None:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another process"
