"""Outbox and ledger are compared all the time: a piece at each turn, and nothing is forgotten."""

from dataclasses import dataclass, replace
from typing import Final

import pytest

from gx.database.ports import Lease, LeaseLostError
from gx.domain.differences import DifferenceKind as Kind
from gx.outbox.audit import KINDS, RECHECKED_MAX, AuditLimits, OutboxAudit
from gx.outbox.comparison import UNFOUNDED_MAX
from gx.outbox.postgres.audit import PostgresAuditStore
from gx.outbox.postgres.comparing import Declaration, PostgresAnswerBook
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics
from tests.operations.reconcile.compared import Compared
from tests.projection.clocks import StoppedClock
from tests.projection.running import CHANNEL

MADE_UP: Final = """
    INSERT INTO command_results (command_id, outcome, transaction_id, block_number, attempts,
                                 settled_at_ms)
    SELECT gen_random_uuid(), 'COMMITTED', 'made up', 1, 0, now_ms() FROM generate_series(1, $1)
"""


@dataclass
class Audited:
    """A comparison that a test takes turn by turn, as the active submitter would."""

    compared: Compared
    lease: Lease
    audit: OutboxAudit
    metrics: SubmitterMetrics
    store: PostgresAuditStore
    clock: StoppedClock

    async def turns(self, count: int) -> None:
        """Take some turns; the first one only looks how high the chain is."""
        for _ in range(count):
            self.clock.advance(s=5)
            await self.audit.turn(self.lease)

    async def again(self) -> int:
        """Return the last block that the pass over what was compared before has looked at."""
        position = await self.store.position()
        assert position is not None
        return position.again_number

    def shown(self) -> dict[str, float]:
        """What the gauges say, without those that say nothing is wrong."""
        read = {kind.value: self.metrics.outbox_differences(kind.value).read() for kind in KINDS}
        return {kind: value for kind, value in read.items() if value}


async def an_audit(
    compared: Compared, limits: AuditLimits | None = None, *, unfounded_max: int = UNFOUNDED_MAX
) -> Audited:
    """Begin as the active submitter."""
    lease = await compared.leases.acquire("submitter:test", "first", ttl_s=600)
    assert lease is not None  # the same holder's again, where a test begins anew
    metrics = build_submitter_metrics(MetricsRegistry(), command_types=(), refusal_codes=())
    store, clock = PostgresAuditStore(compared.pool, channel=CHANNEL), StoppedClock()
    audit = OutboxAudit(
        source=compared.chain,
        book=PostgresAnswerBook(compared.pool, unfounded_max=unfounded_max),
        store=store,
        clock=clock,
        metrics=metrics,
        limits=limits,
    )
    return Audited(compared, lease, audit, metrics, store, clock)


async def test_what_agrees_is_passed_and_a_round_ends(compared: Compared) -> None:
    """Every block of the last turn is compared at the next one; the gauges say 0."""
    audited = await an_audit(compared)

    await audited.turns(2)

    position = await audited.store.position()
    assert position is not None
    assert position.block_number == len(compared.chain.committed) - 1
    assert position.block_hash == compared.chain.committed[-1].hash
    assert audited.shown() == {}
    assert audited.metrics.reconciliation_duration_s.read() is not None


async def test_each_turn_does_a_bounded_piece(compared: Compared) -> None:
    """Two blocks at a turn, however many there are."""
    audited = await an_audit(compared, AuditLimits(answers_max=1, pieces_max=2, breath_s=0))
    reached = []

    for _ in range(4):
        await audited.turns(1)
        position = await audited.store.position()
        reached.append(None if position is None else position.block_number)

    assert reached == [None, 1, 3, 4]


async def test_a_wrong_result_shows_until_it_is_mended(compared: Compared) -> None:
    """It stays over turns, and goes once the record agrees again."""
    row = await compared.some_command()
    change = "UPDATE command_results SET outcome = $2 WHERE command_id = $1"
    await compared.run(change, row["command_id"], "REJECTED")
    audited = await an_audit(compared)

    await audited.turns(2)
    assert audited.shown() == {Kind.RESULT_WRONG: 1}
    await audited.turns(1)
    assert audited.shown() == {Kind.RESULT_WRONG: 1}

    await compared.run(change, row["command_id"], "COMMITTED")
    await audited.turns(1)
    assert audited.shown() == {}


