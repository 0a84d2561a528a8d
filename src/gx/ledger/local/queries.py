"""What clients ask of the stored chain, answered from blocks whose hashes were checked."""

import sqlite3
from typing import Final

from gx.ledger.local.blocks import NO_HASH, StoredBlock, read_code
from gx.ledger.local.chain import (
    TornBlockError,
    find_transaction,
    load_block,
    load_hash,
    walk_blocks,
)
from gx.ledger.local.content import decode_content
from gx.ledger.local.wire import NoVerdict, VerdictFound
from gx.ledger.ports import ValidationCode

PAGE_BLOCKS: Final = 256
PAGE_BYTES: Final = 4 * 1024 * 1024


def find_verdict(connection: sqlite3.Connection, transaction_id: str) -> VerdictFound | NoVerdict:
    """Tell what the first block that holds the transaction says of it.

    Raises:
        TornBlockError: that block is missing or damaged.
        sqlite3.Error: the file cannot be read.
    """
    found = find_transaction(connection, transaction_id)
    if found is None:
        return NoVerdict()
    block = load_block(connection, found[0])
    code = read_code(block.metadata)
    event = None
    if code is ValidationCode.VALID:
        event = decode_content(block.content).decode_event()
    return VerdictFound(
        code=code,
        block_number=block.number,
        event=None if event is None else (event.name, event.payload),
    )


def load_page(
    connection: sqlite3.Connection, first: int, *, last: int, previous_hash: bytes | None
) -> list[StoredBlock]:
    """Read the blocks from `first` to `last`, but no more than a page, each checked.

    Raises:
        TornBlockError: block `first` is missing or damaged. A later one that is ends the page
            before it, so that what is intact is delivered first.
    """
    if previous_hash is None:
        previous_hash = load_hash(connection, first - 1) if first else NO_HASH
    page: list[StoredBlock] = []
    size = 0
    try:
        for block in walk_blocks(connection, first, last=last, previous_hash=previous_hash):
            page.append(block)
            size += len(block.content)
            if len(page) >= PAGE_BLOCKS or size >= PAGE_BYTES:
                break
    except TornBlockError:
        if not page:
            raise
    return page
