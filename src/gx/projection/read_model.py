"""What a read model is: its key, its columns with their types, and what fits into them."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from gx.domain.codec import DecodeError
from gx.projection.changes import Value

_INTEGER_MAX: Final = 2**31 - 1
_BIGINT_MAX: Final = 2**63 - 1


class ColumnType(StrEnum):
    """A column's type, in PostgreSQL's words."""

    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    BOOLEAN = "boolean"


class UnstorableValueError(DecodeError):
    """A value does not fit its column, so the event that carries it cannot be projected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `default` is what a row starts with; None means NULL.

    A key column and a column of an append-only model are always given, so they start with nothing.
    """

    name: str
    type: ColumnType
    default: Value = None
    is_nullable: bool = False
    is_amount: bool = False
    """Base units: a decimal string on every wire."""

    def require(self, value: Value) -> None:
        """Check that the database will take `value` here.

        Raises:
            UnstorableValueError: wrong type, out of range, or text that is no valid UTF-8.
        """
        if value is None:
            is_storable = self.is_nullable
        elif isinstance(value, bool):
            is_storable = self.type is ColumnType.BOOLEAN
        elif isinstance(value, int):
            is_storable = -self._number_max - 1 <= value <= self._number_max
        else:
            is_storable = self.type is ColumnType.TEXT and _is_storable_text(value)
        if not is_storable:
            raise UnstorableValueError(
                f"column {self.name} ({self.type}) cannot hold {str(value)[:60]!r}"
            )

    def require_delta(self, delta: int) -> None:
        """Check that `delta` can be added to this column.

        Raises:
            UnstorableValueError: the column may be NULL or holds no numbers, or `delta` is too big.
        """
        if self.is_nullable or self._number_max < 0:
            raise UnstorableValueError(f"column {self.name} ({self.type}) cannot be added to")
        self.require(delta)

    @property
    def _number_max(self) -> int:
        if self.type is ColumnType.BIGINT:
            return _BIGINT_MAX
        return _INTEGER_MAX if self.type is ColumnType.INTEGER else -1


def _is_storable_text(text: str) -> bool:
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """One table of the read side.

    `fillfactor` below 100 leaves room on a page for the next version of a row, so that an update
    touches no index. `indexes` are further ways to find rows, each by these columns.
    """

    name: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...]
    is_append_only: bool = False
    fillfactor: int = 100
    indexes: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """All columns by name, the key's too."""
        return {column.name: column for column in self.all_columns}

    @cached_property
    def all_columns(self) -> tuple[Column, ...]:
        """The key's columns, then the others."""
        return self.key + self.columns

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """The names of the key's columns."""
        return tuple(column.name for column in self.key)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns, in the table's order."""
        return tuple(column.name for column in self.all_columns)

    @cached_property
    def defaults(self) -> dict[str, Value]:
        """What the columns of a new row hold before anything is put or added."""
        return {column.name: column.default for column in self.columns}


def text_column(name: str, default: str | None = "") -> Column:
    """Declare words; without a default they may be absent."""
    return Column(name=name, type=ColumnType.TEXT, default=default, is_nullable=default is None)


def amount_column(name: str) -> Column:
    """Declare base units."""
    return Column(name=name, type=ColumnType.BIGINT, default=0, is_amount=True)


def count_column(name: str) -> Column:
    """Declare a large number."""
    return Column(name=name, type=ColumnType.BIGINT, default=0)


def small_column(name: str) -> Column:
    """Declare a small number."""
    return Column(name=name, type=ColumnType.INTEGER, default=0)


def time_column(name: str) -> Column:
    """Declare a point in time, absent until it comes."""
    return Column(name=name, type=ColumnType.BIGINT, is_nullable=True)


def flag_column(name: str) -> Column:
    """Declare what is true or false."""
    return Column(name=name, type=ColumnType.BOOLEAN, default=False)


def key_column(name: str, kind: ColumnType = ColumnType.TEXT) -> Column:
    """Declare a part of the key."""
    return Column(name=name, type=kind)
