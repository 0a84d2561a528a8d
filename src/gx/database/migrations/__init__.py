"""The schema's history: numbered SQL files, and the runner that applies each once."""

from gx.database.migrations.runner import (
    Migration,
    MigrationError,
    MigrationStatus,
    load_migrations,
    migrate,
    pending,
    status,
)

__all__ = [
    "Migration",
    "MigrationError",
    "MigrationStatus",
    "load_migrations",
    "migrate",
    "pending",
    "status",
]
