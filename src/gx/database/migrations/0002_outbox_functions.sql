-- What the outbox does in one round trip and one transaction each.

-- ---------------------------------------------------------------- accept

-- Stores a group of commands and returns only the places that stored nothing new: those whose
-- idempotency key was known, from before or from earlier in this same group.
--
-- The advisory lock (26488 = 'gx', 1 = outbox) comes before any `seq` is drawn: whoever holds it
-- commits before the next one draws, so a reader that has seen a `seq` never sees a lower one
-- appear. `now_ms` after the lock keeps times in that order too.
CREATE FUNCTION accept_commands(
    p_ids uuid[], p_types text[], p_arguments jsonb[], p_actors text[], p_subjects text[],
    p_roles text[], p_scopes text[], p_keys bytea[], p_fingerprints text[], p_traces text[]
) RETURNS TABLE (place bigint, outcome text, known_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
    v_now_ms bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(26488, 1);
    v_now_ms := now_ms();
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(p_ids, p_types, p_arguments, p_actors, p_subjects,
                             p_roles, p_scopes, p_keys, p_fingerprints, p_traces)
            WITH ORDINALITY AS a(id, type, arguments, actor, subject,
                                 role, scopes, key_hash, fingerprint, trace, place)
    ), claimed AS (
        INSERT INTO idempotency_keys (key_hash, fingerprint, command_id, created_at_ms)
        SELECT DISTINCT ON (a.key_hash) a.key_hash, a.fingerprint, a.id, v_now_ms
          FROM asked a WHERE a.key_hash IS NOT NULL ORDER BY a.key_hash, a.place
            ON CONFLICT (key_hash) DO NOTHING
        RETURNING command_id
    ), fresh AS MATERIALIZED (
        SELECT * FROM asked a
         WHERE a.key_hash IS NULL OR a.id IN (SELECT c.command_id FROM claimed c)
    ), stored AS (
        INSERT INTO commands (command_id, command_type, arguments, actor, subject, role,
                              key_hash, trace_parent, accepted_at_ms)
        SELECT f.id, f.type, f.arguments, f.actor, f.subject, f.role,
               f.key_hash, f.trace, v_now_ms
          FROM fresh f
    ), queued AS (
        INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)
        SELECT f.id, v_now_ms, v_now_ms, string_to_array(f.scopes, E'\x1f')
          FROM fresh f ORDER BY f.place
    ), owners AS (
        SELECT k.key_hash, k.fingerprint, k.command_id
          FROM idempotency_keys k WHERE k.key_hash = ANY (p_keys)
        UNION ALL
        SELECT f.key_hash, f.fingerprint, f.id FROM fresh f WHERE f.key_hash IS NOT NULL
    )
    SELECT a.place,
           CASE WHEN o.fingerprint = a.fingerprint THEN 'repeated' ELSE 'key_reused' END,
           o.command_id
      FROM asked a JOIN owners o USING (key_hash)
     WHERE o.command_id <> a.id;
END $$;

-- ---------------------------------------------------------------- prepare and settle

