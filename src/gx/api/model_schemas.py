"""How read models look in JSON schema: rows, pages, and the parts of which they are made."""

from typing import Final

from gx.domain.codec import JsonObject, JsonValue, wire_name_of
from gx.projection.read_model import Column, ColumnType, ReadModel

BASE_UNITS: Final[JsonObject] = {
    "type": "string",
    "pattern": "^(0|-?[1-9][0-9]{0,18})$",
    "description": "Base units.",
}
INTEGER: Final[JsonObject] = {"type": "integer"}
SECONDS: Final[JsonObject] = {
    "type": "integer",
    "description": "Seconds since the Unix epoch.",
}
TEXT: Final[JsonObject] = {"type": "string"}
_JSON_TYPES: Final = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.BIGINT: "integer",
    ColumnType.BOOLEAN: "boolean",
}


def model_schema(model: ReadModel, *, without: str | None = None) -> JsonObject:
    """Describe one row of a read model as queries answer it."""
    return object_schema(
        {
            wire_name_of(column.name): _column_schema(column)
            for column in model.all_columns
            if column.name != without
        }
    )


def _column_schema(column: Column) -> JsonObject:
    if column.is_amount:
        return BASE_UNITS
    kind = _JSON_TYPES[column.type]
    kinds: JsonValue = [kind, "null"] if column.is_nullable else kind
    if column.name.endswith("_at"):
        return {"type": kinds, "description": "Seconds since the Unix epoch."}
    return {"type": kinds}


def object_schema(properties: JsonObject, optional: tuple[str, ...] = ()) -> JsonObject:
    """Describe an object with these fields, all of them there but the optional ones."""
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def page_schema(item: JsonObject) -> JsonObject:
    """Describe one page of a list."""
    return object_schema(
        {"items": {"type": "array", "items": item}, "nextCursor": {"type": ["string", "null"]}}
    )
