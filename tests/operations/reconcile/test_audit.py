"""Outbox and ledger are compared all the time: a piece at each turn, and nothing is forgotten."""

from dataclasses import dataclass

import pytest

from gx.database.ports import Lease, LeaseLostError
from gx.domain.differences import DifferenceKind as Kind
from gx.outbox.audit import KINDS, AuditLimits, OutboxAudit
from gx.outbox.postgres.audit import PostgresAuditStore
from gx.outbox.postgres.comparing import Declaration, PostgresAnswerBook
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics
from tests.operations.reconcile.compared import Compared
from tests.projection.clocks import StoppedClock
from tests.projection.running import CHANNEL


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

    def shown(self) -> dict[str, float]:
        """What the gauges say, without those that say nothing is wrong."""
        read = {kind.value: self.metrics.outbox_differences(kind.value).read() for kind in KINDS}
        return {kind: value for kind, value in read.items() if value}


async def an_audit(compared: Compared, limits: AuditLimits | None = None) -> Audited:
    """Begin as the active submitter."""
    lease = await compared.leases.acquire("submitter:test", "first", ttl_s=600)
    assert lease is not None
    metrics = build_submitter_metrics(MetricsRegistry(), command_types=(), refusal_codes=())
    store, clock = PostgresAuditStore(compared.pool, channel=CHANNEL), StoppedClock()
    audit = OutboxAudit(
        source=compared.chain,
        book=PostgresAnswerBook(compared.pool),
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
    audited = await an_audit(compared, AuditLimits(blocks_max=2))
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
    assert audited.metrics.reconciliation_duration_s.read() is None

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


async def test_a_replaced_submitter_changes_nothing(compared: Compared) -> None:
    """Its turn ends with LeaseLostError, and the position is the successor's to move."""
    audited = await an_audit(compared)
    await compared.run("UPDATE leases SET epoch = epoch + 1")

    await audited.turns(1)
    with pytest.raises(LeaseLostError):
        await audited.turns(1)

    assert await audited.store.position() is None
