"""This machine's own limit, measured by pgbench in the same minutes as whatever is compared to it.

`x100` inserts 100 outbox rows (a unique UUID, a 217-byte JSON payload, a partial index on what is
pending) in one statement and one durable commit; `c1` inserts one row a commit. Both use one
connection and prepared statements.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.programs import run_program
from gx.database.binaries import find_binaries

_TABLE: Final = """
    DROP TABLE IF EXISTS pgbench_limit;
    CREATE TABLE pgbench_limit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        command_id uuid NOT NULL UNIQUE,
        status text NOT NULL DEFAULT 'pending',
        payload jsonb NOT NULL
    );
    CREATE INDEX pgbench_limit_pending_idx ON pgbench_limit (id) WHERE status = 'pending';
"""
_PAYLOAD: Final = (
    """'{"fromId":"account-0000001","toId":"account-0000002","amount":"150000000","""
    """"remark":"a payment for a lunch that two people had together on a day in autumn","""
    """"trace":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}'"""
)
_INSERT: Final = (
    "INSERT INTO pgbench_limit (command_id, payload) "
    "SELECT gen_random_uuid(), {payload}::jsonb FROM generate_series(1, {rows});\n"
)
_RATE: Final = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")


@dataclass(frozen=True, slots=True)
class Limits:
    """Rows per second that this machine's PostgreSQL takes, one client, durable commits."""

    x100: float
    c1: float


async def measure_limits(dsn: str, *, seconds: int = 3) -> Limits:
    """Run pgbench against the server at `dsn`; leaves nothing behind."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_TABLE)
        x100 = 100 * await _transactions_per_s(dsn, rows=100, seconds=seconds)
        c1 = await _transactions_per_s(dsn, rows=1, seconds=seconds)
        await connection.execute("DROP TABLE pgbench_limit")
    finally:
        await connection.close()
    return Limits(x100=x100, c1=c1)


async def _transactions_per_s(dsn: str, *, rows: int, seconds: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(_INSERT.format(payload=_PAYLOAD, rows=rows), encoding="utf-8")
        options = ("-n", "-M", "prepared", "-c", "1", "-T", str(seconds), "-f", str(script), dsn)
        pgbench = await run_program((find_binaries().program("pgbench"), *options))
    match = _RATE.search(pgbench.output.decode())
    if match is None:
        raise RuntimeError(f"pgbench failed: {pgbench.errors.decode()[-500:]}")
    return float(match.group(1))
