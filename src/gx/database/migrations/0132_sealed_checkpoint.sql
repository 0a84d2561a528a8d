-- At which block the projector itself left its checkpoint, by the block's hash, and when. A number
-- that somebody else put there, or a chain that has another block of that number, is thus found
-- before anything is projected from it. A release that does not know the columns leaves them and
-- sets updated_at: where that is newer than sealed_at, the seal says nothing.
ALTER TABLE projection_checkpoints ADD COLUMN sealed_block bigint NOT NULL DEFAULT -1;
ALTER TABLE projection_checkpoints ADD COLUMN sealed_hash text NOT NULL DEFAULT '';
ALTER TABLE projection_checkpoints ADD COLUMN sealed_at timestamptz;
