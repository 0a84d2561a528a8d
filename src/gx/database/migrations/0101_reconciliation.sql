-- Where the read models disagree with the ledger's own records, by the record's key. A row stays
-- until a later write of that record agrees, so that a restart does not make a difference vanish.
CREATE TABLE projection_differences (
    channel    text NOT NULL,
    record_key text NOT NULL,
    difference numeric NOT NULL,
    found_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, record_key)
);
