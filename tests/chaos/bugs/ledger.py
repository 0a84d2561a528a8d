"""Bugs of the ledger and of the contracts' host."""

import asyncio
from itertools import count
from typing import Final

import msgspec
import structlog

from gx.chaincode import batch
from gx.domain.world_state import COMMAND_PREFIX
from gx.ledger.local import chain
from gx.ledger.local.sessions import Session
from gx.ledger.local.wire import BlockSent
from tests.chaos.bugs.replacing import replace

_log: Final = structlog.get_logger(__name__)
_FLUSH_S: Final = 0.005
"""A reader that keeps up has taken by then what was written."""


def no_idempotency_record() -> None:
    """The ledger keeps its records under keys at which nobody looks again."""
    numbers = count()
    replace(batch, "command_key", lambda key: f"{COMMAND_PREFIX}{key}_{next(numbers)}")


def unchecked_hashes() -> None:
    """What is read from the file is what was written."""
    replace(chain, "find_defect", lambda _block, **_expected: None)


def unchecked_end() -> None:
    """The file's end is where its record says."""
    replace(chain, "_require_whole_end", lambda _connection, _tip, _blocks: None)


def skips_when_slow() -> None:
    """A follower that does not keep up misses blocks."""
    original = Session._send

    async def send(self: Session, message: msgspec.Struct) -> None:
        await asyncio.sleep(_FLUSH_S)
        transport = self._writer.transport
        if isinstance(message, BlockSent) and transport.get_write_buffer_size():
            _log.warning("block_skipped", number=message.number)
            return
        await original(self, message)

    replace(Session, "_send", send)
