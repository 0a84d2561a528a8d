"""The socket file at which clients find the ledger."""

import os
import socket
import stat
from pathlib import Path
from typing import Final

from gx.ledger.local.schema import StoreUnusableError
from gx.ledger.local.wire import WireError, require_usable_path

_PROBE_TIMEOUT_S: Final = 1.0


def bind_socket(path: Path) -> socket.socket:
    """Make the listening socket (mode 0600), in place of one that a killed server left behind.

    Raises:
        StoreUnusableError: the path is too long, in use, or cannot be written.
    """
    try:
        require_usable_path(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_stale(path)
        return _bind(path)
    except WireError as error:
        raise StoreUnusableError(str(error)) from error
    except OSError as error:
        raise StoreUnusableError(f"cannot listen on {path}: {error.strerror}") from error


def _bind(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before bind, for Linux gives the file these rights: at no moment may others connect.
        os.fchmod(listening.fileno(), 0o600)
        listening.bind(str(path))
        path.chmod(0o600)  # where the system did not heed the above
        listening.setblocking(False)  # noqa: FBT003 (the standard library's signature)
    except BaseException:
        listening.close()
        raise
    return listening


def _clear_stale(path: Path) -> None:
    """Remove a socket that nobody listens on, and nothing else."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise StoreUnusableError(f"{path} is in the way and is no socket: remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise StoreUnusableError(f"another process listens on {path}: stop it first")
