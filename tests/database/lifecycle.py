"""A server's life in a process of its own, so that a test can run it as any user or kill it.

Run as `python -m tests.database.lifecycle once|hold HOME PORT`. `once` starts the server,
writes a row and stops it; it prints how many rows there are now. `hold` prints the
server's process id when it is ready and then keeps it running until it is killed.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import asyncpg

from gx.database.embedded import EmbeddedPostgres, PreparedPostgres

WRITE_ROW: Final = """
    CREATE TABLE IF NOT EXISTS starts (at timestamptz);
    INSERT INTO starts VALUES (now());
"""


async def count_a_start(server: PreparedPostgres) -> int:
    """Write one row through the Unix socket and return how many there are."""
    connection = await asyncpg.connect(server.socket_dsn)
    try:
        await connection.execute(WRITE_ROW)
        return int(await connection.fetchval("SELECT count(*) FROM starts"))
    finally:
        await connection.close()


def postmaster_pid(server: PreparedPostgres) -> int:
    """Return the process id of the server that runs in this cluster."""
    lock = server.data_folder / "postmaster.pid"
    return int(lock.read_text(encoding="utf-8").partition("\n")[0])


async def main(mode: str, home: Path, port: int) -> None:
    """Do what the module says."""
    async with EmbeddedPostgres(home=home, port=port).running() as server:
        if mode == "once":
            sys.stdout.write(f"{await count_a_start(server)}\n")
            return
        sys.stdout.write(f"{postmaster_pid(server)}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
