"""What a fresh test database holds: the schema, and nothing in it."""

import importlib
import importlib.util
from typing import Protocol, cast


class Migrations(Protocol):
    """The one function of `gx.database.migrations` that is used here."""

    async def migrate(self, dsn: str) -> object:
        """Apply every migration to this database."""
        ...


async def build_template(dsn: str) -> None:
    """Bring the database at `dsn` to the newest schema; leave it empty before there is one."""
    if importlib.util.find_spec("gx.database.migrations") is None:
        return
    migrations = cast("Migrations", importlib.import_module("gx.database.migrations"))
    await migrations.migrate(dsn)
