"""The net effect of many changes, so that a whole chunk of blocks is one statement per table.

For each row, what is put last wins, and what is added after it, or without it, is summed. Applying
`Effects.changes()` therefore gives the same tables as applying the changes one by one.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from gx.projection.changes import Add, Append, Change, Key, Put, Value
from gx.projection.read_model import ReadModel, UnstorableValueError
from gx.projection.read_models import READ_MODELS

Cells: TypeAlias = tuple[Value, ...]
"""A row of an append-only model, in the order of its columns."""


class RowEffect:
    """What happens to one row: columns that are set, and other columns that are added to."""

    __slots__ = ("deltas", "values")

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.deltas: dict[str, int] = {}

    def put(self, column: str, value: Value) -> None:
        """Set a column, forgetting what was added to it before."""
        self.values[column] = value
        self.deltas.pop(column, None)

    def add(self, column: str, delta: int) -> None:
        """Add to a column, or to the value that it was set to."""
        if column in self.values:
            self.values[column] = int(self.values[column] or 0) + delta
        elif column in self.deltas:
            self.deltas[column] += delta
        else:
            self.deltas[column] = delta


class Effects:
    """Collects changes in the order in which they happen. Not safe to use after an error."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Key, RowEffect]] = {}
        self.appended: dict[str, list[Cells]] = {}

    def row(self, model: str, key: Key) -> RowEffect:
        """Return what happens to this row; being asked for makes the row exist."""
        rows = self.rows.setdefault(model, {})
        effect = rows.get(key)
        if effect is None:
            effect = rows[key] = RowEffect()
        return effect

    def append(self, model: str, cells: Cells) -> None:
        """Add a row, whose values fit their columns, to an append-only model."""
        self.appended.setdefault(model, []).append(cells)

    def extend(self, changes: Iterable[Change]) -> None:
        """Take the changes of one event in their order.

        Raises:
            UnstorableValueError: a value does not fit its column.
        """
        for change in changes:
            self._take(change)

    def size(self) -> int:
        """Count the rows that are written."""
        return sum(map(len, self.rows.values())) + sum(map(len, self.appended.values()))

    def changes(self) -> Iterator[Change]:
        """Yield changes with the same effect: at most one Put and one Add for each row."""
        for model, rows in self.rows.items():
            for key, effect in rows.items():
                yield Put(model=model, key=key, values=effect.values)
                yield Add(model=model, key=key, deltas=effect.deltas)
        for model, table in self.appended.items():
            yield from (_append_of(READ_MODELS[model], cells) for cells in table)

    def _take(self, change: Change) -> None:
        model = READ_MODELS[change.model]
        for column, value in zip(model.key, change.key, strict=True):
            column.require(value)
        match change:
            case Put():
                row = self.row(change.model, change.key)
                for name, put in change.values.items():
                    model.by_name[name].require(put)
                    row.put(name, put)
            case Add():
                row = self.row(change.model, change.key)
                for name, delta in change.deltas.items():
                    model.by_name[name].require_delta(delta)
                    row.add(name, delta)
            case Append():
                self.append(change.model, _cells_of(model, change))


def _cells_of(model: ReadModel, change: Append) -> Cells:
    for column in model.columns:
        column.require(change.values[column.name])
    if len(change.values) != len(model.columns):
        raise UnstorableValueError(f"{model.name} has no column for one of {set(change.values)}")
    return (*change.key, *(change.values[column.name] for column in model.columns))


def _append_of(model: ReadModel, cells: Cells) -> Append:
    size = len(model.key)
    names = (column.name for column in model.columns)
    return Append(
        model=model.name, key=cells[:size], values=dict(zip(names, cells[size:], strict=True))
    )
