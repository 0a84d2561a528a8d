-- What an envelope's row means, so that a submitter which is older than whoever wrote it leaves it
-- alone. A release that does not know the column writes format 1, which is what it means.
ALTER TABLE envelopes ADD COLUMN format integer NOT NULL DEFAULT 1;
