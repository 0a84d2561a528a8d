"""What the server writes to its log, and how much of it are images of whole pages.

After a checkpoint the first change of a page puts all of it into the log, so that a torn page can
be mended. Rows that come in order share pages; random ones, as of a hash, touch one each.
"""

from typing import Self

import msgspec

from gx.database.pool import Pool

_EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_walinspect"
_PLACE = "SELECT pg_current_wal_insert_lsn()::text"
# Only what is on disk can be looked at, and a commit need not wait for that everywhere.
_FLUSH = "SELECT pg_logical_emit_message(false, 'benchmark', '', true)"
_WRITTEN = """
    SELECT sum(combined_size)::float8 AS all_bytes, sum(fpi_size)::float8 AS image_bytes
      FROM pg_get_wal_stats($1::text::pg_lsn, pg_current_wal_flush_lsn())
"""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of log for each command."""

    all_bytes: float
    image_bytes: float


class LogMark:
    """A place in the log of a pool's server, since which is counted."""

    def __init__(self, pool: Pool, place: str) -> None:
        self._pool = pool
        self._place = place

    @classmethod
    async def here(cls, pool: Pool) -> Self:
        """Count from now on."""
        async with pool.acquire() as connection:
            await connection.execute(_EXTENSION)
        return cls(pool, str(await pool.fetch_value(_PLACE)))

    async def written(self, commands: int) -> Written:
        """Return what was written for each of so many commands, whoever else wrote included."""
        await self._pool.fetch_value(_FLUSH)
        row = await self._pool.fetch_one(_WRITTEN, self._place)
        assert row is not None
        return Written(
            all_bytes=round(row["all_bytes"] / commands, 1),
            image_bytes=round(row["image_bytes"] / commands, 1),
        )
