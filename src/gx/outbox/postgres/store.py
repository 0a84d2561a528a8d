"""The submitter's side of the outbox. Every write carries the lease's epoch.

The rules live in PL/pgSQL functions (migrations 0002 and 0004), so that each step is one round
trip and one transaction.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import asyncpg
from typing_extensions import override

from gx.database.arrays import number_array, text_array
from gx.database.connections import ConnectionSettings
from gx.database.notifications import listen
from gx.database.pool import Pool
from gx.database.ports import Lease, LeaseLostError
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Envelope
from gx.outbox.ports import (
    Entry,
    EntryHeldError,
    KnownChain,
    LiveEnvelope,
    OutboxCounts,
    OutboxStore,
    Settlement,
)
from gx.outbox.postgres.rows import json_of, parse_arguments, storable

WAKE_UP_CHANNEL: Final = "gx_outbox"

_LEASE_LOST: Final = "GX001"
_ENTRY_HELD: Final = "GX002"

# What an entry is, from the small table and, by key, from the partition that holds its command.
_ENTRY_COLUMNS: Final = """
    w.seq, w.command_id::text AS command_id, c.command_type, c.arguments::text AS arguments,
    c.actor, c.role, encode(c.key_hash, 'hex') AS key_hash, w.scopes, w.attempts,
    w.accepted_at_ms, w.due_at_ms, c.trace_parent
"""

# OFFSET 0: see gx.outbox.postgres.reader. The watermark keeps the scan off settled entries, which
# stay in the index while anybody holds an old snapshot.
PENDING: Final = f"""
    WITH waiting AS MATERIALIZED (
        SELECT * FROM outbox WHERE seq > $1 AND envelope_id IS NULL ORDER BY seq LIMIT $2)
    SELECT {_ENTRY_COLUMNS} FROM waiting w
     CROSS JOIN LATERAL (
           SELECT * FROM commands WHERE command_id = w.command_id OFFSET 0) c
     ORDER BY w.seq
"""  # noqa: S608 (a constant)

ENVELOPES: Final = """
    SELECT envelope_id, transaction_id, role, content, result, prepared_at_ms, format
      FROM envelopes ORDER BY envelope_id
"""

CARRIED: Final = f"""
    SELECT w.envelope_id, {_ENTRY_COLUMNS} FROM outbox w
     CROSS JOIN LATERAL (
           SELECT * FROM commands WHERE command_id = w.command_id OFFSET 0) c
     WHERE w.envelope_id IS NOT NULL ORDER BY w.seq
"""  # noqa: S608 (a constant)

PERSIST: Final = "SELECT persist_envelope($1, $2, $3, $4, $5, $6, $7::text::bigint[])"
SETTLE: Final = """
    SELECT settle_commands($1, $2, $3, $4::text::uuid[], $5::text::text[], $6::text::text[],
                           $7::text::text[], $8::text::jsonb[], $9::text::text[],
                           $10::text::bigint[])
"""
ABANDON: Final = "SELECT abandon_envelope($1, $2, $3)"
POSTPONE: Final = "SELECT postpone_entries($1, $2, $3, $4, $5, $6)"
BURY: Final = "SELECT bury_entry($1, $2, $3, $4)"

# The projector's note: the outbox may be empty of everything that ever told of the chain. Commands
# may have been settled by later blocks; those of a chain that was given up on purpose do not count.
KNOWN_CHAIN: Final = """
    SELECT p.genesis_hash, greatest(p.block_number, (
           SELECT max(r.block_number) FROM command_results r
            WHERE r.block_number > p.block_number
              AND r.settled_at_ms > coalesce((SELECT a.accepted_at_ms FROM accepted_chains a
                                               WHERE a.channel = $1), 0))) AS block_number
      FROM projection_checkpoints p WHERE p.channel = $1
"""

# Both tables are small: what waits, and what was given up and not yet handled.
COUNTS: Final = """
    SELECT count(*) FILTER (WHERE envelope_id IS NULL) AS pending,
           count(*) FILTER (WHERE envelope_id IS NOT NULL) AS processing,
           (SELECT count(*) FROM dead_letters WHERE state = 'dead') AS dead,
           coalesce(now_ms() - min(accepted_at_ms) FILTER (WHERE envelope_id IS NULL), 0) AS age_ms
      FROM outbox
