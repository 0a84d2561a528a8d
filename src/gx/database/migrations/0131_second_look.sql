-- What was compared once is compared again and again: how far this pass has come, and since when it
-- is under way. A release that does not know the columns leaves them.
ALTER TABLE outbox_audits ADD COLUMN again_block bigint NOT NULL DEFAULT -1;
ALTER TABLE outbox_audits ADD COLUMN again_began_ms bigint;
