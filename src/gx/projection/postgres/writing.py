"""Effects as SQL: one statement for all rows of a table to which the same thing happens."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias, cast

from gx.database.arrays import number_array, text_array
from gx.database.pool import PooledConnection
from gx.projection.changes import Key, Value
from gx.projection.read_model import Column, ColumnType, ReadModel
from gx.projection.read_models import READ_MODELS
from gx.projection.reduction import Effects, RowEffect

Names: TypeAlias = tuple[str, ...]
Shape: TypeAlias = tuple[Names, Names]
"""Which columns are set and which are added to."""

# Rows of one shape. A new row starts with the table's defaults, which are 0 for every column that
# can be added to, so what is added is what it starts with.
UPSERT: Final = """
    INSERT INTO {table} AS old ({columns})
    SELECT * FROM unnest({arrays})
        ON CONFLICT ({key}) DO {action}
"""


async def write_effects(connection: PooledConnection, namespace: str, effects: Effects) -> None:
    """Write all rows. The order of the statements does not matter: no two touch the same row."""
    for name, rows in effects.rows.items():
        for shape, group in _by_shape(rows).items():
            await connection.execute(
                _upsert(name, namespace, shape), *_arrays(READ_MODELS[name], shape, group)
            )
    for name, cells in effects.appended.items():
        if cells:
            await connection.copy_records_to_table(
                name, schema_name=namespace, columns=READ_MODELS[name].column_names, records=cells
            )


def _by_shape(rows: Mapping[Key, RowEffect]) -> Mapping[Shape, list[tuple[Key, RowEffect]]]:
    groups: defaultdict[Shape, list[tuple[Key, RowEffect]]] = defaultdict(list)
    for key, effect in rows.items():
        groups[tuple(effect.values), tuple(effect.deltas)].append((key, effect))
    return groups


def _arrays(
    model: ReadModel, shape: Shape, group: list[tuple[Key, RowEffect]]
) -> Iterator[str | None]:
    """Yield one array for each column: the key's, those that are set, those that are added to."""
    for index, column in enumerate(model.key):
        yield _array(column, [key[index] for key, _ in group])
    for name in shape[0]:
        yield _array(model.by_name[name], [effect.values[name] for _, effect in group])
    for name in shape[1]:
        yield number_array(effect.deltas[name] for _, effect in group)


def _array(column: Column, values: list[Value]) -> str | None:
    if column.type is ColumnType.TEXT:
        return text_array([None if value is None else str(value) for value in values])
    return number_array(cast("list[int | None]", values))  # the column's type was checked


@lru_cache(maxsize=1_024)
def _upsert(name: str, namespace: str, shape: Shape) -> str:
    model = READ_MODELS[name]
    put, added = shape
    columns = (*model.key_names, *put, *added)
    types = (model.by_name[column].type for column in columns)
    assignments = [
        *(f"{column} = EXCLUDED.{column}" for column in put),
        *(f"{column} = old.{column} + EXCLUDED.{column}" for column in added),
    ]
    return UPSERT.format(
        table=f"{namespace}.{name}",
        columns=", ".join(columns),
        arrays=", ".join(f"${number}::text::{kind}[]" for number, kind in enumerate(types, 1)),
        key=", ".join(model.key_names),
        action=f"UPDATE SET {', '.join(assignments)}" if assignments else "NOTHING",
    )
