"""What a benchmark says of the server's log, against a server that writes one."""

from pathlib import Path

from benchmarks.stack import Server
from benchmarks.wal import LogMark, Written
from gx.database.pool import Pool, PoolSettings

PAGES = 200
_PAGE_BYTES_MIN = 4_000
# Rows that have a page of their own and cannot be compressed.
_FILL = (
    "CREATE TABLE wide (version integer, filler text STORAGE PLAIN)",
    f"""
    INSERT INTO wide
    SELECT 0, string_agg(md5(random()::text || i || j), '')
      FROM generate_series(1, {PAGES}) i, generate_series(1, 156) j GROUP BY i
    """,  # noqa: S608 (a constant)
    "CHECKPOINT",
)


async def test_after_a_checkpoint_each_changed_page_is_in_the_log(reachable_folder: Path) -> None:
    """Rows changed in place: their pages are in the log as a whole the first time, then not."""
    async with Server.running(reachable_folder) as server:
        dsn = await server.create_database("wide")
        pool = await Pool.open(PoolSettings(dsn=dsn, application_name="benchmark"))
        try:
            async with pool.acquire() as connection:
                for statement in _FILL:
                    await connection.execute(statement)
            first, second = await _lock_all(pool), await _lock_all(pool)
        finally:
            await pool.close()

    assert first.image_bytes > _PAGE_BYTES_MIN
    assert first.all_bytes > first.image_bytes
    assert second.image_bytes < first.image_bytes / 10


async def _lock_all(pool: Pool) -> Written:
    """Change the head of every row, and nothing else."""
    mark = await LogMark.here(pool)
    await pool.fetch("SELECT version FROM wide FOR UPDATE")
    return await mark.written(PAGES)
