"""A past: a million commands that were accepted, committed and projected during five weeks.

Written by SQL into the tables that a live system fills, with the ids, sizes and partitions that
they would have. Idempotency keys exist for the last day alone, as pruning leaves them.
"""

import time
from collections.abc import Sequence
from typing import Final

from benchmarks.stack import Loop
from benchmarks.transfers import ACCOUNTS

WEEKS: Final = 5
STATEMENT_TIMEOUT_S: Final = 1_800

# The weeks before this one, as maintenance would have made them in time.
PAST_PARTITIONS: Final = """
    DO $$
    DECLARE
        v_now   timestamp := clock_timestamp() AT TIME ZONE 'UTC';
        v_start timestamp;
        v_week  text;
        v_from  uuid;
        v_until uuid;
    BEGIN
        FOR i IN 1..6 LOOP
            v_start := date_trunc('week', v_now) - i * interval '7 days';
            v_week := to_char(v_start, 'IYYY"w"IW');
            v_from := uuid_floor((extract(epoch FROM v_start) * 1000)::bigint);
            v_until := uuid_floor((extract(epoch FROM v_start + interval '7 days') * 1000)::bigint);
            PERFORM make_partition('commands', v_week, v_from, v_until);
            PERFORM make_partition('command_results', v_week, v_from, v_until);
            INSERT INTO command_weeks (week, from_id, until_id) VALUES (v_week, v_from, v_until);
        END LOOP;
    END $$
"""

# Command `i` of `rows`, in the order of time; its id is a UUID of version 7 of that time.
PAST: Final = """
    CREATE TEMPORARY TABLE past ON COMMIT PRESERVE ROWS AS
    SELECT i, at_ms,
           (lpad(to_hex(at_ms), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0')
            || '8' || substr(hash, 1, 15))::uuid AS command_id,
           hash,
           'bench-' || lpad((i * 7919 % {accounts})::text, 5, '0') AS sender,
           'bench-' || lpad((i * 104729 % {accounts})::text, 5, '0') AS receiver
      FROM generate_series(1::bigint, {rows}::bigint) i
     CROSS JOIN LATERAL (
           SELECT now_ms() - 60000 - (({rows} - i) * ({weeks} * 604800000.0 / {rows}))::bigint
           ) t(at_ms)
     CROSS JOIN LATERAL (SELECT md5(i::text) || md5((-i)::text)) h(hash)
"""

COMMANDS: Final = """
    INSERT INTO commands (command_id, command_type, arguments, actor, subject, role, key_hash,
                          trace_parent, accepted_at_ms)
    SELECT command_id, 'TRANSFER_TOKENS',
           jsonb_build_object('fromId', sender, 'toId', receiver, 'amount', '1000',
                              'remark', 'a payment for a lunch that two people had together'),
           sender, 'benchmark', 'gx_partner_api', decode(hash, 'hex'),
           '00-' || substr(hash, 1, 32) || '-' || substr(hash, 33, 16) || '-01', at_ms
      FROM past ORDER BY i
"""

# Negative blocks: they meet none of the live chain's, which has no answers to these commands.
RESULTS: Final = """
    INSERT INTO command_results (command_id, outcome, result, transaction_id, block_number,
                                 attempts, settled_at_ms)
    SELECT command_id, 'COMMITTED', '{{"fee": "0"}}', md5((i / 200)::text) || md5((i / 200)::text),
           i / 200 - {rows} / 200 - 10, 0, at_ms + 20
      FROM past ORDER BY i
"""

KEYS: Final = """
    INSERT INTO idempotency_keys (key_hash, fingerprint, command_id, created_at_ms)
    SELECT decode(hash, 'hex'), hash, command_id, at_ms
      FROM past WHERE at_ms > now_ms() - 86400000
"""

# The same blocks: older than all of the live chain's.
ENTRIES: Final = """
    INSERT INTO account_entries (account_id, block_number, position, ordinal, kind, delta,
                                 counterparty, remark, recorded_at, transaction_id, command_id)
    SELECT CASE side WHEN 0 THEN sender ELSE receiver END,
           i / 200 - {rows} / 200 - 10, i % 200, side, 'transfer',
           CASE side WHEN 0 THEN -1000 ELSE 1000 END,
           CASE side WHEN 0 THEN receiver ELSE sender END,
           'a payment for a lunch that two people had together', at_ms / 1000,
           md5((i / 200)::text) || md5((i / 200)::text), command_id::text
      FROM past CROSS JOIN generate_series(0, 1) side ORDER BY i
"""

STEPS: Final = (PAST_PARTITIONS, PAST, COMMANDS, RESULTS, KEYS, ENTRIES, "DROP TABLE past")
CLEAN: Final = ("VACUUM (ANALYZE)", "CHECKPOINT")


async def write_history(loop: Loop, rows: int) -> float:
    """Give the loop's database a past; return the seconds that it took."""
    started_s = time.perf_counter()
    steps = [step.format(rows=rows, weeks=WEEKS, accounts=ACCOUNTS) for step in STEPS]
    await _execute(loop, steps)
    return time.perf_counter() - started_s


async def clean_up(loop: Loop) -> None:
    """Leave a system's tables as maintenance and checkpoints leave them, whatever its past."""
    await _execute(loop, CLEAN)


async def _execute(loop: Loop, statements: Sequence[str]) -> None:
    async with loop.pool.acquire() as connection:
        await connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
        try:
            for statement in statements:
                await connection.execute(statement, timeout=STATEMENT_TIMEOUT_S)
        finally:
            await connection.execute("RESET statement_timeout")
