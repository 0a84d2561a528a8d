-- Weekly partitions of what is kept for long, made ahead and retired as whole tables: deleting
-- row by row would cost as much as writing them did.

CREATE SCHEMA retired;

-- Which weeks exist. A retired one answers "that command is gone" instead of "unknown".
CREATE TABLE command_weeks (
    week          text PRIMARY KEY,
    from_id       uuid NOT NULL,
    until_id      uuid NOT NULL,
    retired_at_ms bigint
);

-- Makes one week's partition of one table. Rows that had to go to the default partition, because
-- nobody made this one in time, move into it. Attaching, unlike creating in place, lets others
-- write to the table meanwhile.
CREATE FUNCTION make_partition(p_table text, p_week text, p_from uuid, p_until uuid)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_partition text := p_table || '_' || p_week;
    v_default   text := p_table || '_default';
BEGIN
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', v_default);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', v_partition, p_table);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE command_id >= %L AND command_id < %L'
                   ' RETURNING *) INSERT INTO %I SELECT * FROM moved',
                   v_default, p_from, p_until, v_partition);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   p_table, v_partition, p_from, p_until);
END $$;

-- Makes the partitions of this week and of some weeks ahead; returns how many weeks were new.
-- The short lock timeout lets a long reader fail this run (there is another) and not the writers.
CREATE FUNCTION make_partitions(p_weeks_ahead integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    v_start timestamp;
    v_week  text;
    v_from  uuid;
    v_until uuid;
    v_made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(26488, 3);
    FOR i IN 0..p_weeks_ahead LOOP
        v_start := date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC') + i * interval '7 days';
        v_week := to_char(v_start, 'IYYY"w"IW');
        CONTINUE WHEN EXISTS (SELECT FROM command_weeks w WHERE w.week = v_week);
        v_from := uuid_floor((extract(epoch FROM v_start) * 1000)::bigint);
        v_until := uuid_floor((extract(epoch FROM v_start + interval '7 days') * 1000)::bigint);
        PERFORM make_partition('commands', v_week, v_from, v_until);
        PERFORM make_partition('command_results', v_week, v_from, v_until);
        INSERT INTO command_weeks (week, from_id, until_id) VALUES (v_week, v_from, v_until);
        v_made := v_made + 1;
    END LOOP;
    RETURN v_made;
END $$;

-- Detaches the weeks that ended before `p_before_ms` into the schema `retired`, where an operator
-- may dump and drop them. A week with a command that is not settled stays.
CREATE FUNCTION retire_partitions(p_before_ms bigint) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    v_row     command_weeks%ROWTYPE;
    v_table   text;
    v_retired integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(26488, 3);
    FOR v_row IN
        SELECT * FROM command_weeks w
         WHERE w.retired_at_ms IS NULL AND w.until_id <= uuid_floor(p_before_ms)
           AND NOT EXISTS (SELECT FROM outbox o
                            WHERE o.command_id >= w.from_id AND o.command_id < w.until_id)
           AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.state = 'dead'
                              AND d.command_id >= w.from_id AND d.command_id < w.until_id)
         ORDER BY w.from_id
    LOOP
        FOREACH v_table IN ARRAY ARRAY['commands', 'command_results'] LOOP
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I',
                           v_table, v_table || '_' || v_row.week);
            EXECUTE format('ALTER TABLE %I SET SCHEMA retired', v_table || '_' || v_row.week);
        END LOOP;
        UPDATE command_weeks SET retired_at_ms = now_ms() WHERE week = v_row.week;
        v_retired := v_retired + 1;
    END LOOP;
    RETURN v_retired;
END $$;

-- Forgets up to `p_limit` idempotency keys of settled commands that are older than `p_before_ms`.
-- Under the outbox's lock, so that no key disappears between its conflict and its answer in
-- accept_commands; hence the limit.
CREATE FUNCTION prune_idempotency_keys(p_before_ms bigint, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_pruned integer;
BEGIN
    PERFORM pg_advisory_xact_lock(26488, 1);
    DELETE FROM idempotency_keys WHERE key_hash IN (
        SELECT k.key_hash FROM idempotency_keys k
         WHERE k.created_at_ms < p_before_ms
           AND NOT EXISTS (SELECT FROM outbox o WHERE o.command_id = k.command_id)
           AND NOT EXISTS (SELECT FROM dead_letters d
                            WHERE d.command_id = k.command_id AND d.state = 'dead')
         ORDER BY k.created_at_ms LIMIT p_limit);
    GET DIAGNOSTICS v_pruned = ROW_COUNT;
    RETURN v_pruned;
END $$;

SELECT make_partitions(4);
