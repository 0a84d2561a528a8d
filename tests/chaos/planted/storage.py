"""Scenes in which what was stored is gone or changed afterwards."""

import asyncio
import shutil
import signal
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psutil

from gx.database.embedded import EmbeddedPostgres, PreparedPostgres
from gx.database.migrations import migrate
from tests.chaos.lab import Lab, until
from tests.ports import free_port

_OFF: Final = "ALTER DATABASE gx SET synchronous_commit = off"
# So that what is lost does not depend on when the server is killed.
_LAZY: Final = "ALTER SYSTEM SET wal_writer_delay = '10s'"


async def changed_byte(lab: Lab, bugs: Sequence[str]) -> None:
    """A letter in a block's remark becomes another one while the ledger is down."""
    await _with_damage(lab, bugs, _change_a_byte)
    lab.start("submitter")
    lab.start("projector")
    await lab.transfer("alice", "bob")
    await lab.until_quiet()


async def torn_end(lab: Lab, bugs: Sequence[str]) -> None:
    """The file ends before its last block."""
    await _with_damage(lab, bugs, _tear_the_end)
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet(gives_up=bool(bugs))


async def _with_damage(lab: Lab, bugs: Sequence[str], damage: Callable[[Path], None]) -> None:
    """Serve a damaged file if the ledger does; else restore it, as its runbook says."""
    ledger = await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await asyncio.to_thread(ledger.end, signal.SIGTERM)
    folder, backup = lab.ledger_file.parent, lab.folder / "backup"
    await asyncio.to_thread(shutil.copytree, folder, backup)
    damage(lab.ledger_file)
    again = lab.start("ledger", *bugs)
    await until(lambda: again.says("ledger_opened") or not again.is_alive(), "word of the ledger")
    if not again.is_alive():
        await asyncio.to_thread(shutil.rmtree, folder)
        await asyncio.to_thread(shutil.copytree, backup, folder)
        await lab.start_ledger()


def _change_a_byte(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT number, content FROM blocks ORDER BY number").fetchall()
        number, content = next(row for row in rows if b"planted" in row[1])
        changed = content.replace(b"planted", b"plantes", 1)
        connection.execute("UPDATE blocks SET content = ? WHERE number = ?", (changed, number))
    connection.close()


def _tear_the_end(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM blocks WHERE number = (SELECT max(number) FROM blocks)")
    connection.close()


async def killed_postgres(lab: Lab, bugs: Sequence[str]) -> None:
    """PostgreSQL and all its children die at once, right after it has accepted something."""
    server = EmbeddedPostgres(home=lab.folder / "postgres", port=free_port())
    async with server.running() as prepared:
        lab.dsn = prepared.dsn
        await migrate(lab.dsn)
        await lab.execute(_LAZY)
        await lab.execute("SELECT pg_reload_conf()")
        if bugs:
            await lab.execute(_OFF)
        await lab.start_ledger()
        await lab.bootstrap("alice", "bob")
        await lab.execute("CHECKPOINT")
        for _ in range(5):
            await lab.transfer("alice", "bob")
        _kill_all(prepared)
    async with server.running():
        lab.start("submitter")
        lab.start("projector")
        await lab.until_quiet()
        lab.verdict = await lab.judge()
        lab.close()


def _kill_all(server: PreparedPostgres) -> None:
    pid = int((server.data_folder / "postmaster.pid").read_text().partition("\n")[0])
    postmaster = psutil.Process(pid)
    for process in (postmaster, *postmaster.children(recursive=True)):
        process.kill()
    postmaster.wait()
