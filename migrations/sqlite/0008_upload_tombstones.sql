-- Uploads that have expired leave a row for a while, so that their client is told what happened; and how many a tenant
-- has open must not take a look at all of them. Times are milliseconds since 1970-01-01T00:00:00Z.

ALTER TABLE uploads ADD COLUMN removed_at INTEGER;  -- when it was swept because its time was over

CREATE INDEX uploads_removed ON uploads (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX uploads_open ON uploads (tenant) WHERE job_id IS NULL AND removed_at IS NULL;

DROP INDEX uploads_by_expiry;
CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE removed_at IS NULL;