async def test_of_very_many_results_without_an_answer_a_look_notes_some(
    compared: Compared,
) -> None:
    """A ledger that lost a million answers must not stop the one who goes on submitting."""
    await compared.run(MADE_UP, 50)
    audited = await an_audit(compared, unfounded_max=7)

    await audited.turns(2)

    assert audited.shown() == {Kind.RESULT_UNFOUNDED: 7}


async def test_an_unknown_command_shows_until_it_is_declared(compared: Compared) -> None:
    """After the restore of an older dump an operator says so once."""
    compared.chain.transfers([("bob", "alice", 7)])
    await compared.project()
    audited = await an_audit(compared)
    await audited.turns(2)
    assert audited.shown() == {Kind.COMMAND_UNKNOWN: 1}

    await compared.compare(Declaration(actor="grace", reason="dump of 14:05"))
    await audited.turns(1)

    assert audited.shown() == {}


async def test_what_waits_for_its_settlement_is_waited_for(compared: Compared) -> None:
    """The comparison stands before its block, and goes on once it is settled."""
    block = compared.chain.transfers([("bob", "alice", 7)])
    await compared.run(
        "INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)"
        " VALUES ($1, 1, 1, '{}')",
        compared.chain.newest(),
    )
    audited = await an_audit(compared)
    await audited.turns(3)
    position = await audited.store.position()
    assert position is not None
    assert position.block_number == block.number - 1
    assert audited.metrics.reconciliation_age_s.read() is None

    await compared.run("DELETE FROM outbox")
    await compared.settle(block)
    await audited.turns(1)

    position = await audited.store.position()
    assert position is not None
    assert position.block_number == block.number
    assert audited.shown() == {}


async def test_a_ledger_that_changed_behind_the_position_is_told(compared: Compared) -> None:
    """An older copy that grew again has the same first block, and other blocks after the copy."""
    audited = await an_audit(compared)
    await audited.turns(2)
    newest = compared.chain.committed.pop()
    await audited.turns(1)
    assert audited.shown() == {Kind.LEDGER: 1}

    compared.chain.committed.append(newest)
    await audited.turns(1)

    assert audited.shown() == {}


async def test_what_is_changed_behind_the_position_shows_until_it_is_mended(
    compared: Compared,
) -> None:
    """What agreed once is compared again and again, however long ago it was passed."""
    audited = await an_audit(compared)
    await audited.turns(3)
    assert audited.shown() == {}
    row = await compared.some_command()
    change = "UPDATE command_results SET outcome = $2 WHERE command_id = $1"

    await compared.run(change, row["command_id"], "REJECTED")
    await audited.turns(1)
    assert audited.shown() == {Kind.RESULT_WRONG: 1}

    await compared.run(change, row["command_id"], "COMMITTED")
    await audited.turns(1)
    assert audited.shown() == {}


async def test_what_is_deleted_or_added_behind_the_position_shows(compared: Compared) -> None:
    """A record that is gone, and one that the ledger has no answer for."""
    audited = await an_audit(compared)
    await audited.turns(2)
    row = await compared.some_command()

    await compared.run("DELETE FROM command_results WHERE command_id = $1", row["command_id"])
    await compared.run(
        "INSERT INTO command_results (command_id, outcome, transaction_id,"
        " block_number, attempts, settled_at_ms) VALUES"
        " ('0190f7a2-1111-7abc-8def-ffffffffffff', 'COMMITTED', 'forged', 2, 0, 1)"
    )
    await audited.turns(1)

    assert audited.shown() == {Kind.RESULT_MISSING: 1, Kind.RESULT_UNFOUNDED: 1}


