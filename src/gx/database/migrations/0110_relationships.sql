-- What people say they are to each other, and what both agree to. A user's relationships are found
-- from either side.
CREATE TABLE relationships (
    relationship_id text COLLATE "C" NOT NULL,
    subject_id text NOT NULL DEFAULT '',
    object_id text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'Requested',
    requested_at bigint,
    confirmed_at bigint,
    PRIMARY KEY (relationship_id)
) WITH (fillfactor = 80);
CREATE INDEX relationships_subject_id_idx ON relationships (subject_id, relationship_id);
CREATE INDEX relationships_object_id_idx ON relationships (object_id, relationship_id);
