"""The chain as it lies in the file: the record of its tip, its blocks, its transaction ids."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gx.ledger.local.blocks import NO_HASH, Defect, StoredBlock, find_defect
from gx.ledger.local.schema import StoreUnusableError

_TIP: Final = """
    SELECT height, tip_hash, newest_timestamp_ms, savepoint, state_keys, signing_key FROM chain
"""
_SAVE_TIP: Final = """
    UPDATE chain SET height = ?, tip_hash = ?, newest_timestamp_ms = ?, savepoint = ?,
                     state_keys = ?
"""
_BLOCK: Final = """
    SELECT number, previous_hash, hash, metadata, content FROM blocks WHERE number = ?
"""
_BLOCKS_FROM: Final = """
    SELECT number, previous_hash, hash, metadata, content FROM blocks
     WHERE number >= ? ORDER BY number
"""
_BLOCK_HASH: Final = "SELECT hash FROM blocks WHERE number = ?"
_NEWEST_NUMBER: Final = "SELECT max(number) FROM blocks"
_APPEND: Final = """
    INSERT INTO blocks (number, previous_hash, hash, metadata, content) VALUES (?, ?, ?, ?, ?)
"""
_FIND_TRANSACTION: Final = """
    SELECT block_number, copy_number FROM transactions WHERE transaction_id = ?
"""
_ADD_TRANSACTION: Final = """
    INSERT INTO transactions (transaction_id, block_number) VALUES (?, ?)
"""
_ADD_COPY: Final = "UPDATE transactions SET copy_number = ? WHERE transaction_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where the chain stands. `newest` is the number of its last block, -1 without one."""

    height: int
    hash: bytes
    newest_timestamp_ms: int
    savepoint: int
    state_keys: int

    @property
    def newest(self) -> int:
        """Return the number of the last block, -1 without one."""
        return self.height - 1


class TornBlockError(Exception):
    """A block cannot be read intact: its number and what is wrong, for whoever reports it."""

    def __init__(self, number: int, defect: Defect) -> None:
        super().__init__(f"block {number}: {defect}")
        self.number = number
        self.defect = defect
        self.reason = str(defect)


def _unreadable(number: int, error: sqlite3.DatabaseError) -> TornBlockError:
    return TornBlockError(
        number, Defect(what="row", stored=f"unreadable ({error})", recomputed="a block")
    )


def _missing(number: int) -> TornBlockError:
    return TornBlockError(number, Defect(what="row", stored="missing", recomputed="a block"))


def load_tip(connection: sqlite3.Connection) -> tuple[Tip, bytes]:
    """Read the chain's record: where it stands, and the key that signs its envelopes."""
    height, tip_hash, newest_ms, savepoint, keys, signing_key = connection.execute(_TIP).fetchone()
    tip = Tip(
        height=height,
        hash=tip_hash,
        newest_timestamp_ms=newest_ms,
        savepoint=savepoint,
        state_keys=keys,
    )
    return tip, signing_key


def save_tip(connection: sqlite3.Connection, tip: Tip) -> None:
    """Write the chain's record."""
    connection.execute(
        _SAVE_TIP,
        (tip.height, tip.hash, tip.newest_timestamp_ms, tip.savepoint, tip.state_keys),
    )


def append_block(connection: sqlite3.Connection, block: StoredBlock) -> None:
    """Write a block."""
    connection.execute(
        _APPEND, (block.number, block.previous_hash, block.hash, block.metadata, block.content)
    )


def find_transaction(
    connection: sqlite3.Connection, transaction_id: str
) -> tuple[int, int | None] | None:
    """Return the block that holds the transaction first, and the one with a copy, if any."""
    try:
        key = bytes.fromhex(transaction_id)
    except ValueError:
        return None
    row: tuple[int, int | None] | None = connection.execute(_FIND_TRANSACTION, (key,)).fetchone()
    return row


def add_transaction(connection: sqlite3.Connection, transaction_id: str, number: int) -> None:
    """Record which block holds a transaction."""
    connection.execute(_ADD_TRANSACTION, (bytes.fromhex(transaction_id), number))


def add_copy(connection: sqlite3.Connection, transaction_id: str, number: int) -> None:
    """Record which block holds the copy of a transaction."""
    connection.execute(_ADD_COPY, (number, bytes.fromhex(transaction_id)))


def load_block(connection: sqlite3.Connection, number: int) -> StoredBlock:
    """Read one block and check its hash (not its links).

    Raises:
        TornBlockError: it is missing, unreadable, or not what was hashed.
    """
    try:
        row = connection.execute(_BLOCK, (number,)).fetchone()
    except sqlite3.DatabaseError as error:
        raise _unreadable(number, error) from error
    if row is None:
        raise _missing(number)
    block = StoredBlock(*row)
    if defect := find_defect(block, number=number, previous_hash=None):
        raise TornBlockError(number, defect)
    return block


def load_hash(connection: sqlite3.Connection, number: int) -> bytes | None:
    """Read the stored hash of a block; None if there is no such block."""
    row = connection.execute(_BLOCK_HASH, (number,)).fetchone()
    return None if row is None else row[0]


def walk_blocks(
    connection: sqlite3.Connection, first: int, *, last: int, previous_hash: bytes | None
) -> Iterator[StoredBlock]:
    """Yield blocks `first` to `last`, each with hash and link checked before it is yielded.

    `previous_hash` is the hash of the block before `first`, None where nobody knows it.

    Raises:
        TornBlockError: a block is missing, unreadable or tampered with; those before it came.
    """
    cursor: sqlite3.Cursor | None = None
    for number in range(first, last + 1):
        try:
            # `execute` reads the first row already, and may fail on it.
            cursor = cursor or connection.execute(_BLOCKS_FROM, (first,))
            row = cursor.fetchone()
        except sqlite3.DatabaseError as error:
            raise _unreadable(number, error) from error
        if row is None:
            raise _missing(number)
        block = StoredBlock(*row)
        if defect := find_defect(block, number=number, previous_hash=previous_hash):
            raise TornBlockError(number, defect)
        yield block
        previous_hash = block.hash


def check_tip(connection: sqlite3.Connection, tip: Tip, *, blocks: int) -> None:
    """Refuse a chain whose end is torn: its record and its last `blocks` blocks must agree.

    Raises:
        StoreUnusableError: they do not; the text names the block.
    """
    try:
        _require_whole_end(connection, tip, blocks)
    except (TornBlockError, sqlite3.DatabaseError) as error:
        raise StoreUnusableError(
            f"the ledger's tip is corrupt ({error}); it is not served: run `gx ledger verify`, "
            "then restore the folder from a backup"
        ) from error


def _require_whole_end(connection: sqlite3.Connection, tip: Tip, blocks: int) -> None:
    (newest,) = connection.execute(_NEWEST_NUMBER).fetchone()
    if (-1 if newest is None else newest) != tip.newest:
        raise TornBlockError(
            tip.newest,
            Defect(what="last block", stored=str(newest), recomputed=f"{tip.newest} by its record"),
        )
    first = max(0, tip.height - blocks)
    tip_hash = previous_hash = _hash_before(connection, first)
    for block in walk_blocks(connection, first, last=tip.newest, previous_hash=previous_hash):
        tip_hash = block.hash
    if tip_hash != tip.hash:
        found = tip_hash.hex() if tip_hash else "missing"
        raise TornBlockError(
            tip.newest,
            Defect(what="tip hash in its record", stored=tip.hash.hex(), recomputed=found),
        )


def _hash_before(connection: sqlite3.Connection, number: int) -> bytes | None:
    return load_hash(connection, number - 1) if number else NO_HASH
