"""A second making of the read models from the ledger's blocks, to be compared with the stored one.

It is filled block by block beside the live tables and stands in no reader's way. Then both are
looked at as of one block, in one snapshot of the live side, while projectors go on.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from gx.domain.differences import Difference, DifferenceKind, Tally
from gx.projection.changes import Key, Value
from gx.projection.chunk import Chunk
from gx.projection.ports import Checkpoint
from gx.projection.read_model import ReadModel
from gx.projection.reduction import Cells

TablesDone: TypeAlias = Callable[[str, int], None]
"""Told, now and then, which table is compared and how many of its rows are done."""

NO_ROW: Final = "no such row"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A row that differs, with its model and key, so that its block can be looked for."""

    model: str
    key: Key
    difference: Difference


class SideBySide(Protocol):
    """Replica and live read models, both as of `checkpoint` once the replica has been led there."""

    checkpoint: Checkpoint

    async def compare(self, tally: Tally, on_progress: TablesDone) -> RowDifference | None:
        """Compare every table and every sum; return the first row that differs."""
        ...


class Replica(Protocol):
    """Read models made anew, apart from the live ones. Nothing that it does changes those."""

    async def create(self) -> None:
        """Begin with empty tables."""
        ...

    async def add(self, chunk: Chunk) -> None:
        """Take the effects of some more blocks, in order."""
        ...

    async def complete(self) -> None:
        """Get ready to be compared, however much there is."""
        ...

    def beside_live(self) -> AbstractAsyncContextManager[SideBySide]:
        """Hold the live side still for one reader. Nobody else waits."""
        ...

    async def drop(self) -> None:
        """Remove the tables."""
        ...


async def merge(
    told: AsyncIterator[Cells], stored: AsyncIterator[Cells], key_size: int
) -> AsyncIterator[tuple[Cells | None, Cells | None]]:
    """Pair two streams of rows, each in the order of its key; yield the pairs that differ.

    Holds one row of each stream. None stands for a row that one side lacks.
    """
    left, right = await anext(told, None), await anext(stored, None)
    while left is not None or right is not None:
        order = _order(left, right, key_size)
        pair = (left if order <= 0 else None, right if order >= 0 else None)
        if pair[0] != pair[1]:
            yield pair
        if order <= 0:
            left = await anext(told, None)
        if order >= 0:
            right = await anext(stored, None)


def _order(left: Cells | None, right: Cells | None, key_size: int) -> int:
    if left is None or right is None:
        return 1 if left is None else -1
    mine, other = _sortable(left[:key_size]), _sortable(right[:key_size])
    return (mine > other) - (mine < other)


def _sortable(key: Cells) -> tuple[bytes | int, ...]:
    # Text keys are stored in the order of their bytes; see migration 0100.
    return tuple(part.encode() if isinstance(part, str) else int(part or 0) for part in key)


def difference_of(
    model: ReadModel, told: Cells | None, stored: Cells | None, *, block_number: int
) -> RowDifference:
    """Say how a row differs: a whole row that one side lacks, or the first column that differs."""
    cells = told or stored or ()
    key = cells[: len(model.key)]
    kind, column, says, holds = DifferenceKind.ROW_CHANGED, "", "", ""
    if told is None or stored is None:
        kind = DifferenceKind.ROW_EXTRA if told is None else DifferenceKind.ROW_MISSING
        says, holds = _row_text(model, told), _row_text(model, stored)
    else:
        names = zip(model.column_names, told, stored, strict=True)
        column, says, holds = next(
            (name, value_text(a), value_text(b)) for name, a, b in names if a != b
        )
    difference = Difference(
        kind=kind,
        place=model.name,
        key=", ".join(value_text(part) for part in key),
        column=column,
        ledger=says,
        stored=holds,
        block_number=block_number,
    )
    return RowDifference(model=model.name, key=key, difference=difference)


def _row_text(model: ReadModel, cells: Cells | None) -> str:
    if cells is None:
        return NO_ROW
    pairs = zip(model.columns, cells[len(model.key) :], strict=True)
    return ", ".join(f"{column.name}={value_text(value)}" for column, value in pairs)


def value_text(value: Value) -> str:
    """Write a value for people: `null`, `true`, or as it is."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
