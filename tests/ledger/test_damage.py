"""Kills, torn writes and changed bytes: noticed, named, and never served."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import (
    CorruptBlockError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    VerdictError,
)
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.statements import checksum_of
from gx.ledger.local.verify import Difference, verify_ledger
from gx.ledger.ports import Envelope, ValidationCode
from tests.ledger.calls import a_call, all_blocks, put, submitted, values_of
from tests.ledger.process import LedgerProcess

KEYS = 12


def alter(file: Path, statement: str, *arguments: object) -> None:
    """Change the ledger's file behind its back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        changed = connection.execute(statement, arguments)
        assert changed.rowcount == 1


def flip(file: Path, column: str, number: int, at: int = 10) -> None:
    """Change one byte of a column of a block's row."""
    with closing(sqlite3.connect(file)) as connection, connection:
        query = f"SELECT {column} FROM blocks WHERE number = ?"  # noqa: S608 (a column name of ours)
        (value,) = connection.execute(query, (number,)).fetchone()
        changed = value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]
        update = f"UPDATE blocks SET {column} = ? WHERE number = ?"  # noqa: S608 (a column name of ours)
        connection.execute(update, (changed, number))


def difference_of(process: LedgerProcess) -> Difference:
    """Verify, and return what was found."""
    difference = verify_ledger(process.folder).difference
    assert difference is not None
    return difference


async def filled(process: LedgerProcess, blocks: int = 6) -> LocalLedger:
    """Put some blocks on the chain."""
    ledger = process.client()
    for number in range(blocks):
        await put(ledger, f"key-{number % KEYS}", f"value-{number}")
    return ledger


# ---------------------------------------------------------------- changed bytes


@pytest.mark.parametrize("column", ["content", "hash", "previous_hash"])
async def test_a_changed_byte_in_a_block_ends_the_stream_before_it(
    ledger_process: LedgerProcess, column: str
) -> None:
    """Blocks before it are served, it is not, and verification names it with both values.

    What a ledger has written itself it may serve from memory: this one has not.
    """
    await filled(ledger_process)
    await ledger_process.kill()
    await ledger_process.start()
    flip(ledger_process.file, column, 3)
    ledger = ledger_process.client()

    stream = ledger.blocks(BlockNumber(0))
    assert [(await anext(stream)).number for _ in range(3)] == [0, 1, 2]
    with pytest.raises(CorruptBlockError) as caught:
        await anext(stream)

    assert caught.value.number == 3
    assert not caught.value.is_transient
    difference = difference_of(ledger_process)
    assert difference.where == "block 3"
    assert difference.defect.stored != difference.defect.recomputed


async def test_a_forged_verdict_is_found(ledger_process: LedgerProcess) -> None:
    """What validation decided is hashed too: an invalid transaction cannot be made valid."""
    ledger = await filled(ledger_process)
    valid_metadata = sqlite3.Binary(b"\x92\xa5VALID\x91\xff")
    stale = await ledger.prepare(a_call("add", "counter", "1"))
    await submitted(ledger, await ledger.prepare(a_call("add", "counter", "1")))
    assert await submitted(ledger, stale) is ValidationCode.MVCC_READ_CONFLICT

    alter(ledger_process.file, "UPDATE blocks SET metadata = ? WHERE number = 7", valid_metadata)

    with pytest.raises(VerdictError) as caught:
        await ledger.verdict(stale.transaction_id)
    assert caught.value.code == "CORRUPT_BLOCK"
    assert not caught.value.is_transient
    assert difference_of(ledger_process).where == "block 7"


async def test_a_changed_value_in_the_state_is_not_served(ledger_process: LedgerProcess) -> None:
    """A damaged row fails every read of its key, and only of its key; verification names it."""
    ledger = await filled(ledger_process, 40)
    await ledger_process.terminate()
    alter(ledger_process.file, "UPDATE state SET value = 'value-forged' WHERE key = 'key-3'")
    await ledger_process.start()

    with pytest.raises(EvaluateError) as caught:
        await values_of(ledger, "key-3")

    assert caught.value.code == "CORRUPT_STATE"
    assert not caught.value.is_transient
    assert "key-3" in str(caught.value)
    assert await values_of(ledger, "key-4") == ["value-28"]
    difference = difference_of(ledger_process)
    assert difference.where == "key 'key-3'"


