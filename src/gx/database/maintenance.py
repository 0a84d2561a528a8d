"""What keeps the database in shape over months: partitions ahead, old weeks away, keys pruned."""

from dataclasses import dataclass
from typing import Final

import structlog

from gx.database.pool import Pool

_log: Final = structlog.get_logger(__name__)

WEEKS_AHEAD: Final = 4
"""A month without maintenance passes unnoticed; after it rows go to the default partitions."""

KEYS_PER_STATEMENT: Final = 2_000
"""Pruning holds the outbox's lock: a few milliseconds at a time."""

DAY_MS: Final = 86_400_000

MAKE_PARTITIONS: Final = "SELECT make_partitions($1)"

# By the database's clock, like everything that is compared with its rows.
RETIRE_PARTITIONS: Final = "SELECT retire_partitions(now_ms() - $1::bigint)"

PRUNE_KEYS: Final = "SELECT prune_idempotency_keys(now_ms() - $1::bigint, $2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What one run did."""

    weeks_made: int
    weeks_retired: int
    keys_pruned: int


class Maintenance:
    """Run it every hour or so, anywhere; two runs at once do no harm."""

    def __init__(
        self, pool: Pool, *, retention_days: int = 90, key_retention_days: int = 1
    ) -> None:
        self._pool = pool
        self._retention_ms = retention_days * DAY_MS
        self._key_retention_ms = key_retention_days * DAY_MS

    async def run_once(self) -> Maintained:
        """Make partitions ahead, retire settled weeks past retention, prune settled old keys.

        Raises:
            DatabaseUnavailableError: The database, or a lock, could not be had in time.
        """
        done = Maintained(
            weeks_made=await self._count(MAKE_PARTITIONS, WEEKS_AHEAD),
            weeks_retired=await self._count(RETIRE_PARTITIONS, self._retention_ms),
            keys_pruned=await self._prune_keys(),
        )
        _log.info(
            "database_maintained",
            weeks_made=done.weeks_made,
            weeks_retired=done.weeks_retired,
            keys_pruned=done.keys_pruned,
        )
        return done

    async def _prune_keys(self) -> int:
        pruned = 0
        while True:
            count = await self._count(PRUNE_KEYS, self._key_retention_ms, KEYS_PER_STATEMENT)
            pruned += count
            if count < KEYS_PER_STATEMENT:
                return pruned

    async def _count(self, statement: str, *arguments: int) -> int:
        value = await self._pool.fetch_value(statement, *arguments)
        return value if isinstance(value, int) else 0
