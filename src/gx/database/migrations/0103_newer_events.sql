-- Whether the event at which the projection stands still is one that only a newer release can read:
-- that is no fault of the event, so nobody may set it aside. A release that does not know the
-- column leaves its default.
ALTER TABLE projection_stops ADD COLUMN is_newer boolean NOT NULL DEFAULT false;
