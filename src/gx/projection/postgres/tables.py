"""The read models' tables as DDL, for a second set of them beside the live one.

The live ones come from the migrations; a test proves that both ways make the same tables.
"""

from typing import Final

from gx.projection.changes import Value
from gx.projection.read_model import Column, ColumnType, ReadModel

NAMESPACE_LIVE: Final = "public"

CHECKPOINTS: Final = "projection_checkpoints"


def render_table(model: ReadModel, namespace: str) -> str:
    """Return the CREATE TABLE statement of a model, without its primary key."""
    columns = ",\n    ".join(
        [_render_key_column(column) for column in model.key]
        + [_render_column(column, model) for column in model.columns]
    )
    options = f" WITH (fillfactor = {model.fillfactor})" if model.fillfactor != 100 else ""  # noqa: PLR2004 - PostgreSQL's default
    return f"CREATE TABLE {namespace}.{model.name} (\n    {columns}\n){options}"


def render_primary_key(model: ReadModel, namespace: str) -> str:
    """Return the statement that adds the primary key, under the name that PostgreSQL gives it."""
    key = ", ".join(model.key_names)
    return (
        f"ALTER TABLE {namespace}.{model.name} ADD CONSTRAINT {model.name}_pkey PRIMARY KEY ({key})"
    )


def render_indexes(model: ReadModel, namespace: str) -> list[str]:
    """Return the statements that add the further indexes, each named after its first column."""
    return [
        f"CREATE INDEX {model.name}_{columns[0]}_idx "
        f"ON {namespace}.{model.name} ({', '.join(columns)})"
        for columns in model.indexes
    ]


def render_checkpoints(namespace: str) -> str:
    """Return the statement that makes a checkpoint table like the live one."""
    return (
        f"CREATE TABLE {namespace}.{CHECKPOINTS} "
        f"(LIKE {NAMESPACE_LIVE}.{CHECKPOINTS} INCLUDING ALL) WITH (fillfactor = 10)"
    )


def _render_key_column(column: Column) -> str:
    return f"{column.name} {_render_type(column)} NOT NULL"


def _render_column(column: Column, model: ReadModel) -> str:
    nullability = "" if column.is_nullable else " NOT NULL"
    default = "" if model.is_append_only else _render_default(column.default)
    return f"{column.name} {column.type}{nullability}{default}"


def _render_type(column: Column) -> str:
    collation = ' COLLATE "C"' if column.type is ColumnType.TEXT else ""
    return f"{column.type}{collation}"


def _render_default(default: Value) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return f" DEFAULT {str(default).lower()}"
    if isinstance(default, int):
        return f" DEFAULT {default}"
    return f" DEFAULT '{default}'"
