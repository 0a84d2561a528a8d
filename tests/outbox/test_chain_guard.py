"""A ledger that was replaced gets no command: its answers would be settled for good."""

import asyncio

import asyncpg
import pytest

from gx.database.connections import ConnectionSettings
from gx.database.pool import Pool, PoolSettings
from gx.domain.identifiers import BlockNumber
from gx.outbox import verdicts
from gx.outbox.memory.store import MemoryOutboxStore
from gx.outbox.ports import KnownChain
from gx.outbox.postgres.store import PostgresOutboxStore
from gx.outbox.submitter import Upkeep
from gx.telemetry.health import ReadinessCheck
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, wait_for


def a_chain(genesis_hash: str, block_number: int = -1) -> KnownChain:
    """What a projector noted."""
    return KnownChain(genesis_hash=genesis_hash, block_number=BlockNumber(block_number))


async def test_another_ledger_gets_no_command_until_the_right_one_is_back(
    memory: OutboxWorld, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even an endorsement is asked for; readiness says why, and work goes on by itself."""
    monkeypatch.setattr(verdicts, "WRONG_CHAIN_RETRY_S", 0.05)
    store, check = memory.store, ReadinessCheck("chain")
    assert isinstance(store, MemoryOutboxStore)
    store._outbox.chains[FAST.channel] = a_chain("the chain of the read models")
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger, upkeep=Upkeep(chain_check=check))
    await eventually(lambda: check.fault() is not None)
    await asyncio.sleep(0.3)

    assert "put the right ledger back" in str(check.fault())
    assert ledger.calls["prepare"] == ledger.calls["submit"] == 0

    store._outbox.chains[FAST.channel] = a_chain("g")
    await wait_for(memory, ids)
    assert check.fault() is None
    await process.finish()
    assert_each_once(ledger, ids)


async def test_the_known_chain_is_the_projectors_note(database_dsn: str) -> None:
    """Nothing is known before the first block was projected, nor of another channel."""
    pool = await Pool.open(PoolSettings(dsn=database_dsn, application_name="test"))
    listening = ConnectionSettings(dsn=database_dsn, application_name="test")
    store = PostgresOutboxStore(pool, listening=listening)
    connection = await asyncpg.connect(database_dsn)
    try:
        assert await store.known_chain("gxchannel") is None
        await connection.execute(
            "INSERT INTO projection_checkpoints"
            " (channel, block_number, block_timestamp_ms, genesis_hash, epoch)"
            " VALUES ('gxchannel', 5, 1, 'abc', 1), ('empty', -1, 0, '', 1)"
        )
        assert await store.known_chain("gxchannel") == a_chain("abc", 5)
        assert await store.known_chain("empty") is None
        assert await store.known_chain("another") is None
    finally:
        await connection.close()
        await pool.close()


async def test_an_older_copy_of_the_ledger_gets_no_command(
    memory: OutboxWorld, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right chain, but it ends before a block that was seen: the error says what to do."""
    monkeypatch.setattr(verdicts, "WRONG_CHAIN_RETRY_S", 0.05)
    store, check = memory.store, ReadinessCheck("chain")
    assert isinstance(store, MemoryOutboxStore)
    store._outbox.chains[FAST.channel] = a_chain("g", 1_000)
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger, upkeep=Upkeep(chain_check=check))
    await eventually(lambda: check.fault() is not None)
    await asyncio.sleep(0.3)

    assert "block 1000 was seen, but the ledger ends at block" in str(check.fault())
    assert "--accept-new-chain" in str(check.fault())
    assert ledger.calls["prepare"] == ledger.calls["submit"] == 0

    store._outbox.chains[FAST.channel] = a_chain("g")
    await wait_for(memory, ids)
    assert check.fault() is None
    await process.finish()
    assert_each_once(ledger, ids)


async def test_settled_blocks_count_unless_their_chain_was_given_up(database_dsn: str) -> None:
    """The projection may lag behind what was settled; an accepted chain begins anew."""
    pool = await Pool.open(PoolSettings(dsn=database_dsn, application_name="test"))
    listening = ConnectionSettings(dsn=database_dsn, application_name="test")
    store = PostgresOutboxStore(pool, listening=listening)
    try:
        await pool.execute(
            "INSERT INTO projection_checkpoints"
            " (channel, block_number, block_timestamp_ms, genesis_hash, epoch)"
            " VALUES ('gxchannel', 5, 1, 'abc', 1)"
        )
        await pool.execute(
            "INSERT INTO command_results (command_id, outcome, block_number, attempts,"
            " settled_at_ms) VALUES (gen_random_uuid(), 'COMMITTED', 9, 0, 100)"
        )
        assert await store.known_chain("gxchannel") == a_chain("abc", 9)
        await pool.execute("INSERT INTO accepted_chains VALUES ('gxchannel', 100)")
        assert await store.known_chain("gxchannel") == a_chain("abc", 5)
    finally:
        await pool.close()