def forge_value(file: Path) -> None:
    """Change a value and its checksum."""
    with closing(sqlite3.connect(file)) as connection, connection:
        (version,) = connection.execute("SELECT version FROM state WHERE key = 'key-3'").fetchone()
        connection.execute(
            "UPDATE state SET value = '9', checksum = ? WHERE key = 'key-3'",
            (checksum_of("key-3", "9", version),),
        )


def drop_row(file: Path) -> None:
    """Remove a key."""
    alter(file, "DELETE FROM state WHERE key = 'key-3'")


def add_row(file: Path) -> None:
    """Make a key that no transaction wrote."""
    alter(
        file,
        "INSERT INTO state VALUES ('key-30', '1', 3, ?)",
        checksum_of("key-30", "1", 3),
    )


@pytest.mark.parametrize(
    ("forge", "where", "values"),
    [
        (forge_value, "key 'key-3'", ("9 (block 39)", "value-39 (block 39)")),
        (drop_row, "key 'key-3'", ("no such key", "value-39 (block 39)")),
        (add_row, "key 'key-30'", ("1 (block 3)", "no such key")),
    ],
)
async def test_a_forged_state_is_named_with_both_values(
    ledger_process: LedgerProcess,
    forge: Callable[[Path], None],
    where: str,
    values: tuple[str, str],
) -> None:
    """Replaying the write sets finds what a checksum cannot."""
    await filled(ledger_process, 40)
    await ledger_process.terminate()

    forge(ledger_process.file)

    difference = difference_of(ledger_process)
    assert difference.where == where
    assert (difference.defect.stored, difference.defect.recomputed) == values


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("DELETE FROM blocks WHERE number = 3", "block 3"),
        ("DELETE FROM transactions WHERE block_number = 3", "block 3"),
        ("UPDATE transactions SET block_number = 0 WHERE block_number = 3", "block 3"),
        ("UPDATE chain SET newest_timestamp_ms = 1", "chain record"),
        ("UPDATE chain SET state_keys = 1", "chain record"),
    ],
)
async def test_verification_names_whatever_else_is_wrong(
    ledger_process: LedgerProcess, statement: str, where: str
) -> None:
    """Missing blocks, false index entries and a false record of the chain are found."""
    await filled(ledger_process)
    await ledger_process.terminate()

    alter(ledger_process.file, statement)

    assert difference_of(ledger_process).where == where


# ---------------------------------------------------------------- a torn end


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda file: flip(file, "content", 5), "block 5"),
        (lambda file: flip(file, "hash", 5), "block 5"),
        (lambda file: alter(file, "DELETE FROM blocks WHERE number = 5"), "last block"),
        (lambda file: alter(file, "UPDATE chain SET height = 7"), "last block"),
        (lambda file: alter(file, "UPDATE chain SET tip_hash = zeroblob(32)"), "tip hash"),
    ],
    ids=["content", "hash", "lost block", "height", "tip hash"],
)
async def test_a_ledger_with_a_corrupt_tip_is_not_served(
    ledger_process: LedgerProcess, damage: Callable[[Path], None], says: str
) -> None:
    """The server ends with a message that names the block and says what to do."""
    await filled(ledger_process)
    await ledger_process.terminate()
    damage(ledger_process.file)

    assert await ledger_process.try_start() == 3

    message = ledger_process.output[-1]
    assert says in message
    assert "gx ledger verify" in message
    with pytest.raises(LedgerUnavailableError):
        await ledger_process.client().chain_info()


