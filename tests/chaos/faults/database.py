"""What PostgreSQL does to its clients: connections that end, or are refused; idle wake-ups."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

import asyncpg
from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from gx.outbox.postgres.store import WAKE_UP_CHANNEL
from tests.chaos.faults.kind import Declaration, FaultKind

NAMES: Final = {
    "everybody": "gx-%",
    "workers": "gx-outbox-submitter%",
    "projectors": "gx-projector%",
    "listeners": "% listen",
    "leases": "% lease",
}
CUT: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name LIKE $1 AND pid <> pg_backend_pid()
"""
STORM: Final = (
    "SELECT count(pg_notify($1, repeat('stale ', n % 5) || n % 3)) FROM generate_series(1, 40) AS n"
)
STORM_GAP_S: Final = 0.02


class CutConnections(FaultKind):
    """An administrator, a failover, a firewall."""

    declaration: ClassVar = Declaration(
        name="cut-connections",
        does="pg_terminate_backend of the connections of some processes, or of one purpose",
        targets=dict.fromkeys(LedgerKind, tuple(NAMES)),
    )

    @override
    async def make(self) -> None:
        async with self.stage.database() as connection:
            await connection.execute(CUT, NAMES[self.fault.target])


class DoorsClosed(FaultKind):
    """A database that is there and takes nobody in."""

    declaration: ClassVar = Declaration(
        name="doors-closed",
        does="connections to the database are not allowed, and those that there are end",
        targets=dict.fromkeys(LedgerKind, ("postgres",)),
        duration_s=(0.5, 2.0),
        weight=2,
    )

    @override
    async def make(self) -> None:
        async with self.stage.database("postgres") as connection:
            await connection.execute("ALTER DATABASE gx ALLOW_CONNECTIONS false")
            await connection.execute(CUT, NAMES["everybody"])

    @override
    async def mend(self) -> Sequence[str]:
        async with self.stage.database("postgres") as connection:
            await connection.execute("ALTER DATABASE gx ALLOW_CONNECTIONS true")
        return ()


class NotifyStorm(FaultKind):
    """Wake-ups that are repeated, late, out of order, and about nothing."""

    declaration: ClassVar = Declaration(
        name="notify-storm",
        does="thousands of notifications: repeated, reordered, with stale payloads",
        targets=dict.fromkeys(LedgerKind, ("outbox-submitter",)),
        duration_s=(0.5, 1.2),
        weight=2,
    )

    @override
    async def make(self) -> None:
        self._storm = asyncio.create_task(self._blow())

    @override
    async def mend(self) -> Sequence[str]:
        self._storm.cancel()
        await asyncio.gather(self._storm, return_exceptions=True)
        return ()

    async def _blow(self) -> None:
        while True:
            try:
                async with self.stage.database() as connection:
                    await connection.execute(STORM, WAKE_UP_CHANNEL)
            except (OSError, asyncpg.PostgresError):
                pass  # the storm blows where it can
            await asyncio.sleep(STORM_GAP_S)
