-- A command that an envelope holds may take effect, or has: giving it up would let an operator's
-- replay bring it to the ledger twice. So what is held cannot be buried, whoever asks.

CREATE OR REPLACE FUNCTION bury_entry(p_lease text, p_epoch bigint, p_seq bigint, p_reason text)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    IF EXISTS (SELECT FROM outbox WHERE seq = p_seq AND envelope_id IS NOT NULL) THEN
        RAISE EXCEPTION 'entry % is held by an envelope', p_seq USING ERRCODE = 'GX002';
    END IF;
    WITH given_up AS (
        DELETE FROM outbox WHERE seq = p_seq AND envelope_id IS NULL
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
