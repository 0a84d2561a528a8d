"""Whatever differs from the ledger is named first, with both sides; what agrees is said to."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gx.domain.differences import Difference
from gx.domain.differences import DifferenceKind as Kind
from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import CorruptBlockError
from gx.ledger.ports import Block, ChainInfo, Write
from gx.outbox.postgres.comparing import Declaration
from gx.projection.ports import WrongChainError
from gx.projection.postgres import replica as replica_module
from tests.operations.reconcile.compared import Compared
from tests.projection.chain import Chain

UNKNOWN_ID = "0190f7a2-1111-7abc-8def-ffffffffffff"


async def test_a_healthy_system_agrees(compared: Compared) -> None:
    """Every row of every table, every answer, every sum."""
    report = await compared.compare()

    assert report.tally.total == 0, report.tally.first
    assert report.block_number == report.outbox_block_number == len(compared.chain.committed) - 1
    assert report.answers == compared.chain.commands
    assert report.is_complete


async def test_nothing_is_left_behind(compared: Compared) -> None:
    """The replica's tables are removed, also where something differs."""
    await compared.run("UPDATE accounts SET balance = balance + 1 WHERE account_id = 'alice'")
    await compared.compare()

    rows = await compared.pool.fetch("SELECT DISTINCT schemaname FROM pg_tables")

    assert replica_module.NAMESPACE_REPLICA not in {row[0] for row in rows}


async def test_a_changed_balance_is_named_with_both_sides_and_its_block(
    compared: Compared,
) -> None:
    """Table, key, column, what the ledger says and since which block; and the sum is off too."""
    held = await compared.pool.fetch_value(
        "SELECT balance FROM accounts WHERE account_id = 'alice'"
    )
    await compared.run("UPDATE accounts SET balance = balance + 1 WHERE account_id = 'alice'")

    found = await compared.first()

    assert (found.kind, found.place, found.key) == (Kind.ROW_CHANGED, "accounts", "alice")
    assert (found.column, found.ledger) == ("balance", str(held))
    assert found.stored == str(int(str(held)) + 1)
    assert found.block_number == len(compared.chain.committed) - 1
    assert await compared.kinds() == {Kind.ROW_CHANGED: 1, Kind.SUPPLY: 1}


async def test_a_wrong_status_is_named(compared: Compared) -> None:
    """The block is the one that made the user, not the newest one."""
    await compared.run("UPDATE users SET status = 'Locked' WHERE user_id = 'bob'")

    found = await compared.first()

    assert (found.place, found.key, found.column) == ("users", "bob", "status")
    assert (found.ledger, found.stored) == ("Active", "Locked")
    assert found.block_number == 2


async def test_a_missing_row_is_named_with_what_it_should_hold(compared: Compared) -> None:
    """Also in an append-only table."""
    await compared.run("DELETE FROM account_entries WHERE account_id = 'alice' AND delta < 0")

    report = await compared.compare()
    found = report.tally.first

    assert found is not None
    assert (found.kind, found.place) == (Kind.ROW_MISSING, "account_entries")
    assert found.key.startswith("alice, ")
    assert "delta=-400200000" in found.ledger
    assert found.stored == "no such row"
    assert report.tally.counts[Kind.ROW_MISSING] == 5


async def test_an_extra_row_is_named_with_what_it_holds(compared: Compared) -> None:
    """The ledger knows of no such row."""
    await compared.run("INSERT INTO admins (admin_id, appointed_at) VALUES ('mallory', 7)")

    found = await compared.first()

    assert (found.kind, found.place, found.key) == (Kind.ROW_EXTRA, "admins", "mallory")
    assert (found.ledger, found.stored) == ("no such row", "appointed_at=7")


@pytest.mark.parametrize("by", [3, 3_000, -2])
async def test_a_moved_checkpoint_is_named(compared: Compared, by: int) -> None:
    """Wherever it was moved to, the tables are compared as of the block that they hold."""
    last = len(compared.chain.committed) - 1
    await compared.run("UPDATE projection_checkpoints SET block_number = block_number + $1", by)

    found = await compared.first()

    assert (found.kind, found.place) == (Kind.ROW_CHANGED, "projection_checkpoints")
    assert (found.ledger, found.stored) == (f"{last} is projected", str(last + by))
    assert await compared.kinds() == {Kind.ROW_CHANGED: 1}


