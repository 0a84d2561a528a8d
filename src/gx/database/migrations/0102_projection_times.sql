-- When blocks became visible, for a command's journey: a ring of the newest 8,192 blocks, so that
-- it never grows. A row is one commit of the projector, from first_block to last_block.
CREATE TABLE projection_times (
    channel         text NOT NULL,
    slot            integer NOT NULL,
    first_block     bigint NOT NULL,
    last_block      bigint NOT NULL,
    projected_at_ms bigint NOT NULL,
    PRIMARY KEY (channel, slot)
);
CREATE INDEX projection_times_block_idx ON projection_times (channel, last_block);
