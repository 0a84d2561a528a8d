"""Going on only where the projection stopped: on the chain that it saw, from the block it left.

The checkpoint is sealed with the hash of its block. Whoever opens a stream of blocks compares it
first, so a ledger that was replaced, or restored and has grown again, is never mixed into the read
models, and neither is a checkpoint that somebody moved.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import StreamError
from gx.ledger.ports import Block, BlockSource, ChainInfo
from gx.projection.ports import Checkpoint, CheckpointMovedError, ReadModelStore, WrongChainError

BLOCK_TIMEOUT_S: Final = 10.0
_WAY_OUT: Final = (
    "Nothing is projected until the read models are made again: "
    '`gx reconcile --repair --reason "..."`'
)


async def require_unmoved(checkpoint: Checkpoint, store: ReadModelStore) -> None:
    """Check that the checkpoint is where the projector left it.

    Raises:
        CheckpointMovedError: the row was changed or deleted by hand.
    """
    sealed = checkpoint.sealed_block
    if checkpoint.block_number < 0 and sealed is None and (await store.held(())).minted:
        raise CheckpointMovedError(
            "there is no checkpoint in projection_checkpoints, but the read models hold rows: "
            f"somebody deleted it. {_WAY_OUT}"
        )
    if sealed is not None:
        skipped = "skip" if checkpoint.block_number > sealed else "repeat"
        raise CheckpointMovedError(
            f"the checkpoint in projection_checkpoints says block {checkpoint.block_number}, but "
            f"block {sealed} is the last that was projected: somebody changed it, and going on "
            f"there would {skipped} blocks. {_WAY_OUT}"
        )


async def require_same_chain(checkpoint: Checkpoint, chain: ChainInfo, source: BlockSource) -> None:
    """Check that the ledger holds what was projected, up to the block that was projected last.

    Raises:
        WrongChainError: it is another chain, a shorter one, or one that has branched off before.
        LedgerError: the block cannot be read now.
    """
    number = checkpoint.projected_block
    if number < 0:
        return
    if chain.height <= number:
        raise WrongChainError(
            f"block {number} is projected, but the ledger ends at block "
            f"{chain.height - 1}: it was replaced or restored. Bring back the right ledger, "
            "or run `gx projection rebuild --accept-new-chain`"
        )
    if chain.genesis_hash != checkpoint.genesis_hash:
        raise WrongChainError(
            f"the read models are those of the chain {checkpoint.genesis_hash[:16]}, the ledger is "
            f"the chain {chain.genesis_hash[:16]}. Point to the right ledger, or run "
            "`gx projection rebuild --accept-new-chain`"
        )
    if checkpoint.block_hash:
        await _require_block(number, checkpoint.block_hash, source)


async def _require_block(number: BlockNumber, block_hash: str, source: BlockSource) -> None:
    found = (await _read_block(number, source)).hash
    if found != block_hash:
        raise WrongChainError(
            f"block {number} was projected with the hash {block_hash[:16]}, the ledger's has "
            f"{found[:16]}: it was restored from an older copy and has grown again. Bring back "
            "the right ledger, or run `gx projection rebuild --accept-new-chain`"
        )


async def _read_block(number: BlockNumber, source: BlockSource) -> Block:
    stream = cast("AsyncGenerator[Block, None]", source.blocks(number))
    async with aclosing(stream):
        try:
            async with asyncio.timeout(BLOCK_TIMEOUT_S):
                return await anext(stream)
        except TimeoutError:
            raise StreamError(
                f"the ledger has block {number}, and sent none for {BLOCK_TIMEOUT_S:.0f} s"
            ) from None
