-- What tells this database from others, for those who keep something outside of it: its blobs in a bucket.

CREATE TABLE installation (
    id TEXT NOT NULL,
    is_only BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_only)
);

INSERT INTO installation (id) VALUES (gen_random_uuid()::text);