async def test_a_torn_last_page_of_the_log_loses_only_what_it_held(
    ledger_process: LedgerProcess,
) -> None:
    """A half-written block is not there; everything before it is, and the chain goes on."""
    await filled(ledger_process)
    await ledger_process.kill()
    log = ledger_process.file.with_name(ledger_process.file.name + "-wal")
    os.truncate(log, log.stat().st_size - 1_000)
    await ledger_process.start()
    ledger = ledger_process.client()

    height = (await ledger.chain_info()).height
    blocks = await all_blocks(ledger)

    assert height == 5
    assert [block.number for block in blocks] == [0, 1, 2, 3, 4]
    assert await values_of(ledger, "key-4", "key-5") == ["value-4", None]
    await put(ledger, "key-5", "again")
    assert verify_ledger(ledger_process.folder).difference is None


async def test_a_torn_page_of_the_file_is_noticed(ledger_process: LedgerProcess) -> None:
    """Garbage over a page of the newest block's content: refused at the start, and named."""
    ledger = ledger_process.client()
    envelope = await ledger.prepare(a_call("large", "200000"))
    await ledger.submit(envelope)
    await ledger_process.terminate()
    size = ledger_process.file.stat().st_size
    with ledger_process.file.open("r+b") as file:
        file.seek(size - 4096 * 4)
        file.write(os.urandom(4096))

    assert await ledger_process.try_start() == 3

    assert "block 0" in ledger_process.output[-1]
    assert difference_of(ledger_process).where == "block 0"


# ---------------------------------------------------------------- kills


async def submit_until_killed(
    ledger: LocalLedger, name: str, acknowledged: list[Envelope], attempted: list[Envelope]
) -> None:
    """Count up a key of one's own, remembering what was promised."""
    while True:
        try:
            envelope = await ledger.prepare(a_call("add", name, "1"))
            attempted.append(envelope)
            await ledger.submit(envelope)
        except LedgerError:
            return
        acknowledged.append(envelope)


async def test_a_kill_during_commits_loses_nothing_that_was_acknowledged(
    ledger_process: LedgerProcess,
) -> None:
    """Kill -9 at random moments under load: each acknowledged transaction is there exactly once."""
    clients = [ledger_process.client() for _ in range(4)]
    acknowledged: list[Envelope] = []
    attempted: list[Envelope] = []
    for _ in range(5):
        work = asyncio.gather(
            *(
                submit_until_killed(client, f"counter-{number}", acknowledged, attempted)
                for number, client in enumerate(clients)
            )
        )
        await asyncio.sleep(random.uniform(0.05, 0.4))  # noqa: S311 (any moment will do)
        await ledger_process.kill()
        await work
        await ledger_process.start()

    assert acknowledged
    blocks = await all_blocks(clients[0])
    valid = [
        entry.transaction_id
        for block in blocks
        for entry in block.transactions
        if entry.validation_code is ValidationCode.VALID
    ]
    assert len(valid) == len(set(valid))
    assert {envelope.transaction_id for envelope in acknowledged} <= set(valid)
    assert set(valid) <= {envelope.transaction_id for envelope in attempted}
    counters = await values_of(clients[0], *(f"counter-{number}" for number in range(4)))
    assert isinstance(counters, list)
    assert sum(int(str(count)) for count in counters) == len(valid)
    assert verify_ledger(ledger_process.folder).difference is None


async def test_verification_runs_beside_a_busy_server(ledger_process: LedgerProcess) -> None:
    """It reads a chain that grows and flushes under it, and finds nothing wrong."""
    ledger = await filled(ledger_process, 60)
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await put(ledger, f"key-{number % 40}", str(number))

    writing = asyncio.create_task(write())
    for _ in range(5):
        report = await asyncio.to_thread(verify_ledger, ledger_process.folder)
        assert report.difference is None, str(report.difference)
        assert report.blocks >= 60
    stop.set()
    await writing


def test_verification_changes_nothing(tmp_path: Path) -> None:
    """Where there is no ledger it says so, and makes none."""
    script = (
        "import sys; from pathlib import Path\n"
        "from gx.ledger.local.verify import verify_ledger\n"
        "verify_ledger(Path(sys.argv[1]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert run.returncode != 0
    assert "there is no ledger" in run.stderr
    assert list(tmp_path.iterdir()) == []
