"""One outbox with all its adapters, in memory or in PostgreSQL, for suites that run over both."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from gx.database.leases import MemoryLeases, PostgresLeases
from gx.database.notifications import Notifier
from gx.database.pool import Pool, PoolSettings
from gx.database.ports import Lease, Leases
from gx.domain.clock import Clock
from gx.outbox.command_ids import CommandIds
from gx.outbox.memory.dead_letters import MemoryDeadLetters
from gx.outbox.memory.inbox import MemoryCommandInbox
from gx.outbox.memory.reader import MemoryCommandReader
from gx.outbox.memory.rows import AuditRecord, MemoryOutbox
from gx.outbox.memory.store import MemoryOutboxStore
from gx.outbox.ports import (
    Acceptance,
    CommandInbox,
    CommandReader,
    DeadLetters,
    NewCommand,
    OutboxStore,
)
from gx.outbox.postgres.dead_letters import PostgresDeadLetters
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.outbox.postgres.reader import PostgresCommandReader
from gx.outbox.postgres.store import WAKE_UP_CHANNEL, PostgresOutboxStore
from gx.runtime.clock import SystemClock
from tests.outbox.builders import TestClock

CHANNEL = "gxchannel"


class Backstage(Protocol):
    """What a test must do or see behind the ports."""

    async def project(self, block: int) -> None:
        """Let the projection reach this block."""
        ...

    async def audit(self) -> list[AuditRecord]:
        """Read the audit log."""
        ...

    async def wake_up(self) -> None:
        """Tell listeners that there is something new."""
        ...

    async def empty(self) -> None:
        """Forget every command."""
        ...

    async def set_envelope_format(self, number: int) -> None:
        """Let the stored envelopes be of another release's making."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxWorld:
    """Every adapter over one storage."""

    inbox: CommandInbox
    reader: CommandReader
    store: OutboxStore
    letters: DeadLetters
    leases: Leases
    backstage: Backstage

    async def hold_lease(self, holder: str = "submitter-1") -> Lease:
        """Take the submitter's lease, which must be free."""
        lease = await self.leases.acquire("submitter", holder, ttl_s=60)
        assert lease is not None
        return lease

    async def accept(self, *commands: NewCommand) -> list[Acceptance]:
        """Store commands that must all be accepted."""
        answers = await self.inbox.accept(commands)
        accepted = [answer for answer in answers if isinstance(answer, Acceptance)]
        assert len(accepted) == len(commands), answers
        return accepted


class MemoryBackstage:
    """Behind the memory adapters."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._outbox = outbox

    async def project(self, block: int) -> None:
        """Set the checkpoint."""
        self._outbox.projected_block = block

    async def audit(self) -> list[AuditRecord]:
        """Return the records."""
        return self._outbox.audit

    async def wake_up(self) -> None:
        """Set the event."""
        self._outbox.news.set()

    async def empty(self) -> None:
        """Clear the rows."""
        outbox = self._outbox
        for rows in (outbox.commands, outbox.keys, outbox.waiting, outbox.envelopes):
            rows.clear()
        outbox.results.clear()
        outbox.letters.clear()

    async def set_envelope_format(self, number: int) -> None:
        """Say so of all of them."""
        self._outbox.envelope_format = number


class PostgresBackstage:
    """Behind the PostgreSQL adapters."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def project(self, block: int) -> None:
        """Write the checkpoint's row."""
        await self._pool.execute(
            "INSERT INTO projection_checkpoints AS c"
            " (channel, block_number, block_timestamp_ms, genesis_hash, epoch)"
            " VALUES ($1, $2, 0, 'g', 1)"
            " ON CONFLICT (channel) DO UPDATE SET block_number = $2",
            CHANNEL,
            block,
        )

    async def audit(self) -> list[AuditRecord]:
        """Read the table."""
        rows = await self._pool.fetch("SELECT * FROM audit_log ORDER BY audit_id")
        return [
            AuditRecord(
                actor=row["actor"],
                action=row["action"],
                target=row["target"],
                reason=row["reason"],
            )
            for row in rows
        ]

    async def wake_up(self) -> None:
        """Send the notification."""
        notifier = Notifier(self._pool.settings, WAKE_UP_CHANNEL)
        notifier.notify()
        await asyncio.sleep(0.1)
        await notifier.close()

    async def set_envelope_format(self, number: int) -> None:
        """Update the rows."""
        await self._pool.execute("UPDATE envelopes SET format = $1", number)

    async def empty(self) -> None:
        """Truncate the tables."""
        await self._pool.execute(
            "TRUNCATE commands, command_results, outbox, envelopes, idempotency_keys,"
            " dead_letters, leases"
        )


def memory_world(clock: Clock | None = None) -> OutboxWorld:
    """Make an empty outbox in memory."""
    clock = clock or TestClock()
    leases = MemoryLeases(clock)
    outbox = MemoryOutbox(clock=clock, leases=leases, new_id=CommandIds(clock, os.urandom))
    return OutboxWorld(
        inbox=MemoryCommandInbox(outbox),
        reader=MemoryCommandReader(outbox),
        store=MemoryOutboxStore(outbox),
        letters=MemoryDeadLetters(outbox),
        leases=leases,
        backstage=MemoryBackstage(outbox),
    )


@asynccontextmanager
async def postgres_world(dsn: str) -> AsyncIterator[OutboxWorld]:
    """Open the outbox of a database with the newest schema."""
    settings = PoolSettings(dsn=dsn, application_name="gx-test")
    pool = await Pool.open(settings)
    leases = PostgresLeases(settings)
    try:
        yield OutboxWorld(
            inbox=PostgresCommandInbox(pool, new_id=CommandIds(SystemClock(), os.urandom)),
            reader=PostgresCommandReader(pool, channel=CHANNEL),
            store=PostgresOutboxStore(pool, listening=settings),
            letters=PostgresDeadLetters(pool),
            leases=leases,
            backstage=PostgresBackstage(pool),
        )
    finally:
        await leases.close()
        await pool.close()
