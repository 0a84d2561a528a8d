"""The read side: where folded changes and the checkpoint are kept, together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gx.database.ports import Lease
from gx.domain.codec import JsonObject
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber, EpochMs

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The last fully projected block, -1 before the first; `genesis_hash` names the chain."""

    block_number: BlockNumber
    block_timestamp_ms: EpochMs
    genesis_hash: str


class WrongChainError(GxError):
    """The checkpoint belongs to another chain: the ledger was replaced under its read models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedEvent:
    """An event that an operator set aside; stored, counted, audited."""

    block_number: BlockNumber
    position: int
    event: JsonObject
    reason: str
    actor: str


class ReadModelStore(Protocol):
    """Keeps read models and checkpoint. Written by one projector: the lease's holder."""

    async def checkpoint(self) -> Checkpoint:
        """Return where the projection stands."""
        ...

    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, changes: Sequence[Change]
    ) -> None:
        """Write the changes and move the checkpoint from `expected` to `reached`, all or nothing.

        Raises:
            LeaseLostError: its epoch is no longer the newest, or the checkpoint is not `expected`:
                somebody else projects. Nothing was changed.
        """
        ...

    async def parked(self) -> Sequence[ParkedEvent]:
        """List the events that are set aside."""
        ...

    async def digest(self) -> str:
        """Hash every read model's rows in key order: equal digests mean identical tables."""
        ...
