"""Migrations: each once, in order, whole or not at all, and never two processes at a time."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from gx.database.migrations import (
    MigrationError,
    load_migrations,
    migrate,
    pending,
    runner,
    status,
)


def a_folder(folder: Path, **files: str) -> Path:
    """Write migrations; `m0001_a` becomes 0001_a.sql."""
    for name, sql in files.items():
        (folder / f"{name[1:]}.sql").write_text(sql)
    return folder


async def fetch(dsn: str, statement: str) -> object:
    """Read one value."""
    connection = await asyncpg.connect(dsn)
    try:
        value: object = await connection.fetchval(statement)
    finally:
        await connection.close()
    return value


async def test_every_migration_applies_to_an_empty_database(bare_database_dsn: str) -> None:
    """In the order of their numbers; afterwards nothing is pending."""
    applied = await migrate(bare_database_dsn)

    assert [migration.name for migration in applied] == [
        migration.name for migration in load_migrations()
    ]
    assert await pending(bare_database_dsn) == ()
    assert list(await migrate(bare_database_dsn)) == []


@pytest.mark.parametrize("arguments", ['{"amount": 5}', '{"amount": null}', '["a"]', '"a"'])
async def test_arguments_that_are_no_texts_are_not_stored(
    bare_database_dsn: str, arguments: str
) -> None:
    """One such row, which only SQL could write, would stop the submitter that reads it."""
    await migrate(bare_database_dsn)
    insert = (
        "INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,"
        " accepted_at_ms) VALUES (gen_random_uuid(), 'MINT_COINS', '{}', 'a', 's', 'r', 0)"
        " RETURNING 1"
    )

    assert await fetch(bare_database_dsn, insert.replace("'{}'", """'{"amount": "5"}'""")) == 1
    with pytest.raises(asyncpg.CheckViolationError, match="arguments_are_text"):
        await fetch(bare_database_dsn, insert.replace("'{}'", f"'{arguments}'"))


async def test_a_release_works_on_a_schema_that_a_newer_one_has_expanded(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """What was only added is no matter to it; what is missing is."""
    newer = a_folder(tmp_path, m0001_a="CREATE TABLE a ()", m0002_b="CREATE TABLE b ()")
    await migrate(bare_database_dsn, folder=newer)

    (newer / "0002_b.sql").unlink()
    older = await status(bare_database_dsn, folder=newer)
    (newer / "0003_c.sql").write_text("CREATE TABLE c ()")
    behind = await status(bare_database_dsn, folder=newer)

    assert (older.unknown, older.problem) == (("0002",), None)
    assert behind.problem is not None
    assert "0003_c.sql: run `gx db migrate`" in behind.problem


async def test_a_release_refuses_a_schema_that_was_contracted_without_it(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """The contract step names what code must know; whoever knows it works on."""
    newest = a_folder(
        tmp_path,
        m0001_a="CREATE TABLE a (old text)",
        m0002_b="ALTER TABLE a ADD new text",
        m0003_c="-- gx:contracts 0002\nALTER TABLE a DROP old",
    )
    await migrate(bare_database_dsn, folder=newest)

    (newest / "0003_c.sql").unlink()
    before = await status(bare_database_dsn, folder=newest)
    (newest / "0002_b.sql").unlink()
    first = await status(bare_database_dsn, folder=newest)

    assert (before.needed, before.problem) == ((), None)
    assert first.needed == ("0002",)
    assert first.problem is not None
    assert "know migration 0002, and this one does not: deploy a newer release" in first.problem


async def test_the_record_of_the_first_release_is_read_and_extended(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """It had no column for what a step contracts; its own writer goes on without."""
    folder = a_folder(tmp_path, m0001_a="CREATE TABLE a ()")
    migration = load_migrations(folder)[0]
    await fetch(
        bare_database_dsn,
        "CREATE TABLE schema_migrations (version text PRIMARY KEY, name text NOT NULL, checksum"
        " text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())",
    )
    insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES ('{}', 'x', '{}')"
    await fetch(bare_database_dsn, insert.format("0001", migration.checksum))

    before = await status(bare_database_dsn, folder=folder)
    (folder / "0002_b.sql").write_text("CREATE TABLE b ()")
    await migrate(bare_database_dsn, folder=folder)
    await fetch(bare_database_dsn, insert.format("0003", "of the first release"))
    after = await status(bare_database_dsn, folder=folder)

    assert (before.applied, before.problem) == (("0001",), None)
    assert (after.applied, after.problem) == (("0001", "0002", "0003"), None)


async def test_a_migration_waits_for_a_lock_without_keeping_others_waiting(
    bare_database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives its place in the queue up, tries again, and at last says who is in the way."""
    monkeypatch.setattr(runner, "WAIT_BRIEFLY", "SET LOCAL lock_timeout = '50ms'")
    monkeypatch.setattr(runner, "LOCK_PAUSE_S", 0.05)
    monkeypatch.setattr(runner, "LOCK_TRIES", 3)
    folder = a_folder(tmp_path, m0001_a="CREATE TABLE a ()")
    await migrate(bare_database_dsn, folder=folder)
    (folder / "0002_b.sql").write_text("ALTER TABLE a ADD b text")
    reader = await asyncpg.connect(bare_database_dsn)
    try:
        async with reader.transaction():
            await reader.execute("SELECT * FROM a")
            with pytest.raises(MigrationError, match="in 3 tries and was undone"):
                await migrate(bare_database_dsn, folder=folder)
            monkeypatch.setattr(runner, "LOCK_TRIES", 1_000)
            migrating = asyncio.create_task(migrate(bare_database_dsn, folder=folder))
            await asyncio.sleep(0.2)
            assert not migrating.done()
        assert [migration.version for migration in await migrating] == ["0002"]
    finally:
        await reader.close()


