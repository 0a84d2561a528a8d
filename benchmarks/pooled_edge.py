"""The HTTP API over sixteen connections that store one command each, as many services do it.

    python -m benchmarks.pooled_edge PORT KEYS_FOLDER DSN

What group commit is compared with: the same application, tokens, validation and rows; but each
request has a statement and a commit of its own. It keeps no order of commit (the outbox's lock
would let one commit at a time), so it does less than it must.
"""

import os
import sys
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import uvloop

from benchmarks.bare_edge import collaborators, serve
from gx.outbox.command_ids import CommandIds
from gx.outbox.ports import Acceptance, AcceptanceKind, NewCommand
from gx.runtime.clock import SystemClock

CONNECTIONS: Final = 16

# The rows that accept_commands writes, without its lock.
INSERT: Final = """
    WITH claimed AS (
        INSERT INTO idempotency_keys (key_hash, fingerprint, command_id, created_at_ms)
        VALUES ($1, $2, $3, now_ms()) ON CONFLICT (key_hash) DO NOTHING
    ), stored AS (
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              key_hash, trace_parent, accepted_at_ms)
        VALUES ($3, $4, $5, $6, $7, $8, $1, $9, now_ms())
    )
    INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)
    VALUES ($3, now_ms(), now_ms(), $10)
"""


class PooledGate:
    """Stores each command by itself, as soon as a connection is free."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._new_id = CommandIds(SystemClock(), os.urandom)

    async def accept(self, command: NewCommand) -> Acceptance:
        """Store one command; it is durable when this returns."""
        command_id = self._new_id()
        await self._pool.execute(
            INSERT,
            bytes.fromhex(command.key_hash or ""),
            command.fingerprint,
            command_id,
            command.command_type,
            msgspec.json.encode(dict(command.arguments)).decode(),
            command.actor,
            command.subject,
            command.role,
            command.trace_parent,
            sorted(command.scopes),
        )
        return Acceptance(kind=AcceptanceKind.NEW, command_id=command_id)


async def main(port: int, keys: Path, dsn: str) -> None:
    """Serve until a signal comes."""
    async with asyncpg.create_pool(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        await serve(port, collaborators(keys, PooledGate(pool)))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
