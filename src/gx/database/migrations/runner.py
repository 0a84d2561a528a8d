"""Brings a database to the newest schema: the numbered files of this folder, in order, once each.

Forward only, and beside a release that works: a file waits for a lock only for a moment and tries
again, because whoever comes after a waiting ALTER TABLE waits too. What was applied is recorded
with a checksum; a file that changed after it was applied is an error, because two databases would
then differ under one number. An advisory lock lets one process migrate while others that start at
the same time wait for it.

A file that takes away what earlier releases use is a contract step and names, in a line
`-- gx:contracts NNNN`, the migration with which the first release came that does without. The
record keeps that number: code that does not know NNNN finds out that this database is none for it.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

import asyncpg
import structlog

from gx.database.ports import DatabaseUnavailableError
from gx.domain.errors import GxError

_log: Final = structlog.get_logger(__name__)

FOLDER: Final = Path(__file__).parent
_NAME: Final = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$", re.ASCII)
_CONTRACTS: Final = re.compile(r"^-- gx:contracts (\d{4})$", re.ASCII | re.MULTILINE)
LOCK_TRIES: Final = 60
LOCK_PAUSE_S: Final = 0.5

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Target: TypeAlias = str | Connection

# 26488 is 'gx', 2 the migrations. The session holds it across the files' own transactions.
LOCK: Final = "SELECT pg_advisory_lock(26488, 2)"
UNLOCK: Final = "SELECT pg_advisory_unlock(26488, 2)"

CREATE_RECORD: Final = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    text PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS contracts text;
"""

# Writers and readers go on between two tries.
WAIT_BRIEFLY: Final = "SET LOCAL lock_timeout = '1s'"

RECORD_EXISTS: Final = "SELECT to_regclass('schema_migrations') IS NOT NULL"

# By way of JSON: the first release's record has no such column.
APPLIED: Final = """
    SELECT version, checksum, to_jsonb(m) ->> 'contracts' AS contracts
      FROM schema_migrations m ORDER BY version
"""

RECORD: Final = """
    INSERT INTO schema_migrations (version, name, checksum, contracts) VALUES ($1, $2, $3, $4)
"""


class MigrationError(GxError):
    """The schema cannot be brought up to date; the text names the file."""


@dataclass(frozen=True)
class Migration:
    """One file: `version` is its four digits."""

    path: Path

    @property
    def version(self) -> str:
        """Return the number by which migrations are ordered and known."""
        return self.path.name[:4]

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    @cached_property
    def sql(self) -> str:
        """Return the statements."""
        return self.path.read_text(encoding="utf-8")

    @property
    def contracts(self) -> str | None:
        """Return the migration without which nobody can work after this one; mostly None."""
        named = _CONTRACTS.search(self.sql)
        return None if named is None else named[1]

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the statements."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStatus:
    """How a database compares with the files.

    `unknown` are versions that only the database knows: a newer release has been here, beside which
    this one works on. Not so if `needed` names any: contract steps were applied that this release
    is too old for, by the migrations that it would have to know.
    """

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]
    unknown: tuple[str, ...]
    needed: tuple[str, ...] = ()

    @property
    def problem(self) -> str | None:
        """Say why this release cannot work on the database, and what to do; None if it can."""
        if self.needed:
            return (
                f"the database is contracted for releases that know migration "
                f"{', '.join(self.needed)}, and this one does not: deploy a newer release"
            )
        if self.pending:
            first, count = self.pending[0].name, len(self.pending)
            return f"{count} migrations are missing, the first is {first}: run `gx db migrate`"
        return None


def load_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """List the files in order.

    Raises:
        MigrationError: A name is not `NNNN_what.sql`, or two files bear one number.
    """
    migrations = tuple(Migration(path) for path in sorted(folder.glob("*.sql")))
    for migration in migrations:
        if _NAME.match(migration.name) is None:
            raise MigrationError(f"{migration.path} is not named NNNN_what.sql")
    versions = [migration.version for migration in migrations]
    for earlier, later in pairwise(versions):
        if earlier == later:
            raise MigrationError(f"two migrations in {folder} bear the number {later}")
    return migrations


async def migrate(target: Target, *, folder: Path = FOLDER) -> Sequence[Migration]:
    """Apply what is missing and return it; `target` is a DSN or an idle connection.

    Each file is one transaction with its record: a failed one leaves no trace, and those before
    it stay applied.

    Raises:
        MigrationError: An applied file has changed since, or a file fails.
    """
    async with _connection(target) as connection:
        await connection.execute(LOCK)
        try:
            missing = (await _read_status(connection, folder)).pending
            for migration in missing:
                await _apply(connection, migration)
        finally:
            await connection.execute(UNLOCK)
    return missing


async def status(target: Target, *, folder: Path = FOLDER) -> MigrationStatus:
    """Compare a database with the files, changing nothing.

    Raises:
        MigrationError: An applied file has changed since.
    """
    async with _connection(target) as connection:
        return await _read_status(connection, folder)


async def pending(target: Target, *, folder: Path = FOLDER) -> Sequence[Migration]:
    """List the migrations that `migrate` would apply.

    Raises:
        MigrationError: An applied file has changed since.
    """
    return (await status(target, folder=folder)).pending


@asynccontextmanager
async def _connection(target: Target) -> AsyncIterator[Connection]:
    if not isinstance(target, str):
        yield target
        return
    try:
        connection = await asyncpg.connect(target)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailableError(
            f"no connection to the database: {str(error) or type(error).__name__}. If you name it"
            " in DATABASE_URL or GX_DATABASE_DSN, give postgresql://user:password@host:port/name"
        ) from error
    try:
        yield connection
    finally:
        await connection.close()


async def _read_status(connection: Connection, folder: Path) -> MigrationStatus:
    rows: Sequence[asyncpg.Record] = ()
    if await connection.fetchval(RECORD_EXISTS):
        rows = await connection.fetch(APPLIED)
    applied: dict[str, str] = {row["version"]: row["checksum"] for row in rows}
    migrations = load_migrations(folder)
    known = {migration.version for migration in migrations}
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationError(
                f"{migration.name} has changed since it was applied to this database;"
                " restore the file and put the change into a new migration"
            )
    return MigrationStatus(
        applied=tuple(applied),
        pending=tuple(entry for entry in migrations if entry.version not in applied),
        unknown=tuple(sorted(applied.keys() - known)),
        needed=tuple(sorted({row["contracts"] for row in rows if row["contracts"]} - known)),
    )


async def _apply(connection: Connection, migration: Migration) -> None:
    for tries in range(1, LOCK_TRIES + 1):
        try:
            await _apply_once(connection, migration)
        except asyncpg.LockNotAvailableError as error:
            _log.info("migration_waits_for_lock", name=migration.name, tries=tries, error=error)
            await asyncio.sleep(LOCK_PAUSE_S)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration.name} failed and was undone: {error}") from error
        else:
            return
    raise MigrationError(
        f"{migration.name} did not get its lock in {LOCK_TRIES} tries and was undone: somebody "
        "holds the table, look for old transactions in pg_stat_activity; then migrate again"
    )


async def _apply_once(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(WAIT_BRIEFLY)
        await connection.execute(CREATE_RECORD)
        await connection.execute(migration.sql)
        await connection.execute(
            RECORD, migration.version, migration.name, migration.checksum, migration.contracts
        )