"""


class PostgresOutboxStore(OutboxStore):
    """Claims and settles in PostgreSQL."""

    def __init__(self, pool: Pool, *, listening: ConnectionSettings) -> None:
        self._pool = pool
        self._listening = listening

    @override
    async def pending(self, *, after_seq: int, limit: int) -> Sequence[Entry]:
        return [_entry_of(row) for row in await self._pool.fetch(PENDING, after_seq, limit)]

    @override
    async def live_envelopes(self) -> Sequence[LiveEnvelope]:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            envelopes = await connection.fetch(ENVELOPES)
            carried = await connection.fetch(CARRIED) if envelopes else []
        entries: dict[int, list[Entry]] = {}
        for row in carried:
            entries.setdefault(row["envelope_id"], []).append(_entry_of(row))
        return [_live_envelope_of(row, entries.get(row["envelope_id"], [])) for row in envelopes]

    @override
    async def persist(self, lease: Lease, envelope: Envelope, entries: Sequence[Entry]) -> None:
        await self._write(
            PERSIST,
            lease,
            envelope.transaction_id,
            envelope.role,
            envelope.content,
            envelope.result,
            number_array(entry.seq for entry in entries),
        )

    @override
    async def settle(
        self,
        lease: Lease,
        transaction_id: TransactionId | None,
        settlements: Sequence[Settlement],
    ) -> None:
        await self._write(
            SETTLE,
            lease,
            transaction_id,
            text_array([settlement.command_id for settlement in settlements]),
            text_array([settlement.outcome for settlement in settlements]),
            text_array([storable(settlement.code) for settlement in settlements]),
            text_array([storable(settlement.detail) for settlement in settlements]),
            text_array([json_of(settlement.result) for settlement in settlements]),
            text_array([settlement.transaction_id for settlement in settlements]),
            number_array(settlement.block_number for settlement in settlements),
        )

    @override
    async def abandon(self, lease: Lease, transaction_id: TransactionId) -> None:
        await self._write(ABANDON, lease, transaction_id)

    @override
    async def postpone(
        self,
        lease: Lease,
        entries: Sequence[Entry],
        *,
        until_ms: EpochMs,
        reason: str,
        is_attempt: bool,
    ) -> None:
        seqs = [entry.seq for entry in entries]
        await self._write(POSTPONE, lease, seqs, until_ms, reason, int(is_attempt))

    @override
    async def bury(self, lease: Lease, entry: Entry, *, reason: str) -> None:
        await self._write(BURY, lease, entry.seq, reason)

    @override
    async def known_chain(self, channel: str) -> KnownChain | None:
        row = await self._pool.fetch_one(KNOWN_CHAIN, channel)
        if row is None or not row["genesis_hash"]:
            return None
        return KnownChain(
            genesis_hash=row["genesis_hash"], block_number=BlockNumber(row["block_number"])
        )

    @override
    async def counts(self) -> OutboxCounts:
        row = await self._pool.fetch_one(COUNTS)
        assert row is not None  # noqa: S101 (an aggregate always has its row)
        return OutboxCounts(
            pending=row["pending"],
            processing=row["processing"],
            dead=row["dead"],
            oldest_pending_age_s=row["age_ms"] / 1000,
        )

    @override
    def wake_ups(self) -> AsyncIterator[None]:
        return listen(self._listening, WAKE_UP_CHANNEL)

    async def _write(self, statement: str, lease: Lease, *arguments: object) -> None:
        with _named_failures():
            await self._pool.execute(statement, lease.name, lease.epoch, *arguments)


@contextmanager
def _named_failures() -> Iterator[None]:
    """Give the functions' own error codes their types."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate == _LEASE_LOST:
            raise LeaseLostError(str(error)) from error
        if error.sqlstate == _ENTRY_HELD:
            raise EntryHeldError(str(error)) from error
        raise


def _entry_of(row: asyncpg.Record) -> Entry:
    return Entry(
        seq=row["seq"],
        command_id=CommandId(row["command_id"]),
        command_type=row["command_type"],
        arguments=parse_arguments(row["arguments"]),
        actor=row["actor"],
        role=LedgerRole(row["role"]),
        key=row["key_hash"] or row["command_id"],
        scopes=frozenset(row["scopes"]),
        attempts=row["attempts"],
        accepted_at_ms=EpochMs(row["accepted_at_ms"]),
        due_at_ms=EpochMs(row["due_at_ms"]),
        trace_parent=row["trace_parent"],
    )


def _live_envelope_of(row: asyncpg.Record, entries: Sequence[Entry]) -> LiveEnvelope:
    envelope = Envelope(
        transaction_id=TransactionId(row["transaction_id"]),
        role=LedgerRole(row["role"]),
        content=row["content"],
        result=row["result"],
    )
    return LiveEnvelope(
        envelope=envelope,
        entries=entries,
        prepared_at_ms=EpochMs(row["prepared_at_ms"]),
        format=row["format"],
    )