@pytest.mark.parametrize("rows", [1, 2, 3])
async def test_ranges_hide_nothing(
    compared: Compared, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the tables are cut: first and last rows, beyond either side's end, each once."""
    monkeypatch.setattr(replica_module, "RANGE_ROWS", rows)
    await compared.run("DELETE FROM countries WHERE country_code = 'CA'")
    for name in ("0", "zz1", "zz2", "zz3"):
        await compared.run("INSERT INTO admins (admin_id) VALUES ($1)", name)

    assert await compared.kinds() == {Kind.ROW_MISSING: 1, Kind.ROW_EXTRA: 4}


async def test_a_result_that_contradicts_the_ledger_is_named(compared: Compared) -> None:
    """The record says rejected, the block says committed."""
    row = await compared.some_command()
    await compared.run(
        "UPDATE command_results SET outcome = 'REJECTED' WHERE command_id = $1", row["command_id"]
    )

    found = await compared.first()

    assert (found.kind, found.column) == (Kind.RESULT_WRONG, "outcome")
    assert (found.key, found.block_number) == (str(row["command_id"]), row["block_number"])
    assert (found.ledger, found.stored) == ("COMMITTED", "REJECTED")


@pytest.mark.parametrize(
    ("assignment", "column"),
    [
        ("code = 'SYSTEM_PAUSED'", "code"),
        ("detail = 'you were refunded'", "detail"),
        ("transaction_id = 'other'", "transaction_id"),
        ("block_number = 1", "block_number"),
        ("""result = '{"forged": true}'""", "result"),
    ],
)
async def test_every_part_of_a_result_is_compared(
    compared: Compared, assignment: str, column: str
) -> None:
    """Verdict, code, words, transaction, block and what the contract returned."""
    row = await compared.some_command()
    await compared.run(
        f"UPDATE command_results SET {assignment} WHERE command_id = $1",  # noqa: S608 (constants)
        row["command_id"],
    )

    assert (await compared.first()).column == column


async def test_a_missing_result_is_named(compared: Compared) -> None:
    """The ledger answered, and nothing here waits for it: once as missing, once as lost."""
    row = await compared.some_command()
    await compared.run("DELETE FROM command_results WHERE command_id = $1", row["command_id"])

    found = await compared.first()

    assert (found.kind, found.key) == (Kind.RESULT_MISSING, str(row["command_id"]))
    assert found.ledger.startswith("COMMITTED in transaction ")
    assert found.stored == "no such row"
    assert await compared.kinds() == {Kind.RESULT_MISSING: 1, Kind.COMMAND_LOST: 1}


async def test_an_answer_that_is_not_settled_yet_is_no_difference(compared: Compared) -> None:
    """Its command waits in the outbox: it is counted apart."""
    row = await compared.some_command()
    await compared.run("DELETE FROM command_results WHERE command_id = $1", row["command_id"])
    await compared.run(
        "INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)"
        " VALUES ($1, 1, 1, '{}')",
        row["command_id"],
    )

    report = await compared.compare()

    assert (report.tally.total, report.unsettled) == (0, 1)


async def test_a_result_without_an_answer_on_the_ledger_is_named(compared: Compared) -> None:
    """The record claims a transaction of a block, which has no such command."""
    await compared.run("""
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              accepted_at_ms)
        VALUES ('0190f7a2-1111-7abc-8def-ffffffffffff', 'TransferCoins', '{}', 'a', 'a', 'r', 1)
    """)
    await compared.run("""
        INSERT INTO command_results (command_id, outcome, transaction_id, block_number, attempts,
                                     settled_at_ms)
        VALUES ('0190f7a2-1111-7abc-8def-ffffffffffff', 'COMMITTED', 'forged', 3, 0, 1)
    """)

    found = await compared.first()

    assert (found.kind, found.key) == (Kind.RESULT_UNFOUNDED, UNKNOWN_ID)
    assert found.ledger == "block 3 has no answer to it"
    assert found.stored == "COMMITTED in transaction forged of block 3"


async def test_a_command_that_the_outbox_never_had_is_named(compared: Compared) -> None:
    """Somebody sent a batch past the outbox, or its database lost what it had accepted."""
    block = compared.chain.transfers([("bob", "alice", 7)])
    await compared.project()

    found = await compared.first()

    assert (found.kind, found.key) == (Kind.COMMAND_UNKNOWN, compared.chain.newest())
    assert found.block_number == block.number
    assert found.stored == "no such command"


async def test_a_declared_command_is_no_difference_and_audited(compared: Compared) -> None:
    """An operator says once, with a reason, that it is none of this outbox's."""
    compared.chain.transfers([("bob", "alice", 7)])
    await compared.project()

    declared = await compared.compare(Declaration(actor="grace", reason="dump of 14:05"))
    again = await compared.compare()

    assert (declared.tally.total, declared.declared) == (0, 1)
    assert (again.tally.total, again.declared) == (0, 1)
    audit = await compared.pool.fetch_one("SELECT actor, reason, target FROM audit_log")
    assert audit is not None
    assert tuple(audit)[:2] == ("grace", "dump of 14:05")


async def test_a_direct_call_is_counted_as_from_outside(compared: Compared) -> None:
    """Fabric's own command line needs no batch: it is no command of ours, and no difference."""
    compared.chain.call("TokenomicsContract:Mint", "alice", "5", "Direct")
    await compared.project()

    report = await compared.compare()

    assert (report.tally.total, report.outside) == (0, 1)


async def test_a_repeated_key_agrees_with_the_block_of_the_first_answer(
    compared: Compared,
) -> None:
    """A command that was submitted again after a restore has its first transaction on record."""
    first = compared.chain.command("TokenomicsContract:Mint", "alice", "5", "Again")
    again = replace(first, command_id=compared.chain.command("x").command_id)
    origin = compared.chain.run(first)
    repeat = compared.chain.run(again)
    await compared.settle(origin, repeat)
    await compared.run(
        "UPDATE command_results SET block_number = $1 WHERE command_id = $2",
        *(origin.number, again.command_id),
    )
    await compared.project()

    assert await compared.kinds() == {}


async def test_a_lost_command_is_named(compared: Compared) -> None:
    """Accepted, and then neither waiting, settled nor given up."""
    await compared.run("""
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              accepted_at_ms)
        VALUES ('0190f7a2-1111-7abc-8def-ffffffffffff', 'TransferCoins', '{}', 'a', 'a', 'r', 1)
    """)

    found = await compared.first()

    assert (found.kind, found.key) == (Kind.COMMAND_LOST, UNKNOWN_ID)


async def test_an_envelope_without_end_is_named(compared: Compared) -> None:
    """It holds no command, so no settlement will ever remove it."""
    await compared.run("""
        INSERT INTO envelopes (transaction_id, role, content, result, seqs, epoch, prepared_at_ms)
        VALUES ('t-open', 'partner_api', '', '', '{1}', 1, now_ms())
    """)

    found = await compared.first()

    assert (found.kind, found.key) == (Kind.ENVELOPE_ENDLESS, "t-open")


async def test_a_ledger_whose_record_contradicts_its_events_is_named(compared: Compared) -> None:
    """A value that was changed on the ledger itself: no rebuild of read models would mend it."""
    key, block = "account_alice", compared.chain.committed[-1]
    entry = block.transactions[0]
    writes = tuple(
        Write(key=write.key, value='{"balance":"1"}' if write.key == key else write.value)
        for write in entry.writes
    )
    assert writes != entry.writes
    compared.chain.committed[-1] = replace(block, transactions=(replace(entry, writes=writes),))

    found = await compared.first()

    assert (found.kind, found.key, found.stored) == (Kind.LEDGER, key, "1")
    held = await compared.pool.fetch_value(
        "SELECT balance FROM accounts WHERE account_id = 'alice'"
    )
    assert found.ledger == f"{held} by its events"


class TornSource:
    """A ledger that does not serve one of its blocks, because its hash is wrong."""

    def __init__(self, chain: Chain, torn: int) -> None:
        self._chain = chain
        self._torn = torn

    async def chain_info(self) -> ChainInfo:
        """As the chain."""
        return await self._chain.chain_info()

    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Yield blocks up to the torn one."""
        async for block in self._chain.blocks(first):
            if block.number == self._torn:
                raise CorruptBlockError(block.number, "its hash is aa, and should be bb")
            yield block


async def test_a_torn_block_is_named_and_ends_the_comparison(compared: Compared) -> None:
    """What is behind it cannot be compared, and the report says so."""
    compared.source = TornSource(compared.chain, 3)

    report = await compared.compare()
    found = report.tally.first

    assert found is not None
    assert (found.kind, found.key) == (Kind.LEDGER, "block 3")
    assert "its hash is aa, and should be bb" in found.stored
    assert not report.is_complete


async def test_a_block_that_the_ledgers_file_showed_wrong_is_counted_once(
    compared: Compared,
) -> None:
    """Its file names the hash; that the ledger does not serve the block says nothing more."""
    compared.source = TornSource(compared.chain, 3)
    compared.check_ledger = lambda _: Difference(
        kind=Kind.LEDGER, place="ledger", key="block 3", column="hash", ledger="bb", stored="aa"
    )

    report = await compared.compare()

    assert report.tally.counts == {Kind.LEDGER: 1}
    assert report.tally.first is not None
    assert report.tally.first.column == "hash"


async def test_every_difference_reads_as_a_sentence(compared: Compared) -> None:
    """A torn block, a record that its events contradict, and sums that do not add up."""
    told = Difference(
        kind=Kind.LEDGER,
        place="supply",
        key="the sum of all balances",
        ledger="950 base units were minted",
        stored="951 base units",
    )
    assert told.sentence() == (
        "the ledger contradicts itself: the sum of all balances is 951 base units, but 950 base "
        "units were minted"
    )
    sums = replace(told, kind=Kind.SUPPLY, place="accounts", block_number=8)
    assert sums.sentence() == (
        "the sum of all balances in accounts is 951 base units, but 950 base units were minted "
        "(block 8)"
    )
    compared.source = TornSource(compared.chain, 3)
    torn = await compared.first()
    assert torn.sentence() == (
        "the ledger contradicts itself at block 3: its content is torn (its hash is aa, and should "
        "be bb), and should be an intact block"
    )


async def test_a_shorter_ledger_is_refused(compared: Compared) -> None:
    """Read models ahead of the ledger: an older copy of it was restored."""
    del compared.chain.committed[-1]

    with pytest.raises(WrongChainError, match="replaced or restored"):
        await compared.compare()


async def test_the_read_models_may_lag_behind(compared: Compared) -> None:
    """What is not projected yet is no difference; the outbox is compared to the end."""
    behind = len(compared.chain.committed) - 1
    await compared.settle(compared.chain.transfers([("bob", "alice", 7)]))

    report = await compared.compare()

    assert report.tally.total == 0
    assert (report.block_number, report.outbox_block_number) == (behind, BlockNumber(behind + 1))
