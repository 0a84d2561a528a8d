-- When a command's batch was prepared and how many rode in it: its envelope knows, until it is
-- settled. Kept with the answer, so that a command's journey can be told afterwards.

ALTER TABLE command_results ADD COLUMN prepared_at_ms bigint, ADD COLUMN batch_commands integer;

CREATE OR REPLACE FUNCTION settle_commands(
    p_lease text, p_epoch bigint, p_transaction_id text, p_ids uuid[], p_outcomes text[],
    p_codes text[], p_details text[], p_results jsonb[], p_transaction_ids text[],
    p_blocks bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_settled bigint;
    v_now_ms bigint := now_ms();
    v_prepared_at_ms bigint;
    v_batch_commands integer;
BEGIN
    PERFORM require_lease(p_lease, p_epoch);
    SELECT prepared_at_ms, cardinality(seqs) INTO v_prepared_at_ms, v_batch_commands
      FROM envelopes WHERE transaction_id = p_transaction_id;
    WITH answered AS (
        DELETE FROM outbox WHERE command_id = ANY (p_ids) RETURNING command_id, attempts
    )
    INSERT INTO command_results (command_id, outcome, code, detail, result, transaction_id,
                                 block_number, attempts, settled_at_ms, prepared_at_ms,
                                 batch_commands)
    SELECT r.id, r.outcome, r.code, r.detail, r.result, r.transaction_id, r.block,
           a.attempts, v_now_ms, v_prepared_at_ms, v_batch_commands
      FROM unnest(p_ids, p_outcomes, p_codes, p_details, p_results, p_transaction_ids,
                  p_blocks) AS r(id, outcome, code, detail, result, transaction_id, block)
      JOIN answered a ON a.command_id = r.id;
    GET DIAGNOSTICS v_settled = ROW_COUNT;
    IF p_transaction_id IS NOT NULL THEN
        PERFORM release_envelope(p_transaction_id, v_settled);
    END IF;
END $$;
