"""Maintenance: partitions ahead, settled weeks away, old keys pruned, nothing unsettled lost."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from gx.database.maintenance import DAY_MS, WEEKS_AHEAD, Maintenance
from gx.database.pool import Pool, PoolSettings
from gx.domain.identifiers import CommandId
from gx.outbox.command_ids import CommandIds
from gx.outbox.ports import AcceptanceKind, CommandGoneError, CommandStatus
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.runtime.clock import SystemClock
from tests.conformance.outbox.worlds import OutboxWorld, postgres_world
from tests.outbox.builders import TestClock, a_command, a_key, a_settlement, an_envelope

ALMOST_YEAR_DAYS = 200


@dataclass
class Kept:
    """A database to maintain, and the outbox in it."""

    pool: Pool
    world: OutboxWorld

    async def accept_in_the_past(self, days: int) -> CommandId:
        """Store a command under an id of that time."""
        clock = TestClock(SystemClock().now_ms() - days * DAY_MS)
        inbox = PostgresCommandInbox(self.pool, new_id=CommandIds(clock, os.urandom))
        (answer,) = await inbox.accept([a_command()])
        assert not isinstance(answer, Exception)
        return answer.command_id

    async def make_old_weeks(self) -> None:
        """Pretend that maintenance has run for a long time: the weeks around then exist."""
        await self.pool.execute(
            "WITH week AS (SELECT date_trunc('week', now() AT TIME ZONE 'UTC')"
            "   - make_interval(weeks => n) AS at FROM generate_series(27, 31) n),"
            " bounds AS (SELECT to_char(at, 'IYYY\"w\"IW') AS week,"
            "   uuid_floor((extract(epoch FROM at) * 1000)::bigint) AS from_id,"
            "   uuid_floor((extract(epoch FROM at + interval '7 days') * 1000)::bigint)"
            "   AS until_id FROM week),"
            " made AS (INSERT INTO command_weeks (week, from_id, until_id)"
            "   SELECT week, from_id, until_id FROM bounds RETURNING *)"
            " SELECT make_partition(t, week, from_id, until_id)"
            "   FROM made, unnest(ARRAY['commands', 'command_results']) AS t"
        )

    async def settle_everything(self) -> None:
        """Give every waiting command a result."""
        lease = await self.world.hold_lease()
        entries = await self.world.store.pending(after_seq=0, limit=100)
        envelope = an_envelope()
        await self.world.store.persist(lease, envelope, entries)
        tx = envelope.transaction_id
        settlements = [a_settlement(entry.command_id, tx) for entry in entries]
        await self.world.store.settle(lease, tx, settlements)

    async def partition_of(self, command_id: CommandId, table: str = "commands") -> object:
        """Name the partition that holds a row."""
        return await self.pool.fetch_value(
            f"SELECT tableoid::regclass::text FROM {table} WHERE command_id = $1",  # noqa: S608 (a test's own words)
            command_id,
        )


@pytest.fixture
async def kept(database_dsn: str) -> AsyncIterator[Kept]:
    """A database with the newest schema."""
    pool = await Pool.open(PoolSettings(dsn=database_dsn, application_name="gx-test"))
    async with postgres_world(database_dsn) as world:
        yield Kept(pool, world)
    await pool.close()


async def test_new_commands_find_this_weeks_partition(kept: Kept) -> None:
    """A migrated database is ready for a month."""
    (answer,) = await kept.world.accept(a_command())

    assert "default" not in str(await kept.partition_of(answer.command_id))
    weeks = await kept.pool.fetch_value("SELECT count(*) FROM command_weeks")
    assert weeks == WEEKS_AHEAD + 1


async def test_running_again_makes_nothing_twice(kept: Kept) -> None:
    """It may run as often as one likes."""
    maintenance = Maintenance(kept.pool)

    done = await maintenance.run_once()

    assert (done.weeks_made, done.weeks_retired, done.keys_pruned) == (0, 0, 0)


async def test_a_missing_week_costs_nothing_but_a_move(kept: Kept) -> None:
    """Rows of a week without partition are accepted, found, and moved when it is made."""
    command_id = await kept.accept_in_the_past(ALMOST_YEAR_DAYS)
    assert await kept.partition_of(command_id) == "commands_default"

    await kept.make_old_weeks()

    assert await kept.partition_of(command_id) != "commands_default"
    view = await kept.world.reader.find(command_id)
    assert view is not None
    assert view.status is CommandStatus.PENDING


async def test_a_settled_old_week_is_retired_and_its_commands_are_gone(kept: Kept) -> None:
    """Its tables are kept apart for whoever wants them; the reader says that it is gone."""
    await kept.make_old_weeks()
    old = await kept.accept_in_the_past(ALMOST_YEAR_DAYS)
    (new,) = await kept.world.accept(a_command())
    await kept.settle_everything()

    done = await Maintenance(kept.pool, retention_days=90).run_once()

    assert done.weeks_retired == 5
    with pytest.raises(CommandGoneError):
        await kept.world.reader.find(old)
    assert await kept.world.reader.find(new.command_id) is not None
    kept_apart = await kept.pool.fetch_value(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'retired'"
    )
    assert kept_apart == 10


async def test_a_week_with_an_unsettled_command_stays(kept: Kept) -> None:
    """Neither a waiting command nor a dead letter loses its record."""
    await kept.make_old_weeks()
    command_id = await kept.accept_in_the_past(ALMOST_YEAR_DAYS)
    maintenance = Maintenance(kept.pool, retention_days=90)
    assert (await maintenance.run_once()).weeks_retired == 4
    assert await kept.world.reader.find(command_id) is not None

    lease = await kept.world.hold_lease()
    (entry,) = await kept.world.store.pending(after_seq=0, limit=1)
    await kept.world.store.bury(lease, entry, reason="gave up")
    assert (await maintenance.run_once()).weeks_retired == 0
    assert await kept.world.reader.find(command_id) is not None

    await kept.world.letters.discard(command_id, actor="op", reason="old")
    assert (await maintenance.run_once()).weeks_retired == 1


async def test_old_keys_of_settled_commands_are_pruned(kept: Kept) -> None:
    """Kept for a day, and as long as the command is unsettled; then the key is free again."""
    settled, waiting, fresh = a_key(), a_key(), a_key()
    await kept.world.accept(a_command(key_hash=settled))
    await kept.settle_everything()
    await kept.world.accept(a_command(key_hash=waiting))
    await kept.pool.execute("UPDATE idempotency_keys SET created_at_ms = 0")
    await kept.world.accept(a_command(key_hash=fresh))

    done = await Maintenance(kept.pool).run_once()

    assert done.keys_pruned == 1
    again = await kept.world.accept(*(a_command(key_hash=key) for key in (settled, waiting, fresh)))
    assert [answer.kind for answer in again] == [
        AcceptanceKind.NEW,
        AcceptanceKind.REPEATED,
        AcceptanceKind.REPEATED,
    ]


async def test_the_audit_log_cannot_be_changed(kept: Kept) -> None:
    """Append-only, by the database itself."""
    await kept.pool.execute(
        "INSERT INTO audit_log (actor, action, target, reason) VALUES ('a', 'b', 'c', 'd')"
    )
    for statement in (
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ):
        with pytest.raises(Exception, match="append-only"):
            await kept.pool.execute(statement)
