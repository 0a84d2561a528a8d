"""Commands that no ledger will ever take: each must end as a dead letter, and nothing else must."""

import asyncio
import os
import uuid
from collections.abc import Sequence
from typing import ClassVar, Final

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from gx.outbox.command_ids import CommandIds
from gx.runtime.clock import SystemClock
from tests.chaos.faults.kind import Declaration, FaultKind

BURIED_WITHIN_S: Final = 60.0

# A row as no API writes one: a transfer of nothing, from nobody, to nobody.
INJECT: Final = """
    WITH stored AS (
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              accepted_at_ms)
        SELECT id, 'TRANSFER_TOKENS', '{}', 'chaos', 'chaos', 'gx_partner_api', now_ms()
          FROM unnest($1::uuid[]) AS id)
    INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)
    SELECT id, now_ms(), now_ms(), ARRAY['poison:' || id] FROM unnest($1::uuid[]) AS id
"""
DEAD: Final = "SELECT command_id::text FROM dead_letters WHERE state = 'dead'"


class Poison(FaultKind):
    """Rows in the outbox that can only be given up."""

    declaration: ClassVar = Declaration(
        name="poison",
        does="so many commands in the outbox that can only become dead letters",
        targets=dict.fromkeys(LedgerKind, ("outbox",)),
        amounts=(1, 3, 7),
        duration_s=(0.2, 0.5),
        weight=2,
    )

    @override
    async def make(self) -> None:
        new_id = CommandIds(SystemClock(), os.urandom)
        self._ids = [uuid.UUID(new_id()) for _ in range(int(self.fault.amount))]
        async with self.stage.database() as connection:
            await connection.execute(INJECT, self._ids)
        self.stage.driver.poison.extend(map(str, self._ids))

    @override
    async def mend(self) -> Sequence[str]:
        injected = set(self.stage.driver.poison)
        dead = await self._buried(injected)
        if dead == injected:
            return ()
        return [f"{self.fault}: {len(injected)} injected so far, the dead letters are {dead}"]

    async def _buried(self, injected: set[str]) -> set[str]:
        """Wait until all of them are dead letters, and return all dead letters that there are."""
        dead: set[str] = set()
        try:
            async with asyncio.timeout(BURIED_WITHIN_S):
                while not injected <= dead:
                    async with self.stage.database() as connection:
                        dead = {str(row[0]) for row in await connection.fetch(DEAD)}
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pass
        return dead
