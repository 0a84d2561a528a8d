"""`gx ledger blocks`: the chain in lines, read from the file."""

import sqlite3
from contextlib import closing

import pytest

from gx.ledger.errors import CorruptBlockError
from gx.ledger.local.listing import list_blocks
from gx.ledger.ports import ValidationCode
from tests.ledger.calls import a_call, all_blocks, put, submitted
from tests.ledger.process import LedgerProcess


async def test_the_newest_blocks_are_listed_beside_the_server(
    ledger_process: LedgerProcess,
) -> None:
    """Each line has what the block has, invalid transactions included."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1")
    stale = await ledger.prepare(a_call("add", "k", "1"))
    await put(ledger, "k", "2", "l", "3")
    await submitted(ledger, stale)

    older, newest = list_blocks(ledger_process.folder, limit=2)
    (first,) = list_blocks(ledger_process.folder, first=0, limit=1)

    assert [first.number, older.number, newest.number] == [0, 1, 2]
    assert newest.transaction_id == stale.transaction_id
    assert newest.validation_code is ValidationCode.MVCC_READ_CONFLICT
    assert (older.keys_read, older.keys_written, older.event) == (0, 2, "Put")
    assert newest.function == "Test:add"
    hashes = [block.hash for block in await all_blocks(ledger)]
    assert [first.hash, older.hash, newest.hash] == hashes


async def test_a_corrupt_block_is_not_listed(ledger_process: LedgerProcess) -> None:
    """The listing names it, as a stream would."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1")
    with closing(sqlite3.connect(ledger_process.file)) as connection, connection:
        connection.execute("UPDATE blocks SET hash = zeroblob(32)")

    with pytest.raises(CorruptBlockError, match="block 0"):
        list_blocks(ledger_process.folder)
