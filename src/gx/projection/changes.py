"""What a fold asks of the read models: three kinds of change, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = str | int | bool | None
Key: TypeAlias = tuple[Value, ...]
Row: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Set columns of the row with this key, creating it if it is absent."""

    model: str
    key: Key
    values: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Add to number columns of the row with this key; an absent row starts at 0."""

    model: str
    key: Key
    deltas: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Add a row to an append-only model; its key is unique and comes from the ledger."""

    model: str
    key: Key
    values: Row


Change: TypeAlias = Put | Add | Append
"""What a fold returns. Applying the same changes in the same order gives the same tables."""
