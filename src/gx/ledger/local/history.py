"""What transactions did to one key, found by walking the chain backwards.

Each block that wrote a key tells the version that the key had before: in the read set if the
transaction read it, else in the block's metadata. So no index is needed, and a history costs one
block read for each entry that is asked for. It reaches back to the key's creation; what was
before a deletion is not linked.
"""

import sqlite3
from collections.abc import Iterator

from gx.chaincode.stub import Modification
from gx.domain.identifiers import EpochSeconds, TransactionId
from gx.ledger.local.blocks import decode_metadata
from gx.ledger.local.chain import load_block
from gx.ledger.local.content import ABSENT, Content, decode_content


def walk_history(connection: sqlite3.Connection, key: str, version: int) -> Iterator[Modification]:
    """Yield what was done to a key, from the block that wrote its present version back.

    Raises:
        TornBlockError: a block on the way is missing or damaged.
    """
    while version != ABSENT:
        block = load_block(connection, version)
        content = decode_content(block.content)
        yield Modification(
            transaction_id=TransactionId(content.transaction_id),
            timestamp_s=EpochSeconds(content.timestamp_ms // 1000),
            value=content.writes()[key],
        )
        version = _version_before(content, decode_metadata(block.metadata).previous, key)


def _version_before(content: Content, previous: list[int], key: str) -> int:
    blind = content.blind_writes()
    if key in blind:
        return previous[blind.index(key)]
    return content.read_versions[content.read_keys.index(key)]
