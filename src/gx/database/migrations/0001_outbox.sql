-- The write path: commands, the outbox, what the ledger answered, leases and the audit log.
--
-- What is written once and kept for long (`commands`, `command_results`) is insert-only and
-- range-partitioned by a time-ordered id. What changes is small and short-lived (`outbox`,
-- `envelopes`). So the work per command does not grow with the number of settled commands.

-- ---------------------------------------------------------------- time and ids

-- The database's clock: one clock for every process that shares the outbox.
CREATE FUNCTION now_ms() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- The smallest UUID version 7 of a millisecond: a bound between partitions.
CREATE FUNCTION uuid_floor(at_ms bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(at_ms), 12, '0') || repeat('0', 20))::uuid;

-- ---------------------------------------------------------------- leases

CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     text NOT NULL,
    epoch      bigint NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 10);  -- one small row, updated every few seconds: each update stays on its page

-- Fences out a holder that was replaced. FOR SHARE makes a take-over wait for the statements
-- that this epoch has begun, and makes those that come after it see the new epoch.
CREATE FUNCTION require_lease(p_name text, p_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM leases WHERE name = p_name AND epoch = p_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease % is no longer held with epoch %', p_name, p_epoch
            USING ERRCODE = 'GX001';
    END IF;
END $$;

-- ---------------------------------------------------------------- commands and their results

CREATE TABLE commands (
    command_id     uuid PRIMARY KEY,
    command_type   text NOT NULL,
    arguments      jsonb NOT NULL,
    actor          text NOT NULL,
    subject        text NOT NULL,
    role           text NOT NULL,
    key_hash       bytea,
    trace_parent   text,
    accepted_at_ms bigint NOT NULL
) PARTITION BY RANGE (command_id);

CREATE TABLE commands_default PARTITION OF commands DEFAULT;

CREATE TABLE command_results (
    command_id     uuid PRIMARY KEY,
    outcome        text NOT NULL CHECK (outcome IN ('COMMITTED', 'REJECTED', 'DISCARDED')),
    code           text,
    detail         text,
    result         jsonb,
    transaction_id text,
    block_number   bigint,
    attempts       integer NOT NULL,
    settled_at_ms  bigint NOT NULL
) PARTITION BY RANGE (command_id);

-- Rows come in the order of blocks, so a few bytes for each range of pages find those that the
-- projection has not reached yet.
CREATE INDEX command_results_block_idx ON command_results
    USING brin (block_number) WITH (pages_per_range = 16, autosummarize = on);

-- The rare ones can be listed without reading the many.
CREATE INDEX command_results_refused_idx ON command_results (outcome, command_id)
    WHERE outcome <> 'COMMITTED';

CREATE TABLE command_results_default PARTITION OF command_results DEFAULT;

-- ---------------------------------------------------------------- the outbox

-- The pending set. `seq` is the order of acceptance; the channel's advisory lock, taken before it
-- is drawn, makes it the order of commit too. `envelope_id` names the live envelope that holds
-- the command: one column, so at most one does. It has no index, and half of each page is left
-- free, so that setting it never touches an index (a HOT update).
CREATE TABLE outbox (
    seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command_id     uuid NOT NULL CONSTRAINT outbox_command_once UNIQUE,
    envelope_id    bigint,
    accepted_at_ms bigint NOT NULL,
    due_at_ms      bigint NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    scopes         text[] NOT NULL,
    history        jsonb
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

-- Signed transactions that have no verdict yet. The bytes do not compress: store them as they are.
-- `seqs` are the places of the commands that ride in it, so that letting them go needs no search.
CREATE TABLE envelopes (
    envelope_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id text NOT NULL CONSTRAINT envelopes_transaction_once UNIQUE,
    role           text NOT NULL,
    content        bytea NOT NULL,
    result         text NOT NULL,
    seqs           bigint[] NOT NULL,
    epoch          bigint NOT NULL,
    prepared_at_ms bigint NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 20000,
    toast.autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE envelopes ALTER COLUMN content SET STORAGE EXTERNAL;

-- Random keys live here, apart from the commands, and only as long as they must.
CREATE TABLE idempotency_keys (
    key_hash      bytea PRIMARY KEY,
    fingerprint   text NOT NULL,
    command_id    uuid NOT NULL,
    created_at_ms bigint NOT NULL
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at_ms);

CREATE TABLE dead_letters (
    command_id    uuid PRIMARY KEY,
    scopes        text[] NOT NULL,
    attempts      integer NOT NULL,
    reason        text NOT NULL,
    history       jsonb NOT NULL,
    buried_at_ms  bigint NOT NULL,
    state         text NOT NULL CHECK (state IN ('dead', 'replayed', 'discarded')),
    handled_at_ms bigint
);
CREATE INDEX dead_letters_dead_idx ON dead_letters (command_id) WHERE state = 'dead';

-- ---------------------------------------------------------------- the audit log

CREATE TABLE audit_log (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms    bigint NOT NULL DEFAULT now_ms(),
    actor    text NOT NULL CHECK (actor <> ''),
    action   text NOT NULL CHECK (action <> ''),
    target   text NOT NULL,
    reason   text NOT NULL CHECK (reason <> '')
);

CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'GX003';
END $$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