async def test_a_failed_migration_leaves_no_trace(bare_database_dsn: str, tmp_path: Path) -> None:
    """Those before it stay; its own half is undone, and the error names the file."""
    folder = a_folder(
        tmp_path,
        m0001_good="CREATE TABLE good ()",
        m0002_bad="CREATE TABLE half (); SELECT 1 / 0",
    )

    with pytest.raises(MigrationError, match="0002_bad"):
        await migrate(bare_database_dsn, folder=folder)

    assert await fetch(bare_database_dsn, "SELECT to_regclass('good') IS NOT NULL")
    assert await fetch(bare_database_dsn, "SELECT to_regclass('half') IS NULL")
    (missing,) = await pending(bare_database_dsn, folder=folder)
    assert missing.name == "0002_bad.sql"


async def test_an_applied_file_must_not_change(bare_database_dsn: str, tmp_path: Path) -> None:
    """Two databases would differ under one number."""
    folder = a_folder(tmp_path, m0001_a="CREATE TABLE a ()")
    await migrate(bare_database_dsn, folder=folder)
    a_folder(tmp_path, m0001_a="CREATE TABLE a (b integer)")

    with pytest.raises(MigrationError, match="0001_a"):
        await migrate(bare_database_dsn, folder=folder)


async def test_a_lower_number_that_came_later_is_applied(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """Areas number their files apart from each other."""
    folder = a_folder(tmp_path, m0100_b="CREATE TABLE b ()")
    await migrate(bare_database_dsn, folder=folder)
    a_folder(tmp_path, m0002_a="CREATE TABLE a ()")

    applied = await migrate(bare_database_dsn, folder=folder)

    assert [migration.version for migration in applied] == ["0002"]


async def test_processes_that_start_together_apply_each_file_once(
    bare_database_dsn: str,
) -> None:
    """One migrates while the others wait."""
    answers = await asyncio.gather(*(migrate(bare_database_dsn) for _ in range(4)))

    assert sorted(len(answer) for answer in answers) == [0, 0, 0, len(load_migrations())]


async def test_an_older_release_tolerates_what_a_newer_one_applied(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """During a rolling upgrade both run; the status names what only the database knows."""
    folder = a_folder(tmp_path, m0001_a="CREATE TABLE a ()", m0002_b="CREATE TABLE b ()")
    await migrate(bare_database_dsn, folder=folder)
    (folder / "0002_b.sql").unlink()

    assert list(await migrate(bare_database_dsn, folder=folder)) == []
    seen = await status(bare_database_dsn, folder=folder)
    assert (seen.applied, seen.pending, seen.unknown) == (("0001", "0002"), (), ("0002",))


async def test_a_connection_may_be_given_instead_of_an_address(
    bare_database_dsn: str, tmp_path: Path
) -> None:
    """It stays open, and the lock is gone."""
    folder = a_folder(tmp_path, m0001_a="CREATE TABLE a ()")
    connection = await asyncpg.connect(bare_database_dsn)
    try:
        await migrate(connection, folder=folder)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1"
        pid = connection.get_server_pid()
        assert await connection.fetchval(locks, pid) == 0
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dash.sql", "0001_Upper.sql"])
def test_a_misnamed_file_is_an_error(tmp_path: Path, name: str) -> None:
    """It would be applied in the wrong order, or never."""
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=name):
        load_migrations(tmp_path)


def test_a_number_is_used_once(tmp_path: Path) -> None:
    """Which of two came first would be chance."""
    with pytest.raises(MigrationError, match="0001"):
        load_migrations(a_folder(tmp_path, m0001_a="", m0001_b=""))


def test_the_schema_is_copied_whole(tmp_path: Path) -> None:
    """The files are part of the package, wherever it is installed."""
    source = load_migrations()[0].path.parent
    shutil.copytree(source, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    assert len(load_migrations(tmp_path / "copy")) == len(load_migrations())