-- Keeps a signed envelope and marks its commands as held by it, all or nothing. A second call
-- with the same transaction and commands, after a lost answer, finds it done.
CREATE FUNCTION persist_envelope(
    p_lease text, p_epoch bigint, p_transaction_id text, p_role text, p_content bytea,
    p_result text, p_seqs bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_envelope_id bigint;
    v_held bigint;
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    INSERT INTO envelopes (transaction_id, role, content, result, seqs, epoch, prepared_at_ms)
    VALUES (p_transaction_id, p_role, p_content, p_result, p_seqs, p_epoch, now_ms())
        ON CONFLICT (transaction_id) DO NOTHING
    RETURNING envelope_id INTO v_envelope_id;
    IF v_envelope_id IS NULL THEN
        SELECT count(*) INTO v_held FROM outbox o JOIN envelopes e USING (envelope_id)
         WHERE o.seq = ANY (p_seqs) AND e.transaction_id = p_transaction_id;
    ELSE
        UPDATE outbox SET envelope_id = v_envelope_id
         WHERE seq = ANY (p_seqs) AND envelope_id IS NULL;
        GET DIAGNOSTICS v_held = ROW_COUNT;
    END IF;
    IF v_held <> cardinality(p_seqs) THEN
        RAISE EXCEPTION '% of % entries are settled or held by another envelope',
            cardinality(p_seqs) - v_held, cardinality(p_seqs) USING ERRCODE = 'GX002';
    END IF;
END $$;

-- Deletes an envelope; those of its commands that still wait are free again. The many commands of
-- a settled one are gone already: then there is nothing to look for.
CREATE FUNCTION release_envelope(p_transaction_id text, p_settled bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_envelope_id bigint;
    v_seqs bigint[];
BEGIN
    DELETE FROM envelopes WHERE transaction_id = p_transaction_id
    RETURNING envelope_id, seqs INTO v_envelope_id, v_seqs;
    IF p_settled < cardinality(v_seqs) THEN
        UPDATE outbox SET envelope_id = NULL
         WHERE seq = ANY (v_seqs) AND envelope_id = v_envelope_id;
    END IF;
END $$;

-- Writes final answers and forgets what waited for them. A second call finds nothing to do.
-- Entries of the envelope without an answer here wait again. Without a transaction id the
-- commands never reached the ledger (their endorsement was refused).
CREATE FUNCTION settle_commands(
    p_lease text, p_epoch bigint, p_transaction_id text, p_ids uuid[], p_outcomes text[],
    p_codes text[], p_details text[], p_results jsonb[], p_transaction_ids text[],
    p_blocks bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_settled bigint;
    v_now_ms bigint := now_ms();
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    WITH answered AS (
        DELETE FROM outbox WHERE command_id = ANY (p_ids) RETURNING command_id, attempts
    )
    INSERT INTO command_results (command_id, outcome, code, detail, result, transaction_id,
                                 block_number, attempts, settled_at_ms)
    SELECT r.id, r.outcome, r.code, r.detail, r.result, r.transaction_id, r.block,
           a.attempts, v_now_ms
      FROM unnest(p_ids, p_outcomes, p_codes, p_details, p_results, p_transaction_ids,
                  p_blocks) AS r(id, outcome, code, detail, result, transaction_id, block)
      JOIN answered a ON a.command_id = r.id;
    GET DIAGNOSTICS v_settled = ROW_COUNT;
    IF p_transaction_id IS NOT NULL THEN
        PERFORM release_envelope(p_transaction_id, v_settled);
    END IF;
END $$;

-- Forgets an envelope whose transaction id is dead for good; its commands wait again.
CREATE FUNCTION abandon_envelope(p_lease text, p_epoch bigint, p_transaction_id text)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    PERFORM release_envelope(p_transaction_id, 0);
END $$;

-- ---------------------------------------------------------------- postpone, bury, replay, discard

-- Adds one line to an entry's history; only the newest 50 are kept.
CREATE FUNCTION history_with(p_history jsonb, p_reason text, p_attempts integer) RETURNS jsonb
LANGUAGE sql VOLATILE
RETURN (CASE WHEN jsonb_array_length(p_history) >= 50 THEN p_history - 0
             ELSE coalesce(p_history, '[]') END)
       || jsonb_build_object('atMs', now_ms(), 'attempts', p_attempts, 'reason', p_reason);

CREATE FUNCTION postpone_entries(
    p_lease text, p_epoch bigint, p_seqs bigint[], p_until_ms bigint, p_reason text,
    p_attempts integer
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    UPDATE outbox
       SET due_at_ms = p_until_ms, attempts = attempts + p_attempts,
           history = history_with(history, p_reason, attempts + p_attempts)
     WHERE seq = ANY (p_seqs);
END $$;

-- An entry that was replayed and fails again takes its old letter's place, with both histories.
CREATE FUNCTION bury_entry(p_lease text, p_epoch bigint, p_seq bigint, p_reason text)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    WITH given_up AS (
        DELETE FROM outbox WHERE seq = p_seq
        RETURNING command_id, scopes, attempts, history
    )
    INSERT INTO dead_letters AS d (command_id, scopes, attempts, reason, history,
                                   buried_at_ms, state)
    SELECT g.command_id, g.scopes, g.attempts, p_reason,
           history_with(g.history, p_reason, g.attempts), now_ms(), 'dead'
      FROM given_up g
        ON CONFLICT (command_id) DO UPDATE
       SET attempts = d.attempts + EXCLUDED.attempts, reason = EXCLUDED.reason,
           history = d.history || EXCLUDED.history, buried_at_ms = EXCLUDED.buried_at_ms,
           state = 'dead', handled_at_ms = NULL;
END $$;

-- The command keeps its id and takes a new place in the order. Its history stays in the letter.
CREATE FUNCTION replay_dead_letter(p_command_id uuid, p_actor text, p_reason text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_scopes text[];
BEGIN
    PERFORM pg_advisory_xact_lock(26488, 1);
    UPDATE dead_letters SET state = 'replayed', handled_at_ms = now_ms()
     WHERE command_id = p_command_id AND state = 'dead'
    RETURNING scopes INTO v_scopes;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO outbox (command_id, accepted_at_ms, due_at_ms, scopes)
    VALUES (p_command_id, now_ms(), now_ms(), v_scopes);
    INSERT INTO audit_log (actor, action, target, reason)
    VALUES (p_actor, 'dead_letter_replayed', p_command_id::text, p_reason);
    RETURN true;
END $$;

CREATE FUNCTION discard_dead_letter(p_command_id uuid, p_actor text, p_reason text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_attempts integer;
BEGIN
    UPDATE dead_letters SET state = 'discarded', handled_at_ms = now_ms()
     WHERE command_id = p_command_id AND state = 'dead'
    RETURNING attempts INTO v_attempts;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO command_results (command_id, outcome, detail, attempts, settled_at_ms)
    VALUES (p_command_id, 'DISCARDED', p_reason, v_attempts, now_ms());
    INSERT INTO audit_log (actor, action, target, reason)
    VALUES (p_actor, 'dead_letter_discarded', p_command_id::text, p_reason);
    RETURN true;
END $$;
