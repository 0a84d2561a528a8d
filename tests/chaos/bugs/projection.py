"""Bugs of the read side: the projector's."""

import asyncio
from typing import Final

import structlog

from gx.database.ports import Lease
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import LedgerError
from gx.ledger.ports import Block
from gx.projection.intake import Intake
from gx.projection.ports import START, Checkpoint
from gx.projection.postgres import store
from gx.projection.projector import Projector
from gx.projection.reduction import Effects
from tests.chaos.bugs.replacing import replace

_log: Final = structlog.get_logger(__name__)


def checkpoint_apart() -> None:
    """The checkpoint is a transaction of its own, and the rows come after it."""

    async def apply(
        self: store.PostgresReadModelStore,
        *,
        lease: Lease,
        expected: Checkpoint,
        reached: Checkpoint,
        effects: Effects,
    ) -> None:
        async with self._fenced(lease) as connection:
            if expected == START:
                begin = self._sql(store.BEGIN_CHECKPOINT)
                await connection.execute(begin, self._channel, lease.epoch)
            await connection.execute(
                self._sql(store.MOVE_CHECKPOINT),
                *(self._channel, expected.block_number, expected.genesis_hash),
                *(reached.block_number, reached.block_timestamp_ms, reached.genesis_hash),
                *(lease.epoch, lease.name, reached.block_hash),
            )
        async with self._fenced(lease) as connection:
            write_effects = vars(store)["write_effects"]  # by now it may halt
            await write_effects(connection, self._namespace, effects)

    replace(store.PostgresReadModelStore, "apply", apply)


def gap_unseen() -> None:
    """Whatever block comes next is the next block."""

    def require_next(self: Intake, block: Block) -> None:
        self._next = BlockNumber(block.number + 1)

    replace(Intake, "_require_next", require_next)


def stream_not_reopened() -> None:
    """A stream of blocks that broke is never opened again."""
    original = Projector._react

    async def react(self: Projector, lease: Lease, error: Exception) -> float:
        if isinstance(error, LedgerError):
            _log.error("stream_given_up", error=error)
            await asyncio.Event().wait()
        return await original(self, lease, error)

    replace(Projector, "_react", react)