async def test_a_pass_goes_on_over_a_restart_and_begins_anew_at_its_end(
    compared: Compared,
) -> None:
    """So many blocks at a turn, from where another process stopped, and from 0 behind the last."""
    limits = AuditLimits(again_answers_max=2, again_answers_min=2)
    audited = await an_audit(compared, limits)
    await audited.turns(2)
    reached = [await audited.again()]

    audited = await an_audit(compared, limits)
    for _ in range(4):
        await audited.turns(1)
        reached.append(await audited.again())

    newest = len(compared.chain.committed) - 1
    assert newest == 4
    assert reached[0] < newest
    assert reached == sorted(reached[: reached.index(-1)]) + reached[reached.index(-1) :]
    assert reached[reached.index(-1) + 1] == reached[0]
    assert audited.metrics.reconciliation_duration_s.read() is not None


async def test_under_load_less_is_looked_at_again_but_never_nothing(compared: Compared) -> None:
    """New answers come first, and what was passed long ago has its turn all the same."""
    compared.chain.transfers([("alice", "bob", 1 + n) for n in range(30)])
    await compared.settle()
    limits = AuditLimits(again_answers_max=10, again_answers_min=1)
    audited = await an_audit(compared, limits)

    await audited.turns(2)
    assert await audited.again() == 0
    await audited.turns(1)

    assert await audited.again() > 1


async def test_a_result_that_a_later_block_explains_never_shows(compared: Compared) -> None:
    """A repeated key is settled with the first one's block: no pass may alarm half-way."""
    first = compared.chain.command("TokenomicsContract:Mint", "alice", "5", "Again")
    again = replace(first, command_id=compared.chain.command("x").command_id)
    origin = compared.chain.run(first)
    compared.chain.transfers([("alice", "bob", 1)])
    repeat = compared.chain.run(again)
    await compared.settle()
    await compared.run(
        "UPDATE command_results SET block_number = $1 WHERE command_id = $2",
        *(origin.number, again.command_id),
    )
    limits = AuditLimits(again_answers_max=1, again_answers_min=1)
    audited = await an_audit(compared, limits)
    await audited.turns(2)

    for _ in range(repeat.number + 3):
        await audited.turns(1)
        assert audited.shown() == {}


async def test_a_pass_ends_however_fast_the_chain_grows(compared: Compared) -> None:
    """It goes to the block that was the newest at its beginning; a false record shows by then."""
    limits = AuditLimits(again_answers_max=1, again_answers_min=1)
    audited = await an_audit(compared, limits)
    await audited.turns(7)
    await compared.run(
        "INSERT INTO command_results (command_id, outcome, transaction_id, block_number, attempts,"
        " settled_at_ms)"
        " VALUES ('0190f7a2-1111-7abc-8def-ffffffffffff', 'COMMITTED', 'forged', 2, 0, 1)"
    )

    ended = 0
    for n in range(40):
        await compared.settle(compared.chain.transfers([("bob", "alice", 7 + n)]))
        await compared.settle(compared.chain.transfers([("alice", "bob", 7 + n)]))
        await audited.turns(1)
        ended += await audited.again() == -1

    assert ended > 1
    assert audited.shown() == {Kind.RESULT_UNFOUNDED: 1}


async def test_every_wrong_block_is_looked_at_again(compared: Compared) -> None:
    """Blocks that stay wrong do not keep others from clearing, however many there are."""
    for n in range(RECHECKED_MAX + 1):
        compared.chain.transfers([("bob", "alice", 7 + n)])
    await compared.settle()
    await compared.run("UPDATE command_results SET code = 'FORGED' WHERE block_number > 4")
    limits = AuditLimits(again_answers_max=1, again_answers_min=1)
    audited = await an_audit(compared, limits)
    await audited.turns(2)
    assert audited.shown() == {Kind.RESULT_WRONG: RECHECKED_MAX + 1}

    await compared.run(
        "UPDATE command_results SET code = NULL WHERE block_number = $1",
        len(compared.chain.committed) - 1,
    )
    await audited.turns(2)

    assert audited.shown() == {Kind.RESULT_WRONG: RECHECKED_MAX}


async def test_a_replaced_submitter_changes_nothing(compared: Compared) -> None:
    """Its turn ends with LeaseLostError, and the position is the successor's to move."""
    audited = await an_audit(compared)
    await compared.run("UPDATE leases SET epoch = epoch + 1")

    await audited.turns(1)
    with pytest.raises(LeaseLostError):
        await audited.turns(1)

    assert await audited.store.position() is None
