"""Where the running comparison of outbox and ledger stands, and what differs, in PostgreSQL."""

from collections.abc import Collection, Sequence
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.pool import Pool
from gx.database.ports import Lease, LeaseLostError
from gx.domain.differences import Difference, DifferenceKind
from gx.domain.identifiers import BlockNumber
from gx.outbox.audit import AuditPosition, AuditStore

DIFFERENCES_MAX: Final = 10_000
"""More are not listed: the first ones say enough, and the gauge stands at this many."""

_LEASE_LOST: Final = "GX001"

POSITION: Final = """
    SELECT block_number, block_hash, again_block, again_began_ms FROM outbox_audits
     WHERE channel = $1
"""

# Under the lease's newest epoch, like everything that the active submitter writes.
ADVANCE: Final = """
    WITH fence AS MATERIALIZED (SELECT require_lease($1, $2)),
    moved AS (
        INSERT INTO outbox_audits AS old (channel, block_number, block_hash, epoch, again_block,
                                          again_began_ms)
        SELECT $3, $4, $5, $2, $12, $13 FROM fence
            ON CONFLICT (channel) DO UPDATE
           SET block_number = EXCLUDED.block_number, block_hash = EXCLUDED.block_hash,
               epoch = EXCLUDED.epoch, updated_at = clock_timestamp(),
               again_block = EXCLUDED.again_block, again_began_ms = EXCLUDED.again_began_ms
    ), explained AS (
        DELETE FROM outbox_differences
         WHERE channel = $3 AND kind = 'result_unfounded' AND command_id = ANY ($6::text[])
    )
    INSERT INTO outbox_differences (channel, command_id, kind, block_number, told, stored)
    SELECT DISTINCT ON (d.id) $3, d.*
      FROM unnest($7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[])
           AS d(id, kind, block, told, stored)
     WHERE NOT (d.kind = 'result_unfounded' AND d.id = ANY ($6::text[]))
        ON CONFLICT (channel, command_id) DO UPDATE
       SET kind = EXCLUDED.kind, block_number = EXCLUDED.block_number, told = EXCLUDED.told,
           stored = EXCLUDED.stored
"""

FORGET: Final = """
    WITH fence AS MATERIALIZED (SELECT require_lease($1, $2))
    DELETE FROM outbox_differences
     WHERE EXISTS (SELECT FROM fence) AND channel = $3 AND command_id = ANY ($4::text[])
"""

DIFFERENCES: Final = """
    SELECT command_id, kind, block_number FROM outbox_differences
     WHERE channel = $1 ORDER BY block_number, command_id LIMIT $2
"""


class PostgresAuditStore(AuditStore):
    """One channel's.

    Every method raises DatabaseUnavailableError while the database cannot be had.
    """

    def __init__(self, pool: Pool, *, channel: str) -> None:
        self._pool = pool
        self._channel = channel

    @override
    async def position(self) -> AuditPosition | None:
        row = await self._pool.fetch_one(POSITION, self._channel)
        if row is None:
            return None
        return AuditPosition(
            block_number=BlockNumber(row["block_number"]),
            block_hash=row["block_hash"],
            again_number=BlockNumber(row["again_block"]),
            again_began_ms=row["again_began_ms"],
        )

    @override
    async def advance(
        self,
        lease: Lease,
        position: AuditPosition,
        *,
        found: Collection[Difference],
        explained: Collection[str],
    ) -> None:
        await self._write(
            ADVANCE,
            *(lease.name, lease.epoch, self._channel),
            *(position.block_number, position.block_hash, list(explained)),
            [each.key for each in found],
            [each.kind.value for each in found],
            [each.block_number or 0 for each in found],
            [each.ledger for each in found],
            [each.stored for each in found],
            *(position.again_number, position.again_began_ms),
        )

    @override
    async def forget(self, lease: Lease, keys: Collection[str]) -> None:
        await self._write(FORGET, lease.name, lease.epoch, self._channel, list(keys))

    @override
    async def differences(self) -> Sequence[tuple[str, DifferenceKind, BlockNumber]]:
        rows = await self._pool.fetch(DIFFERENCES, self._channel, DIFFERENCES_MAX)
        return [
            (row["command_id"], DifferenceKind(row["kind"]), BlockNumber(row["block_number"]))
            for row in rows
        ]

    async def _write(self, statement: str, *arguments: object) -> None:
        try:
            await self._pool.execute(statement, *arguments)
        except asyncpg.PostgresError as error:
            if error.sqlstate == _LEASE_LOST:
                raise LeaseLostError(str(error)) from error
            raise
