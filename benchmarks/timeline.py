"""When commands were accepted, committed and projected, by the database's own clock.

Two deferred triggers note the moment at which a settlement and a projection commit: one row a
batch, none a command. They are the only thing that a measured system has more than one that ships.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Percentiles, percentiles_ms
from benchmarks.stack import BenchmarkError, Loop

QUIET_S: Final = 180.0
POLL_S: Final = 0.05

# A deferred constraint trigger runs when its transaction commits: what follows is the wait for
# the disk alone.
INSTALL: Final = """
    CREATE TABLE benchmark_settled (transaction_id text PRIMARY KEY, at_ms double precision);
    CREATE TABLE benchmark_projected (block_number bigint PRIMARY KEY, at_ms double precision);

    CREATE FUNCTION benchmark_note_settled() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO benchmark_settled
        VALUES (OLD.transaction_id, extract(epoch FROM clock_timestamp()) * 1000)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER benchmark_settled AFTER DELETE ON envelopes
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION benchmark_note_settled();

    CREATE FUNCTION benchmark_note_projected() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO benchmark_projected
        VALUES (NEW.block_number, extract(epoch FROM clock_timestamp()) * 1000)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER benchmark_projected AFTER UPDATE ON projection_checkpoints
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION benchmark_note_projected();
"""

NOW_MS: Final = "SELECT now_ms()"

WAITING: Final = "SELECT count(*) FROM outbox"
PROJECTED: Final = """
    SELECT coalesce((SELECT max(block_number) FROM command_results
                      WHERE command_id >= uuid_floor($1)), -1)
           <= coalesce((SELECT max(block_number) FROM projection_checkpoints), -1)
"""

# Every command accepted since a moment, with what became of it. A block is projected when the
# first checkpoint at or behind it is committed.
SPANS: Final = """
    WITH settled AS (
        SELECT c.accepted_at_ms, r.outcome, r.block_number, s.at_ms AS settled_ms
          FROM commands c
          JOIN command_results r USING (command_id)
          LEFT JOIN benchmark_settled s USING (transaction_id)
         WHERE c.command_id >= uuid_floor($1)
    ), blocks AS (
        SELECT b.block_number,
               (SELECT p.at_ms FROM benchmark_projected p
                 WHERE p.block_number >= b.block_number ORDER BY p.block_number LIMIT 1) AS at_ms
          FROM (SELECT DISTINCT block_number FROM settled) b
    )
    SELECT s.accepted_at_ms::double precision AS accepted_ms, s.settled_ms, b.at_ms AS projected_ms,
           s.outcome
      FROM settled s LEFT JOIN blocks b USING (block_number)
"""

REFUSED: Final = """
    SELECT code || ': ' || detail FROM command_results
     WHERE command_id >= uuid_floor($1) AND outcome <> 'COMMITTED' LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What a group of commands went through. Rates count from the first accept."""

    commands: int
    committed_per_s: float
    projected_per_s: float
    accept_to_committed: Percentiles
    accept_to_projected: Percentiles


async def install(loop: Loop) -> None:
    """Have the database note when batches and chunks commit."""
    await loop.pool.execute(INSTALL)


async def now_ms(loop: Loop) -> int:
    """Return a time before everything that is accepted from now on, and after what was before."""
    await asyncio.sleep(0.02)
    value = await loop.pool.fetch_value(NOW_MS)
    assert isinstance(value, int)
    return value - 10  # the ids' clock and the database's round differently


async def until_done(loop: Loop, since_ms: int) -> None:
    """Wait until nothing waits and everything accepted since then is projected.

    Raises:
        BenchmarkError: nothing was settled for too long, or what was is not projected.
    """
    fewest, deadline_s = sys.maxsize, 0.0
    while True:
        waiting = await loop.pool.fetch_value(WAITING)
        assert isinstance(waiting, int)
        if waiting == 0 and await loop.pool.fetch_value(PROJECTED, since_ms):
            return
        if waiting < fewest:
            fewest, deadline_s = waiting, time.monotonic() + QUIET_S
        if time.monotonic() > deadline_s:
            raise BenchmarkError(f"{loop.name}: {waiting} commands wait, for {QUIET_S:.0f} s")
        await asyncio.sleep(POLL_S)


async def require_committed(loop: Loop, since_ms: int) -> None:
    """Make sure that no command accepted since then was refused.

    Raises:
        BenchmarkError: one was; the text says why.
    """
    why = await loop.pool.fetch_value(REFUSED, since_ms)
    if why is not None:
        raise BenchmarkError(f"{loop.name}: a command was refused: {why}")


async def journey(loop: Loop, since_ms: int, *, from_ms: int | None = None) -> Journey:
    """Read what the commands accepted since then went through; all must have been committed.

    Rates count from `from_ms`, or else from the first accept.

    Raises:
        BenchmarkError: a command was refused, or its way is not known.
    """
    rows = await loop.pool.fetch(SPANS, since_ms)
    lost = [row for row in rows if None in tuple(row) or row["outcome"] != "COMMITTED"]
    if lost or not rows:
        why = await loop.pool.fetch_value(REFUSED, since_ms)
        raise BenchmarkError(f"{loop.name}: {len(lost)} of {len(rows)} did not commit: {why}")
    began_ms = from_ms or min(row["accepted_ms"] for row in rows)
    settled_s = (max(row["settled_ms"] for row in rows) - began_ms) / 1_000
    projected_s = (max(row["projected_ms"] for row in rows) - began_ms) / 1_000
    return Journey(
        commands=len(rows),
        committed_per_s=len(rows) / settled_s,
        projected_per_s=len(rows) / projected_s,
        accept_to_committed=percentiles_ms(
            (row["settled_ms"] - row["accepted_ms"]) / 1_000 for row in rows
        ),
        accept_to_projected=percentiles_ms(
            (row["projected_ms"] - row["accepted_ms"]) / 1_000 for row in rows
        ),
    )
