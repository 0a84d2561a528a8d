"""The read side: where folded changes and the checkpoint are kept, together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gx.database.ports import Lease
from gx.domain.codec import JsonObject
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber, EpochMs
from gx.projection.reduction import Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The last fully projected block, -1 before the first; `genesis_hash` names the chain.

    `sealed_block` is set where the projector left its checkpoint at another block than this:
    somebody has moved it since. `block_hash` is that of the block that was really projected last,
    empty where an older release did it.
    """

    block_number: BlockNumber
    block_timestamp_ms: EpochMs
    genesis_hash: str
    block_hash: str = ""
    sealed_block: BlockNumber | None = None

    @property
    def projected_block(self) -> BlockNumber:
        """Return the block that was really projected last, wherever somebody moved this to."""
        return self.block_number if self.sealed_block is None else self.sealed_block


START = Checkpoint(block_number=BlockNumber(-1), block_timestamp_ms=EpochMs(0), genesis_hash="")
"""Where a projection stands that has seen nothing."""


class WrongChainError(GxError):
    """The checkpoint belongs to another chain: the ledger was replaced under its read models."""


class CheckpointMovedError(WrongChainError):
    """Somebody changed the checkpoint by hand: going on there would skip or repeat blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The event at which the projection stands still, and why it cannot be folded.

    `is_newer`: nothing is wrong with it, but only a newer release can read it.
    """

    block_number: BlockNumber
    position: int
    event_type: str
    event: JsonObject
    error: str
    is_newer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedEvent:
    """An event that an operator set aside; stored, counted, audited."""

    block_number: BlockNumber
    position: int
    event: JsonObject
    reason: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the read models hold in all, read in one snapshot with the checkpoint.

    `minted` is what CoinsMinted events added up to, `balances` the sum over all accounts.
    """

    block_number: BlockNumber
    minted: int
    balances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Balances of the accounts that exist, and all that was minted, as of one block."""

    block_number: BlockNumber
    balances: Mapping[str, int]
    minted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the read models say as of a block (-1: before the first).

    `body` is ready for JSON, amounts as decimal strings; None if there is no such thing.
    """

    block_number: BlockNumber
    body: JsonObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionStatus:
    """What an operator asks first. `holder` is the active projector, None without one."""

    checkpoint: Checkpoint
    epoch: int
    age_ms: int
    """How long ago the checkpoint moved; 0 before it ever did."""
    holder: str | None
    parked: int
    stop: Stop | None


class ReadModelStore(Protocol):
    """Keeps read models and checkpoint. Written by one projector: the lease's holder."""

    async def checkpoint(self) -> Checkpoint:
        """Return where the projection stands."""
        ...

    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        """Write the effects and move the checkpoint from `expected` to `reached`, all or nothing.

        Raises:
            LeaseLostError: its epoch is no longer the newest, or the checkpoint is not `expected`:
                somebody else projects. Nothing was changed.
        """
        ...

    async def held(self, account_ids: Sequence[str]) -> Held:
        """Return what these accounts hold, as of one block."""
        ...

    async def totals(self) -> Totals:
        """Add up the read models; reads every account."""
        ...

    async def differences(self) -> Mapping[str, int]:
        """Return by how much ledger records, by their keys, exceed the read models."""
        ...

    async def note_differences(self, lease: Lease, changed: Mapping[str, int]) -> None:
        """Remember these differences in place of earlier ones; 0 forgets one.

        Raises:
            LeaseLostError: its epoch is no longer the newest. Nothing was changed.
        """
        ...

    async def stopped_at(self, lease: Lease, stop: Stop | None) -> None:
        """Note at which event the projection stands still, for operators; None when it goes on.

        Raises:
            LeaseLostError: its epoch is no longer the newest. Nothing was changed.
        """
        ...

    async def stop(self) -> Stop | None:
        """Return the event at which the projection stands still, None while it goes on."""
        ...

    async def park(
        self, block_number: BlockNumber, position: int, *, actor: str, reason: str
    ) -> bool:
        """Set aside the event at which the projection stands still: it will be passed over.

        Stored and audited with actor and reason. False, and nothing, if it does not stand there,
        or if the event waits for a newer release, which will have its effect.
        """
        ...

    async def parked(self) -> Sequence[ParkedEvent]:
        """List the events that are set aside."""
        ...

    async def digest(self) -> str:
        """Hash every read model's rows in key order: equal digests mean identical tables."""
        ...
