"""A PostgreSQL server of our own, below one folder, for one machine.

`prepare` makes the cluster once and writes its configuration before every start. What it
returns says which command, environment and user start the server in the foreground, so
that a supervisor owns the process; `running` starts it itself, for tests and small tools.

Started by root, the server runs as an ordinary user. Where that user cannot reach the
folder, data and a copy of the programs go to a folder that it can reach, and a notice
says so. No folder that was there before changes its mode.
"""

import asyncio
import contextlib
import os
import pwd
import secrets
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg

from gx.database import places
from gx.database.binaries import PostgresBinaries, copy_binaries, find_binaries, program_version
from gx.database.cluster import (
    DATABASE,
    ENVIRONMENT,
    OWNER,
    Cluster,
    EmbeddedPostgresError,
)
from gx.database.configuration import (
    HOST_AUTHENTICATION,
    render_configuration,
    socket_path_fits,
)
from gx.database.tether import Account, find_account, tethered

SERVER_ACCOUNTS: Final = ("postgres", "nobody")  # whom root may run the server as, best first
CONNECT_TIMEOUT_S: Final = 2
READY_TIMEOUT_S: Final = 60  # crash recovery of a full max_wal_size included
READY_POLL_S: Final = 0.03
STOP_GRACE_S: Final = 30
LOG_TAIL_LINES: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedPostgres:
    """A cluster that can be started: run `command` in the foreground as `account`.

    `stop_signal` asks for a fast shutdown; `death_signal` is the one for a server whose
    starter died: it leaves at once, and the next start recovers from its log.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    account: Account | None
    data_folder: Path
    dsn: str = field(repr=False)  # both hold the password
    socket_dsn: str = field(repr=False)
    notices: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGINT
    death_signal: signal.Signals = signal.SIGQUIT

    async def is_ready(self) -> bool:
        """Say whether the server answers a statement now; waits two seconds at most."""
        try:
            connection = await asyncpg.connect(self.dsn, timeout=CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close(timeout=CONNECT_TIMEOUT_S)
        return True


class EmbeddedPostgres:
    """One PostgreSQL cluster below `home`, on 127.0.0.1:`port` and a private Unix socket.

    A server that is not `durable` is faster and loses data when it is killed: for tests.
    """

    def __init__(
        self,
        *,
        home: Path,
        port: int,
        durable: bool = True,
        fallback_roots: Sequence[Path] = places.FALLBACK_ROOTS,
    ) -> None:
        self._home = home.absolute()
        self._port = port
        self._durable = durable
        self._fallback_roots = fallback_roots

    def prepare(self) -> PreparedPostgres:
        """Make the cluster if there is none, and write the configuration for the next start.

        Takes about a second the first time. A cluster appears whole or not at all.

        Raises:
            PostgresMissingError: No programs; the text says what to install.
            ServerRunningError: A live server holds the data folder.
            UnreachableFolderError: We cannot write in `home`, or the server's user has no
                place to work in.
            EmbeddedPostgresError: The cluster is not ours, of another version, or
                PostgreSQL refused to make it.
        """
        places.require_writable(self._home)
        account = self._choose_account()
        place = places.choose_place(self._home, account, fallback_roots=self._fallback_roots)
        binaries = self._reachable_binaries(find_binaries(), account, place)
        cluster = Cluster(folder=place.folder, account=account, binaries=binaries)
        password = self._ensure_cluster(cluster)
        socket_folder = self._socket_folder(place, account)
        configuration = self._write_configuration(place, socket_folder)
        authority = f"{OWNER}:{password}"
        return PreparedPostgres(
            command=(
                binaries.program("postgres"),
                *("-D", str(cluster.data)),
                *("-c", f"config_file={configuration}"),
                *("-c", f"hba_file={configuration.with_name('pg_hba.conf')}"),
            ),
            environment=ENVIRONMENT,
            account=account,
            data_folder=cluster.data,
            dsn=f"postgresql://{authority}@127.0.0.1:{self._port}/{DATABASE}",
            socket_dsn=f"postgresql://{authority}@/{DATABASE}"
            f"?host={quote(str(socket_folder))}&port={self._port}",
            notices=(place.notice,) if place.notice else (),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PreparedPostgres]:
        """Run the server for the length of an `async with`; its log is `home`/postgres.log.

        Raises:
            EmbeddedPostgresError: It ended or was not ready within a minute; with the
                last lines of its log. And whatever `prepare` raises.
        """
        prepared = await asyncio.to_thread(self.prepare)
        log_path = self._home / "postgres.log"
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *tethered(
                    prepared.command,
                    account=prepared.account,
                    death_signal=prepared.death_signal,
                ),
                cwd="/",
                env=dict(prepared.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            await _wait_ready(prepared, process, log_path)
            yield prepared
        finally:
            await _stop(process)

    def _choose_account(self) -> Account | None:
        """Return whom to run as: nobody but root changes; a cluster keeps its owner."""
        data = self._home / "data"
        owner = data.stat().st_uid if data.is_dir() else None
        if os.geteuid() != 0:
            if owner not in {None, os.geteuid()}:
                raise EmbeddedPostgresError(
                    f"{data} belongs to another user (uid {owner}; did root start it before?)."
                    " Start as that user or root, or move the folder away to begin anew."
                )
            return None
        if owner is not None and owner != 0:
            entry = pwd.getpwuid(owner)
            return Account(name=entry.pw_name, uid=owner, gid=entry.pw_gid)
        account = find_account(SERVER_ACCOUNTS)
        if account is None:
            raise EmbeddedPostgresError(
                "PostgreSQL refuses to run as root and this machine has neither a user"
                f" {' nor '.join(SERVER_ACCOUNTS)}. Start as an ordinary user."
            )
        return account

    def _reachable_binaries(
        self, binaries: PostgresBinaries, account: Account | None, place: places.Place
    ) -> PostgresBinaries:
        if account is None or program_version(Path(binaries.program("postgres")), account=account):
            return binaries
        return copy_binaries(binaries, place.folder)

    def _ensure_cluster(self, cluster: Cluster) -> str:
        """Have a cluster whose owner's password is the returned one, kept in `home`/password."""
        password_path = self._home / "password"
        exists = places.holds_cluster(cluster.folder)
        if exists:
            cluster.require_usable()
            if password_path.is_file():
                return password_path.read_text(encoding="utf-8").strip()
        password = secrets.token_urlsafe(24)
        if exists:
            cluster.change_password(password)
        else:
            cluster.create(password)
        places.write_file(password_path, password + "\n", mode=0o600)
        return password

    def _socket_folder(self, place: places.Place, account: Account | None) -> Path:
        folder = place.folder / "socket"
        if not socket_path_fits(folder):
            short = places.SHORT_ROOT / places.fallback_name(place.folder)
            folder = places.owned_folder(short) / "socket"
        return places.private_folder(folder, account)

    def _write_configuration(self, place: places.Place, socket_folder: Path) -> Path:
        folder = place.folder / "conf"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        path = folder / "postgresql.conf"
        text = render_configuration(
            port=self._port, socket_folder=socket_folder, durable=self._durable
        )
        places.write_file(path, text)
        places.write_file(folder / "pg_hba.conf", HOST_AUTHENTICATION)
        return path


async def _wait_ready(
    prepared: PreparedPostgres, process: asyncio.subprocess.Process, log_path: Path
) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not await prepared.is_ready():
        if process.returncode is not None or time.monotonic() > deadline:
            tail = await asyncio.to_thread(_last_lines, log_path)
            raise EmbeddedPostgresError(
                f"PostgreSQL in {prepared.data_folder} did not become ready."
                f" {log_path} ends:\n{tail}"
            )
        await asyncio.sleep(READY_POLL_S)


def _last_lines(log_path: Path) -> str:
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop fast and cleanly; a server that does not within the grace period is killed."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), STOP_GRACE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
