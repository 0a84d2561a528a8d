"""Fixtures for every test: a real PostgreSQL, and Hypothesis's two profiles.

`GX_TEST_DSN` names a server to use (its user must be allowed to create databases);
without it one private server is started per test run, shared by all workers.
"""

import asyncio
import fcntl
import gc
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import settings

from tests.database.server import start_server, stop_server
from tests.database.template import build_template
from tests.scheduling import LongFirstScheduling

EXTERNAL_DSN: Final = os.environ.get("GX_TEST_DSN")  # noqa: TID251 (tests have no settings module)
IS_CI: Final = bool(os.environ.get("CI"))  # noqa: TID251 (tests have no settings module)

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=150, derandomize=True, deadline=None)
settings.load_profile("ci" if IS_CI else "dev")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LongFirstScheduling | None:
    """Schedule groups our way; every other `--dist` is pytest-xdist's own."""
    is_grouped = config.getoption("dist") == "loadgroup"
    return LongFirstScheduling(config, log) if is_grouped else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Look for no garbage while thousands of tests are collected: nearly all of it stays."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage; it lives to the end."""
    gc.freeze()
    gc.enable()


class SharedServer(TypedDict):
    """What the workers of one test run share about their server."""

    dsn: str
    pid: int | None
    template: str


def run_in_own_loop(work: Coroutine[object, object, None]) -> None:
    """Run a coroutine apart from the event loop that the test itself may use."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(asyncio.run, work).result()


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def execute(dsn: str, statement: str) -> None:
    """Run one statement in a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def prepare_template(dsn: str, name: str) -> None:
    """Make the database that every test's database is a copy of."""
    await execute(dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    await build_template(with_database(dsn, name))


def start_shared_server(folder: Path, owner_pid: int) -> SharedServer:
    """Have a server with a template database in it; the first worker comes here."""
    template = f"gx_template_{secrets.token_hex(4)}"
    if EXTERNAL_DSN is None:
        started = start_server(folder, owner_pid)
        shared = SharedServer(dsn=started["dsn"], pid=started["pid"], template=template)
    else:
        shared = SharedServer(dsn=EXTERNAL_DSN, pid=None, template=template)
    run_in_own_loop(prepare_template(shared["dsn"], template))
    return shared


def shared_folder(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder that all workers of this test run see."""
    base = factory.getbasetemp()
    return base.parent if hasattr(config, "workerinput") else base


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SharedServer:
    """A running PostgreSQL: its DSN and the name of the template database."""
    folder = shared_folder(request.config, tmp_path_factory)
    owner_pid = os.getppid() if hasattr(request.config, "workerinput") else os.getpid()
    state = folder / "postgres.json"
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            state.write_text(json.dumps(start_shared_server(folder, owner_pid)))
        shared: SharedServer = json.loads(state.read_text())
    return shared


def temporary_database(server: SharedServer, template: str) -> Iterator[str]:
    """Yield the DSN of a copy of `template`, dropped afterwards even if still connected to."""
    name = f"gx_test_{secrets.token_hex(6)}"
    run_in_own_loop(execute(server["dsn"], f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield with_database(server["dsn"], name)
    run_in_own_loop(execute(server["dsn"], f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_dsn(postgres_server: SharedServer) -> Iterator[str]:
    """The DSN of a database with the newest schema and no rows, for one test."""
    yield from temporary_database(postgres_server, postgres_server["template"])


@pytest.fixture
def bare_database_dsn(postgres_server: SharedServer) -> Iterator[str]:
    """The DSN of a database without any schema, for one test (of migrations)."""
    yield from temporary_database(postgres_server, "template0")


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that every user can pass through (pytest's own ones are private)."""
    folder = Path(tempfile.mkdtemp(prefix="gx-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the shared server, or drop its template, once all workers are done."""
    if hasattr(session.config, "workerinput"):
        return
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # pytest sets it; no fixture lives now
    state = factory.getbasetemp() / "postgres.json"
    if not state.exists():
        return
    shared: SharedServer = json.loads(state.read_text())
    if shared["pid"] is not None:
        stop_server(shared["pid"])
    else:
        drop = f"DROP DATABASE {shared['template']} WITH (FORCE)"
        run_in_own_loop(execute(shared["dsn"], drop))
