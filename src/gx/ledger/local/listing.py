"""`gx ledger blocks`: what the blocks of a ledger's file hold, read beside a running server."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.errors import CorruptBlockError
from gx.ledger.local.blocks import StoredBlock, read_code
from gx.ledger.local.chain import TornBlockError, load_tip, walk_blocks
from gx.ledger.local.content import decode_content
from gx.ledger.local.schema import FILE_NAME, open_reader
from gx.ledger.ports import ValidationCode


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSummary:
    """One block and its transaction, in a line."""

    number: BlockNumber
    hash: str
    previous_hash: str
    timestamp_ms: EpochMs
    transaction_id: TransactionId
    validation_code: ValidationCode
    role: str
    function: str
    event: str | None
    keys_read: int
    keys_written: int
    content_bytes: int


def list_blocks(folder: Path, *, first: int | None = None, limit: int = 20) -> list[BlockSummary]:
    """Summarise up to `limit` blocks from number `first` on; the newest ones without it.

    Raises:
        StoreUnusableError: there is no ledger in the folder, or it cannot be opened.
        CorruptBlockError: a block is torn or tampered with.
    """
    with closing(open_reader(folder / FILE_NAME)) as reader:
        tip, _ = load_tip(reader)
        start = max(0, tip.height - limit if first is None else first)
        last = min(tip.newest, start + limit - 1)
        try:
            walk = walk_blocks(reader, start, last=last, previous_hash=None)
            return [_summarise(block) for block in walk]
        except TornBlockError as error:
            raise CorruptBlockError(BlockNumber(error.number), error.reason) from error


def _summarise(block: StoredBlock) -> BlockSummary:
    content = decode_content(block.content)
    event = content.decode_event()
    return BlockSummary(
        number=BlockNumber(block.number),
        hash=block.hash.hex(),
        previous_hash=block.previous_hash.hex(),
        timestamp_ms=EpochMs(content.timestamp_ms),
        transaction_id=TransactionId(content.transaction_id),
        validation_code=read_code(block.metadata),
        role=content.role,
        function=content.function,
        event=None if event is None else event.name,
        keys_read=len(content.read_keys),
        keys_written=len(content.write_keys),
        content_bytes=len(block.content),
    )
