"""Reads a channel from its first block to its newest and checks what a client can check.

Every block's data must have the hash that its header names, every header must name the hash of
the one before, and all peers must have the same newest block. The peers' own state is theirs:
what is counted here is what the valid transactions wrote.
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import CorruptBlockError
from gx.ledger.fabric.client import FabricLedger
from gx.ledger.ports import Block, ValidationCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """What was checked. The channel is sound if there is no `difference`."""

    blocks: int
    transactions: int
    keys: int
    tip_hash: str
    difference: str | None


async def verify_channel(
    ledger: FabricLedger, *, progress: Callable[[int, int], None]
) -> ChannelReport:
    """Check the blocks that are there now; stops at the first difference.

    Raises:
        LedgerError: no peer answers, or the stream broke.
    """
    height = (await ledger.chain_info()).height
    walk = _Walk()
    difference = None
    try:
        async with aclosing(ledger.blocks(BlockNumber(0))) as stream:
            while walk.blocks < height:
                walk.take(await anext(stream))
                progress(walk.blocks, height)
    except CorruptBlockError as error:
        difference = str(error)
    if difference is None and height:
        difference = await _difference_at_tip(ledger, BlockNumber(height - 1), walk.tip_hash)
    return ChannelReport(
        blocks=walk.blocks,
        transactions=walk.transactions,
        keys=len(walk.keys),
        tip_hash=walk.tip_hash,
        difference=difference,
    )


class _Walk:
    """What the blocks read so far add up to."""

    def __init__(self) -> None:
        self.blocks = 0
        self.transactions = 0
        self.keys: set[str] = set()
        self.tip_hash = ""

    def take(self, block: Block) -> None:
        self.blocks += 1
        self.tip_hash = block.hash
        self.transactions += len(block.transactions)
        for transaction in block.transactions:
            if transaction.validation_code is ValidationCode.VALID:
                for write in transaction.writes:
                    change = self.keys.discard if write.value is None else self.keys.add
                    change(write.key)


async def _difference_at_tip(
    ledger: FabricLedger, number: BlockNumber, expected: str
) -> str | None:
    """Name the peer whose block of that number is another one; a peer that lags has none yet."""
    for peer, found in (await ledger.block_hashes(number)).items():
        if found != expected:
            return f"{peer} has the hash {found[:16]} for block {number}, not {expected[:16]}"
    return None
