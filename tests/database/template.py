"""What a fresh test database holds: the schema, and nothing in it."""

from gx.database.migrations import migrate


async def build_template(dsn: str) -> None:
    """Bring the database at `dsn` to the newest schema."""
    await migrate(dsn)
