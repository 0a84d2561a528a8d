-- What comparing the outbox with the ledger must remember.

-- How far the active submitter has compared, and the hash of that block: it names the chain's
-- content, where the first block's hash names only its origin.
CREATE TABLE outbox_audits (
    channel      text PRIMARY KEY,
    block_number bigint NOT NULL,
    block_hash   text NOT NULL,
    epoch        bigint NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 10);

-- Commands whose record differs from the ledger's answer. A row stays until a later look agrees.
CREATE TABLE outbox_differences (
    channel      text NOT NULL,
    command_id   text NOT NULL,
    kind         text NOT NULL,
    block_number bigint NOT NULL,
    told         text NOT NULL,
    stored       text NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, command_id)
);

-- Commands on the ledger that an operator declared as none of this outbox's: sent by another
-- program, or lost with the database that had accepted them.
CREATE TABLE outside_commands (
    command_id     text PRIMARY KEY,
    block_number   bigint NOT NULL,
    declared_at_ms bigint NOT NULL DEFAULT now_ms(),
    actor          text NOT NULL CHECK (actor <> ''),
    reason         text NOT NULL CHECK (reason <> '')
);

-- Since when the present chain is accepted: what was settled before may stand in blocks that an
-- older copy of the ledger no longer has, and that somebody gave up on purpose.
CREATE TABLE accepted_chains (
    channel        text PRIMARY KEY,
    accepted_at_ms bigint NOT NULL
);
