-- Uploads that come in pieces (tus). Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,  -- UUIDv7
    tenant TEXT NOT NULL,
    length INTEGER,                -- bytes in all; NULL while the client has not told
    received INTEGER NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND coalesce(length, received)),
    metadata TEXT NOT NULL,        -- Upload-Metadata as it was sent
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    job_id TEXT,                   -- the job that took it; kept until the upload expires, to tell who asks again
    CHECK (job_id IS NULL OR received = length)
) STRICT;

CREATE INDEX uploads_by_expiry ON uploads (expires_at);
